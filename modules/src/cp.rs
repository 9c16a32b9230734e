//! The `cp` execution module: files of the state tree brought to this machine, and files that come as arguments of a job.

mod cache;
mod client;
mod fetch;
mod list;
mod push;
mod recv;
pub(crate) mod template;

use brine_core::call::module;
use cache::*;
use fetch::*;
use list::*;
use push::*;
use recv::*;

pub(crate) use fetch::without_login;
pub(crate) use template::{Engine, engine, is_render_error, render};

module! {
    "cp":
    cache_dest, cache_dir, cache_file, cache_files, cache_local_file, cache_master, envs, get_dir, get_file, get_file_str,
    get_template, get_url, hash_file, is_cached, list_master, list_master_dirs, list_master_symlinks, list_minion, list_states,
    push, push_dir, recv, recv_chunked, stat_file
}
