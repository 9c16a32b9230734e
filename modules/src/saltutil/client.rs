//! What the minion asks of its master, and of a master on the same machine.

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, VarArgs, exec};
use brine_core::host::MasterClient;
use brine_core::text::python_repr;
use brine_core::{Map, Value, map};
use std::time::Duration;

/// How long the master may take for one request; stock's own limit.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Ask the master to forget this minion's key, and all it keeps of it unless `preserve_minion_cache` is set.
///
/// CLI Example: salt '*' saltutil.revoke_auth
#[exec]
pub(super) fn revoke_auth(cx: &Cx, #[default(false)] preserve_minion_cache: bool) -> Result<bool> {
    if crate::event::is_local(cx) {
        return Err(CallError::exception("KeyError", "'master_uri'"));
    }
    let load = map! {
        "cmd" => "revoke_auth", "id" => cx.opts.str("id"), "preserve_minion_cache" => preserve_minion_cache,
    };
    match cx.host.master_request(load, TIMEOUT) {
        Err(CallError::Client(_)) => Ok(false),
        other => other.map(|_| true),
    }
}

/// What a local client is told: target, function, arguments.
fn order(
    (tgt, fun, arg, timeout, tgt_type, ret, kwarg): (Value, String, Value, Value, String, Value, Value),
    kwargs: KwArgs,
) -> Map {
    let mut order = map! {
        "tgt" => tgt, "fun" => fun, "arg" => arg, "timeout" => timeout, "tgt_type" => tgt_type, "ret" => ret,
        "kwarg" => kwarg,
    };
    order.update(kwargs.0);
    order
}

fn refuse_ssh(ssh: bool) -> Result<()> {
    if ssh { Err(CallError::execution("saltutil: there is no salt-ssh here")) } else { Ok(()) }
}

/// On a minion that is on the master's machine: run a function on other minions, as `salt` does, and return the results
/// by id.
///
/// CLI Example: salt-call saltutil.cmd '*' test.ping
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn cmd(
    cx: &Cx,
    tgt: Value,
    fun: String,
    #[default(Vec::<Value>::new())] arg: Value,
    timeout: Option<Value>,
    #[default("glob")] tgt_type: String,
    #[default("")] ret: Value,
    kwarg: Option<Value>,
    #[default(false)] ssh: bool,
    kwargs: KwArgs,
) -> Result {
    refuse_ssh(ssh)?;
    let order = order((tgt, fun, arg, timeout.into(), tgt_type, ret, kwarg.into()), kwargs);
    cx.host.master_client(MasterClient::Local, order)
}

/// As `saltutil.cmd`, but the results come as a list of one dict per minion.
///
/// CLI Example: salt-call saltutil.cmd_iter '*' test.ping
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn cmd_iter(
    cx: &Cx,
    tgt: Value,
    fun: String,
    #[default(Vec::<Value>::new())] arg: Value,
    timeout: Option<Value>,
    #[default("glob")] tgt_type: String,
    #[default("")] ret: Value,
    kwarg: Option<Value>,
    #[default(false)] ssh: bool,
    kwargs: KwArgs,
) -> Result {
    refuse_ssh(ssh)?;
    let mut order = order((tgt, fun, arg, timeout.into(), tgt_type, ret, kwarg.into()), kwargs);
    // As in stock, only `saltutil.cmd` knows them.
    order.remove("batch");
    order.remove("subset");
    let all = match cx.host.master_client(MasterClient::Local, order)? {
        Value::Map(map) => map,
        other => return Ok(other),
    };
    Ok(all
        .into_iter()
        .map(|(id, result)| {
            let one: Map = [(id, result)].into_iter().collect();
            Value::Map(one)
        })
        .collect())
}

/// On a minion that is on the master's machine: run a runner there.
///
/// CLI Example: salt '*' saltutil.runner manage.up
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn runner(
    cx: &Cx,
    name: String,
    arg: Option<Value>,
    kwarg: Option<Map>,
    #[default(false)] full_return: bool,
    #[default("base")] saltenv: Value,
    jid: Option<Value>,
    kwargs: KwArgs,
) -> Result {
    let arg = arg.unwrap_or_else(|| Value::List(Vec::new()));
    if arg.as_list().is_none() {
        return Err(CallError::invocation("arg must be formatted as a list/tuple"));
    }
    let mut kwarg = kwarg.unwrap_or_default();
    kwarg.update(kwargs.clean());
    let of_run = |key: &str| kwargs.0.get(key).cloned();
    let jid = of_run("__orchestration_jid__").or(jid);
    if ["state.orchestrate", "state.orch", "state.sls"].contains(&name.as_str()) {
        kwarg.insert("orchestration_jid", jid.clone());
    }
    let order = map! {
        "fun" => name, "arg" => arg, "kwarg" => kwarg, "full_return" => full_return,
        "saltenv" => of_run("__env__").unwrap_or(saltenv), "jid" => jid,
        "user" => of_run("__pub_user").unwrap_or_else(|| "UNKNOWN".into()),
    };
    cx.host.master_client(MasterClient::Runner, order)
}

/// On a minion that is on the master's machine: run a wheel function there.
///
/// CLI Example: salt '*' saltutil.wheel key.accept jerry
#[exec]
pub(super) fn wheel(cx: &Cx, name: String, args: VarArgs, kwargs: KwArgs) -> Result {
    let of_run = |key: &str| kwargs.0.get(key).cloned();
    let order = map! {
        "fun" => name, "arg" => args.0, "kwarg" => kwargs.clean(), "full_return" => true,
        "saltenv" => of_run("__env__").unwrap_or_else(|| "base".into()), "jid" => of_run("__orchestration_jid__"),
        "user" => of_run("__pub_user").unwrap_or_else(|| "UNKNOWN".into()),
    };
    cx.host.master_client(MasterClient::Wheel, order)
}

/// Run a function of this minion; `saltenv` is where stock looks for its Python module first.
///
/// CLI Example: salt '*' saltutil.mmodule base test.ping
#[exec]
pub(super) fn mmodule(cx: &Cx, _saltenv: String, fun: String, args: VarArgs, kwargs: KwArgs) -> Result {
    if cx.registry.get(&fun).is_none() {
        return Err(CallError::exception("KeyError", python_repr(&fun.into())));
    }
    cx.call(&fun, Args { positional: args.0, keyword: kwargs.0 })
}
