//! Minions that apply states or run a function.

use super::tell;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::state::{Outcome, check_result};
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Value, map};

/// The words of a state that go to `saltutil.cmd` as they are.
struct Sent {
    tgt: Value,
    tgt_type: String,
    ssh: Value,
    ret: Value,
    ret_config: Option<Value>,
    ret_kwargs: Option<Value>,
    timeout: Option<Value>,
    expect_minions: Value,
    batch: Option<Value>,
    subset: Option<Value>,
    failhard: Option<Value>,
}

impl Sent {
    /// The order, with these arguments, in the order that stock's events have.
    fn order(&self, cx: &Cx, arg: Value, kwarg: Map, more: &Map) -> Map {
        let given = |value: &Option<Value>| value.clone().filter(|value| !value.is_nil());
        let mut order = map! {
            "arg" => arg, "kwarg" => kwarg, "ret" => self.ret.clone(), "timeout" => self.timeout.clone(),
            "tgt_type" => self.tgt_type.as_str(), "ssh" => self.ssh.clone(), "expect_minions" => self.expect_minions.clone(),
        };
        if let Some(roster) = more.get("roster") {
            order.insert("roster", roster.clone());
        }
        if let Some(batch) = given(&self.batch) {
            order.insert("batch", python_str(&batch));
        }
        if let Some(subset) = given(&self.subset) {
            order.insert("subset", subset);
        }
        for (key, value) in [("ret_config", &self.ret_config), ("ret_kwargs", &self.ret_kwargs)] {
            if let Some(value) = value.clone().filter(Value::truthy) {
                order.insert(key, value);
            }
        }
        if self.failhard == Some(Value::Bool(true)) || cx.opts.flag("failhard") {
            order.insert("failhard", true);
        }
        order
    }

    /// What minions returned, by id.
    fn run(&self, cx: &Cx, fun: &str, order: Map) -> Result<Map> {
        let args = Args { positional: vec![self.tgt.clone(), fun.into()], keyword: order };
        match cx.call("saltutil.cmd", args)? {
            Value::Map(all) => Ok(all),
            other => Err(CallError::exception(
                "AttributeError",
                format!("'{}' object has no attribute 'items'", brine_core::text::python_type(&other)),
            )),
        }
    }
}

/// The job of the first minion that returned.
fn jid(all: &Map) -> Option<Value> {
    all.values().next().and_then(|part| part.get("jid")).cloned()
}

/// The minions that may fail, and a warning about what is no list of them.
fn may_fail(given: Option<Value>) -> (Vec<String>, Option<&'static str>) {
    match given {
        None | Some(Value::Nil) => (Vec::new(), None),
        Some(Value::Str(names)) => (names.split(',').map(|name| name.trim().to_owned()).collect(), None),
        Some(Value::List(names)) => (names.iter().map(python_str).collect(), None),
        Some(_) => {
            (Vec::new(), Some("'fail_minions' needs to be a list or a comma separated string. Ignored."))
        }
    }
}

/// What the parts of minions come to.
#[derive(Default)]
struct Seen {
    changes: Map,
    failed: Vec<String>,
    /// What is said of minions that returned no results of states.
    details: Vec<(String, String)>,
    unchanged: Vec<String>,
}

/// What is said of a minion that failed before it applied anything.
fn detail(minion: &str, ret: Option<&Value>, is_silent: bool) -> Option<String> {
    if is_silent {
        return Some(format!("Minion {minion} did not return a state result."));
    }
    match ret {
        Some(Value::List(errors)) => {
            let errors: Vec<String> = errors.iter().filter(|error| error.truthy()).map(python_str).collect();
            Some(match errors.as_slice() {
                [] => format!("Minion {minion} returned an empty error list."),
                errors => format!("Minion {minion} returned errors: {}", errors.join("; ")),
            })
        }
        Some(Value::Map(_)) => None,
        other => {
            let shown = other.map_or_else(|| "False".to_owned(), python_repr);
            Some(format!("Minion {minion} returned {shown} instead of a state result."))
        }
    }
}

