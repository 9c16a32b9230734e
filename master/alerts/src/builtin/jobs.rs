//! What a return says: a function failed, states failed, or a minion is not as its states say.

use brine_core::text::python_str;
use brine_core::{Map, Value};

use super::Book;
use crate::config::Builtin;
use crate::event::Event;
use crate::signal::Signal;

/// How many failed states are named.
const NAMED: usize = 5;

/// What a return of minion `id` says.
pub(super) fn returned(book: &Book, event: &Event, id: &str) -> Vec<Signal> {
    let data = &event.data;
    let Some(fun) = data.get_str("fun") else { return Vec::new() };
    let Some(states) = applied(fun, data) else { return job(book, event, id, fun) };
    let results = Results::of(data);
    let schedule = data.get_str("schedule");
    if results.test || is_test(data) {
        return match schedule {
            Some(schedule) => drift(book, event, id, schedule, &results),
            None => Vec::new(),
        };
    }
    let Some(index) = book.index(Builtin::StateFailed) else { return Vec::new() };
    let failed = results.failed > 0 || !results.errors.is_empty();
    let signal = if failed { Signal::on(index) } else { Signal::off(index) };
    let signal = signal.about(id).label("fun", fun).label("states", states).of(event.identity());
    if !failed {
        return vec![signal];
    }
    let summary = if results.errors.is_empty() {
        format!("{} of {} states failed on {id}: {}", results.failed, results.all, results.names.join(", "))
    } else {
        format!("The states of {id} cannot be made: {}", results.errors)
    };
    vec![described(signal.note("summary", &summary), data)]
}

/// What was applied, in words, if this function applies states.
fn applied(fun: &str, data: &Map) -> Option<String> {
    match fun {
        "state.highstate" | "state.top" => Some("highstate".into()),
        "state.apply" | "state.sls" | "state.sls_id" => {
            let words = data.get("fun_args").and_then(Value::as_list).unwrap_or_default();
            let text = |value: &Value| match value {
                Value::Str(text) => Some(text.clone()),
                Value::List(all) => Some(all.iter().map(python_str).collect::<Vec<_>>().join(",")),
                _ => None,
            };
            let mods = words.iter().find_map(|word| match word {
                // Keyword arguments, as text or as what they were bound to.
                Value::Str(text) if text.contains('=') => {
                    text.split_once('=').filter(|(key, _)| *key == "mods").map(|(_, mods)| mods.to_owned())
                }
                Value::Map(map) => map.get("mods").and_then(text),
                other => text(other),
            });
            Some(mods.filter(|mods| !mods.is_empty()).unwrap_or_else(|| "highstate".into()))
        }
        "state.single" | "state.template" | "state.template_str" | "state.high" | "state.low" => {
            Some(fun.trim_start_matches("state.").to_owned())
        }
        _ => None,
    }
}

/// Whether it was called to change nothing.
fn is_test(data: &Map) -> bool {
    let words = data.get("fun_args").and_then(Value::as_list).unwrap_or_default();
    words.iter().any(|word| match word {
        Value::Map(map) => map.get("test").is_some_and(Value::truthy),
        Value::Str(text) => text.eq_ignore_ascii_case("test=true"),
        _ => false,
    })
}

/// The results of states, counted.
#[derive(Debug, Default)]
struct Results {
    all: usize,
    failed: usize,
    /// Some of those that failed.
    names: Vec<String>,
    /// Would change.
    differ: usize,
    /// Some state says that nothing was done.
    test: bool,
    /// Why there are no results.
    errors: String,
}

impl Results {
    fn of(data: &Map) -> Self {
        let mut results = Self::default();
        match data.get("return") {
            Some(Value::Map(states)) => {
                for (key, state) in states {
                    let Some(state) = state.as_map().filter(|state| state.contains("result")) else {
                        continue;
                    };
                    results.add(key, state);
                }
            }
            Some(Value::List(errors)) => {
                results.errors = errors.iter().map(python_str).collect::<Vec<_>>().join("; ");
            }
            Some(Value::Str(text)) if data.get("retcode").is_some_and(Value::truthy) => {
                results.errors.clone_from(text);
            }
            _ => {}
        }
        results
    }

