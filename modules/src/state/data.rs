//! States that are given with the call: low data, high data, templates.

use super::{check_pillar, conflict, faults, for_states, opts_of, over, retcode, test_value};
use brine_core::call::{Cx, KwArgs, Result, exec};
use brine_core::text::python_str;
use brine_core::{CallError, Map, Value};
use brine_states::{High, Highstate, Runner};
use std::path::Path;
use std::sync::Arc;

/// Run one chunk of low data.
///
/// CLI Example: salt '*' state.low '{"state": "pkg", "fun": "installed", "name": "vi"}'
#[exec]
pub(super) fn low(cx: &Cx, data: Map, queue: Option<Value>, kwargs: KwArgs) -> Result {
    if let Some(conflict) = conflict(cx, queue, &kwargs.0)? {
        return Ok(conflict);
    }
    let mut run = for_states(cx, (*cx.opts).clone(), None)?;
    run.test = cx.opts.flag("test");
    let mut runner = Runner::new(&run);
    let mut low = Arc::new(data);
    let errors = runner.verify(&mut low)?;
    if !errors.is_empty() {
        return Ok(faults(cx, errors));
    }
    runner.one(&mut low).map(Value::from)
}

/// Runs high data in a context; the results, or faults.
fn called(cx: &Cx, run: &Cx, states: &Highstate, high: High) -> Result {
    if !high.errors.is_empty() {
        return Ok(faults(cx, high.errors));
    }
    let ret: Value = match states.low(&high)? {
        Ok(chunks) => {
            let mut runner = Runner::new(run);
            runner.first_number(states.left_out());
            runner.sources(states.sources());
            runner.processed_sls(high.sls.iter().cloned());
            runner.run(chunks)?.into()
        }
        Err(errors) => errors.into(),
    };
    retcode::set(cx, &ret, || high.value().ok().and_then(|high| high.as_map().cloned()));
    Ok(ret)
}

/// Run high data.
///
/// CLI Example: salt '*' state.high '{"vim": {"pkg": ["installed"]}}'
#[exec]
pub(super) fn high(cx: &Cx, data: Value, test: Option<Value>, queue: Option<Value>, kwargs: KwArgs) -> Result {
    let kwargs = &kwargs.0;
    if let Some(conflict) = conflict(cx, queue, kwargs)? {
        return Ok(conflict);
    }
    let mut opts = opts_of(cx, kwargs)?;
    let test = test_value(cx, test.as_ref(), kwargs)?;
    opts.map_mut().insert("test", test.clone());
    let mut run = for_states(cx, opts, over(cx, kwargs)?)?;
    run.test = test.truthy();
    let states = Highstate::new(&run);
    let high = states.given_high(&data)?;
    called(cx, &run, &states, high)
}

/// Run the SLS file at a path on the minion.
///
/// CLI Example: salt '*' state.template '<Path to template on the minion>'
#[exec]
pub(super) fn template(cx: &Cx, tem: String, queue: Option<Value>, kwargs: KwArgs) -> Result {
    let kwargs = &kwargs.0;
    if let Some(conflict) = conflict(cx, queue, kwargs)? {
        return Ok(conflict);
    }
    let mut run = for_states(cx, opts_of(cx, kwargs)?, None)?;
    run.test = run.opts.flag("test");
    check_pillar(&run, kwargs)?;
    let path = if tem.ends_with(".sls") { tem } else { format!("{tem}.sls") };
    let saltenv = kwargs.get("saltenv").map(python_str).unwrap_or_default();
    let states = Highstate::new(&run);
    let high = states.high_of_file(Path::new(&path), &saltenv)?;
    called(cx, &run, &states, high)
}

/// Run what the text of a template says.
///
/// CLI Example: salt '*' state.template_str '<Template String>'
#[exec]
pub(super) fn template_str(cx: &Cx, tem: Value, queue: Option<Value>, kwargs: KwArgs) -> Result {
    let kwargs = &kwargs.0;
    if let Some(conflict) = conflict(cx, queue, kwargs)? {
        return Ok(conflict);
    }
    let Value::Str(tem) = tem else {
        return Err(CallError::exception("TypeError", "a template is text"));
    };
    let mut run = for_states(cx, opts_of(cx, kwargs)?, None)?;
    run.test = run.opts.flag("test");
    let states = Highstate::new(&run);
    let high = states.high_of_text(&tem)?;
    called(cx, &run, &states, high)
}