/// The words of the results of states.
fn judge(all: &Map, may_fail: &[String]) -> Seen {
    let mut seen = Seen::default();
    for (id, part) in all {
        let id = python_str(id);
        if part.get("out").and_then(Value::as_str) != Some("highstate") {
            tracing::warn!("Output from salt state not highstate");
        }
        let ret = part.get("ret").or_else(|| part.get("return"));
        let failed = part.get("failed").is_some_and(Value::truthy);
        let counted = if failed { None } else { ret };
        if !counted.is_some_and(|ret| check_result(ret, true)) {
            if !may_fail.contains(&id) {
                let raw = ret.filter(|ret| !ret.is_nil());
                let shown = raw.cloned().unwrap_or_else(|| counted.cloned().unwrap_or(false.into()));
                if let Some(line) = detail(&id, Some(&shown), ret.is_none()) {
                    seen.details.push((id.clone(), line));
                }
                seen.failed.push(id.clone());
            }
            seen.changes.insert(id, counted.cloned().unwrap_or(false.into()));
            continue;
        }
        let ret = counted.cloned().unwrap_or_default();
        let changed = ret.as_map().is_some_and(|states| {
            states.values().any(|state| state.get("changes").is_some_and(Value::truthy))
        });
        if changed {
            seen.changes.insert(id, ret);
        } else {
            seen.unchanged.push(id);
        }
    }
    seen.details.sort();
    seen
}

/// Python's `int(value)`, as far as a number of minions goes.
fn number(value: &Value) -> Result<Option<i64>> {
    match value {
        Value::Str(text) => Ok(text.trim().replace('_', "").parse().ok()),
        Value::Bool(flag) => Ok(Some(i64::from(*flag))),
        Value::Float(x) => Ok(Some(*x as i64)),
        Value::Int(_) => Ok(value.as_int()),
        other => Err(CallError::exception(
            "TypeError",
            format!(
                "int() argument must be a string, a bytes-like object or a real number, not '{}'",
                brine_core::text::python_type(other)
            ),
        )),
    }
}

/// Have minions apply states: those of SLS files (`sls`), of another top file (`top`) or their highstate (`highstate: True`).
/// Fails if more than `allow_fail` of them do; those in `fail_minions` do not count.
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn state(
    cx: &Cx,
    name: Value,
    tgt: Value,
    #[default(false)] ssh: Value,
    #[default("glob")] tgt_type: String,
    #[default("")] ret: Value,
    ret_config: Option<Value>,
    ret_kwargs: Option<Value>,
    highstate: Option<Value>,
    sls: Option<Value>,
    top: Option<Value>,
    saltenv: Option<Value>,
    test: Option<Value>,
    pillar: Option<Value>,
    pillarenv: Option<Value>,
    #[default(true)] expect_minions: Value,
    exclude: Option<Value>,
    fail_minions: Option<Value>,
    #[default(0)] allow_fail: Value,
    #[default(false)] concurrent: Value,
    timeout: Option<Value>,
    batch: Option<Value>,
    #[default(false)] queue: Value,
    subset: Option<Value>,
    orchestration_jid: Option<Value>,
    failhard: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    // A name in stock's signature that it reads nowhere.
    let _as_stock = orchestration_jid;
    let Some(allow_fail) = number(&allow_fail)? else {
        return Ok(Outcome::failed(name, "Passed invalid value for 'allow_fail', must be an int"));
    };
    let set = |value: Option<Value>| value.filter(|value| !value.is_nil());
    let true_one = |value: Option<Value>| value.filter(Value::truthy);
    let test = set(test);
    let mut arg: Vec<Value> = Vec::new();
    let fun = if true_one(highstate).is_some() {
        "state.highstate"
    } else if let Some(top) = true_one(top) {
        arg.push(top);
        "state.top"
    } else if let Some(sls) = true_one(sls) {
        arg.push(match sls {
            Value::List(names) => names.iter().map(python_str).collect::<Vec<_>>().join(",").into(),
            one => one,
        });
        "state.sls"
    } else {
        return Ok(Outcome::failed(name, "No highstate or sls specified, no execution made"));
    };
    let mut kwarg = Map::new();
    let in_test = cx.test.then(|| cx.opts.get("test").filter(|test| test.truthy()).cloned().unwrap_or(true.into()));
    for (key, value) in [
        ("test", test.clone().or(in_test)),
        ("pillar", true_one(pillar)),
        ("pillarenv", set(pillarenv)),
        ("saltenv", set(saltenv)),
        ("exclude", set(exclude)),
        ("queue", Some(queue)),
    ] {
        if let Some(value) = value {
            kwarg.insert(key, value);
        }
    }
    if !matches!(concurrent, Value::Bool(_)) {
        return Ok(Outcome::failed(name, "Must pass in boolean for value of 'concurrent'"));
    }
    kwarg.insert("concurrent", concurrent);
    let expected = expect_minions.truthy();
    let sent =
        Sent { tgt, tgt_type, ssh, ret, ret_config, ret_kwargs, timeout, expect_minions, batch, subset, failhard };
    let is_alone = cx.opts.str("__role") == "minion" && cx.opts.str("file_client") == "local";
    let all = if is_alone {
        alone(cx, fun, arg, kwarg)?
    } else {
        let order = sent.order(cx, arg.into(), kwarg, &kwargs.0);
        tell(cx, map! {"type" => "state", "tgt" => sent.tgt.clone(), "name" => name.clone(), "args" => order.clone()});
        sent.run(cx, fun, order)?
    };
    let mut outcome = Outcome::new(name);
    if let Some(jid) = jid(&all) {
        outcome.more.insert("__jid__", jid);
    }
    let (fail_minions, warning) = may_fail(fail_minions);
    if let Some(warning) = warning {
        outcome.more.insert("warnings", vec![warning]);
    }
    if all.is_empty() && expected {
        outcome.result = Some(false);
        outcome.comment = "No minions returned".into();
        return Ok(outcome);
    }
    let seen = judge(&all, &fail_minions);
    let changed: Vec<String> = seen.changes.keys().map(python_str).collect();
    if i64::try_from(seen.failed.len()).unwrap_or(i64::MAX) > allow_fail {
        let mut comment = format!("Run failed on minions: {}", seen.failed.join(", "));
        for (_, line) in &seen.details {
            comment.push('\n');
            comment.push_str(line);
        }
        outcome.result = Some(false);
        outcome.comment = comment.into();
    } else {
        let mut comment = "States ran successfully.".to_owned();
        if !changed.is_empty() {
            comment.push_str(&format!(" Updating {}.", changed.join(", ")));
        }
        if !seen.unchanged.is_empty() {
            comment.push_str(&format!(" No changes made to {}.", seen.unchanged.join(", ")));
        }
        outcome.comment = comment.into();
    }
    if !seen.changes.is_empty() {
        outcome.changes = map! {"out" => "highstate", "ret" => seen.changes};
        let tests = test.is_some_and(|test| test.truthy()) || cx.test;
        if tests && outcome.result == Some(true) {
            outcome.result = None;
        }
    }
    Ok(outcome)
}

