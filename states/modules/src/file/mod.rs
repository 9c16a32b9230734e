//! The `file` states: what is at a path, and what is in it. One file for each kind of function; here is the list.

mod common;
mod presence;

use brine_core::state::state_module;
use presence::*;

state_module! {
    "file": absent, exists, missing
}
