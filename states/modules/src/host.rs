//! States of addresses and names in the hosts file.

use brine_core::call::{Args, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

state_module! {
    "host": absent, only, present
}

fn call(cx: &Cx, function: &str, words: [&Value; 2]) -> Result<bool> {
    Ok(cx.call(function, Args::positional(words.map(Value::clone)))?.truthy())
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::List(all) => all,
        one => vec![one],
    }
}

fn joined(lines: &[String]) -> Value {
    lines.join("\n").into()
}

/// Whether it is an address, perhaps with the length of a network's prefix.
fn is_address(text: &str) -> bool {
    let (ip, mask) = text.rsplit_once('/').map_or((text, None), |(ip, mask)| (ip, Some(mask)));
    let fits = |max: i64| mask.is_none_or(|mask| mask.trim().parse().is_ok_and(|n: i64| (1..=max).contains(&n)));
    ip.parse::<std::net::Ipv4Addr>().is_ok() && fits(32) || ip.parse::<std::net::Ipv6Addr>().is_ok() && fits(128)
}

/// What is to be done about one name: pairs of an address and what it gets.
#[derive(Default)]
struct Plan {
    add: Vec<(Value, Value)>,
    comment: Vec<(Value, Value)>,
    remove: Vec<(Value, Value)>,
    said: Vec<String>,
    warnings: Vec<String>,
    wrong: bool,
}

fn plan(known: &Map, name: &Value, ips: &[Value], comment: &Value, clean: bool) -> Plan {
    let mut plan = Plan::default();
    let note = |list: &mut Vec<(Value, Value)>, ip: &Value, what: &Value| {
        let pair = (ip.clone(), what.clone());
        if !list.contains(&pair) {
            list.push(pair);
        }
    };
    for ip in ips.iter().filter(|ip| known.get_key(ip).is_none()) {
        note(&mut plan.add, ip, name);
        if comment.truthy() {
            note(&mut plan.comment, ip, comment);
        }
    }
    for (ip, host) in known {
        let named = host.get("aliases").and_then(Value::as_list).is_some_and(|names| names.contains(name));
        let (name_text, ip_text) = (python_str(name), python_str(ip));
        match (ips.contains(ip), named) {
            (false, true) if clean => note(&mut plan.remove, ip, name),
            (false, true) => plan.warnings.push(format!(
                "Host {name_text} present for IP address {ip_text}. To get rid of this warning, either run this state with \
                 'clean' set to True to remove {name_text} from {ip_text}, or add {ip_text} to the 'ip' argument."
            )),
            (false, false) => {}
            (true, true) if comment.truthy() && host.get("comment") != Some(comment) => {
                note(&mut plan.comment, ip, comment);
            }
            (true, true) => plan.said.push(format!("Host {name_text} ({ip_text}) already present")),
            (true, false) if is_address(&ip_text) => {
                note(&mut plan.add, ip, name);
                if comment.truthy() {
                    note(&mut plan.comment, ip, comment);
                }
            }
            (true, false) => {
                plan.wrong = true;
                plan.said.push(format!("Invalid IP Address for {name_text} ({ip_text})"));
            }
        }
    }
    plan
}

fn changed(changes: &mut Map, what: &str, ip: &Value, value: &Value) {
    let of = changes.entry_or(what, || Map::new().into());
    if let Some(of) = of.as_map_mut()
        && let Value::List(list) = of.entry_or(ip.clone(), || Value::List(Vec::new()))
    {
        list.push(value.clone());
    }
}

