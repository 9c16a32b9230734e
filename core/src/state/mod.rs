//! State functions as the runner, and nobody else, calls them: what a file of states offers, what is around one step of a
//! run, and what comes of it.
//!
//! A state function is an ordinary [`Function`](crate::call::Function) written with `#[exec]`: its parameters are bound by
//! Python's rules, and `cx.step` says which chunk of low data it runs for. Files of states are put in the registry beside
//! the execution modules ([`Registry::with_states`](crate::Registry::with_states)), which they reach by name only
//! (`cx.call("file.replace", ..)`), as in stock.

mod check;
mod outcome;
mod step;
mod words;

pub use brine_macros::state_module;
pub use check::check_result;
pub use outcome::Outcome;
pub use step::{Run, Step, tag};
pub use words::{REQUISITES, REQUISITES_IN, is_internal};

use crate::call::{Cx, Function, Result};
use brine_protocol::Map;
use std::sync::Arc;

/// What `mod_aggregate` of a file of states is: given a chunk of low data, all chunks and the results so far, the chunk to
/// run instead. Chunks that it takes in are marked with `__agg__` ([`Arc::make_mut`]).
pub type Aggregate = fn(cx: &Cx, low: Map, chunks: &mut [Arc<Map>], running: &Map) -> Result<Map>;

/// One file of states: a name and its functions. Written by `state_module!`.
pub struct StateModule {
    /// The name that SLS files use (`file`).
    pub name: &'static str,
    /// Its functions; `mod_watch` is one of them, if there is one.
    pub functions: &'static [Function],
    /// Run once in a run, before the first function; `low` is the chunk of that. What it answers decides nothing but whether
    /// it is run again.
    pub mod_init: Option<fn(cx: &Cx, low: &Map) -> Result<bool>>,
    /// Makes one chunk of many.
    pub mod_aggregate: Option<Aggregate>,
    /// Why there are no such states on this machine (stock: `__virtual__` returned a reason); `None` where there are.
    pub unavailable: Option<fn(cx: &Cx) -> Option<String>>,
}