/// States of a minion that has no master: its own, whatever the target says.
fn alone(cx: &Cx, fun: &str, arg: Vec<Value>, kwarg: Map) -> Result<Map> {
    let mut args = Args { positional: Vec::new(), keyword: kwarg };
    let joined: String = arg.iter().map(python_str).collect();
    match fun {
        "state.top" => args.keyword.insert("topfn", joined),
        "state.sls" => args.keyword.insert("mods", joined),
        _ => None,
    };
    let ret = cx.call(fun, args)?;
    let out = ret.get("out").cloned().unwrap_or_else(|| "highstate".into());
    Ok(map! {cx.opts.str("id") => map! {"ret" => ret, "out" => out}})
}

/// Have minions run the function `name`. Fails where it returns `False` or a return code, or where `fail_function` says so of what
/// it returns; minions in `fail_minions` do not count.
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn function(
    cx: &Cx,
    name: String,
    tgt: Value,
    #[default(false)] ssh: Value,
    #[default("glob")] tgt_type: String,
    #[default("")] ret: Value,
    ret_config: Option<Value>,
    ret_kwargs: Option<Value>,
    #[default(false)] expect_minions: Value,
    fail_minions: Option<Value>,
    fail_function: Option<String>,
    arg: Option<Value>,
    kwarg: Option<Map>,
    timeout: Option<Value>,
    batch: Option<Value>,
    subset: Option<Value>,
    failhard: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let mut outcome = Outcome::new(name.as_str());
    let mut warnings: Vec<Value> = Vec::new();
    let arg = match arg {
        Some(Value::Str(text)) => {
            warnings.push("Please specify 'arg' as a list of arguments.".into());
            text.split_whitespace().collect()
        }
        Some(arg) if arg.truthy() => arg,
        _ => Value::List(Vec::new()),
    };
    let sent =
        Sent { tgt, tgt_type, ssh, ret, ret_config, ret_kwargs, timeout, expect_minions, batch, subset, failhard };
    if cx.test {
        outcome.result = None;
        outcome.comment =
            format!("Function {name} would be executed on target {}", python_str(&sent.tgt)).into();
    } else {
        let mut order = sent.order(cx, arg, kwarg.unwrap_or_default(), &kwargs.0);
        order.insert("_cmd_meta", true);
        let told = map! {
            "type" => "function", "tgt" => sent.tgt.clone(), "name" => name.as_str(), "args" => order.clone(),
        };
        tell(cx, told);
        match sent.run(cx, &name, order) {
            Err(CallError::Cancelled) => return Err(CallError::Cancelled),
            Err(e) => {
                outcome.result = Some(false);
                outcome.comment = e.text().into();
            }
            Ok(all) => {
                let (fail_minions, warning) = may_fail(fail_minions);
                warnings.extend(warning.map(Value::from));
                of_function(cx, &mut outcome, &all, &fail_minions, fail_function.as_deref())?;
            }
        }
    }
    if !warnings.is_empty() {
        outcome.more.insert("warnings", warnings);
    }
    Ok(outcome)
}