    fn add(&mut self, key: &Value, state: &Map) {
        self.all += 1;
        let changes = state.get("changes").is_some_and(Value::truthy);
        match state.get("result") {
            Some(Value::Bool(true)) => self.differ += usize::from(changes),
            Some(Value::Nil) => {
                self.test = true;
                self.differ += 1;
            }
            _ => {
                self.failed += 1;
                if self.names.len() < NAMED {
                    let key = python_str(key);
                    let mut parts = key.split("_|-");
                    let (module, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                    let comment = state.get("comment").map(python_str).unwrap_or_default();
                    let comment = comment.lines().next().unwrap_or_default().to_owned();
                    self.names.push(format!("{id} ({module}: {comment})"));
                }
            }
        }
    }
}

fn drift(book: &Book, event: &Event, id: &str, schedule: &str, results: &Results) -> Vec<Signal> {
    let Some(index) = book.index(Builtin::Drift) else { return Vec::new() };
    let off = results.differ == 0 && results.failed == 0 && results.errors.is_empty();
    let signal = if off { Signal::off(index) } else { Signal::on(index) };
    let signal = signal.about(id).label("schedule", schedule).of(event.identity());
    if off {
        return vec![signal];
    }
    let summary = if results.errors.is_empty() {
        let differ = results.differ + results.failed;
        format!("{differ} of {} states of {id} are not as they should be ({schedule})", results.all)
    } else {
        format!("Whether {id} is as it should be cannot be told ({schedule}): {}", results.errors)
    };
    vec![described(signal.note("summary", &summary), &event.data)]
}

fn job(book: &Book, event: &Event, id: &str, fun: &str) -> Vec<Signal> {
    let Some(index) = book.index(Builtin::JobFailed) else { return Vec::new() };
    let data = &event.data;
    let code = data.get("retcode").filter(|code| code.truthy());
    let failed = code.is_some() || data.get("success") == Some(&Value::Bool(false));
    let signal = if failed { Signal::on(index) } else { Signal::off(index) };
    let signal = signal.about(id).label("fun", fun).of(event.identity());
    if !failed {
        return vec![signal];
    }
    let code = code.map_or_else(|| "no success".into(), |code| format!("code {}", python_str(code)));
    let said = match data.get("return") {
        Some(Value::Str(text)) => text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default(),
        _ => "",
    };
    let colon = if said.is_empty() { "" } else { ": " };
    let summary = format!("{fun} failed on {id} with {code}{colon}{said}");
    vec![described(signal.note("summary", &summary), data)]
}

/// With where more is to be read.
fn described(signal: Signal, data: &Map) -> Signal {
    match data.get_str("jid") {
        Some(jid) => signal.note("jid", jid).note("look", &format!("salt-run jobs.lookup_jid {jid}")),
        None => signal,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::*;
    use brine_core::map;

    fn state(result: Value, changes: Map) -> Value {
        map! {"result" => result, "changes" => changes, "comment" => "c", "name" => "n"}.into()
    }

    fn ret(more: Map) -> Vec<String> {
        let mut data = map! {"id" => "m1", "jid" => "1", "retcode" => 0, "success" => true};
        data.update(more);
        said("salt/job/1/ret/m1", data)
    }

    #[test]
    fn a_function_fails_by_its_code_or_by_its_word() {
        assert_eq!(ret(map! {"fun" => "cmd.run", "retcode" => 3}), ["+JobFailed fun=cmd.run"]);
        assert_eq!(ret(map! {"fun" => "cmd.run", "success" => false}), ["+JobFailed fun=cmd.run"]);
        assert_eq!(ret(map! {"fun" => "cmd.run"}), ["-JobFailed fun=cmd.run"]);
    }

    #[test]
    fn states_fail_by_any_result_or_by_there_being_none() {
        let key = "file_|-/etc/x_|-/etc/x_|-managed";
        let run = |result: Value, args: Vec<Value>| {
            let states = map! {key => state(result, map! {})};
            ret(map! {"fun" => "state.apply", "fun_args" => args, "return" => states})
        };
        assert_eq!(run(false.into(), vec![]), ["+StateFailed fun=state.apply states=highstate"]);
        assert_eq!(run(true.into(), vec!["web".into()]), ["-StateFailed fun=state.apply states=web"]);
        let mods = map! {"mods" => Value::List(vec!["a".into(), "b".into()]), "__kwarg__" => true};
        assert_eq!(run(false.into(), vec![mods.into()]), ["+StateFailed fun=state.apply states=a,b"]);
        assert_eq!(run(false.into(), vec!["mods=a".into()]), ["+StateFailed fun=state.apply states=a"]);
        let errors = Value::List(vec!["Rendering SLS failed".into()]);
        assert_eq!(
            ret(map! {"fun" => "state.highstate", "return" => errors, "retcode" => 1}),
            ["+StateFailed fun=state.highstate states=highstate"]
        );
        // To try out is no failure.
        assert!(run(false.into(), vec!["test=True".into()]).is_empty());
        assert!(run(Value::Nil, vec![]).is_empty());
    }

    #[test]
    fn drift_is_what_a_scheduled_look_finds() {
        let key = "file_|-/etc/x_|-/etc/x_|-managed";
        let run = |result: Value, changes: Map, schedule: bool| {
            let args: Vec<Value> = vec![map! {"test" => true}.into()];
            let states = map! {key => state(result, changes)};
            let mut data = map! {"fun" => "state.apply", "fun_args" => args, "return" => states};
            if schedule {
                data.insert("schedule", "look");
            }
            ret(data)
        };
        assert_eq!(run(Value::Nil, map! {}, true), ["+Drift schedule=look"]);
        assert_eq!(run(true.into(), map! {"a" => "b"}, true), ["+Drift schedule=look"]);
        assert_eq!(run(false.into(), map! {}, true), ["+Drift schedule=look"]);
        assert_eq!(run(true.into(), map! {}, true), ["-Drift schedule=look"]);
        assert!(run(Value::Nil, map! {}, false).is_empty());
    }
}
