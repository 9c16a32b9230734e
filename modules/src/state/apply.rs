//! What SLS files and top files say, run: `state.apply` and what it is made of.

use super::{PILLAR_FAILURE, cached, conflict, faults, for_states, opts_of, over, retcode, snapper, split_input, switch};
use super::test_value;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, VarArgs, exec};
use brine_core::text::python_str;
use brine_core::{Map, Opts, Value, map};
use brine_states::{High, Highstate, Runner};

/// Apply states: those of SLS files, or without names all that top files give this minion.
///
/// Takes `test`, `pillar`, `pillar_enc`, `exclude`, `saltenv`, `pillarenv`, `queue`, `concurrent`, `sync_mods`, `mock` and
/// `state_events`.
///
/// CLI Example: salt '*' state.apply stuff,pkgs pillar='{"foo": "bar"}'
#[exec]
pub(super) fn apply(cx: &Cx, mods: Option<Value>, kwargs: KwArgs) -> Result {
    applied(cx, mods.unwrap_or_default(), kwargs.0)
}

/// The same, for functions that do it.
pub(super) fn applied(cx: &Cx, mods: Value, kwargs: Map) -> Result {
    if mods.truthy() { of_sls(cx, mods, kwargs) } else { of_top(cx, None, kwargs) }
}

