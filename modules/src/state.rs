//! The `state` execution module: what states there are for this minion, shown or run.

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Opts, Value, map};
use brine_render::out::{Style, nested};
use brine_core::state::tag;
use brine_states::{Compiled, Highstate, Runner, settings};
use std::sync::Arc;

mod apply;
mod cached;
mod data;
mod event;
mod orchestrate;
mod pause;
mod pkg;
mod queue;
mod request;
mod retcode;
mod snapper;
mod switch;
mod tarball;

use apply::*;
use data::*;
use event::*;
use orchestrate::*;
use pause::*;
use pkg::*;
use queue::*;
use request::*;
use switch::*;

module! {
    "state": apply, check_request, clear_cache, clear_request, disable, enable, event, get_pauses, high, highstate, id_exists,
    list_disabled, low, orchestrate, pause, pkg, request, resume, run_request, running, show_highstate, show_low_sls, show_lowstate, show_sls,
    show_state_usage, show_states, show_top, single, sls, sls_exists, sls_id, soft_kill, template, template_str, test, top
}

/// `salt.defaults.exitcodes.EX_STATE_COMPILER_ERROR`
const COMPILER_ERROR: i64 = 1;
/// `salt.defaults.exitcodes.EX_STATE_FAILURE`
const STATE_FAILURE: i64 = 2;
/// `salt.defaults.exitcodes.EX_PILLAR_FAILURE`
const PILLAR_FAILURE: i64 = 5;

/// The options with what the call's arguments say of environments.
fn opts_of(cx: &Cx, kwargs: &Map) -> Result<Opts> {
    let mut opts = (*cx.opts).clone();
    if kwargs.contains("localconfig") {
        return Err(CallError::execution("localconfig is not supported: no path of a job is read as a configuration"));
    }
    let text = |value: &Value| if value.is_nil() { Value::Nil } else { python_str(value).into() };
    let saltenv = kwargs.get("saltenv");
    if let Some(saltenv) = saltenv {
        let locked = cx.opts.flag("lock_saltenv") && !saltenv.is_nil();
        if locked && cx.opts.get("saltenv") != Some(&text(saltenv)) {
            return Err(CallError::execution("lock_saltenv is enabled, saltenv cannot be changed"));
        }
        opts.map_mut().insert("saltenv", text(saltenv));
    }
    let from_saltenv = saltenv.filter(|_| cx.opts.flag("pillarenv_from_saltenv"));
    if let Some(pillarenv) = kwargs.get("pillarenv").or(from_saltenv) {
        opts.map_mut().insert("pillarenv", text(pillarenv));
    }
    Ok(opts)
}

/// The pillar that a call gives over that of the minion, decrypted if it says how.
fn over(cx: &Cx, kwargs: &Map) -> Result<Option<Map>> {
    let given = kwargs.get("pillar").filter(|given| !given.is_nil());
    let encrypted = kwargs.get("pillar_enc").filter(|enc| !enc.is_nil());
    match (given, encrypted) {
        (None, _) => Ok(None),
        (Some(given), Some(renderer)) => {
            let decrypted = crate::pillar::decrypted(cx, &python_str(renderer), given);
            match decrypted {
                Ok(Value::Map(over)) => Ok(Some(over)),
                Ok(_) => Err(CallError::invocation("Pillar data must be formatted as a dictionary.")),
                Err(e) => Err(CallError::execution(format!("Failed to decrypt pillar override: {e}"))),
            }
        }
        (Some(Value::Map(over)), None) => Ok(Some(over.clone())),
        (Some(_), None) => Err(CallError::invocation(
            "Pillar data must be formatted as a dictionary, unless pillar_enc is specified.",
        )),
    }
}

/// Text as a list at its commas, a list as it is: `split_input`.
fn split_input(value: &Value) -> Vec<String> {
    match value {
        Value::List(names) => names.iter().map(python_str).collect(),
        text => python_str(text).split(',').map(|name| name.trim().to_owned()).collect(),
    }
}

