//! The `state` execution module. So far: what states there are for this minion, and which state functions run now.

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec, module};
use brine_core::jid::jid_to_time;
use brine_core::text::python_str;
use brine_core::{Map, Opts, Value, map};
use brine_render::out::{Style, nested};
use brine_states::{Compiled, Highstate, Runner, settings, tag};
use std::sync::Arc;

module! { "state": apply, highstate, running, show_highstate, show_low_sls, show_lowstate, show_sls, show_top, single, sls }

/// `salt.defaults.exitcodes.EX_STATE_COMPILER_ERROR`
const COMPILER_ERROR: i64 = 1;
/// `salt.defaults.exitcodes.EX_STATE_FAILURE`
const STATE_FAILURE: i64 = 2;
/// `salt.defaults.exitcodes.EX_PILLAR_FAILURE`
const PILLAR_FAILURE: i64 = 5;

/// Return a line for each state function that runs already: those exclude each other.
///
/// CLI Example: salt '*' state.running
#[exec]
fn running(cx: &Cx, #[default(false)] concurrent: Value) -> Result<Vec<Value>> {
    if concurrent.truthy() {
        return Ok(Vec::new());
    }
    let others = cx.call("saltutil.is_running", Args { positional: vec!["state.*".into()], ..Args::default() })?;
    let line = |job: &Map| {
        let text = |key: &str| job.get(key).map(python_str).unwrap_or_default();
        let jid = text("jid");
        let started = jid_to_time(&jid);
        format!(
            "The function \"{}\" is running as PID {} and was started at {started} with jid {jid}",
            text("fun"),
            text("pid")
        )
    };
    let jobs = others.as_list().unwrap_or_default();
    Ok(jobs.iter().filter_map(Value::as_map).map(line).map(Value::from).collect())
}

/// What stands against running now, for a function that others exclude.
fn conflict(cx: &Cx, queue: Option<Value>, kwargs: &Map) -> Result<Option<Value>> {
    let queue = match queue {
        None | Some(Value::Nil) => cx.opts.get("state_queue").cloned().unwrap_or(false.into()),
        Some(given) => given,
    };
    if queue.truthy() {
        return Err(CallError::execution("queue comes with running states, which is a later piece of work"));
    }
    let concurrent = kwargs.get("concurrent").cloned().unwrap_or(false.into());
    let lines = cx.call("state.running", Args { positional: vec![concurrent], ..Args::default() })?;
    if lines.truthy() {
        cx.set_retcode(COMPILER_ERROR);
        return Ok(Some(lines));
    }
    Ok(None)
}

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

