//! States of the kernel's packet filter: chains, rules, policies.

mod aggregate;
mod rule;

use aggregate::mod_aggregate;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use rule::*;

state_module! {
    "iptables": append, chain_absent, chain_present, delete, flush, insert, set_policy;
    mod_aggregate = mod_aggregate, unavailable = unavailable
}

fn unavailable(cx: &Cx) -> Option<String> {
    let here = cx.call("cmd.which", Args::positional(["iptables"])).is_ok_and(|path| path.truthy());
    (!here).then(|| "iptables module could not be loaded".to_owned())
}

/// What a rule or a policy is set for, as a change.
fn changed(name: &Value) -> Map {
    map! { "locale" => name.clone() }
}

/// A word that the state must be given.
fn needed(words: &Map, key: &str) -> Result<Value> {
    words.get(key).cloned().ok_or_else(|| CallError::exception("KeyError", format!("'{key}'")))
}

/// The file that is to keep the rules: `None` where none is to, `Nil` for the machine's own.
fn file(words: &Map) -> Option<Value> {
    match words.get("save") {
        Some(Value::Bool(true)) => Some(Value::Nil),
        Some(path) if path.truthy() => Some(path.clone()),
        _ => None,
    }
}

fn save(cx: &Cx, file: Value, family: &Value) -> Result {
    cx.call("iptables.save", Args::none().with("filename", file).with("family", family.clone()))
}

/// A table has a chain.
///
/// name: the chain; table; family: `ipv4` or `ipv6`
#[exec]
fn chain_present(
    cx: &Cx,
    name: Value,
    #[default("filter")] table: Value,
    #[default("ipv4")] family: Value,
) -> Result<Outcome> {
    let args = || Args::positional([table.clone(), name.clone(), family.clone()]);
    let [chain, t, f] = [&name, &table, &family].map(python_str);
    if cx.call("iptables.check_chain", args())? == Value::Bool(true) {
        return Ok(Outcome::ok(name, format!("iptables {chain} chain is already exist in {t} table for {f}")));
    }
    if cx.test {
        return Ok(Outcome::would(name, format!("iptables {chain} chain in {t} table needs to be set for {f}")));
    }
    Ok(match cx.call("iptables.new_chain", args())? {
        Value::Bool(true) => {
            let changes = changed(&name);
            Outcome::ok(name, format!("iptables {chain} chain in {t} table create success for {f}"))
                .with_changes(changes)
        }
        error => {
            let error = python_str(&error);
            Outcome::failed(name, format!("Failed to create {chain} chain in {t} table: {} for {f}", error.trim()))
        }
    })
}

/// A table does not have a chain.
///
/// name: the chain; table; family: `ipv4` or `ipv6`
#[exec]
fn chain_absent(
    cx: &Cx,
    name: Value,
    #[default("filter")] table: Value,
    #[default("ipv4")] family: Value,
) -> Result<Outcome> {
    let args = || Args::positional([table.clone(), name.clone(), family.clone()]);
    let [chain, t, f] = [&name, &table, &family].map(python_str);
    if !cx.call("iptables.check_chain", args())?.truthy() {
        return Ok(Outcome::ok(name, format!("iptables {chain} chain is already absent in {t} table for {f}")));
    }
    if cx.test {
        return Ok(Outcome::would(name, format!("iptables {chain} chain in {t} table needs to be removed {f}")));
    }
    let error = cx.call("iptables.flush", args())?;
    if error.truthy() {
        let error = python_str(&error);
        let said = format!("Failed to flush {chain} chain in {t} table: {} for {f}", error.trim());
        return Ok(Outcome::failed(name, said));
    }
    Ok(match cx.call("iptables.delete_chain", args())? {
        Value::Bool(true) => {
            let changes = changed(&name);
            Outcome::ok(name, format!("iptables {chain} chain in {t} table delete success for {f}"))
                .with_changes(changes)
        }
        error => {
            let error = python_str(&error);
            Outcome::failed(name, format!("Failed to delete {chain} chain in {t} table: {} for {f}", error.trim()))
        }
    })
}

/// A chain has this policy.
///
/// name: anything; table; family: `ipv4` or `ipv6`; chain; policy; save: keep the rules in the machine's file, or in another
#[exec]
fn set_policy(
    cx: &Cx,
    name: Value,
    #[default("filter")] table: Value,
    #[default("ipv4")] family: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let words = kwargs.0;
    let (chain, policy) = (needed(&words, "chain")?, needed(&words, "policy")?);
    let [c, p, t, f] = [&chain, &policy, &table, &family].map(python_str);
    if cx.call("iptables.get_policy", Args::positional([table.clone(), chain.clone(), family.clone()]))? == policy {
        let said = format!("iptables default policy for chain {c} on table {t} for {f} already set to {p}");
        return Ok(Outcome::ok(name, said));
    }
    if cx.test {
        let said = format!("iptables default policy for chain {c} on table {t} for {f} needs to be set to {p}");
        return Ok(Outcome::would(name, said));
    }
    if cx.call("iptables.set_policy", Args::positional([table, chain, policy, family.clone()]))?.truthy() {
        return Ok(Outcome::failed(name, "Failed to set iptables default policy"));
    }
    let mut said = format!("Set default policy for {c} to {p} family {f}");
    if let Some(file) = file(&words) {
        save(cx, file, &family)?;
        said = format!("Set and saved default policy for {c} to {p} family {f}");
    }
    let changes = changed(&name);
    Ok(Outcome::ok(name, said).with_changes(changes))
}

/// A table, or a chain of it, has no rules.
///
/// name: anything; table; family: `ipv4` or `ipv6`; chain
#[exec]
fn flush(
    cx: &Cx,
    name: Value,
    #[default("filter")] table: Value,
    #[default("ipv4")] family: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let chain = kwargs.0.get("chain").cloned().unwrap_or_else(|| "".into());
    let [n, c, t, f] = [&name, &chain, &table, &family].map(python_str);
    if cx.test {
        let said = format!("iptables rules in {n} table {t} chain {f} family needs to be flushed");
        return Ok(Outcome::would(name, said));
    }
    if cx.call("iptables.flush", Args::positional([table, chain, family]))?.truthy() {
        return Ok(Outcome::failed(name, "Failed to flush iptables rules"));
    }
    let changes = changed(&name);
    Ok(Outcome::ok(name, format!("Flush iptables rules in {t} table {c} chain {f} family")).with_changes(changes))
}