/// The context of a run over states: its options, and pillar compiled for it. `salt-call` has just compiled the very same.
fn for_states(cx: &Cx, opts: Opts, over: Option<Map>) -> Result<Cx> {
    let mut run = cx.clone();
    let same = opts.get("pillarenv") == cx.opts.get("pillarenv") && over.is_none();
    if !(same && cx.opts.str("__cli") == "salt-call") {
        let env = |key: &str| opts.get(key).filter(|v| v.truthy()).map(python_str);
        let pillar = cx.host.compile_pillar(env("saltenv").as_deref(), env("pillarenv").as_deref(), over)?;
        run.pillar = Arc::new(pillar);
    }
    run.opts = Arc::new(opts);
    run.opts = Arc::new(settings(&run));
    Ok(run)
}

/// Fails where pillar has errors, unless `force` is set.
fn check_pillar(cx: &Cx, kwargs: &Map) -> Result<()> {
    let errors = cx.pillar.get("_errors").filter(|errors| errors.truthy());
    match errors {
        Some(errors) if !kwargs.get("force").is_some_and(Value::truthy) => {
            cx.set_retcode(PILLAR_FAILURE);
            let plain = Style::new(&Opts::new(map! {"color" => false}), false);
            let info = nested(errors, &plain);
            let info = info.trim_end();
            Err(CallError::execution(format!("Pillar failed to render. Additional info follows:\n\n{info}")))
        }
        _ => Ok(()),
    }
}

/// Return the SLS names that top files give this minion, by environment.
///
/// CLI Example: salt '*' state.show_top
#[exec]
fn show_top(cx: &Cx, queue: Option<Value>, kwargs: KwArgs) -> Result {
    let kwargs = &kwargs.0;
    if let Some(conflict) = conflict(cx, queue, kwargs)? {
        return Ok(conflict);
    }
    let run = for_states(cx, opts_of(cx, kwargs)?, None)?;
    check_pillar(&run, kwargs)?;
    let states = Highstate::new(&run);
    let top = states.top()?;
    let errors = states.verify(&top)?;
    if !errors.is_empty() {
        return Ok(faults(cx, errors));
    }
    states.matches(&top).map(Value::from)
}

/// Of some SLS files what is asked for, or their faults.
fn of_mods(
    cx: &Cx,
    mods: &Value,
    queue: Option<Value>,
    kwargs: &Map,
    show: impl FnOnce(&Highstate, &str, &[String]) -> Result<Compiled>,
) -> Result {
    if let Some(conflict) = conflict(cx, queue, kwargs)? {
        return Ok(conflict);
    }
    let mut opts = opts_of(cx, kwargs)?;
    if opts.get("saltenv").is_none_or(Value::is_nil) {
        opts.map_mut().insert("saltenv", "base");
    }
    let saltenv = opts.get("saltenv").map(python_str).unwrap_or_default();
    let run = for_states(cx, opts, over(cx, kwargs)?)?;
    check_pillar(&run, kwargs)?;
    let mods = split_input(mods);
    given(cx, show(&Highstate::new(&run), &saltenv, &mods)?)
}

/// Faults as they are answered, with their return code.
fn faults(cx: &Cx, errors: Vec<String>) -> Value {
    cx.set_retcode(COMPILER_ERROR);
    errors.into()
}

/// The data, or the faults with the return code that they have.
fn given(cx: &Cx, compiled: Compiled) -> Result {
    if compiled.errors.is_empty() {
        return Ok(compiled.data);
    }
    Ok(faults(cx, compiled.errors))
}

/// Show the high data of one or more SLS files: what they say, in one form, before anything is extended or required.
///
/// CLI Example: salt '*' state.show_sls core,edit.vim saltenv=dev
#[exec]
fn show_sls(cx: &Cx, mods: Value, test: Option<Value>, queue: Option<Value>, kwargs: KwArgs) -> Result {
    let _shown_alike = test;
    of_mods(cx, &mods, queue, &kwargs.0, Highstate::show_sls)
}

