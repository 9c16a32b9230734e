//! States of git repositories and checkouts. What is done to one is done by the execution module `git`.

mod ask;
mod clone;
mod cloned;
mod config;
mod detached;
mod latest;
mod present;
mod remote;
mod update;
mod words;

use brine_core::Cx;
use brine_core::state::state_module;
use cloned::*;
use config::*;
use detached::*;
use latest::*;
use present::*;

state_module! {
    "git": cloned, config_set, config_unset, detached, latest, present; unavailable = no_git
}

fn no_git(cx: &Cx) -> Option<String> {
    cx.registry.get("git.version").is_none().then(|| "git module could not be loaded".into())
}
