//! Jobs that this minion asks its master to run on others, as far as the master's `peer` rules allow.

use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_render::args::yamlify_arg;
use std::time::{Duration, Instant};

module! { "publish": full_data, publish, runner }

/// How long the master may take to answer one request; stock's own limit.
const REQUEST: Duration = Duration::from_secs(60);

/// How long between two looks at what has come in; stock's own.
const INTERVAL: Duration = Duration::from_millis(300);

fn has_master(cx: &Cx) -> bool {
    !crate::event::is_local(cx) && (cx.opts.get("master_uri").is_some() || cx.host.master().is_some())
}

/// One argument becomes a list of typed ones.
fn arguments(arg: Option<Value>) -> Vec<Value> {
    let typed = match arg {
        Some(Value::Str(text)) => yamlify_arg(&text),
        other => other.unwrap_or_default(),
    };
    match typed {
        Value::Nil => Vec::new(),
        Value::List(list) => list,
        one => vec![one],
    }
}

struct Order {
    tgt: Value,
    fun: String,
    arg: Option<Value>,
    tgt_type: String,
    returner: Value,
    timeout: f64,
    via_master: Option<String>,
}

fn order(cx: &Cx, order: Order, full: bool) -> Result {
    if !has_master(cx) {
        tracing::error!("Cannot run publish commands without a connection to a salt master. No command sent.");
        return Ok(Map::new().into());
    }
    if order.fun.starts_with("publish.") {
        tracing::info!("Cannot publish publish calls. Returning {{}}");
        return Ok(Map::new().into());
    }
    let mut load = map! {
        "cmd" => "minion_pub", "fun" => order.fun.as_str(), "arg" => arguments(order.arg), "tgt" => order.tgt,
        "tgt_type" => order.tgt_type, "ret" => order.returner, "tmo" => order.timeout,
        "form" => if full { "full" } else { "clean" }, "id" => cx.opts.str("id"),
        "no_parse" => cx.opts.get("no_parse").cloned().unwrap_or_else(|| Value::List(Vec::new())),
    };
    if order.timeout.fract() == 0.0 {
        load.insert("tmo", order.timeout as i64);
    }
    if let Some(via) = &order.via_master {
        check_master(cx, via)?;
    }
    let published = match cx.host.master_request(load, REQUEST) {
        Err(CallError::Client(_)) => return Ok(format!("'{}' publish timed out", order.fun).into()),
        other => other?,
    };
    let Some(published) = published.as_map().filter(|map| !map.is_empty()) else {
        return Ok(Map::new().into());
    };
    let wanted = published.get("minions").and_then(Value::as_list).map_or(0, <[Value]>::len);
    let jid = published.get("jid").cloned().unwrap_or_default();
    let deadline = Instant::now() + Duration::try_from_secs_f64(order.timeout.max(0.0)).unwrap_or(REQUEST);
    loop {
        let ask = map! { "cmd" => "pub_ret", "id" => cx.opts.str("id"), "jid" => jid.clone() };
        let returned = match cx.host.master_request(ask, REQUEST)? {
            Value::Map(map) => map,
            _ => Map::new(),
        };
        if returned.len() >= wanted || Instant::now() >= deadline {
            return Ok(if full { returned } else { clean(returned) }.into());
        }
        cx.cancel.sleep(INTERVAL)?;
    }
}

/// Only the `ret` of each minion.
fn clean(returned: Map) -> Map {
    returned
        .into_iter()
        .map(|(id, entry)| {
            let ret = entry.get("ret").cloned().unwrap_or_default();
            (id, ret)
        })
        .collect()
}

/// `via_master` must name a master of this minion. All requests go to the one in use, so it must be that one.
fn check_master(cx: &Cx, via: &str) -> Result<()> {
    let Some(masters) = cx.opts.get("master_uri_list").and_then(Value::as_list) else {
        return Err(CallError::invocation(
            "Could not find list of masters in minion configuration but `via_master` was specified.",
        ));
    };
    let mark = format!("//{via}:");
    let listed = masters.iter().any(|uri| python_str(uri).contains(&mark));
    let used = cx.host.master().is_none_or(|master| master.contains(via));
    if listed && used {
        return Ok(());
    }
    let list = brine_core::text::python_repr(&masters.to_vec().into());
    Err(CallError::invocation(format!(
        "Could not find match for {via} in list of configured masters {list} when using `via_master` option"
    )))
}

/// Run a function on the minions of a target and return their results by id. The master's option `peer` must allow
/// it. Waits at most `timeout` seconds.
///
/// CLI Example: salt system.example.com publish.publish '*' cmd.run 'ls -la /tmp'
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn publish(
    cx: &Cx,
    tgt: Value,
    fun: String,
    arg: Option<Value>,
    #[default("glob")] tgt_type: String,
    #[default("")] returner: Value,
    #[default(5)] timeout: f64,
    via_master: Option<String>,
) -> Result {
    order(cx, Order { tgt, fun, arg, tgt_type, returner, timeout, via_master }, false)
}

/// Run a function on the minions of a target and return all that each of them returned: `ret`, `out` and more.
///
/// CLI Example: salt system.example.com publish.full_data '*' cmd.run 'ls -la /tmp'
#[exec]
fn full_data(
    cx: &Cx,
    tgt: Value,
    fun: String,
    arg: Option<Value>,
    #[default("glob")] tgt_type: String,
    #[default("")] returner: Value,
    #[default(5)] timeout: f64,
) -> Result {
    order(cx, Order { tgt, fun, arg, tgt_type, returner, timeout, via_master: None }, true)
}

/// Run a runner on the master, if its option `peer_run` allows it.
///
/// CLI Example: salt-call publish.runner manage.down
#[exec]
fn runner(cx: &Cx, fun: String, arg: Option<Value>, #[default(5)] timeout: Value) -> Result {
    if !has_master(cx) {
        return Ok("No access to master. If using salt-call with --local, please remove.".into());
    }
    let load = map! {
        "cmd" => "minion_runner", "fun" => fun.as_str(), "arg" => arguments(arg), "tmo" => timeout,
        "id" => cx.opts.str("id"),
        "no_parse" => cx.opts.get("no_parse").cloned().unwrap_or_else(|| Value::List(Vec::new())),
    };
    match cx.host.master_request(load, REQUEST) {
        Err(CallError::Client(_)) => Ok(format!("'{fun}' runner publish timed out").into()),
        other => other,
    }
}
