//! The state of the machine's time zone.

use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Map, Value};

state_module! {
    "timezone": system
}

/// The machine's clocks show the time of this zone.
///
/// name: the zone, as `America/Denver`; utc: whether the hardware clock shows UTC
#[exec]
fn system(cx: &Cx, name: Value, #[default(true)] utc: Value) -> Result<Outcome> {
    let zone = python_str(&name);
    let one = |word: &Value| Args::positional([word.clone()]);
    let same = match cx.call("timezone.zone_compare", one(&name)) {
        Ok(same) => same.truthy(),
        Err(e @ (CallError::Execution(_) | CallError::Invocation(_))) => {
            let comment = format!("Unable to compare desired timezone '{zone}' to system timezone: {}", e.text());
            return Ok(Outcome::failed(name, comment));
        }
        Err(other) => return Err(other),
    };
    let my_utc = cx.call("timezone.get_hwclock", Args::none())?.as_str() != Some("localtime");
    // Python's comparison of what was given with a truth: text never equals one.
    let utc_fits = !utc.truthy() || utc == Value::Bool(my_utc) || utc == Value::from(i64::from(my_utc));
    let mut said = Vec::new();
    if same && utc_fits {
        said.push(format!("Timezone {zone} already set"));
        if utc.truthy() {
            said.push(format!("UTC already set to {zone}"));
        }
        return Ok(Outcome::ok(name, said.join(", ")));
    }
    let shown = python_str(&utc);
    if cx.test {
        if !same {
            said.push(format!("Timezone {zone} needs to be set"));
        }
        if !utc_fits {
            said.push(format!("UTC needs to be set to {shown}"));
        }
        return Ok(Outcome::would(name, said.join(", ")));
    }
    let (mut changes, mut result) = (Map::new(), None);
    if !same {
        let set = cx.call("timezone.set_zone", one(&name))?.truthy();
        result = Some(set);
        if set {
            changes.insert("timezone", name.clone());
        }
        said.push(if set { format!("Set timezone {zone}") } else { "Failed to set timezone".into() });
    }
    if !utc_fits {
        let set = cx.call("timezone.set_hwclock", one(&"UTC".into()))?.truthy();
        result = Some(set);
        if set {
            changes.insert("utc", utc);
        }
        said.push(format!("{} UTC to {shown}", if set { "Set" } else { "Failed to set" }));
    }
    Ok(Outcome { changes, result, comment: said.join(", ").into(), ..Outcome::new(name) })
}
