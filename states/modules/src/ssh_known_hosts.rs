//! States of known hosts: `ssh_known_hosts.present` and `absent`.

use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

state_module! { "ssh_known_hosts": absent, present }

/// The file, by whose it is. `Err`: it is nobody's.
fn file_of(user: &Value, config: Option<Value>) -> std::result::Result<String, &'static str> {
    let own = if user.truthy() { ".ssh/known_hosts" } else { "/etc/ssh/ssh_known_hosts" };
    let config = config.filter(Value::truthy).map_or_else(|| own.to_owned(), |config| python_str(&config));
    match user.truthy() || config.starts_with('/') {
        true => Ok(config),
        false => Err("If not specifying a \"user\", specify an absolute \"config\"."),
    }
}

fn text(answer: &Value, key: &str) -> String {
    answer.get(key).map(python_str).unwrap_or_default()
}

/// See that a host is known.
///
/// name: the host. user: for whom (default: for all). fingerprint, key, enc: what its key must be. port: where it is asked.
/// config: the file. hash_known_hosts: hide its name. timeout: seconds until it must have answered.
/// fingerprint_hash_type: of the fingerprint.
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn present(
    cx: &Cx,
    name: Value,
    user: Option<Value>,
    fingerprint: Option<Value>,
    key: Option<Value>,
    port: Option<Value>,
    enc: Option<Value>,
    config: Option<Value>,
    #[default(true)] hash_known_hosts: Value,
    #[default(5)] timeout: Value,
    fingerprint_hash_type: Option<Value>,
) -> Result<Outcome> {
    let user = Value::from(user);
    let shown = python_str(&name);
    let config = match file_of(&user, config) {
        Ok(config) => config,
        Err(text) => return Ok(Outcome::failed(name, text)),
    };
    let is_set = |value: &Option<Value>| value.as_ref().is_some_and(Value::truthy);
    let common = |args: Args| {
        args.with("key", key.clone())
            .with("fingerprint", fingerprint.clone())
            .with("config", config.as_str())
            .with("port", port.clone())
            .with("fingerprint_hash_type", fingerprint_hash_type.clone())
    };
    if cx.test {
        if is_set(&key) && is_set(&fingerprint) {
            return Ok(Outcome::failed(name, "Specify either \"key\" or \"fingerprint\", not both."));
        }
        if is_set(&key) && !is_set(&enc) {
            return Ok(Outcome::failed(name, "Required argument \"enc\" if using \"key\" argument."));
        }
        let args = common(Args::positional([user, name.clone()]));
        let found = match cx.call("ssh.check_known_host", args) {
            Err(e @ CallError::CommandNotFound(_)) => {
                return Ok(Outcome::failed(name, format!("ssh.check_known_host error: {e}")));
            }
            found => found?,
        };
        if let Some(error) = found.get("error") {
            return Ok(Outcome::failed(name, error.clone()));
        }
        return Ok(match found.as_str() {
            Some("exists") => Outcome::ok(name, format!("Host {shown} is already in {config}")),
            Some("add") => Outcome::would(name, format!("Key for {shown} is set to be added to {config}")),
            _ => Outcome::would(name, format!("Key for {shown} is set to be updated in {config}")),
        });
    }
    let args = common(Args::none().with("user", user).with("hostname", name.clone()))
        .with("enc", enc.clone())
        .with("hash_known_hosts", hash_known_hosts)
        .with("timeout", timeout);
    let done = cx.call("ssh.set_known_host", args)?;
    match text(&done, "status").as_str() {
        "exists" => return Ok(Outcome::ok(name, format!("{shown} already exists in {config}"))),
        "error" => return Ok(Outcome::failed(name, text(&done, "error"))),
        _ => {}
    }
    let part = |key: &str| done.get(key).cloned().unwrap_or_default();
    let first = |key: &str| {
        let new = done.get("new").and_then(Value::as_list).and_then(|new| new.first());
        new.and_then(|new| new.get(key)).map(python_str)
    };
    let missing = |key: &str| CallError::exception("KeyError", format!("'{key}'"));
    let comment = if is_set(&key) {
        let key = first("key").ok_or_else(|| missing("key"))?;
        format!("{shown}'s key saved to {config} (key: {key})")
    } else if is_set(&fingerprint) {
        let print = first("fingerprint").ok_or_else(|| missing("fingerprint"))?;
        format!("{shown}'s key saved to {config} (fingerprint: {print})")
    } else if is_set(&enc) {
        let key = first("key").ok_or_else(|| missing("key"))?;
        format!("{shown}'s {} key saved to {config} (key: {key})", python_str(&enc.into()))
    } else {
        format!("{shown}'s key(s) saved to {config}")
    };
    Ok(Outcome::ok(name, comment).with_changes(map! { "old" => part("old"), "new" => part("new") }))
}

/// See that a host is not known.
#[exec]
fn absent(cx: &Cx, name: Value, user: Option<Value>, config: Option<Value>) -> Result<Outcome> {
    let user = Value::from(user);
    let shown = python_str(&name);
    let config = match file_of(&user, config) {
        Ok(config) => config,
        Err(text) => return Ok(Outcome::failed(name, text)),
    };
    let args =
        || Args::none().with("user", user.clone()).with("hostname", name.clone()).with("config", config.as_str());
    let known = cx.call("ssh.get_known_host_entries", args())?;
    if !known.truthy() {
        return Ok(Outcome::ok(name, "Host is already absent"));
    }
    if cx.test {
        return Ok(Outcome::would(name, format!("Key for {shown} is set to be removed from {config}")));
    }
    let done = cx.call("ssh.rm_known_host", args())?;
    if text(&done, "status") == "error" {
        return Ok(Outcome::failed(name, text(&done, "error")));
    }
    let changes: Map = map! { "old" => known, "new" => Value::Nil };
    Ok(Outcome::ok(name, text(&done, "comment")).with_changes(changes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_a_users_or_named_whole() {
        assert_eq!(file_of(&Value::Nil, None), Ok("/etc/ssh/ssh_known_hosts".into()));
        assert_eq!(file_of(&"u".into(), None), Ok(".ssh/known_hosts".into()));
        assert!(file_of(&Value::Nil, Some("known".into())).is_err());
    }
}
