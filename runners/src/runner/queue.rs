//! Queues of names, mostly of minions, that are worked off a few at a time; and of runners to be run later.

mod sqlite;

use brine_core::call::{Args, CallError, Cx, Result, exec, module};
use brine_core::{Map, Value, map};

use crate::host::master;
use crate::run::progress;
use sqlite::Queues;

module! {
    "queue": delete, insert, insert_runner, list_items, list_length, list_queues, pop, process_queue, process_runner
}

/// The backend, asked for a function of its own.
fn backend(cx: &Cx, name: &str, function: &str) -> Result<Queues> {
    match name {
        "sqlite" => Ok(Queues::at(cx.opts.path("sqlite_queue_dir"))),
        _ => Err(CallError::invocation(format!("Function \"{name}.{function}\" is not available"))),
    }
}

/// Add an item, or a list of items, to a queue.
///
/// CLI Example: salt-run queue.insert myqueue "['item1', 'item2', 'item3']"
#[exec]
fn insert(cx: &Cx, queue: String, items: Value, #[default("sqlite")] backend: String) -> Result {
    self::backend(cx, &backend, "insert")?.insert(&queue, &items)
}

/// Remove an item, or a list of items, from a queue.
///
/// CLI Example: salt-run queue.delete myqueue myitem
#[exec]
fn delete(cx: &Cx, queue: String, items: Value, #[default("sqlite")] backend: String) -> Result<bool> {
    self::backend(cx, &backend, "delete")?.delete(&queue, &items)
}

/// The queues that there are.
///
/// CLI Example: salt-run queue.list_queues
#[exec]
fn list_queues(cx: &Cx, #[default("sqlite")] backend: String) -> Result<Vec<String>> {
    self::backend(cx, &backend, "list_queues")?.names()
}

/// How many items a queue has.
///
/// CLI Example: salt-run queue.list_length myqueue
#[exec]
fn list_length(cx: &Cx, queue: String, #[default("sqlite")] backend: String) -> Result<usize> {
    Ok(self::backend(cx, &backend, "list_length")?.items(&queue)?.len())
}

/// The items of a queue.
///
/// CLI Example: salt-run queue.list_items myqueue
#[exec]
fn list_items(cx: &Cx, queue: String, #[default("sqlite")] backend: String) -> Result<Vec<String>> {
    self::backend(cx, &backend, "list_items")?.items(&queue)
}

/// Take so many items, or `all`, out of a queue.
///
/// CLI Example: salt-run queue.pop myqueue 6
#[exec]
fn pop(
    cx: &Cx,
    queue: String,
    #[default(1)] quantity: Value,
    #[default("sqlite")] backend: String,
    #[default(false)] is_runner: bool,
) -> Result<Vec<Value>> {
    self::backend(cx, &backend, "pop")?.pop(&queue, &quantity, is_runner)
}

/// Take items out of a queue and fire them in an event, `salt/queue/<queue>/process`, for a reactor.
///
/// CLI Example: salt-run queue.process_queue myqueue all
#[exec]
fn process_queue(
    cx: &Cx,
    queue: String,
    #[default(1)] quantity: Value,
    #[default("sqlite")] backend: String,
    #[default(false)] is_runner: bool,
) -> Result {
    let items = match pop(cx, queue.clone(), quantity, backend.clone(), is_runner) {
        Err(CallError::Invocation(text)) => {
            progress(cx, map! {"errors" => text})?;
            return Ok(false.into());
        }
        other => other?,
    };
    let data = map! {"items" => items, "backend" => backend, "queue" => queue.as_str()};
    master(cx)?.side.fire(&format!("salt/queue/{queue}/process"), data.clone())?;
    Ok(data.into())
}

/// Queue and backend of runners, as given or as the option `runner_queue` says.
fn runner_queue(cx: &Cx, queue: Option<String>, backend: Option<String>) -> Result<(String, String)> {
    let option = |key: &str| cx.opts.get("runner_queue")?.get(key)?.as_str().map(str::to_owned);
    let backend = backend.or_else(|| option("backend")).unwrap_or_else(|| "pgjsonb".to_owned());
    let queue = queue.or_else(|| option("queue"));
    let queue = queue.ok_or_else(|| CallError::invocation("The option 'runner_queue' names no queue"))?;
    Ok((queue, backend))
}

/// Put a call of a runner into a queue, to be made later.
///
/// CLI Example: salt-run queue.insert_runner event.send test_insert_runner kwargs='{"data": {"foo": "bar"}}'
#[exec]
fn insert_runner(
    cx: &Cx,
    fun: String,
    args: Option<Value>,
    kwargs: Option<Map>,
    queue: Option<String>,
    backend: Option<String>,
) -> Result {
    let args: Value = match args {
        None => Vec::<Value>::new().into(),
        Some(Value::Str(text)) => text.split(',').collect(),
        Some(list) => list,
    };
    let (queue, backend) = runner_queue(cx, queue, backend)?;
    let item = map! {"fun" => fun, "args" => args, "kwargs" => kwargs.unwrap_or_default()};
    insert(cx, queue, item.into(), backend)
}

