//! The event bus for shell scripts. Orchestration and the control of states come with states.

use std::time::{Duration, Instant};

use base64::Engine as _;
use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::target::expr_match;
use brine_core::{Map, Value};
use brine_render::out::json_dumps;

use crate::host::master;
use crate::places::own_path;

module! {
    "state": event, orch, orch_show_sls, orchestrate, orchestrate_high, orchestrate_show_sls, orchestrate_single, pause,
    resume, rm_pause, set_pause, sls, soft_kill
}

refused! {
    "state", "states, which are a later piece of work", "Applies states from the master, or controls such a run: refused until there are states.":
    orch, orch_show_sls, orchestrate, orchestrate_high, orchestrate_show_sls, orchestrate_single, pause, resume, rm_pause,
    set_pause, sls, soft_kill
}

/// How often a watcher looks whether it is to stop.
const TURN: Duration = Duration::from_secs(5);

/// Watch the event bus: each event whose tag matches a shell pattern or regular expression is printed as its tag, a tab
/// and its data as JSON. Ends after `count` events; -1 never ends.
///
/// CLI Example: salt-run state.event 'salt/minion/*/start' count=1 quiet=True
#[exec]
fn event(
    cx: &Cx,
    #[default("*")] tagmatch: String,
    #[default(-1)] count: i64,
    #[default(false)] quiet: bool,
    sock_dir: Option<String>,
    #[default(false)] pretty: bool,
    #[default("master")] node: String,
) -> Result<()> {
    let side = &master(cx)?.side;
    if sock_dir.is_some() || node != "master" {
        own_path(cx, if sock_dir.is_some() { "sock_dir" } else { "node" })?;
    }
    let mut bus = side.watch(&node, sock_dir.as_deref())?;
    let mut left = count;
    loop {
        cx.cancel.check()?;
        let Some((tag, data)) = bus.next(Instant::now() + TURN)? else { continue };
        if !expr_match(&tag, &tagmatch) {
            tracing::debug!("Skipping event tag: {tag}");
            continue;
        }
        if !quiet {
            let json = json_dumps(&printable(data.into()), pretty.then_some(4), pretty);
            let json = json.ok_or_else(|| CallError::Arguments("keys of an event cannot be compared".into()))?;
            side.print(&format!("{tag}\t{json}"));
        }
        if left > 0 {
            left -= 1;
        }
        if left == 0 {
            return Ok(());
        }
    }
}

/// Bytes as text where they are that, else in base64.
fn printable(value: Value) -> Value {
    match value {
        Value::Bytes(bytes) => match String::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(e) => base64::engine::general_purpose::STANDARD.encode(e.into_bytes()).into(),
        },
        Value::List(items) => items.into_iter().map(printable).collect(),
        Value::Map(map) => map.into_iter().map(|(k, v)| (printable(k), printable(v))).collect::<Map>().into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_core::map;

    fn fake() -> Fake {
        let event = |tag: &str, data: Map| (tag.to_owned(), data);
        Fake {
            events: vec![
                event("salt/a", map! {"z" => vec![0xffu8, 0xfe], "b" => 1.5}),
                event("other", Map::new()),
                event("salt/b", map! {"x" => b"text".to_vec(), "a" => Value::Nil}),
                event("salt/c", Map::new()),
            ],
            ..Fake::default()
        }
    }

    #[test]
    fn matching_events_are_printed_until_enough_were_seen() {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), fake());
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        call(&cx, "state.event", Args::positional(["salt/*"]).with("count", 2)).unwrap();
        call(&cx, "state.event", Args::positional(["salt/(b|x)"]).with("count", 1).with("pretty", true)).unwrap();
        call(&cx, "state.event", Args::none().with("count", 4).with("quiet", true)).unwrap();
        assert_eq!(
            fake.record.lock().printed,
            [
                "salt/a\t{\"z\": \"//4=\", \"b\": 1.5}",
                "salt/b\t{\"x\": \"text\", \"a\": null}",
                "salt/b\t{\n    \"a\": null,\n    \"x\": \"text\"\n}",
            ]
        );
    }

    #[test]
    fn other_buses_and_states_are_refused() {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), fake());
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let error = |fun: &str, args| call(&cx, fun, args).unwrap_err().to_string();
        let afar = error("state.event", Args::none().with("sock_dir", "/x").with("count", 1));
        assert_eq!(afar, "'sock_dir' cannot be given from afar");
        assert!(error("state.event", Args::none().with("node", "minion")).contains("'node'"));
        assert_eq!(error("state.orch", Args::positional(["x"])), "state.orch needs states, which are a later piece of work");
    }
}
