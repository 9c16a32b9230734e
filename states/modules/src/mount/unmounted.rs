//! `mount.unmounted`: nothing is mounted at a place.

use super::add;
use brine_core::Value;
use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;

/// Nothing is mounted at a place; with `persist`, nor is when the machine starts.
///
/// name: the place; device: only what is on this device; config: another file than `fstab`; persist: remove the line; user: who
/// unmounts
#[exec]
pub(super) fn unmounted(
    cx: &Cx,
    name: Value,
    device: Option<Value>,
    #[default("/etc/fstab")] config: Value,
    #[default(false)] persist: bool,
    user: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _unread = kwargs;
    if !name.truthy() {
        return Ok(Outcome::failed(name, "Must provide name to mount.unmounted"));
    }
    let place = python_str(&name);
    let device = device.filter(Value::truthy);
    let mut outcome = Outcome::new(name.clone());
    let active = cx.call("mount.active", Args::none().with("extended", true))?;
    if active.get(&place.replace(' ', "\\040")).is_none() {
        outcome.comment = "Target was already unmounted".into();
    } else if cx.test {
        return Ok(Outcome::would(name, format!("Mount point {place} is mounted but should not be")));
    } else {
        let words = [Some(name.clone()), device.clone()].into_iter().flatten();
        let args = Args::positional(words).with("user", user.unwrap_or_default());
        match cx.call("mount.umount", args)? {
            Value::Str(error) => {
                outcome.comment = error.into();
                outcome.result = Some(false);
            }
            Value::Bool(true) => {
                outcome.comment = "Target was successfully unmounted".into();
                outcome.changes.insert("umount", true);
            }
            _ => outcome.comment = "Execute set to False, Target was not unmounted".into(),
        }
        cx.call("mount.delete_mount_cache", Args::positional([name.clone()]))?;
    }
    if persist {
        forget(cx, &mut outcome, &place, device, config)?;
    }
    Ok(outcome)
}

/// Removes the line in `fstab`.
fn forget(cx: &Cx, outcome: &mut Outcome, place: &str, device: Option<Value>, config: Value) -> Result<()> {
    let lines = cx.call("mount.fstab", Args::positional([config.clone()]))?;
    let Some(line) = lines.get(place) else {
        add(outcome, ". fstab entry not found");
        return Ok(());
    };
    if let Some(device) = device.as_ref().filter(|device| line.get("device") != Some(device)) {
        add(outcome, &format!(". fstab entry for device {} not found", python_str(device)));
        return Ok(());
    }
    if cx.test {
        outcome.result = None;
        let file = python_str(&config);
        outcome.comment =
            format!("Mount point {place} is unmounted but needs to be purged from {file} to be made persistent").into();
        return Ok(());
    }
    let args = Args::positional([place.into(), device.unwrap_or_default(), config]);
    if cx.call("mount.rm_fstab", args)? == Value::Bool(true) {
        add(outcome, ". Removed target from fstab");
        outcome.changes.insert("persist", "purged");
    } else {
        outcome.result = Some(false);
        add(outcome, ". Failed to persist purge");
    }
    Ok(())
}