/// Make so many of the queued calls of runners.
///
/// CLI Example: salt-run queue.process_runner 5
#[exec]
fn process_runner(
    cx: &Cx,
    #[default(1)] quantity: Value,
    queue: Option<String>,
    backend: Option<String>,
) -> Result<()> {
    let (queue, backend) = runner_queue(cx, queue, backend)?;
    let done = process_queue(cx, queue, quantity, backend, true)?;
    let items = done.get("items").and_then(Value::as_list);
    let items = items.ok_or_else(|| CallError::Arguments("'bool' object is not subscriptable".into()))?;
    for item in items {
        let fun = item.get("fun").and_then(Value::as_str).unwrap_or_default();
        let args = Args {
            positional: item.get("args").and_then(Value::as_list).unwrap_or_default().to_vec(),
            keyword: item.get("kwargs").and_then(Value::as_map).cloned().unwrap_or_default(),
        };
        cx.call(fun, args)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call, list};
    use crate::run::Kind;

    #[test]
    fn items_go_in_once_and_come_out_in_order() {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let run = |fun: &str, args: Vec<Value>| {
            call(&cx, &format!("queue.{fun}"), Args { positional: args, ..Args::none() })
        };
        let q = || Value::from("q");
        assert_eq!(run("insert", vec![q(), "it's".into()]).unwrap(), true.into());
        assert_eq!(run("insert", vec![q(), list(["b", "c\"d", "name"])]).unwrap(), true.into());
        assert_eq!(
            run("insert", vec![q(), "b".into()]).unwrap(),
            "Item already exists in this queue. sqlite error: UNIQUE constraint failed: q.name".into()
        );
        assert_eq!(
            run("insert", vec![q(), list(["new", "b", "never"])]).unwrap(),
            "One or more items already exists in this queue. sqlite error: UNIQUE constraint failed: q.name".into()
        );
        assert_eq!(run("list_items", vec![q()]).unwrap(), list(["it's", "b", "c\"d", "name", "new"]));
        assert_eq!(run("list_length", vec![q()]).unwrap(), 5.into());
        assert_eq!(run("delete", vec![q(), list(["new", "none"])]).unwrap(), true.into());
        assert_eq!(run("pop", vec![q()]).unwrap(), list(["it's"]));
        assert_eq!(run("pop", vec![q(), 2.into()]).unwrap(), list(["b", "c\"d"]));
        let want = map! {"items" => list(["name"]), "backend" => "sqlite", "queue" => "q"};
        assert_eq!(run("process_queue", vec![q(), "all".into()]).unwrap(), want.clone().into());
        assert_eq!(fake.record.lock().fired, [("salt/queue/q/process".into(), want)]);
        assert_eq!(run("process_queue", vec![q(), "few".into()]).unwrap(), false.into());
        let text = "Quantity must be an integer or \"all\".\nError: \"invalid literal for int() with base 10: 'few'\".";
        assert_eq!(fake.record.lock().fired[1].1, map! {"errors" => text});
        assert_eq!(run("list_queues", vec![]).unwrap(), list(["q"]));
        let e = run("list_items", vec![q(), "pgjsonb".into()]).unwrap_err();
        assert_eq!(e.to_string(), "Function \"pgjsonb.list_items\" is not available");
        for name in ["../x", "a/b", "x; DROP TABLE x", "", "1a", "a\"b"] {
            assert!(run("insert", vec![name.into(), "i".into()]).is_err(), "{name}");
        }
    }

    #[test]
    fn runners_wait_in_a_queue_of_their_own() {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let queue = map! {"queue" => "runners", "backend" => "sqlite"};
        let cx = fake.cx(Kind::Runner, tmp.path(), map! {"runner_queue" => queue});
        let insert = Args::positional(["event.send", "my/tag"]).with("kwargs", map! {"data" => map! {"a" => 1}});
        assert_eq!(call(&cx, "queue.insert_runner", insert).unwrap(), true.into());
        call(&cx, "queue.insert_runner", Args::positional(["test.stdout_print"])).unwrap();
        call(&cx, "queue.process_runner", Args::positional([2])).unwrap();
        let record = fake.record.lock();
        assert_eq!(record.fired[1], ("my/tag".into(), map! {"a" => 1}));
        assert_eq!(record.printed, ["foo"]);
        drop(record);
        let none = fake.cx(Kind::Runner, tmp.path(), Map::new());
        assert!(call(&none, "queue.insert_runner", Args::positional(["test.stream"])).is_err());
    }
}