/// The pillar that a call gives over that of the minion.
fn over(kwargs: &Map) -> Result<Option<Map>> {
    if kwargs.get("pillar_enc").is_some_and(|enc| !enc.is_nil()) {
        return Err(CallError::execution("pillar_enc comes with running states, which is a later piece of work"));
    }
    match kwargs.get("pillar") {
        None | Some(Value::Nil) => Ok(None),
        Some(Value::Map(over)) => Ok(Some(over.clone())),
        Some(_) => Err(CallError::invocation(
            "Pillar data must be formatted as a dictionary, unless pillar_enc is specified.",
        )),
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
        cx.set_retcode(COMPILER_ERROR);
        return Ok(errors.into_iter().map(Value::from).collect());
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
    let run = for_states(cx, opts, over(kwargs)?)?;
    check_pillar(&run, kwargs)?;
    let mods: Vec<String> = match mods {
        Value::List(names) => names.iter().map(python_str).collect(),
        text => python_str(text).split(',').map(|name| name.trim().to_owned()).collect(),
    };
    given(cx, show(&Highstate::new(&run), &saltenv, &mods)?)
}

/// The data, or the faults with the return code that they have.
fn given(cx: &Cx, compiled: Compiled) -> Result {
    if compiled.errors.is_empty() {
        return Ok(compiled.data);
    }
    cx.set_retcode(COMPILER_ERROR);
    Ok(compiled.errors.into_iter().map(Value::from).collect())
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
    let run = for_states(cx, opts_of(cx, kwargs)?, over(kwargs)?)?;
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
    Ok(if compiled.errors.is_empty() {
        compiled.data
    } else {
        compiled.errors.into_iter().map(Value::from).collect()
    })
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

/// Sets the return code that goes with results of states.
fn set_retcode(cx: &Cx, results: &Map) {
    let failed = |ret: &Value| match ret {
        Value::Map(ret) => ret.get("result") == Some(&Value::Bool(false)),
        _ => true,
    };
    cx.set_retcode(if results.is_empty() || results.values().any(failed) { STATE_FAILURE } else { 0 });
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
    let over = over(&low)?;
    low.update(map! {"state" => state, "fun" => function, "__id__" => name.clone(), "name" => name});
    opts.map_mut().insert("test", test.clone());
    let mut run = for_states(cx, opts, over)?;
    run.test = test.truthy();
    let mut runner = Runner::new(&run);
    let mut low = Arc::new(low);
    let errors = runner.verify(&mut low)?;
    if !errors.is_empty() {
        cx.set_retcode(COMPILER_ERROR);
        return Ok(errors.into());
    }
    let tag = tag(&low);
    let results = map! { tag => runner.single(&mut low)? };
    set_retcode(cx, &results);
    Ok(results.into())
}

/// Runs low data of SLS files, or of the highstate.
fn run_states(cx: &Cx, mods: Option<&Value>, test: Option<&Value>, queue: Option<Value>, kwargs: &Map) -> Result {
    if let Some(conflict) = conflict(cx, queue, kwargs)? {
        return Ok(conflict);
    }
    let mut opts = opts_of(cx, kwargs)?;
    if mods.is_some() && opts.get("saltenv").is_none_or(Value::is_nil) {
        opts.map_mut().insert("saltenv", "base");
    }
    let test = test_value(cx, test, kwargs)?;
    opts.map_mut().insert("test", test.clone());
    let saltenv = opts.get("saltenv").map(python_str).unwrap_or_default();
    let mut run = for_states(cx, opts, over(kwargs)?)?;
    run.test = test.truthy();
    check_pillar(&run, kwargs)?;
    let names: Option<Vec<String>> = mods.map(|mods| match mods {
        Value::List(names) => names.iter().map(python_str).collect(),
        text => python_str(text).split(',').map(|name| name.trim().to_owned()).collect(),
    });
    let states = Highstate::new(&run);
    let matches = match names {
        Some(names) => vec![(saltenv, names)],
        None => {
            let top = states.top()?;
            let matches = states.matches(&top)?;
            let texts = |names: &Value| -> Vec<String> {
                names.as_list().unwrap_or_default().iter().map(python_str).collect()
            };
            matches.iter().map(|(env, names)| (python_str(env), texts(names))).collect()
        }
    };
    let compiled = states.low_of(&matches)?;
    if !compiled.errors.is_empty() {
        cx.set_retcode(COMPILER_ERROR);
        return Ok(compiled.errors.into());
    }
    let chunks = match compiled.data {
        Value::List(chunks) => chunks.into_iter().filter_map(|chunk| match chunk {
            Value::Map(chunk) => Some(chunk),
            _ => None,
        }),
        _ => return Ok(Value::Nil),
    };
    let mut runner = Runner::new(&run);
    runner.jid(cx.job.jid());
    runner.processed_sls(matches.into_iter().flat_map(|(_, names)| names));
    let results = runner.run(chunks.collect())?;
    set_retcode(cx, &results);
    Ok(results.into())
}

/// Apply the SLS files that are named, or all that top files give this minion.
///
/// CLI Example: salt '*' state.apply core,edit.vim test=True
#[exec]
fn apply(cx: &Cx, mods: Option<Value>, test: Option<Value>, queue: Option<Value>, kwargs: KwArgs) -> Result {
    run_states(cx, mods.as_ref(), test.as_ref(), queue, &kwargs.0)
}

/// Apply the SLS files that are named.
///
/// CLI Example: salt '*' state.sls core,edit.vim saltenv=dev
#[exec]
fn sls(cx: &Cx, mods: Value, test: Option<Value>, queue: Option<Value>, kwargs: KwArgs) -> Result {
    run_states(cx, Some(&mods), test.as_ref(), queue, &kwargs.0)
}

/// Apply all that top files give this minion.
///
/// CLI Example: salt '*' state.highstate test=True
#[exec]
fn highstate(cx: &Cx, test: Option<Value>, queue: Option<Value>, kwargs: KwArgs) -> Result {
    run_states(cx, None, test.as_ref(), queue, &kwargs.0)
}
