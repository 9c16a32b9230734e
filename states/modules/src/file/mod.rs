//! The `file` states: what is at a path, and what is in it. One file for each kind of function; here is the list.

mod append;
mod block;
mod cached;
mod cleanup;
mod common;
mod contents;
mod directory;
mod edit;
mod keyvalue;
mod links;
mod managed;
mod move_;
mod patch;
mod presence;
mod recurse;
mod serialize;
mod special;
mod texts;
mod walk;

pub(crate) use cached::without_login;
pub(crate) use managed::outcome;

use append::*;
use block::*;
use brine_core::state::state_module;
use cached::*;
use cleanup::*;
use directory::*;
use edit::*;
use keyvalue::*;
use links::*;
use managed::*;
use move_::*;
use patch::*;
use presence::*;
use recurse::*;
use serialize::*;
use special::*;

state_module! {
    "file":
    absent, accumulated, append, blockreplace, cached, comment, copy, decode, directory, exists, hardlink, keyvalue,
    line, managed, missing, mknod, mod_run_check_cmd, not_cached, patch, prepend, pruned, recurse, rename, replace,
    retention_schedule, serialize, shortcut, symlink, tidied, touch, uncomment
}
