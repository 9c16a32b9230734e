//! Failures on purpose, to try how they are told.

use brine_core::Map;
use brine_core::call::{Result, exec, module};

module! { "error": error }

/// Fail with the exception of that name and this message; without a name, return an empty dict.
///
/// Example: `wheel.cmd("error.error", kwarg={"name": "Exception"})`
#[exec]
fn error(name: Option<String>, #[default("")] message: String) -> Result<Map> {
    match name {
        None => Ok(Map::new()),
        Some(name) => Err(crate::raise::error(&name, &message)),
    }
}
