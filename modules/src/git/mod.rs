//! The `git` execution module: the program `git`, run with the arguments that each function makes.

mod change;
mod config;
mod look;
mod program;
mod remote;
mod work;
mod worktree;

use brine_core::call::module;
use change::*;
use config::*;
use look::*;
use remote::*;
use work::*;
use worktree::*;

module! {
    "git":
    add, archive, branch, checkout, clone, commit, config_get, config_get_regexp, "config_get_regex" => config_get_regexp,
    config_set, config_unset, current_branch, describe, diff, discard_local_changes, fetch, init, is_worktree,
    list_branches, list_tags, list_worktrees, ls_remote, merge, merge_base, merge_tree, pull, push, rebase, remote_get,
    remote_refs, remote_set, remotes, reset, rev_parse, revision, rm, stash, status, submodule, symbolic_ref, tag,
    version, worktree_add, worktree_prune, worktree_rm
}
