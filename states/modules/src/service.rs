//! States of services: whether they run (here), start at boot (`service/boot.rs`), may be started at all
//! (`service/mask.rs`), and what becomes of them when something they watch has changed (`service/watch.rs`).

mod boot;
mod mask;
mod watch;

use boot::{exec_disabled, exec_enabled};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use mask::{exec_masked, exec_unmasked};
use std::time::Duration;
use watch::{exec_mod_beacon, exec_mod_watch};

state_module! { "service": dead, disabled, enabled, masked, mod_beacon, mod_watch, running, unmasked }

/// What only systemd's functions take.
const SYSTEMD_ONLY: [&str; 3] = ["no_block", "unmask", "unmask_runtime"];

/// The arguments among these that a function takes, and a warning for each that this platform does not have.
fn systemd_only(cx: &Cx, function: &str, kwargs: &Map, outcome: &mut Outcome) -> Map {
    let mut found = Map::new();
    let takes = |name: &str| cx.registry.get(function).is_some_and(|f| f.params.iter().any(|p| p.name == name));
    let booted = std::path::Path::new("/run/systemd/system").exists();
    for name in SYSTEMD_ONLY {
        let Some(value) = kwargs.get(name).filter(|_| takes(name)) else { continue };
        if booted {
            found.insert(name, value.clone());
            continue;
        }
        let warning = Value::from(format!("The '{name}' argument is not supported by this platform"));
        if let Value::List(warnings) = outcome.more.entry_or("warnings", || Value::List(Vec::new()))
            && !warnings.contains(&warning)
        {
            warnings.push(warning);
        }
    }
    found
}

/// A call of an execution function about the service.
fn ask(cx: &Cx, function: &str, name: &Value, keyword: Map) -> Result {
    cx.call(function, Args { positional: vec![name.clone()], keyword })
}

fn is(cx: &Cx, function: &str, name: &Value) -> Result<bool> {
    Ok(ask(cx, function, name, Map::new())?.truthy())
}

fn runs(cx: &Cx, name: &Value, sig: &Value) -> Result {
    cx.call("service.status", Args::positional([name.clone(), sig.clone()]))
}

/// What a `CommandExecutionError` says; other errors are the caller's.
fn said<T>(result: Result<T>) -> Result<std::result::Result<T, String>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(CallError::Execution(text)) => Ok(Err(text)),
        Err(CallError::Detailed(detailed)) => Ok(Err(detailed.text)),
        Err(other) => Err(other),
    }
}

/// Text that says whether, as `is_true` of stock reads it.
fn flag(enable: Option<Value>) -> Option<bool> {
    match enable? {
        Value::Str(text) => Some(match text.trim().parse::<i64>() {
            Ok(number) => number > 0,
            Err(_) => text.eq_ignore_ascii_case("true"),
        }),
        Value::Bool(b) => Some(b),
        // Neither True nor False: nothing is done about it.
        _ => None,
    }
}

fn mistaken(name: Value) -> Outcome {
    let text = format!(
        "Service {} uses non-existent option \"enabled\".  Perhaps \"enable\" option was intended?",
        python_str(&name)
    );
    Outcome::failed(name, text)
}

fn wait(cx: &Cx, delay: &Value) -> Result<()> {
    if !delay.truthy() {
        return Ok(());
    }
    let seconds = match delay {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => delay.as_float().unwrap_or(1.0),
        _ => return Err(CallError::Arguments("'str' object cannot be interpreted as an integer".into())),
    };
    let length = Duration::try_from_secs_f64(seconds)
        .map_err(|_| CallError::exception("ValueError", "sleep length must be non-negative"))?;
    cx.cancel.sleep(length)
}

/// Takes over what a step of enabling or disabling came to.
fn update(outcome: &mut Outcome, step: boot::Said) {
    outcome.comment = step.comment.into();
    if let Some(result) = step.result {
        outcome.result = result;
    }
    if let Some(changes) = step.changes {
        outcome.changes = changes;
    }
}

/// Enables or disables, as asked.
fn at_boot(cx: &Cx, outcome: &mut Outcome, enable: Option<bool>, started: Option<bool>, result: Value, kwargs: &Map) -> Result<()> {
    let name = outcome.name.clone();
    let step = match enable {
        Some(true) => boot::enable(cx, &name, started, &result, kwargs)?,
        Some(false) => boot::disable(cx, &name, started, &result, kwargs)?,
        None => return Ok(()),
    };
    update(outcome, step);
    Ok(())
}

fn lines(lines: &[&str]) -> String {
    lines.iter().filter(|line| !line.is_empty()).copied().collect::<Vec<_>>().join("\n")
}

/// What both `running` and `dead` do first. `Err`: that was all.
fn begin(cx: &Cx, state: &str, name: &Value, kwargs: &Map) -> Result<std::result::Result<Outcome, Outcome>> {
    cx.job.set_context("service.state", state);
    if kwargs.contains("enabled") {
        return Ok(Err(mistaken(name.clone())));
    }
    let offline = cx.registry.get("service.offline").is_some() && cx.call("service.offline", Args::none())?.truthy();
    if offline {
        return Ok(Err(Outcome::ok(name.clone(), "Running in OFFLINE mode. Nothing to do")));
    }
    let shown = python_str(name);
    let missing = format!("The named service {shown} is not available");
    Ok(match said(is(cx, "service.available", name))? {
        Err(text) => Err(Outcome::failed(name.clone(), text)),
        Ok(true) => Ok(Outcome::new(name.clone())),
        Ok(false) if cx.test => {
            let verb = if state == "dead" { "stopped" } else { "started" };
            let text =
                format!("Service {shown} not present; if created in this state run, it would have been {verb}");
            Err(Outcome::would(name.clone(), text))
        }
        // What is not there does not run.
        Ok(false) if state == "dead" => Err(Outcome::ok(name.clone(), missing)),
        Ok(false) => Err(Outcome::failed(name.clone(), missing)),
    })
}

