//! The `log` execution module: messages for the minion's log, mostly from templates.

use brine_core::call::{Result, exec, module};
use brine_core::Value;
use brine_core::text::python_str;

module! { "log": critical, debug, error, exception, info, warning }

/// Log a message at level debug.
///
/// CLI Example: salt '*' log.debug "message"
#[exec]
fn debug(message: Value) -> Result<bool> {
    tracing::debug!("{}", python_str(&message));
    Ok(true)
}

/// Log a message at level info.
///
/// CLI Example: salt '*' log.info "message"
#[exec]
fn info(message: Value) -> Result<bool> {
    tracing::info!("{}", python_str(&message));
    Ok(true)
}

/// Log a message at level warning.
///
/// CLI Example: salt '*' log.warning "message"
#[exec]
fn warning(message: Value) -> Result<bool> {
    tracing::warn!("{}", python_str(&message));
    Ok(true)
}

/// Log a message at level error.
///
/// CLI Example: salt '*' log.error "message"
#[exec]
fn error(message: Value) -> Result<bool> {
    tracing::error!("{}", python_str(&message));
    Ok(true)
}

/// Log a message as critical, which here is level error.
///
/// CLI Example: salt '*' log.critical "message"
#[exec]
fn critical(message: Value) -> Result<bool> {
    tracing::error!("{}", python_str(&message));
    Ok(true)
}

/// Log a message at level error; there is no exception to go with it.
///
/// CLI Example: salt '*' log.exception "message"
#[exec]
fn exception(message: Value) -> Result<bool> {
    tracing::error!("{}\nNoneType: None", python_str(&message));
    Ok(true)
}