/// Show the low data of one or more SLS files: what would be run, in its order.
///
/// CLI Example: salt '*' state.show_low_sls stuff pillar='{"foo": "bar"}'
#[exec]
fn show_low_sls(cx: &Cx, mods: Value, test: Option<Value>, queue: Option<Value>, kwargs: KwArgs) -> Result {
    let _shown_alike = test;
    of_mods(cx, &mods, queue, &kwargs.0, Highstate::show_low_sls)
}

/// Show the high data of all that top files give this minion.
///
/// CLI Example: salt '*' state.show_highstate
#[exec]
fn show_highstate(cx: &Cx, queue: Option<Value>, kwargs: KwArgs) -> Result {
    let kwargs = &kwargs.0;
    if let Some(conflict) = conflict(cx, queue, kwargs)? {
        return Ok(conflict);
    }
    let run = for_states(cx, opts_of(cx, kwargs)?, over(cx, kwargs)?)?;
    check_pillar(&run, kwargs)?;
    given(cx, Highstate::new(&run).show_highstate()?)
}

/// Show the low data of all that top files give this minion: what would be run, in its order.
///
/// CLI Example: salt '*' state.show_lowstate
#[exec]
fn show_lowstate(cx: &Cx, queue: Option<Value>, kwargs: KwArgs) -> Result {
    let kwargs = &kwargs.0;
    if let Some(conflict) = conflict(cx, queue, kwargs)? {
        return Ok(conflict);
    }
    let run = for_states(cx, opts_of(cx, kwargs)?, None)?;
    check_pillar(&run, kwargs)?;
    let compiled = Highstate::new(&run).show_lowstate()?;
    // Stock gives its faults without a return code.
    Ok(if compiled.errors.is_empty() { compiled.data } else { compiled.errors.into() })
}

/// Whether there are SLS files of these names.
///
/// CLI Example: salt '*' state.sls_exists core,edit.vim saltenv=dev
#[exec]
fn sls_exists(cx: &Cx, mods: Value, test: Option<Value>, queue: Option<Value>, kwargs: KwArgs) -> Result<bool> {
    let _shown_alike = test;
    Ok(matches!(of_mods(cx, &mods, queue, &kwargs.0, Highstate::show_sls)?, Value::Map(_)))
}

/// Whether all of these ids are in SLS files.
///
/// CLI Example: salt '*' state.id_exists create_myfile,update_template filestate saltenv=dev
#[exec]
fn id_exists(
    cx: &Cx,
    ids: Value,
    mods: Value,
    test: Option<Value>,
    queue: Option<Value>,
    kwargs: KwArgs,
) -> Result<bool> {
    let _shown_alike = test;
    let low = of_mods(cx, &mods, queue, &kwargs.0, Highstate::show_low_sls)?;
    let mut known = Vec::new();
    for chunk in low.as_list().unwrap_or_default() {
        match chunk {
            Value::Map(chunk) => known.push(chunk.get("__id__").map(python_str).unwrap_or_default()),
            _ => return Err(CallError::exception("TypeError", "string indices must be integers")),
        }
    }
    Ok(split_input(&ids).iter().all(|id| known.contains(id)))
}

/// Return the SLS names that a highstate would apply.
///
/// CLI Example: salt '*' state.show_states
#[exec]
fn show_states(cx: &Cx, queue: Option<Value>, kwargs: KwArgs) -> Result {
    let kwargs = &kwargs.0;
    if let Some(conflict) = conflict(cx, queue, kwargs)? {
        return Ok(conflict);
    }
    let run = for_states(cx, opts_of(cx, kwargs)?, None)?;
    check_pillar(&run, kwargs)?;
    let compiled = Highstate::new(&run).show_lowstate()?;
    if !compiled.errors.is_empty() {
        return given(cx, compiled);
    }
    let mut names: Vec<Value> = Vec::new();
    for chunk in compiled.data.as_list().unwrap_or_default().iter().filter_map(Value::as_map) {
        let sls = chunk.get("__sls__").cloned().unwrap_or_default();
        if !names.contains(&sls) {
            names.push(sls);
        }
    }
    Ok(names.into())
}

