//! States of mounts: what is mounted where, now and when the machine starts, and swap.

mod fstab;
mod mounted;
mod options;
mod swap;
mod unmounted;

use brine_core::Value;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use fstab::*;
use mounted::*;
use swap::*;
use unmounted::*;

state_module! {
    "mount": fstab_absent, fstab_present, mod_watch, mounted, swap, unmounted
}

/// Adds to the comment so far.
fn add(outcome: &mut Outcome, more: &str) {
    outcome.comment = format!("{}{more}", python_str(&outcome.comment)).into();
}

/// Without slashes at its end, unless it is the root.
fn plain(name: &str) -> String {
    if name == "/" { name.to_owned() } else { name.trim_end_matches('/').to_owned() }
}

/// Adds what became of the line in `fstab`.
fn note_line(outcome: &mut Outcome, became: &Value) {
    let (change, comment) = match became.as_str() {
        Some("new") => ("new", ". Added new entry to the fstab."),
        Some("change") => ("update", ". Updated the entry in the fstab."),
        _ => return,
    };
    outcome.changes.insert("persist", change);
    add(outcome, comment);
}

/// Mounts anew what a watched state has changed.
#[exec]
fn mod_watch(cx: &Cx, name: Value, user: Option<Value>, kwargs: KwArgs) -> Result<Outcome> {
    let given = |key: &str| {
        kwargs.0.get(key).cloned().ok_or_else(|| CallError::exception("KeyError", format!("'{key}'")))
    };
    let text = python_str(&name);
    let sfun = given("sfun")?;
    if sfun.as_str() != Some("mounted") {
        let comment = format!("Watch not supported in {} at this time", python_str(&sfun));
        return Ok(Outcome::ok(name, comment));
    }
    let words = [name.clone(), given("device")?, false.into(), given("fstype")?, given("opts")?];
    let out = cx.call("mount.remount", Args::positional(words).with("user", user.unwrap_or_default()))?;
    Ok(if out.truthy() {
        Outcome::ok(name, format!("{text} remounted"))
    } else {
        Outcome::failed(name, format!("{text} failed to remount: {}", python_str(&out)))
    })
}
