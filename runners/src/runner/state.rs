//! Orchestration: states that the master applies to itself, most of which have minions do something; the control of such runs;
//! and the event bus for shell scripts.

use std::time::{Duration, Instant, SystemTime};

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec, module};
use brine_core::state::check_result;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_render::out::EventLines;

use crate::host::master;
use crate::minion::minion;
use crate::places::own_path;
use crate::run::progress;

module! {
    "state": event, "orch" => orchestrate, "orch_show_sls" => orchestrate_show_sls, orchestrate, orchestrate_high,
    orchestrate_show_sls, orchestrate_single, pause, resume, "rm_pause" => resume, "set_pause" => pause,
    "sls" => orchestrate, soft_kill
}

/// Pillar that is given with a call: a dict, or nothing.
fn given(pillar: Option<Value>) -> Result<Option<Map>> {
    match pillar {
        None | Some(Value::Nil) => Ok(None),
        Some(Value::Map(pillar)) => Ok(Some(pillar)),
        Some(_) => Err(CallError::invocation("Pillar data must be formatted as a dictionary")),
    }
}

/// The surroundings of a run of states on the master.
fn run_of(cx: &Cx, fun: &str, jid: &str) -> Result<Cx> {
    let mut job = map! {"fun" => fun, "user" => cx.job.publish.get("user").cloned()};
    if !jid.is_empty() {
        job.insert("jid", jid);
    }
    minion(cx, job)
}

/// The arguments that runs of SLS files share.
fn of_sls(mods: Value, pillar: Option<Map>, saltenv: Value, pillarenv: Option<Value>, pillar_enc: Option<Value>) -> Args {
    Args { positional: vec![mods], keyword: Map::new() }
        .with("pillar", pillar)
        .with("saltenv", saltenv)
        .with("pillarenv", pillarenv)
        .with("pillar_enc", pillar_enc)
}

/// Apply SLS files on the master itself, in most of which states of the module `salt` have minions do something in the order
/// that requisites ask for.
///
/// CLI Example: salt-run state.orchestrate webserver saltenv=dev test=True
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn orchestrate(
    cx: &Cx,
    mods: Value,
    #[default("base")] saltenv: Value,
    test: Option<Value>,
    exclude: Option<Value>,
    pillar: Option<Value>,
    pillarenv: Option<Value>,
    pillar_enc: Option<Value>,
    orchestration_jid: Option<Value>,
) -> Result<Map> {
    let pillar = given(pillar)?;
    let or_configured = |given: Option<Value>, key: &str| {
        given.filter(|given| !given.is_nil()).or_else(|| cx.opts.get(key).cloned())
    };
    let jid = orchestration_jid.filter(|jid| !jid.is_nil());
    let jid = jid.map_or_else(|| brine_core::jid::gen_jid(SystemTime::now()), |jid| python_str(&jid));
    let run = run_of(cx, "state.sls", &jid)?;
    let saltenv = or_configured(Some(saltenv), "saltenv").unwrap_or_default();
    let mut args = of_sls(mods, pillar, saltenv, or_configured(pillarenv, "pillarenv"), pillar_enc)
        .with("__pub_jid", jid.as_str())
        .with("orchestration_jid", jid.as_str());
    args.positional.extend([test.unwrap_or_default(), exclude.unwrap_or_default()]);
    let ran = run.call("state.sls", args)?;
    let data = map! {run.opts.str("id") => ran}.into();
    let retcode = i64::from(!check_result(&data, false));
    Ok(map! {"data" => data, "outputter" => "highstate", "retcode" => retcode})
}

/// Shows the result of a run of states, and returns it.
fn shown(cx: &Cx, run: &Cx, ran: Value) -> Result<Map> {
    let ret = map! {run.opts.str("id") => ran};
    progress(cx, map! {"data" => ret.clone(), "outputter" => "highstate"})?;
    Ok(ret)
}