/// What the returns of a function come to.
fn of_function(
    cx: &Cx,
    outcome: &mut Outcome,
    all: &Map,
    may_fail: &[String],
    fail_function: Option<&str>,
) -> Result<()> {
    if let Some(jid) = jid(all) {
        outcome.more.insert("__jid__", jid);
    }
    if all.is_empty() {
        outcome.result = Some(false);
        outcome.comment = "No minions responded".into();
        return Ok(());
    }
    let (mut changes, mut failed): (Map, Vec<String>) = (Map::new(), Vec::new());
    for (id, part) in all {
        let id = python_str(id);
        let has_code = part.get("retcode").is_some_and(Value::truthy);
        if has_code {
            outcome.result = Some(false);
        }
        let mut ret = Value::Bool(false);
        let mut fine = false;
        if !part.get("failed").is_some_and(Value::truthy) {
            ret = part.get("ret").or_else(|| part.get("return")).cloned().unwrap_or_default();
            fine = match fail_function.filter(|fun| !fun.is_empty()) {
                None => true,
                Some(fun) if cx.registry.get(fun).is_none() => {
                    return Err(CallError::exception("KeyError", python_repr(&fun.into())));
                }
                Some(fun) => cx.call(fun, Args { positional: vec![ret.clone()], keyword: Map::new() })?.truthy(),
            } && ret != Value::Bool(false);
        }
        if has_code || (!fine && !may_fail.contains(&id)) {
            failed.push(id.clone());
        }
        changes.insert(id, ret);
    }
    let ran: Vec<String> = changes.keys().map(python_str).collect();
    let name = python_str(&outcome.name);
    let comment = if failed.is_empty() {
        "Function ran successfully.".to_owned()
    } else {
        outcome.result = Some(false);
        format!("Running function {name} failed on minions: {}", failed.join(", "))
    };
    outcome.comment = format!("{comment} Function {name} ran on {}.", ran.join(", ")).into();
    outcome.changes = map! {"ret" => changes};
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_minions_return_is_judged_and_told() {
        let fine = |changes: Map| map! {"t" => map! {"result" => true, "changes" => changes}};
        let part = |ret: Value| Value::from(map! {"ret" => ret, "out" => "highstate"});
        let all = map! {
            "a" => part(fine(map! {"x" => 1}).into()),
            "b" => part(fine(Map::new()).into()),
            "c" => part(vec!["Rendering SLS failed", ""].into()),
            "d" => map! {"failed" => true},
            "e" => part(false.into()),
        };
        let seen = judge(&all, &["e".to_owned()]);
        assert_eq!((seen.failed, seen.unchanged), (vec!["c".to_owned(), "d".into()], vec!["b".to_owned()]));
        let lines: Vec<&str> = seen.details.iter().map(|(_, line)| line.as_str()).collect();
        let want =
            ["Minion c returned errors: Rendering SLS failed", "Minion d did not return a state result."];
        assert_eq!(lines, want);
        let changed: Vec<String> = seen.changes.keys().map(python_str).collect();
        assert_eq!(changed, ["a", "c", "d", "e"]);
    }

    #[test]
    fn minions_that_may_fail_are_a_list_or_a_text() {
        assert_eq!(may_fail(Some("a, b".into())).0, ["a", "b"]);
        assert!(may_fail(Some(5.into())).1.is_some());
    }
}
