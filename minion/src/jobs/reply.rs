//! The return load of a finished job, key by key in stock's order. Not its delivery.

use super::outcome::Outcome;
use brine_core::{Map, Value};

/// The return of a job of one function, before the parts that delivery adds.
pub fn of_one(publish: &Map, outcome: Outcome) -> Map {
    let mut ret = Map::with_capacity(12);
    let success = outcome.retcode == 0 && !outcome.failed;
    ret.insert("success", success);
    ret.insert("return", outcome.value);
    ret.insert("retcode", outcome.retcode);
    if let Some(out) = outcome.out {
        ret.insert("out", out);
    }
    copy_publish(&mut ret, publish);
    if let Some(master_id) = publish.get("master_id") {
        ret.insert("master_id", master_id.clone());
    }
    match publish.get("metadata") {
        Some(metadata @ Value::Map(_)) => drop(ret.insert("metadata", metadata.clone())),
        Some(_) => tracing::warn!("The metadata parameter must be a dictionary. Ignoring."),
        None => {}
    }
    ret
}

/// The return of a job of several functions: maps by name (a name twice: the last wins), or lists in order with
/// `multifunc_ordered`. A failed function has no return code there.
pub fn of_several(funs: &[String], publish: &Map, outcomes: Vec<Outcome>, ordered: bool) -> Map {
    let mut ret = Map::with_capacity(12);
    if ordered {
        let mut columns = (Vec::new(), Vec::new(), Vec::new());
        for outcome in outcomes {
            columns.1.push(retcode(&outcome).unwrap_or_default());
            columns.2.push(Value::Bool(retcode(&outcome) == Some(Value::Int(0))));
            columns.0.push(outcome.value);
        }
        ret.insert("return", columns.0);
        ret.insert("retcode", columns.1);
        ret.insert("success", columns.2);
    } else {
        let (mut values, mut codes, mut success) = (Map::new(), Map::new(), Map::new());
        for (fun, outcome) in funs.iter().zip(outcomes) {
            let code = retcode(&outcome);
            success.insert(fun, code == Some(Value::Int(0)));
            if let Some(code) = code {
                codes.insert(fun, code);
            }
            values.insert(fun, outcome.value);
        }
        ret.insert("return", values);
        ret.insert("retcode", codes);
        ret.insert("success", success);
    }
    copy_publish(&mut ret, publish);
    if let Some(metadata) = publish.get("metadata") {
        ret.insert("metadata", metadata.clone());
    }
    ret
}

fn retcode(outcome: &Outcome) -> Option<Value> {
    (!outcome.failed).then_some(Value::from(outcome.retcode))
}

fn copy_publish(ret: &mut Map, publish: &Map) {
    for (to, from) in [("jid", "jid"), ("fun", "fun"), ("fun_args", "arg"), ("user", "user")] {
        if let Some(value) = publish.get(from) {
            ret.insert(to, value.clone());
        }
    }
}

/// Whether the function asked that nothing be sent (a state run that was put in a queue).
pub fn is_withheld(ret: &Map) -> bool {
    ret.get("return").and_then(|r| r.get("__no_return__")).is_some_and(Value::truthy)
}

/// The load as the master gets it: `cmd` and `id` in front, and the function's outputter where the result names none.
pub fn load(id: &str, ret: Map) -> Map {
    let mut load = Map::with_capacity(ret.len() + 6);
    load.insert("cmd", "_return");
    load.insert("id", id);
    load.update(ret);
    if !load.contains("out")
        && let Some(out) = load.get_str("fun").and_then(outputter)
    {
        load.insert("out", out);
    }
    load
}

/// How a function's result is best shown: stock's `__outputter__` of the modules that have one.
pub fn outputter(fun: &str) -> Option<&'static str> {
    Some(match fun {
        "grains.items" | "grains.item" | "grains.setval" => "nested",
        "state.sls"
        | "state.sls_id"
        | "state.pkg"
        | "state.top"
        | "state.single"
        | "state.highstate"
        | "state.template"
        | "state.template_str"
        | "state.apply"
        | "state.test"
        | "state.request"
        | "state.check_request"
        | "state.run_request" => "highstate",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    fn ok(value: impl Into<Value>) -> Outcome {
        Outcome { value: value.into(), retcode: 0, out: None, failed: false }
    }

    fn failed() -> Outcome {
        Outcome { value: "trace".into(), retcode: 1, out: Some("nested"), failed: true }
    }

    fn publish() -> Map {
        map! {"tgt" => "*", "fun" => "test.ping", "arg" => Vec::<Value>::new(), "jid" => "1", "user" => "root",
        "metadata" => map! {"a" => 1}, "master_id" => "m"}
    }

    #[test]
    fn one_function() {
        let load = load("m1", of_one(&publish(), ok(true)));
        let keys: Vec<_> = load.keys().filter_map(Value::as_str).collect();
        assert_eq!(
            keys,
            [
                "cmd",
                "id",
                "success",
                "return",
                "retcode",
                "jid",
                "fun",
                "fun_args",
                "user",
                "master_id",
                "metadata"
            ]
        );
        assert_eq!(load.get("success"), Some(&true.into()));
        let failed = of_one(&publish(), failed());
        assert_eq!(failed.get_str("out"), Some("nested"));
        assert_eq!(failed.get("success"), Some(&false.into()));
    }

    #[test]
    fn several_functions() {
        let funs = ["a.a".to_owned(), "b.b".to_owned(), "a.a".to_owned()];
        let ret = of_several(&funs, &publish(), vec![ok(1), failed(), ok(3)], false);
        assert_eq!(ret.get("return"), Some(&map! {"a.a" => 3, "b.b" => "trace"}.into()));
        assert_eq!(ret.get("retcode"), Some(&map! {"a.a" => 0}.into()));
        assert_eq!(ret.get("success"), Some(&map! {"a.a" => true, "b.b" => false}.into()));
        let ret = of_several(&funs, &publish(), vec![ok(1), failed(), ok(3)], true);
        assert_eq!(ret.get("retcode"), Some(&vec![Value::Int(0), Value::Nil, Value::Int(0)].into()));
        assert_eq!(
            ret.get("success"),
            Some(&vec![Value::Bool(true), Value::Bool(false), Value::Bool(true)].into())
        );
    }

    #[test]
    fn a_withheld_return_is_recognised() {
        let withheld = of_one(&publish(), ok(map! {"__no_return__" => true}));
        assert!(is_withheld(&withheld));
        assert!(!is_withheld(&of_one(&publish(), ok(true))));
    }
}
