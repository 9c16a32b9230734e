//! What runs beside a daemon as long as it does: the reactor, and doors that events come in by.
//!
//! Each engine is a file or folder of its own and a line in [`config`]. What it needs of its daemon is a trait there; the daemons
//! start them.

pub mod config;
pub mod reactor;
pub mod webhook;

use brine_core::Map;
use brine_python::{Dict, Obj};
use brine_render::json::{Options, dumps};

/// An event's data as the engine `test` shows them.
///
/// # Errors
/// Data that JSON cannot hold, in Python's words.
pub fn json(data: &Map) -> Result<String, String> {
    dumps(&Obj::dict(Dict::from(data)), &Options::salt()).map_err(|e| e.to_string())
}
