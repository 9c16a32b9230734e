//! `mount.swap`: a device or a file is used as swap.

use super::{add, note_line};
use brine_core::Value;
use brine_core::call::{Args, Cx, Result, exec};
use brine_core::posixpath::basename;
use brine_core::state::Outcome;
use brine_core::text::python_str;

/// A device or a file is used as swap, and is again when the machine starts.
///
/// name: the device or file; persist: write the line; config: another file than `fstab`
#[exec]
pub(super) fn swap(
    cx: &Cx,
    name: Value,
    #[default(true)] persist: bool,
    #[default("/etc/fstab")] config: Value,
) -> Result<Outcome> {
    let text = python_str(&name);
    let mut outcome = Outcome::new(name.clone());
    let one = || Args::positional([name.clone()]);
    let mut used = cx.call("mount.swaps", Args::none())?;
    let real = if cx.call("file.is_link", one())?.truthy() {
        let target = python_str(&cx.call("file.readlink", one())?);
        if target.starts_with('/') { target } else { format!("/dev/{}", basename(&target)) }
    } else {
        text.clone()
    };
    if used.get(&real).is_some() {
        outcome.comment = format!("Swap {text} already active").into();
    } else if cx.test {
        outcome.result = None;
        outcome.comment = format!("Swap {text} is set to be activated").into();
    } else {
        cx.call("mount.swapon", Args::positional([real.as_str()]))?;
        used = cx.call("mount.swaps", Args::none())?;
        match used.get(&real) {
            Some(Value::Map(stats)) => {
                outcome.comment = format!("Swap {text} activated").into();
                outcome.changes = stats.clone();
            }
            _ => {
                outcome.comment = format!("Swap {text} failed to activate").into();
                outcome.result = Some(false);
            }
        }
    }
    if !persist {
        return Ok(outcome);
    }
    let lines = cx.call("mount.fstab", Args::positional([config.clone()]))?;
    if cx.test {
        let known = lines.as_map().is_some_and(|lines| {
            lines.contains(&text) || lines.values().any(|line| line.get("device") == Some(&name))
        });
        if !known {
            outcome.result = None;
            if used.get(&text).is_some() {
                outcome.comment =
                    format!("Swap {text} is set to be added to the fstab and to be activated").into();
            }
        }
        return Ok(outcome);
    }
    if let Some(line) = lines.get("none")
        && line.get("device") == Some(&name)
        && line.get("fstype").and_then(Value::as_str) != Some("swap")
    {
        return Ok(outcome);
    }
    let opts = Value::from(vec!["defaults"]);
    let words = ["none".into(), name, "swap".into(), opts, 0.into(), 0.into(), config];
    let out = cx.call("mount.set_fstab", Args::positional(words))?;
    if out.as_str() == Some("bad config") {
        outcome.result = Some(false);
        add(&mut outcome, ". However, the fstab was not found.");
    }
    note_line(&mut outcome, &out);
    Ok(outcome)
}