/// Return which SLS files top files use, and which they do not, by environment.
///
/// CLI Example: salt '*' state.show_state_usage
#[exec]
fn show_state_usage(cx: &Cx, queue: Option<Value>, kwargs: KwArgs) -> Result {
    let kwargs = &kwargs.0;
    if let Some(conflict) = conflict(cx, queue, kwargs)? {
        return Ok(conflict);
    }
    let run = for_states(cx, (*cx.opts).clone(), over(cx, kwargs)?)?;
    let states = Highstate::new(&run);
    let top = states.top()?;
    let errors = states.verify(&top)?;
    if !errors.is_empty() {
        return Ok(faults(cx, errors));
    }
    let usage: Value = states.usage(&top)?.into();
    retcode::set(cx, &usage, || None);
    Ok(usage)
}

/// Remove what `cache=True` runs use: they read their files anew.
///
/// CLI Example: salt '*' state.clear_cache
#[exec]
fn clear_cache(cx: &Cx) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    let dir = cx.opts.str("cachedir");
    let entries = std::fs::read_dir(dir).map_err(|e| CallError::execution(format!("{dir} cannot be read: {e}")))?;
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.ends_with(".cache.p") && entry.path().is_file() {
            std::fs::remove_file(entry.path())
                .map_err(|e| CallError::execution(format!("{name} cannot be removed: {e}")))?;
            removed.push(name);
        }
    }
    Ok(removed)
}

/// `salt.utils.data.is_true`
fn is_true(value: &Value) -> bool {
    match value {
        Value::Int(n) => *n > 0,
        Value::Float(x) => *x > 0.0,
        Value::Str(text) => text.eq_ignore_ascii_case("true"),
        other => other.truthy(),
    }
}

/// What `test` means: as it is given, else as a word of the call or the options say.
fn test_value(cx: &Cx, test: Option<&Value>, kwargs: &Map) -> Result {
    match test {
        None | Some(Value::Nil) => {}
        Some(Value::Bool(false)) => return Ok(false.into()),
        Some(_) => return Ok(true.into()),
    }
    let says_so = |(key, value): (&Value, &Value)| {
        key.as_str().is_some_and(|key| key.eq_ignore_ascii_case("test")) && is_true(value)
    };
    if kwargs.iter().any(says_so) {
        return Ok(true.into());
    }
    let elsewhere = cx.call("config.get", Args::positional(["test"]).with("omit_opts", true))?;
    if elsewhere == Value::Bool(true) {
        return Ok(true.into());
    }
    Ok(cx.opts.get("test").cloned().unwrap_or_default())
}

/// Run one state function with these arguments, which are read as YAML.
///
/// CLI Example: salt '*' state.single pkg.installed name=vim
#[exec]
fn single(
    cx: &Cx,
    fun: String,
    name: Value,
    test: Option<Value>,
    queue: Option<Value>,
    kwargs: KwArgs,
) -> Result {
    let mut low = kwargs.0;
    if let Some(conflict) = conflict(cx, queue, &low)? {
        return Ok(conflict);
    }
    let mut parts = fun.split('.');
    let (Some(state), Some(function)) = (parts.next(), parts.next()) else {
        cx.set_retcode(COMPILER_ERROR);
        return Ok("Invalid function passed".into());
    };
    let mut opts = opts_of(cx, &low)?;
    let test = test_value(cx, test.as_ref(), &low)?;
    let over = over(cx, &low)?;
    low.update(map! {"state" => state, "fun" => function, "__id__" => name.clone(), "name" => name});
    opts.map_mut().insert("test", test.clone());
    let mut run = for_states(cx, opts, over)?;
    run.test = test.truthy();
    let mut runner = Runner::new(&run);
    let mut low = Arc::new(low);
    let errors = runner.verify(&mut low)?;
    if !errors.is_empty() {
        return Ok(faults(cx, errors));
    }
    let tag = tag(&low);
    let results = map! { tag => runner.single(&mut low)? };
    let results = results.into();
    retcode::set(cx, &results, || None);
    Ok(results)
}
