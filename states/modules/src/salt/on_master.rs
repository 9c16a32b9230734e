//! Runners and wheel functions.

use super::{is_marked, orchestration};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_render::out::{Style, nested};

/// Calls a function of the master through the execution function of that name; the data of its run.
fn call(cx: &Cx, through: &str, name: &str, given: Map) -> Result<Map> {
    let mut keyword = map! {"__orchestration_jid__" => orchestration(cx), "__env__" => cx.saltenv()};
    if through == "saltutil.runner" {
        keyword.insert("full_return", true);
    }
    keyword.update(given);
    match cx.call(through, Args { positional: vec![name.into()], keyword })? {
        Value::Map(data) => Ok(data),
        other => Ok(map! {"return" => other}),
    }
}

/// What such a run comes to.
fn outcome(cx: &Cx, kind: &str, name: &str, mut data: Map) -> Outcome {
    let returned = data.remove("return").unwrap_or_default();
    let failed = returned.as_map().is_some_and(|returned| returned.contains("Error"));
    let success = !failed && data.get("success").is_none_or(Value::truthy);
    let comment = format!("{kind} function '{name}' {}.", if success { "executed" } else { "failed" });
    let mut outcome = Outcome { result: Some(success), ..Outcome::ok(name, comment) };
    outcome.changes = map! {"return" => returned};
    if is_marked(cx) {
        outcome.more.insert("__orchestration__", true);
    }
    if let Some(jid) = data.remove("jid") {
        outcome.more.insert("__jid__", jid);
    }
    outcome
}