/// Say what applying states would change: `state.apply` with `test=True`.
///
/// CLI Example: salt '*' state.test stuff
#[exec]
pub(super) fn test(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result {
    let mut kwargs = kwargs.0;
    kwargs.insert("test", true);
    let mut args = args.0.into_iter();
    let mods = args.next().or_else(|| kwargs.remove("mods"));
    if args.next().is_some() {
        return Err(CallError::Arguments("apply_() takes from 0 to 1 positional arguments but more were given".into()));
    }
    applied(cx, mods.unwrap_or_default(), kwargs)
}

/// Words that were given with the call, among those that have no name in its signature.
fn with(kwargs: KwArgs, named: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Map {
    let mut all = kwargs.0;
    for (name, value) in named {
        if let Some(value) = value {
            all.insert(name, value);
        }
    }
    all
}

/// Apply all states that top files give this minion.
///
/// CLI Example: salt '*' state.highstate exclude=sls_to_exclude
#[exec]
pub(super) fn highstate(
    cx: &Cx,
    test: Option<Value>,
    queue: Option<Value>,
    state_events: Option<Value>,
    kwargs: KwArgs,
) -> Result {
    of_top(cx, None, with(kwargs, [("test", test), ("queue", queue), ("state_events", state_events)]))
}

/// Apply what another top file gives this minion.
///
/// CLI Example: salt '*' state.top reverse_top.sls
#[exec]
pub(super) fn top(cx: &Cx, topfn: String, test: Option<Value>, queue: Option<Value>, kwargs: KwArgs) -> Result {
    of_top(cx, Some(&topfn), with(kwargs, [("test", test), ("queue", queue)]))
}

/// Apply the states of SLS files.
///
/// CLI Example: salt '*' state.sls core,edit.vim exclude=edit.vim
#[exec]
#[allow(clippy::too_many_arguments, reason = "stock's signature")]
pub(super) fn sls(
    cx: &Cx,
    mods: Value,
    test: Option<Value>,
    exclude: Option<Value>,
    queue: Option<Value>,
    sync_mods: Option<Value>,
    state_events: Option<Value>,
    kwargs: KwArgs,
) -> Result {
    let named = [
        ("test", test),
        ("exclude", exclude),
        ("queue", queue),
        ("sync_mods", sync_mods),
        ("state_events", state_events),
    ];
    of_sls(cx, mods, with(kwargs, named))
}

/// Apply the states of one id in SLS files, with what they require.
///
/// CLI Example: salt '*' state.sls_id my_state my_module,a_common_module
#[exec]
pub(super) fn sls_id(
    cx: &Cx,
    id_: Value,
    mods: Value,
    test: Option<Value>,
    queue: Option<Value>,
    state_events: Option<Value>,
    kwargs: KwArgs,
) -> Result {
    let all = with(kwargs, [("test", test), ("queue", queue), ("state_events", state_events)]);
    if let Some(conflict) = conflict(cx, all.get("queue").cloned(), &all)? {
        return Ok(conflict);
    }
    let asked = match Asked::of(cx, all, true)? {
        Ok(asked) => asked,
        Err(answer) => return Ok(answer),
    };
    let states = Highstate::new(&asked.run);
    let saltenv = asked.saltenv();
    let high = states.high_of(&saltenv, &split_input(&mods))?;
    let chunks = match states.low_of_id(&high)? {
        Ok(chunks) => chunks,
        Err(errors) => return Ok(faults(cx, errors)),
    };
    let mut runner = asked.runner(&high, &states);
    let id = python_str(&id_);
    let ret: Value = runner.run_id(chunks, &id)?.into();
    retcode::set(cx, &ret, || None);
    if !ret.truthy() {
        return Err(CallError::invocation(format!(
            "No matches for ID '{id}' found in SLS '{}' within saltenv '{saltenv}'",
            python_str(&mods)
        )));
    }
    Ok(ret)
}

/// A run as it was asked for.
struct Asked {
    /// Its context.
    run: Cx,
    kwargs: Map,
    over: Option<Map>,
}

impl Asked {
    /// With its pillar; or what is answered instead of running. What excludes it ([`conflict`]) was asked before.
    fn of(cx: &Cx, kwargs: Map, needs_env: bool) -> Result<std::result::Result<Self, Value>> {
        let opts = options(cx, &kwargs, needs_env)?;
        let over = over(cx, &kwargs)?;
        let test = opts.get("test").is_some_and(Value::truthy);
        for kind in sync_mods(&kwargs) {
            let saltenv = opts.get("saltenv").cloned().unwrap_or_default();
            let synced = cx.call(&format!("saltutil.sync_{kind}"), Args::none().with("saltenv", saltenv));
            match synced {
                Err(CallError::NotAvailable(_)) => tracing::warn!("Invalid custom module type '{kind}', ignoring"),
                other => drop(other?),
            }
        }
        let mut run = for_states(cx, opts, over.clone())?;
        run.test = test;
        if !kwargs.get("force").is_some_and(Value::truthy)
            && let Some(errors) = run.pillar.get("_errors").filter(|errors| errors.truthy())
        {
            cx.set_retcode(PILLAR_FAILURE);
            let mut lines = vec![Value::from("Pillar failed to render with the following messages:")];
            lines.extend(errors.as_list().unwrap_or_default().iter().cloned());
            return Ok(Err(lines.into()));
        }
        Ok(Ok(Self { run, kwargs, over }))
    }

    fn jid(&self) -> String {
        self.kwargs.get("__pub_jid").map_or_else(|| self.run.job.jid().to_owned(), python_str)
    }

    fn saltenv(&self) -> String {
        self.run.opts.get("saltenv").map(python_str).unwrap_or_default()
    }

    fn text(&self, key: &str, default: &str) -> String {
        self.kwargs.get(key).map_or_else(|| default.to_owned(), python_str)
    }

    fn is(&self, key: &str) -> bool {
        self.kwargs.get(key).is_some_and(Value::truthy)
    }

    fn runner(&self, high: &High, states: &Highstate) -> Runner {
        let mut runner = Runner::new(&self.run);
        runner.first_number(states.left_out());
        runner.sources(states.sources());
        let jid = self.jid();
        if !jid.is_empty() {
            runner.jid(&jid);
        }
        runner.mocked(self.is("mock"));
        runner.processed_sls(high.sls.iter().cloned());
        runner.pillar_override(self.over.clone());
        runner
    }

    /// Runs high data; the results, or faults.
    fn call(&self, states: &Highstate, high: &High) -> Result {
        let mut chunks = match states.low(high)? {
            Ok(chunks) => chunks,
            Err(errors) => return Ok(errors.into()),
        };
        if let Some(jid) = self.kwargs.get("orchestration_jid").filter(|jid| !jid.is_nil()) {
            for chunk in &mut chunks {
                chunk.insert("__orchestration_jid__", jid.clone());
            }
        }
        let jid = self.jid();
        let snapshot = snapper::before(&self.run, &jid);
        let ret = self.runner(high, states).run(chunks);
        snapshot.after(&self.run, &jid);
        ret.map(Value::from)
    }

    /// What an earlier run kept, if this one may use it.
    fn kept(&self, cx: &Cx) -> Result<Option<Value>> {
        if !self.is("cache") {
            return Ok(None);
        }
        cached::read(&self.cache_file(cx)?)
    }

    fn cache_file(&self, cx: &Cx) -> Result<std::path::PathBuf> {
        cached::place(cx, &format!("{}.cache.p", self.text("cache_name", "highstate")))
    }

    /// Leaves out what is as wished and did not change, where that is asked for.
    fn terse(&self, cx: &Cx, ret: Value) -> Value {
        let terse = cx.opts.str("state_data") == "terse" || self.is("terse");
        match ret {
            Value::Map(results) if terse => {
                let counts = |ret: &Value| {
                    let get = |key: &str| ret.as_map().and_then(|ret| ret.get(key)).is_some_and(Value::truthy);
                    !get("result") || get("changes")
                };
                results.into_iter().filter(|(_, ret)| counts(ret)).collect::<Map>().into()
            }
            other => other,
        }
    }
}

/// The options of a run: the minion's, and what the call says.
fn options(cx: &Cx, kwargs: &Map, needs_env: bool) -> Result<Opts> {
    let mut opts = opts_of(cx, kwargs)?;
    let test = test_value(cx, kwargs.get("test"), kwargs)?;
    opts.map_mut().insert("test", test);
    if needs_env && opts.get("saltenv").is_none_or(Value::is_nil) {
        opts.map_mut().insert("saltenv", "base");
    }
    if let Some(events) = kwargs.get("state_events").filter(|events| !events.is_nil()) {
        opts.map_mut().insert("state_events", events.clone());
    }
    Ok(opts)
}

/// The kinds of modules that are synced before the run.
fn sync_mods(kwargs: &Map) -> Vec<String> {
    let kinds = match kwargs.get("sync_mods") {
        None | Some(Value::Nil) => Vec::new(),
        Some(Value::Bool(true)) => vec!["all".to_owned()],
        Some(given) => split_input(given),
    };
    if kinds.iter().any(|kind| kind == "all") { vec!["all".to_owned()] } else { kinds }
}

/// `state.sls`.
fn of_sls(cx: &Cx, mods: Value, kwargs: Map) -> Result {
    // As in stock, whether others run is asked before what is disabled.
    if let Some(conflict) = conflict(cx, kwargs.get("queue").cloned(), &kwargs)? {
        return Ok(conflict);
    }
    let named = match &mods {
        Value::List(names) => names.iter().map(python_str).collect(),
        name => vec![python_str(name)],
    };
    let disabled = switch::refused(cx, &named)?;
    if !disabled.is_empty() {
        return Ok(faults(cx, disabled));
    }
    let asked = match Asked::of(cx, kwargs, true)? {
        Ok(asked) => asked,
        Err(answer) => return Ok(answer),
    };
    let states = Highstate::new(&asked.run);
    if let Some(kept) = asked.kept(cx)? {
        let high = states.given_high(&kept)?;
        return asked.call(&states, &high);
    }
    let high = states.high_of(&asked.saltenv(), &split_input(&mods))?;
    if !high.errors.is_empty() {
        return Ok(faults(cx, high.errors));
    }
    if let Some(exclude) = asked.kwargs.get("exclude").filter(|exclude| exclude.truthy()) {
        high.exclude(&excluded(exclude))?;
    }
    let ret = asked.terse(cx, asked.call(&states, &high)?);
    cached::keep(&cached::place(cx, "sls.p")?, &ret);
    let data = high.value()?;
    retcode::set(cx, &ret, || data.as_map().cloned());
    cached::keep(&asked.cache_file(cx)?, &data);
    Ok(ret)
}

fn excluded(exclude: &Value) -> Vec<Value> {
    match exclude {
        Value::List(all) => all.clone(),
        text => python_str(text).split(',').map(|name| name.trim().into()).collect(),
    }
}

/// What a run says that has nothing to do.
fn nothing(comment: &str) -> Value {
    map! {
        "no_|-states_|-states_|-None" => map! {
            "result" => false, "comment" => comment, "name" => "No States", "changes" => Map::new(), "__run_num__" => 0,
        }
    }
    .into()
}

/// `state.highstate`, and with a name of its own `state.top`.
fn of_top(cx: &Cx, top: Option<&str>, kwargs: Map) -> Result {
    if top.is_none() && !switch::refused(cx, &["highstate".into()])?.is_empty() {
        return Ok(map! {
            "name" => "Salt highstate run is disabled. To re-enable, run state.enable highstate",
            "result" => "False",
            "comment" => "Disabled",
        }
        .into());
    }
    if let Some(conflict) = conflict(cx, kwargs.get("queue").cloned(), &kwargs)? {
        return Ok(conflict);
    }
    let mut asked = match Asked::of(cx, kwargs, false)? {
        Ok(asked) => asked,
        Err(answer) => return Ok(answer),
    };
    if let Some(top) = top {
        let mut opts = (*asked.run.opts).clone();
        let path = top.strip_prefix("salt://").unwrap_or(top);
        opts.map_mut().insert("state_top", format!("salt://{path}"));
        if let Some(saltenv) = asked.kwargs.get("saltenv") {
            opts.map_mut().insert("state_top_saltenv", saltenv.clone());
        }
        asked.run.opts = std::sync::Arc::new(opts);
    }
    let states = Highstate::new(&asked.run);
    let (ret, high) = by_top(cx, &asked, &states)?;
    let ret = if top.is_none() { asked.terse(cx, ret) } else { ret };
    retcode::set(cx, &ret, || high.as_ref().and_then(|high| high.value().ok()).and_then(|high| high.as_map().cloned()));
    Ok(ret)
}

/// What top files give, run; and its high data.
fn by_top(cx: &Cx, asked: &Asked, states: &Highstate) -> Result<(Value, Option<High>)> {
    if let Some(kept) = asked.kept(cx)? {
        let high = states.given_high(&kept)?;
        return Ok((asked.call(states, &high)?, None));
    }
    let top = states.top()?;
    let mut errors = states.verify(&top)?;
    let Some(matches) = states.sls_of(&top)? else {
        let comment = "No Top file or master_tops data matches found. Please see master log for details.";
        return Ok((nothing(comment), None));
    };
    if asked.run.opts.flag("autoload_dynamic_modules") {
        let envs: Vec<Value> = matches.iter().map(|(env, _)| env.as_str().into()).collect();
        let args = Args::positional([Value::List(envs)]).with("refresh", false);
        if let Err(e) = cx.call("saltutil.sync_all", args) {
            tracing::warn!("modules cannot be synced: {e}");
        }
    }
    let whitelist = asked.kwargs.get("whitelist").filter(|names| names.truthy()).map(|names| match names {
        Value::List(names) => names.iter().map(python_str).collect::<Vec<_>>(),
        text => python_str(text).split(',').map(str::to_owned).collect(),
    });
    let high = states.high_of_top(matches, whitelist.as_deref())?;
    errors.extend(high.errors.iter().cloned());
    if let Some(exclude) = asked.kwargs.get("exclude").filter(|exclude| exclude.truthy()) {
        high.exclude(&excluded(exclude))?;
    }
    if !errors.is_empty() {
        return Ok((errors.into(), None));
    }
    if high.is_empty() {
        return Ok((nothing("No states found for this minion"), None));
    }
    cached::keep(&asked.cache_file(cx)?, &high.value()?);
    let ret = asked.call(states, &high)?;
    Ok((ret, Some(high)))
}
