//! Memory in use: tells when it is above a bound.

use crate::config::{key_error, list, merged, percent, share};
use crate::{Beacon, Kept, always, proc, refused};
use brine_core::call::{Cx, Result};
use brine_core::{Map, Value, map};

pub(crate) static BEACON: Beacon =
    Beacon { name: "memusage", unavailable: always, validate, look, lets_go: false };

fn validate(_: &Cx, config: &Value) -> Result<()> {
    bound_is_given("memusage", config)
}

/// `percent` is there.
pub(crate) fn bound_is_given(name: &str, config: &Value) -> Result<()> {
    match merged(list(name, config)?)?.contains("percent") {
        true => Ok(()),
        false => Err(refused(format!("Configuration for {name} beacon requires percent."))),
    }
}

/// The event, if the share is above the bound.
pub(crate) fn above(name: &str, config: &[Value], usage: f64) -> Result<Vec<Map>> {
    let config = merged(config)?;
    let bound = config.get("percent").ok_or_else(|| key_error(&"percent".into()))?;
    Ok((usage >= percent(bound)?).then(|| map! { name => usage }).into_iter().collect())
}

fn look(_: &Cx, config: &[Value], _: &mut Kept) -> Result<Vec<Map>> {
    let memory = proc::memory()?;
    let of = |name: &str| memory.get(name).copied().unwrap_or_default();
    let total = of("MemTotal");
    // Kernels before 3.14 do not say what is available.
    let available = memory.get("MemAvailable").copied().unwrap_or_else(|| of("MemFree") + of("Cached"));
    let available = if available > total { of("MemFree") } else { available };
    above("memusage", config, share(total - available, total))
}