/// Run a runner on the master, with the further words as its arguments.
#[exec]
pub(super) fn runner(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Outcome> {
    if cx.test {
        let comment = format!("Runner function '{name}' would be executed.");
        return Ok(Outcome::would(name, comment));
    }
    let mut given = kwargs.0;
    if let Some(user) = cx.job.publish.get("user") {
        given.insert("__pub_user", user.clone());
    }
    let data = call(cx, "saltutil.runner", &name, given)?;
    Ok(outcome(cx, "Runner", &name, data))
}

/// Run a wheel function on the master, with the further words as its arguments.
#[exec]
pub(super) fn wheel(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Outcome> {
    if cx.test {
        let comment = format!("Wheel function '{name}' would be executed.");
        return Ok(Outcome::would(name, comment));
    }
    let data = call(cx, "saltutil.wheel", &name, kwargs.0)?;
    Ok(outcome(cx, "Wheel", &name, data))
}

/// One runner of many: its id, its name, its arguments.
type Asked = (String, String, Map);

/// The runners that are meant; None for what is neither a text nor a dict.
fn asked(name: &str, runners: Value) -> Option<Result<Vec<Asked>>> {
    let runners = match runners {
        // As in stock, where the key that should say `name` is the name of the state.
        Value::Str(one) => {
            let config: Value = vec![Value::from(map! {name => one.as_str()})].into();
            map! {one => config}
        }
        Value::Map(runners) => runners,
        _ => return None,
    };
    Some(runners.iter().map(|(id, config)| Ok(one(&python_str(id), config))).collect())
}

fn one(id: &str, config: &Value) -> Asked {
    let mut all = Map::new();
    for part in config.as_list().unwrap_or_default() {
        match part {
            Value::Map(part) if part.len() == 1 => all.update(part.clone()),
            _ => {}
        }
    }
    let name = all.get("name").map_or_else(|| id.to_owned(), python_str);
    let kwarg = all.get("kwarg").and_then(Value::as_map).cloned().unwrap_or_default();
    (id.to_owned(), name, kwarg)
}

/// Run several runners at the same time: a dict of ids, each with the list of its `name` and the dict `kwarg` of its arguments.
#[exec]
pub(super) fn parallel_runners(cx: &Cx, name: String, runners: Value, kwargs: KwArgs) -> Result<Outcome> {
    // As in stock, further words mean nothing.
    let _as_stock = kwargs;
    let Some(asked) = asked(&name, runners) else {
        return Ok(Outcome::failed(name, "The runners parameter must be a string or dict."));
    };
    let asked = asked?;
    let done: Vec<Result<Map>> = std::thread::scope(|scope| {
        let started: Vec<_> = asked
            .iter()
            .map(|(_, fun, kwarg)| scope.spawn(move || call(cx, "saltutil.runner", fun, kwarg.clone())))
            .collect();
        let crashed = |_| Err(CallError::exception("RuntimeError", "the runner panicked"));
        started.into_iter().map(|thread| thread.join().unwrap_or_else(crashed)).collect()
    });
    let mut outputs = Map::new();
    for ((id, _, _), done) in asked.iter().zip(done) {
        match done {
            Ok(mut data) => {
                outputs.insert(id.as_str(), data.remove("return").unwrap_or_default());
            }
            Err(e) if is_salts(&e) => {
                let comment = format!("One of the runners raised an exception: {}", e.text());
                let mut outcome = Outcome::failed(name, comment);
                outcome.more.insert("success", false);
                return Ok(outcome);
            }
            Err(e) => return Err(e),
        }
    }
    joined(name, &outputs)
}

/// Whether stock's exception is a `SaltException`.
fn is_salts(error: &CallError) -> bool {
    match error {
        CallError::Exception { kind, .. } => kind.starts_with("salt."),
        CallError::Execution(_) | CallError::Detailed(_) | CallError::Invocation(_) => true,
        CallError::CommandNotFound(_) | CallError::Client(_) => true,
        _ => false,
    }
}

/// What the runners returned, as one result.
fn joined(name: String, outputs: &Map) -> Result<Outcome> {
    let is_run = |out: &Value| {
        out.get("outputter").and_then(Value::as_str) == Some("highstate") && out.get("data").is_some()
    };
    if let Some(other) = outputs.values().find(|out| out.as_map().is_none()) {
        let kind = brine_core::text::python_type(other);
        return Err(CallError::exception("AttributeError", format!("'{kind}' object has no attribute 'get'")));
    }
    let code = |out: &Value, key: &str| out.get(key).is_some_and(|code| *code != Value::Int(0));
    let runs = outputs.values().all(is_run);
    let failed: Vec<(String, &Value)> = outputs
        .iter()
        .filter(|(_, out)| if runs { out.get("data").is_some_and(|data| code(data, "retcode")) || code(out, "retcode") } else { code(out, "exit_code") })
        .map(|(id, out)| (python_str(id), out))
        .collect();
    let mut outcome = Outcome::ok(name, "All runner functions executed successfully.");
    let ids = || failed.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>();
    if !failed.is_empty() {
        outcome.result = Some(false);
        outcome.comment = match (runs, ids().as_slice()) {
            (true, _) => failures(&failed).into(),
            (false, [one]) => format!("Runner {one} failed.").into(),
            (false, all) => format!("Runners {} failed.", all.join(", ")).into(),
        };
    }
    if !runs {
        outcome.changes = map! {"ret" => outputs.clone()};
        return Ok(outcome);
    }
    for (id, out) in outputs {
        let changes = out.get("data").map(changes_in).unwrap_or_default();
        if changes.truthy() {
            outcome.changes.insert(id.clone(), changes);
        }
    }
    Ok(outcome)
}

/// What is said of orchestrations that failed.
fn failures(failed: &[(String, &Value)]) -> String {
    let opts = brine_core::Opts::new(map! {"color" => false, "nested_indent" => 2});
    let style = Style::new(&opts, false);
    let line = |(id, out): &(String, &Value)| {
        format!("Runner {id} failed with return value:\n{}", nested(out, &style).trim_end())
    };
    failed.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The changes within results of states.
fn changes_in(data: &Value) -> Value {
    let Value::Map(map) = data else { return Map::new().into() };
    if let Some(changes) = map.get("changes") {
        let highstate = changes.get("out").and_then(Value::as_str) == Some("highstate");
        return changes.get("ret").filter(|_| highstate).unwrap_or(changes).clone();
    }
    let within = map.iter().map(|(key, value)| (key.clone(), changes_in(value)));
    within.filter(|(_, changes)| changes.truthy()).collect::<Map>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runners_are_named_by_key_or_by_name() {
        let given: Value = map! {
            "one" => vec![Value::from(map! {"name" => "state.orch"}), map! {"kwarg" => map! {"mods" => "x"}}.into()],
            "test.stream" => Value::Nil,
        }
        .into();
        let want = vec![
            ("one".to_owned(), "state.orch".to_owned(), map! {"mods" => "x"}),
            ("test.stream".to_owned(), "test.stream".to_owned(), Map::new()),
        ];
        assert_eq!(asked("s", given).unwrap().unwrap(), want);
        assert!(asked("s", 5.into()).is_none());
    }

    #[test]
    fn orchestrations_beside_each_other_are_joined_by_their_changes() {
        let run = |changes: Map| {
            let states = map! {"a_|-b" => map! {"changes" => changes, "result" => true}};
            Value::from(map! {"data" => map! {"m_master" => states}, "outputter" => "highstate", "retcode" => 0})
        };
        let there = map! {"m1" => map! {"x" => 1}};
        let outputs = map! {"one" => run(map! {"out" => "highstate", "ret" => there.clone()}), "two" => run(Map::new())};
        let outcome = joined("n".into(), &outputs).unwrap();
        assert_eq!(outcome.result, Some(true));
        let want = map! {"one" => map! {"m_master" => map! {"a_|-b" => there}}};
        assert_eq!(outcome.changes, want);
    }
}
