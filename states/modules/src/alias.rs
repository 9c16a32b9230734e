//! States of mail aliases: whom a local name's mail is forwarded to.

use brine_core::call::{Args, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Value, map};

state_module! {
    "alias": absent, present
}

/// An alias leads to this target, or to these and no others.
///
/// name: the alias; target: whom it leads to
#[exec]
fn present(cx: &Cx, name: Value, target: Value) -> Result<Outcome> {
    let both = || Args::positional([name.clone(), target.clone()]);
    let (alias, to) = (python_str(&name), python_str(&target));
    if cx.call("aliases.has_target", both())?.truthy() {
        return Ok(Outcome::ok(name, format!("Alias {alias} already present")));
    }
    if cx.test {
        return Ok(Outcome::would(name, format!("Alias {alias} -> {to} is set to be added")));
    }
    if cx.call("aliases.set_target", both())?.truthy() {
        let changes = map! { "alias" => name.clone() };
        return Ok(Outcome::ok(name, format!("Set email alias {alias} -> {to}")).with_changes(changes));
    }
    Ok(Outcome::failed(name, format!("Failed to set alias {alias} -> {to}")))
}

/// There is no such alias.
///
/// name: the alias
#[exec]
fn absent(cx: &Cx, name: Value) -> Result<Outcome> {
    let one = || Args::positional([name.clone()]);
    let alias = python_str(&name);
    if !cx.call("aliases.get_target", one())?.truthy() {
        return Ok(Outcome::ok(name, format!("Alias {alias} already absent")));
    }
    if cx.test {
        return Ok(Outcome::would(name, format!("Alias {alias} is set to be removed")));
    }
    if cx.call("aliases.rm_alias", one())?.truthy() {
        let changes = map! { "alias" => name.clone() };
        return Ok(Outcome::ok(name, format!("Removed alias {alias}")).with_changes(changes));
    }
    Ok(Outcome::failed(name, format!("Failed to remove alias {alias}")))
}
