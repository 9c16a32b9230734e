//! Whether services may be started at all: `service.masked` and `service.unmasked`.

use super::said;
use brine_core::call::{Args, Cx, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

fn kind(runtime: bool) -> &'static str {
    if runtime { "runtime masked" } else { "masked" }
}

fn is_masked(cx: &Cx, name: &Value, runtime: bool) -> Result<bool> {
    Ok(cx.call("service.masked", Args::positional([name.clone(), runtime.into()]))?.truthy())
}

fn changes(runtime: bool, masked: bool) -> Map {
    map! { kind(runtime) => map! { "old" => !masked, "new" => masked } }
}

fn see_to(cx: &Cx, name: &Value, runtime: bool, masked: bool, words: [&str; 3]) -> Result<Outcome> {
    let shown = python_str(name);
    let [already, would, done] = words;
    if is_masked(cx, name, runtime)? == masked {
        return Ok(Outcome::ok(name.clone(), format!("Service {shown} {already}")));
    }
    if cx.test {
        let outcome = Outcome::would(name.clone(), format!("Service {shown} {would}"));
        return Ok(outcome.with_changes(changes(runtime, masked)));
    }
    let function = if masked { "service.mask" } else { "service.unmask" };
    cx.call(function, Args::positional([name.clone(), runtime.into()]))?;
    if is_masked(cx, name, runtime)? == masked {
        let outcome = Outcome::ok(name.clone(), format!("Service {shown} {done}"));
        return Ok(outcome.with_changes(changes(runtime, masked)));
    }
    let verb = if masked { "mask" } else { "unmask" };
    // Stock takes this for a success.
    Ok(Outcome::ok(name.clone(), format!("Failed to {verb} service {shown}")))
}

/// Unmasks, as a part of another state too.
pub(super) fn lift(cx: &Cx, name: Value, runtime: bool) -> Result<Outcome> {
    let action = if runtime { "runtime unmasked" } else { "unmasked" };
    let words = ["was already", "would be", "was"].map(|word| format!("{word} {action}"));
    let outcome = see_to(cx, &name, runtime, false, [&words[0], &words[1], &words[2]]);
    Ok(said(outcome)?.unwrap_or_else(|text| Outcome::failed(name, text)))
}

/// See that nobody can start a service. `runtime`: until the next boot.
#[exec]
pub(super) fn masked(cx: &Cx, name: Value, #[default(false)] runtime: bool) -> Result<Outcome> {
    let words = ["is already", "would be", "was"].map(|word| format!("{word} {}", kind(runtime)));
    let outcome = see_to(cx, &name, runtime, true, [&words[0], &words[1], &words[2]]);
    Ok(said(outcome)?.unwrap_or_else(|text| Outcome::failed(name, text)))
}

/// See that a service can be started. `runtime`: of what holds until the next boot.
#[exec]
pub(super) fn unmasked(cx: &Cx, name: Value, #[default(false)] runtime: bool) -> Result<Outcome> {
    lift(cx, name, runtime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_name_the_kind_of_mask() {
        let want = map! {"runtime masked" => map! {"old" => false, "new" => true}};
        assert_eq!(changes(true, true), want);
    }
}
