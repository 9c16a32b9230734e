//! The reactors of the running master: asked and changed by events, which carry the key that proves who may.

use std::time::{Duration, Instant};

use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::{Map, Value, map};
use brine_protocol::message::tags::MANAGE_REACTORS;

use crate::host::master;

module! { "reactor": add, delete, is_leader, "list" => list_, set_leader }

/// How long the reactor has for its answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the configuration starts a reactor. As in stock, `reactor` alone does not count where there are engines.
fn is_configured(cx: &Cx) -> bool {
    match cx.opts.get("engines").filter(|engines| engines.truthy()) {
        Some(Value::List(list)) => list.iter().any(|engine| match engine {
            Value::Map(engine) => engine.contains("reactor"),
            name => name.as_str().is_some_and(|name| name.contains("reactor")),
        }),
        Some(Value::Map(engines)) => {
            engines.keys().any(|name| name.as_str().is_some_and(|name| name.contains("reactor")))
        }
        _ => cx.opts.flag("reactor"),
    }
}

/// The key of the user that the master runs as.
fn key(cx: &Cx) -> Result<String> {
    let user = Some(cx.opts.str("user")).filter(|user| !user.is_empty()).unwrap_or("root");
    let path = cx.opts.path("cachedir").join(format!(".{user}_key"));
    let read = std::fs::read_to_string(&path);
    read.map(|key| key.trim_end().to_owned())
        .map_err(|e| CallError::execution(format!("{}: {e}", path.display())))
}

/// What the reactor answers.
fn ask(cx: &Cx, what: &str, mut data: Map, answer: &str, part: &str) -> Result {
    if !is_configured(cx) {
        return Err(CallError::exception(
            "salt.exceptions.CommandExecutionError",
            "Reactor system is not running.",
        ));
    }
    data.insert("key", key(cx)?);
    let side = &master(cx)?.side;
    let mut bus = side.watch("master", None)?;
    let run = cx.job.publish.get_str("tag").unwrap_or_default();
    side.fire(&format!("{run}/{MANAGE_REACTORS}/{what}"), data)?;
    let (until, answer) = (Instant::now() + PATIENCE, format!("{MANAGE_REACTORS}/{answer}"));
    while let Some((tag, mut data)) = bus.next(until)? {
        if tag == answer {
            return Ok(data.remove(part).unwrap_or_default());
        }
    }
    Err(CallError::execution(format!("The reactor did not answer within {} seconds.", PATIENCE.as_secs())))
}

/// List the reactors of the running master.
///
/// CLI Example: salt-run reactor.list
#[exec]
fn list_(
    cx: &Cx,
    #[expect(unused_variables, reason = "the signature is stock's")]
    #[default("base")]
    saltenv: Value,
    #[expect(unused_variables, reason = "the signature is stock's")] test: Option<Value>,
) -> Result {
    ask(cx, "list", Map::new(), "list-results", "reactors")
}

/// Add reactors for a tag, until the master ends.
///
/// CLI Example: salt-run reactor.add 'salt/cloud/*/destroyed' reactors='/srv/reactor/destroy/*.sls'
#[exec]
fn add(
    cx: &Cx,
    event: Value,
    reactors: Value,
    #[expect(unused_variables, reason = "the signature is stock's")]
    #[default("base")]
    saltenv: Value,
    #[expect(unused_variables, reason = "the signature is stock's")] test: Option<Value>,
) -> Result {
    let reactors = match reactors {
        Value::Str(one) => vec![one].into(),
        several => several,
    };
    ask(cx, "add", map! {"event" => event, "reactors" => reactors}, "add-complete", "result")
}

/// Take the reactors of a tag away, until the master ends.
///
/// CLI Example: salt-run reactor.delete 'salt/cloud/*/destroyed'
#[exec]
fn delete(
    cx: &Cx,
    event: Value,
    #[expect(unused_variables, reason = "the signature is stock's")]
    #[default("base")]
    saltenv: Value,
    #[expect(unused_variables, reason = "the signature is stock's")] test: Option<Value>,
) -> Result {
    ask(cx, "delete", map! {"event" => event}, "delete-complete", "result")
}

/// Say whether the running reactor reacts.
///
/// CLI Example: salt-run reactor.is_leader
#[exec]
fn is_leader(cx: &Cx) -> Result {
    ask(cx, "is_leader", Map::new(), "leader/value", "result")
}

/// Have the running reactor react, or not.
///
/// CLI Example: salt-run reactor.set_leader True
#[exec]
fn set_leader(cx: &Cx, #[default(true)] value: Value) -> Result {
    let data = map! {"id" => cx.opts.str("id"), "value" => value};
    ask(cx, "set_leader", data, "leader/value", "result")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call};
    use crate::run::Kind;
    use brine_core::call::Args;

    fn asked(more: Map, fun: &str, args: Args) -> (Result, Fake) {
        let list: Value = vec![Value::from(map! {"x" => "/a.sls"})].into();
        let fake = Fake {
            events: vec![
                ("salt/reactors/manage/list-results".into(), map! {"reactors" => list}),
                ("salt/reactors/manage/add-complete".into(), map! {"result" => map! {"status" => true}}),
                ("salt/reactors/manage/leader/value".into(), map! {"result" => false}),
            ],
            ..Fake::default()
        };
        let tmp = tempfile::tempdir().unwrap();
        let cx = fake.cx(Kind::Runner, tmp.path(), more);
        std::fs::create_dir_all(tmp.path().join("cache")).unwrap();
        std::fs::write(tmp.path().join("cache/.root_key"), "secret\n").unwrap();
        (call(&cx, fun, args), fake)
    }

    fn reactor() -> Map {
        map! {"reactor" => vec![Value::from(map! {"x" => "/a.sls"})]}
    }

    #[test]
    fn the_reactor_is_asked_under_the_tag_of_the_run() {
        let (got, fake) = asked(reactor(), "reactor.list", Args::none());
        assert_eq!(got.unwrap(), vec![Value::from(map! {"x" => "/a.sls"})].into());
        let want = ("salt/run/1/salt/reactors/manage/list".to_owned(), map! {"key" => "secret"});
        assert_eq!(fake.record.lock().fired, [want]);
        let (got, fake) = asked(reactor(), "reactor.add", Args::positional(["y", "/b.sls"]));
        assert_eq!(got.unwrap(), map! {"status" => true}.into());
        let want = map! {"event" => "y", "reactors" => vec!["/b.sls"], "key" => "secret"};
        assert_eq!(fake.record.lock().fired[0].1, want);
        let (got, fake) = asked(reactor(), "reactor.set_leader", Args::none().with("value", false));
        assert_eq!(got.unwrap(), false.into());
        let want = map! {"id" => "test_master", "value" => false, "key" => "secret"};
        assert_eq!(fake.record.lock().fired[0].1, want);
    }

    #[test]
    fn without_a_reactor_nobody_is_asked() {
        let webhook: Value = vec![Value::from(map! {"webhook" => Map::new()})].into();
        let mut with_engines = reactor();
        with_engines.insert("engines", webhook);
        for opts in [Map::new(), with_engines] {
            let (got, fake) = asked(opts, "reactor.is_leader", Args::none());
            assert_eq!(
                got.unwrap_err().to_string(),
                "salt.exceptions.CommandExecutionError: Reactor system is not running."
            );
            assert!(fake.record.lock().fired.is_empty());
        }
        let engine: Value = vec![Value::from(map! {"reactor" => Map::new()})].into();
        assert_eq!(
            asked(map! {"engines" => engine}, "reactor.is_leader", Args::none()).0.unwrap(),
            false.into()
        );
    }
}
