//! Whether services start at boot: `service.enabled` and `service.disabled`, and the same as a part of other states.

use super::{ask, is, said};
use brine_core::call::{Cx, KwArgs, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// What a step came to; what is `None` leaves the outcome of the state as it was.
pub(super) struct Said {
    pub(super) comment: String,
    pub(super) result: Option<Option<bool>>,
    pub(super) changes: Option<Map>,
}

impl Said {
    fn new(result: Option<bool>, comment: String) -> Self {
        Self { comment, result: Some(result), changes: None }
    }
}

/// How a comment goes on, by what is known of the service: it was started, it was as wished before, or it is dead.
fn by(started: Option<bool>, [running, as_wished, dead]: [&str; 3]) -> &str {
    match started {
        Some(true) => running,
        None => as_wished,
        Some(false) => dead,
    }
}

const WELL: [&str; 3] = ["and is running", "and is in the desired state", "and is dead"];

fn result_of(value: &Value) -> Option<bool> {
    value.as_bool()
}

/// Enables it, unless it is.
pub(super) fn enable(cx: &Cx, name: &Value, started: Option<bool>, result: &Value, kwargs: &Map) -> Result<Said> {
    let shown = python_str(name);
    match said(is(cx, "service.available", name))? {
        Err(text) => return Ok(Said::new(Some(false), text)),
        Ok(false) => return Ok(Said::new(Some(false), format!("The named service {shown} is not available"))),
        Ok(true) => {}
    }
    let before = ask(cx, "service.enabled", name, kwargs.clone())?;
    if before.truthy() {
        let text = format!("Service {shown} is already enabled, {}", by(started, WELL));
        return Ok(Said {
            changes: started.is_none().then(Map::new),
            ..Said::new(result_of(result), text)
        });
    }
    if cx.test {
        return Ok(Said::new(None, format!("Service {shown} set to be enabled")));
    }
    let done = said(ask(cx, "service.enable", name, kwargs.clone()).and_then(|done| {
        if !done.truthy() {
            return Ok(None);
        }
        let mut changes = Map::new();
        if ask(cx, "service.enabled", name, kwargs.clone())? != before {
            changes.insert(name.clone(), true);
        }
        Ok(Some(changes))
    }))?;
    let error = match done {
        Ok(Some(changes)) => {
            let text = format!("Service {shown} has been enabled, {}", by(started, WELL));
            return Ok(Said { changes: Some(changes), ..Said::new(result_of(result), text) });
        }
        Ok(None) => String::new(),
        Err(text) => text,
    };
    let rest = ["but the service is running", "but the service was already running", "and the service is dead"];
    let mut text = format!("Failed when setting service {shown} to start at boot, {}", by(started, rest));
    if !error.is_empty() {
        text += &format!(". Additional information follows:\n\n{error}");
    }
    Ok(Said::new(Some(false), text))
}

/// Disables it, unless it is.
pub(super) fn disable(cx: &Cx, name: &Value, started: Option<bool>, result: &Value, kwargs: &Map) -> Result<Said> {
    let shown = python_str(name);
    match said(is(cx, "service.available", name))? {
        Err(text) => return Ok(Said::new(Some(false), text)),
        Ok(false) => return Ok(Said::new(Some(true), format!("The named service {shown} is not available"))),
        Ok(true) => {}
    }
    let before = is(cx, "service.disabled", name)?;
    if before {
        let text = format!("Service {shown} is already disabled, {}", by(started, WELL));
        return Ok(Said {
            changes: started.is_none().then(Map::new),
            ..Said::new(result_of(result), text)
        });
    }
    if cx.test {
        return Ok(Said::new(None, format!("Service {shown} set to be disabled")));
    }
    if ask(cx, "service.disable", name, kwargs.clone())?.truthy() {
        let mut changes = Map::new();
        if is(cx, "service.disabled", name)? != before {
            changes.insert(name.clone(), true);
        }
        let text = format!("Service {shown} has been disabled, {}", by(started, WELL));
        return Ok(Said { changes: Some(changes), ..Said::new(result_of(result), text) });
    }
    let rest = [
        " to not start at boot, and is running",
        " to not start at boot, but the service was already running",
        " to not start at boot, and the service is dead",
    ];
    Ok(Said::new(Some(false), format!("Failed when setting service {shown}{}", by(started, rest))))
}

fn outcome(name: Value, said: Said) -> Outcome {
    let mut outcome = Outcome::new(name);
    super::update(&mut outcome, said);
    outcome
}

/// See that a service starts at boot, whether it runs or not.
#[exec]
pub(super) fn enabled(cx: &Cx, name: Value, kwargs: KwArgs) -> Result<Outcome> {
    cx.job.set_context("service.state", "enabled");
    let shown = python_str(&name);
    let said = enable(cx, &name, None, &true.into(), &kwargs.0)?;
    if cx.test && said.comment == format!("The named service {shown} is not available") {
        let text = format!("Service {shown} not present; if created in this state run, it would have been enabled");
        return Ok(Outcome::would(name, text));
    }
    Ok(outcome(name, said))
}

/// See that a service does not start at boot, whether it runs or not.
#[exec]
pub(super) fn disabled(cx: &Cx, name: Value, kwargs: KwArgs) -> Result<Outcome> {
    cx.job.set_context("service.state", "disabled");
    let said = disable(cx, &name, None, &true.into(), &kwargs.0)?;
    Ok(outcome(name, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_end_by_what_is_known() {
        assert_eq!(by(Some(true), WELL), "and is running");
        assert_eq!(by(None, WELL), "and is in the desired state");
        assert_eq!(by(Some(false), WELL), "and is dead");
    }
}