/// A host name belongs to these addresses, in the hosts file.
///
/// name: the host; ip: its address or addresses; comment: what is said of them; clean: take the name from all other addresses
#[exec]
fn present(
    cx: &Cx,
    name: Value,
    ip: Value,
    #[default("")] comment: Value,
    #[default(false)] clean: bool,
) -> Result<Outcome> {
    let mut outcome = Outcome::new(name.clone());
    let known = cx.call("hosts.list_hosts", Args::none())?;
    let plan = plan(known.as_map().unwrap_or(&Map::new()), &name, &listed(ip), &comment, clean);
    let mut said = plan.said;
    if plan.wrong {
        outcome.result = Some(false);
    }
    let host = python_str(&name);
    for (ip, name) in &plan.add {
        let ip_text = python_str(ip);
        if cx.test {
            outcome.result = None;
            said.push(format!("Host {host} ({ip_text}) would be added"));
        } else if call(cx, "hosts.add_host", [ip, name])? {
            said.push(format!("Added host {host} ({ip_text})"));
        } else {
            outcome.result = Some(false);
            said.push(format!("Failed to add host {host} ({ip_text})"));
            continue;
        }
        changed(&mut outcome.changes, "added", ip, name);
    }
    for (ip, comment) in &plan.comment {
        let (ip_text, text) = (python_str(ip), python_str(comment));
        if cx.test {
            said.push(format!("Comment for {ip_text} ({text}) would be added"));
        } else if call(cx, "hosts.set_comment", [ip, comment])? {
            said.push(format!("Set comment for host {ip_text} ({text})"));
        } else {
            outcome.result = Some(false);
            said.push(format!("Failed to add comment for host {ip_text} ({text})"));
            continue;
        }
        changed(&mut outcome.changes, "comment_added", ip, comment);
    }
    for (ip, name) in &plan.remove {
        let ip_text = python_str(ip);
        if cx.test {
            outcome.result = None;
            said.push(format!("Host {host} ({ip_text}) would be removed"));
        } else if call(cx, "hosts.rm_host", [ip, name])? {
            said.push(format!("Removed host {host} ({ip_text})"));
        } else {
            outcome.result = Some(false);
            said.push(format!("Failed to remove host {host} ({ip_text})"));
            continue;
        }
        changed(&mut outcome.changes, "removed", ip, name);
    }
    outcome.comment = joined(&said);
    if !plan.warnings.is_empty() {
        outcome.more.insert("warnings", plan.warnings);
    }
    Ok(outcome)
}

/// A host name does not belong to these addresses, in the hosts file.
///
/// name: the host; ip: the address or addresses
#[exec]
fn absent(cx: &Cx, name: Value, ip: Value) -> Result<Outcome> {
    let mut outcome = Outcome::would(name.clone(), "");
    let mut said = Vec::new();
    let host = python_str(&name);
    for ip in listed(ip) {
        let ip_text = python_str(&ip);
        if !call(cx, "hosts.has_pair", [&ip, &name])? {
            outcome.result = Some(true);
            said.push(format!("Host {host} ({ip_text}) already absent"));
        } else if cx.test {
            said.push(format!("Host {host} ({ip_text}) needs to be removed"));
        } else if call(cx, "hosts.rm_host", [&ip, &name])? {
            outcome.changes = map! { "host" => name.clone() };
            outcome.result = Some(true);
            said.push(format!("Removed host {host} ({ip_text})"));
        } else {
            outcome.result = Some(false);
            said.push("Failed to remove host".to_owned());
        }
    }
    outcome.comment = joined(&said);
    Ok(outcome)
}

/// An address has these names and no others, in the hosts file.
///
/// name: the address; hostnames: its name or names; none: the address is removed
#[exec]
fn only(cx: &Cx, name: Value, hostnames: Value) -> Result<Outcome> {
    let mut outcome = Outcome::would(name.clone(), "");
    let words = |list: &[Value], trim: bool| {
        let words = list.iter().map(python_str).map(|word| if trim { word.trim().to_owned() } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    let old = cx.call("hosts.get_alias", Args::positional([name.clone()]))?;
    let old = words(old.as_list().unwrap_or_default(), false);
    let new = words(&listed(hostnames), true);
    let ip = python_str(&name);
    if old == new {
        outcome.result = Some(true);
        outcome.comment = format!("IP address {ip} already set to \"{new}\"").into();
    } else if cx.test {
        outcome.comment = format!("Would change {ip} from \"{old}\" to \"{new}\"").into();
    } else if call(cx, "hosts.set_host", [&name, &new.as_str().into()])? {
        outcome.result = Some(true);
        outcome.comment = format!("successfully changed {ip} from \"{old}\" to \"{new}\"").into();
        outcome.changes.insert(name, map! { "old" => old, "new" => new });
    } else {
        outcome.result = Some(false);
        outcome.comment = format!("hosts.set_host failed to change {ip} from \"{old}\" to \"{new}\"").into();
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        assert!(is_address("10.0.0.1") && is_address("::1") && is_address("10.0.0.0/8") && is_address("fe80::/64"));
        assert!(!is_address("10.0.0") && !is_address("10.0.0.0/33") && !is_address("10.0.0.0/0") && !is_address("a/1"));
    }
}