/// Apply one state function on the master itself.
///
/// CLI Example: salt-run state.orchestrate_single fun=salt.wheel name=key.list_all
#[exec]
fn orchestrate_single(
    cx: &Cx,
    fun: Value,
    name: Value,
    test: Option<Value>,
    #[default(false)] queue: Value,
    pillar: Option<Value>,
    kwargs: KwArgs,
) -> Result<Map> {
    // As in stock, neither is handed on.
    let _as_stock = (test, queue);
    let mut keyword = kwargs.0;
    if let Some(pillar) = given(pillar)? {
        keyword.insert("pillar", pillar);
    }
    let run = run_of(cx, "state.single", "")?;
    let args = Args { positional: vec![fun, name], keyword }.with("test", ()).with("queue", false);
    let ran = run.call("state.single", args)?;
    shown(cx, &run, ran)
}

/// Apply high data on the master itself.
///
/// CLI Example: salt-run state.orchestrate_high '{one: {salt.state: [{tgt: "db*"}, {sls: postgres}]}}'
#[exec]
fn orchestrate_high(
    cx: &Cx,
    data: Value,
    test: Option<Value>,
    #[default(false)] queue: Value,
    pillar: Option<Value>,
    kwargs: KwArgs,
) -> Result<Map> {
    let _as_stock = (test, queue);
    let pillar = given(pillar)?;
    let run = run_of(cx, "state.high", "")?;
    let args = Args { positional: vec![data], keyword: kwargs.0 };
    let ran = run.call("state.high", args.with("test", ()).with("queue", false).with("pillar", pillar))?;
    shown(cx, &run, ran)
}

/// Show the high data of SLS files as the master renders them for itself.
///
/// CLI Example: salt-run state.orch_show_sls my-orch-formula.my-orch-state 'pillar={ nodegroup: ng1 }'
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn orchestrate_show_sls(
    cx: &Cx,
    mods: Value,
    #[default("base")] saltenv: Value,
    test: Option<Value>,
    #[default(false)] queue: Value,
    pillar: Option<Value>,
    pillarenv: Option<Value>,
    pillar_enc: Option<Value>,
) -> Result<Map> {
    let pillar = given(pillar)?;
    let run = run_of(cx, "state.show_sls", "")?;
    let mut args = of_sls(mods, pillar, saltenv, pillarenv, pillar_enc);
    args.positional.extend([test.unwrap_or_default(), queue]);
    let shown = run.call("state.show_sls", args)?;
    Ok(map! {run.opts.str("id") => shown})
}

/// Calls a function that controls a run.
fn control(cx: &Cx, fun: &str, args: Vec<Value>) -> Result<()> {
    run_of(cx, fun, "")?.call(fun, Args { positional: args, keyword: Map::new() }).map(drop)
}

/// Stop an orchestration before a state, or before its next one, for some seconds or until it is resumed.
///
/// CLI Example: salt-run state.pause 20171130110407769519 vim 20
#[exec]
fn pause(cx: &Cx, jid: Value, state_id: Option<Value>, duration: Option<Value>) -> Result<()> {
    control(cx, "state.pause", vec![jid, state_id.into(), duration.into()])
}

/// Let an orchestration go on that was stopped.
///
/// CLI Example: salt-run state.resume 20171130110407769519 vim
#[exec]
fn resume(cx: &Cx, jid: Value, state_id: Option<Value>) -> Result<()> {
    control(cx, "state.resume", vec![jid, state_id.into()])
}

/// End an orchestration before a state, or before its next one.
///
/// CLI Example: salt-run state.soft_kill 20171130110407769519 vim
#[exec]
fn soft_kill(cx: &Cx, jid: Value, state_id: Option<Value>) -> Result<()> {
    control(cx, "state.soft_kill", vec![jid, state_id.into()])
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
    let print = |line: &str| {
        side.print(line);
        Ok(())
    };
    let lines = EventLines { tagmatch: &tagmatch, count, quiet, pretty };
    lines.print_all(cx, || bus.next(Instant::now() + TURN), print)
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
    fn other_buses_and_pillar_that_is_none_are_refused() {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), fake());
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let error = |fun: &str, args| call(&cx, fun, args).unwrap_err().to_string();
        let afar = error("state.event", Args::none().with("sock_dir", "/x").with("count", 1));
        assert_eq!(afar, "'sock_dir' cannot be given from afar");
        assert!(error("state.event", Args::none().with("node", "minion")).contains("'node'"));
        let pillar = error("state.orch", Args::positional(["x"]).with("pillar", "text"));
        assert_eq!(pillar, "Pillar data must be formatted as a dictionary");
    }
}
