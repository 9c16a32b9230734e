//! The `file` states: what is at a path, and what is in it. One file for each kind of function; here is the list.

mod cached;
mod cleanup;
mod common;
mod contents;
mod directory;
mod links;
mod managed;
mod move_;
mod presence;
mod recurse;
mod special;
mod walk;

use brine_core::state::state_module;
use cached::*;
use cleanup::*;
use directory::*;
use links::*;
use managed::*;
use move_::*;
use presence::*;
use recurse::*;
use special::*;

state_module! {
    "file":
    absent, cached, copy, directory, exists, hardlink, managed, missing, mknod, mod_run_check_cmd, not_cached, pruned, recurse,
    rename, retention_schedule, shortcut, symlink, tidied, touch
}