/// See that a service runs.
///
/// name: the service. enable: start it at boot (`False`: do not). sig: what to look for among processes, on other systems.
/// init_delay: seconds to wait after starting it. no_block, unmask, unmask_runtime: as for `service.start`.
#[exec]
fn running(
    cx: &Cx,
    name: Value,
    enable: Option<Value>,
    sig: Option<Value>,
    init_delay: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let (kwargs, sig, delay) = (kwargs.0, Value::from(sig), Value::from(init_delay));
    let mut outcome = match begin(cx, "running", &name, &kwargs)? {
        Ok(outcome) => outcome,
        Err(outcome) => return Ok(outcome),
    };
    let enable = flag(enable);
    let shown = python_str(&name);
    let before = runs(cx, &name, &sig)?;
    let before_boot = is(cx, "service.enabled", &name)?;
    let mut unmasked = String::new();
    let wants_unmask = kwargs.get("unmask").is_some_and(Value::truthy);
    if wants_unmask {
        let runtime = kwargs.get("unmask_runtime").is_some_and(Value::truthy);
        unmasked = python_str(&mask::lift(cx, name.clone(), runtime)?.comment);
    }
    if before.truthy() {
        outcome.comment = lines(&[&format!("The service {shown} is already running"), &unmasked]).into();
        if enable == Some(!before_boot) {
            at_boot(cx, &mut outcome, enable, None, true.into(), &kwargs)?;
        }
        return Ok(outcome);
    }
    if cx.test {
        let text = lines(&[&format!("Service {shown} is set to start"), &unmasked]);
        return Ok(Outcome { more: outcome.more, ..Outcome::would(name, text) });
    }
    let extra = systemd_only(cx, "service.start", &kwargs, &mut outcome);
    match said(ask(cx, "service.start", &name, extra))? {
        Err(text) => return Ok(Outcome { more: outcome.more, ..Outcome::failed(name, text) }),
        Ok(done) if !done.truthy() => {
            (outcome.result, outcome.comment) = (Some(false), format!("Service {shown} failed to start").into());
            at_boot(cx, &mut outcome, enable, Some(false), false.into(), &kwargs)?;
            return Ok(outcome);
        }
        Ok(_) => {}
    }
    wait(cx, &delay)?;
    let after = runs(cx, &name, &sig)?;
    let after_boot = is(cx, "service.enabled", &name)?;
    if before_boot != after_boot || before != after {
        outcome.changes.insert(name.clone(), after.clone());
    }
    outcome.comment = if after.truthy() {
        format!("Started service {shown}").into()
    } else {
        outcome.result = Some(false);
        format!("Service {shown} failed to start").into()
    };
    at_boot(cx, &mut outcome, enable, Some(after.truthy()), after, &kwargs)?;
    if delay.truthy() {
        let text = python_str(&outcome.comment);
        outcome.comment = format!("{text}\nDelayed return for {} seconds", python_str(&delay)).into();
    }
    if wants_unmask {
        outcome.comment = format!("{}\n{unmasked}", python_str(&outcome.comment)).into();
    }
    Ok(outcome)
}

/// See that a service does not run. Arguments as for `service.running`.
#[exec]
fn dead(
    cx: &Cx,
    name: Value,
    enable: Option<Value>,
    sig: Option<Value>,
    init_delay: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let (kwargs, sig, delay) = (kwargs.0, Value::from(sig), Value::from(init_delay));
    let mut outcome = match begin(cx, "dead", &name, &kwargs)? {
        Ok(outcome) => outcome,
        Err(outcome) => return Ok(outcome),
    };
    let enable = flag(enable);
    let shown = python_str(&name);
    let before = runs(cx, &name, &sig)?;
    let before_boot = is(cx, "service.enabled", &name)?;
    if !before.truthy() {
        outcome.comment = format!("The service {shown} is already dead").into();
        if enable == Some(!before_boot) {
            at_boot(cx, &mut outcome, enable, None, true.into(), &kwargs)?;
        }
        return Ok(outcome);
    }
    if cx.test {
        return Ok(Outcome::would(name, format!("Service {shown} is set to be killed")));
    }
    let extra = systemd_only(cx, "service.stop", &kwargs, &mut outcome);
    if !ask(cx, "service.stop", &name, extra)?.truthy() {
        (outcome.result, outcome.comment) = (Some(false), format!("Service {shown} failed to die").into());
        at_boot(cx, &mut outcome, enable, Some(true), false.into(), &kwargs)?;
        return Ok(outcome);
    }
    wait(cx, &delay)?;
    let after = ask(cx, "service.status", &name, map! {})?;
    let after_boot = is(cx, "service.enabled", &name)?;
    if before_boot != after_boot || before != after {
        outcome.changes.insert(name.clone(), after.clone());
    }
    outcome.comment = if after.truthy() {
        outcome.result = Some(false);
        format!("Service {shown} failed to die").into()
    } else {
        format!("Service {shown} was killed").into()
    };
    at_boot(cx, &mut outcome, enable, Some(after.truthy()), (!after.truthy()).into(), &kwargs)?;
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enable_may_be_text() {
        assert_eq!(flag(Some("True".into())), Some(true));
        assert_eq!(flag(Some("no".into())), Some(false));
        assert_eq!(flag(Some("2".into())), Some(true));
        assert_eq!(flag(Some(1.into())), None);
        assert_eq!(flag(None), None);
        assert_eq!(lines(&["a", "", "b"]), "a\nb");
    }
}
