//! `vault`: HashiCorp Vault's key-value stores, both versions, asked with the token, approle or wrapped token in the option `vault`.
//!
//! Tokens stay in memory. A minion that would have to ask its master for a token is refused.

mod secrets;

pub use secrets::Secrets;

use super::Driver;
use super::http::send;
use brine_core::call::{CallError, Result};
use brine_core::{Cx, Map, Secret, Value, map};
use brine_dial::http::Reply;
use brine_python::{Obj, to_value};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::{error, info};

pub(super) const DRIVER: Driver = Driver { name: "vault", get, set };

/// Tokens that were had for an approle or a wrapped token, by server and what they were had for.
static TOKENS: Mutex<Option<HashMap<Identity, (Instant, Secret)>>> = Mutex::new(None);

/// Server, namespace, and what identified us there; not shown.
#[derive(PartialEq, Eq, Hash)]
struct Identity(String);

/// How to ask a server.
struct Vault<'a> {
    config: &'a Map,
    url: String,
    namespace: Option<String>,
    verify: Option<Value>,
}

fn json(value: &Value) -> Result<String> {
    crate::json::dumps(&Obj::from(value), &crate::json::Options::default())
        .map_err(crate::template::call_error)
}

fn read(reply: &Reply) -> Result<Map> {
    let value =
        crate::json::loads(&reply.body).and_then(|v| to_value(&v)).map_err(crate::template::call_error)?;
    match value {
        Value::Map(map) => Ok(map),
        _ => Err(CallError::execution("the vault server does not answer with an object")),
    }
}

impl<'a> Vault<'a> {
    /// The server of the options, if they hold how to ask it.
    fn of(cx: &'a Cx) -> Result<Self> {
        let config = cx.opts.get("vault").and_then(Value::as_map);
        let location = config.and_then(|c| c.get_str("config_location"));
        let local = cx.opts.flag("local")
            || cx.opts.str("file_client") == "local"
            || cx.opts.str("master_type") == "disable"
            || (cx.opts.str("__role") == "master" && !cx.grains.contains("id"));
        match location {
            Some("local") => {}
            None if local => {}
            Some("master") | None => {
                return Err(CallError::execution(
                    "A token of vault from the master is not supported; set \"config_location: local\" in the option vault",
                ));
            }
            Some(_) => {
                error!("config_location must be either local or master");
                return Err(CallError::exception("TypeError", "'bool' object is not subscriptable"));
            }
        }
        Self::new(config.ok_or_else(|| CallError::exception("KeyError", "'vault'"))?)
    }

    fn new(config: &'a Map) -> Result<Self> {
        Ok(Self {
            config,
            url: needed(config, "url")?,
            namespace: config.get_str("namespace").map(str::to_owned),
            verify: config.get("verify").cloned(),
        })
    }

    fn send(
        &self,
        method: &str,
        resource: &str,
        token: Option<&Secret>,
        body: Option<&str>,
    ) -> Result<Reply> {
        let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        headers.extend(token.map(|token| ("X-Vault-Token".to_owned(), token.reveal().to_owned())));
        headers.extend(self.namespace.iter().map(|n| ("X-Vault-Namespace".to_owned(), n.clone())));
        send(method, &format!("{}/{resource}", self.url), &headers, body, self.verify.as_ref())
            .map_err(|e| CallError::execution(e.to_string()))
    }

    /// The token to ask with; `fresh` forgets one that was had before.
    fn token(&self, fresh: bool) -> Result<Secret> {
        let auth = self.config.get("auth").and_then(Value::as_map).ok_or_else(|| no_key("auth"))?;
        let method = needed(auth, "method")?;
        let (path, given, body, failed) = match method.as_str() {
            "approle" => {
                let mut login = map! {"role_id" => needed(auth, "role_id")?};
                if let Some(secret) = auth.get("secret_id") {
                    login.insert("secret_id", secret.clone());
                }
                let failed = "An error occurred while getting a token from approle";
                ("v1/auth/approle/login", None, Some(json(&login.into())?), failed)
            }
            "wrapped_token" => {
                let given = Secret::new(needed(auth, "token")?);
                ("v1/sys/wrapping/unwrap", Some(given), None, "An error occured while unwrapping vault token")
            }
            _ => return needed(auth, "token").map(Secret::new),
        };
        let identity = given.as_ref().map(Secret::reveal).or(body.as_deref()).unwrap_or_default();
        let key = Identity(format!("{} {:?} {identity}", self.url, self.namespace));
        {
            let mut tokens = TOKENS.lock().unwrap_or_else(PoisonError::into_inner);
            let tokens = tokens.get_or_insert_default();
            match tokens.get(&key) {
                // One that was wrapped can be had only once.
                Some((until, token)) if (!fresh || given.is_some()) && *until > Instant::now() => {
                    return Ok(token.clone());
                }
                _ => drop(tokens.remove(&key)),
            }
        }
        let reply = self.send("POST", path, given.as_ref(), body.as_deref())?;
        if reply.status != 200 {
            return Err(CallError::execution(failed));
        }
        let answer = read(&reply)?;
        let auth = answer.get("auth").and_then(Value::as_map);
        let token = auth.and_then(|a| a.get_str("client_token")).ok_or_else(|| no_key("auth"))?;
        let token = Secret::new(token.to_owned());
        let lease = auth.and_then(|a| a.get("lease_duration")).and_then(Value::as_int).unwrap_or(3600);
        let lease = Duration::from_secs(u64::try_from(lease).unwrap_or(0).saturating_sub(10));
        if let Some(until) = Instant::now().checked_add(lease) {
            let mut tokens = TOKENS.lock().unwrap_or_else(PoisonError::into_inner);
            tokens.get_or_insert_default().insert(key, (until, token.clone()));
        }
        Ok(token)
    }

    /// A request; one that is denied is made once more with a new token.
    fn ask(&self, method: &str, resource: &str, body: Option<&str>) -> Result<Reply> {
        let reply = self.send(method, resource, Some(&self.token(false)?), body)?;
        if reply.ok() || !denied(&reply) {
            return Ok(reply);
        }
        info!("Permission denied from vault");
        self.send(method, resource, Some(&self.token(true)?), body)
    }

    /// Where the data of a path is, if it is in a store of the second version.
    fn second_version(&self, path: &str) -> Result<Option<String>> {
        let reply = self.ask("GET", &format!("v1/sys/internal/ui/mounts/{path}"), None)?;
        Ok(Self::second_of(&reply, path))
    }

    /// The same from what the server said of the path's mount.
    fn second_of(reply: &Reply, path: &str) -> Option<String> {
        let answer = read(reply).ok()?;
        let data = answer.get("data").and_then(Value::as_map).filter(|_| reply.ok())?;
        let version = data.get("options").and_then(Value::as_map).and_then(|o| o.get_str("version"));
        if data.get_str("type").unwrap_or("kv") != "kv" || version != Some("2") {
            return None;
        }
        Some(with_data(path, data.get_str("path").unwrap_or(path)))
    }
}

/// The path with `data` after its mount.
fn with_data(path: &str, mount: &str) -> String {
    let (path, mount) = (path.trim_matches('/'), mount.trim_matches('/'));
    let (with_data, with_metadata) = (format!("{mount}/data"), format!("{mount}/metadata"));
    if path.starts_with(&with_metadata) {
        path.replacen(&with_metadata, &with_data, 1)
    } else if path.starts_with(&with_data) {
        path.to_owned()
    } else {
        path.replacen(mount, &with_data, 1)
    }
}

fn denied(reply: &Reply) -> bool {
    let errors = read(reply).ok().and_then(|answer| answer.get("errors").cloned());
    errors == Some(Value::List(vec!["permission denied".into()]))
}

fn no_key(key: &str) -> CallError {
    CallError::execution(format!(
        "Minion has \"vault\" config section, but could not find key \"'{key}'\" within"
    ))
}

fn needed(config: &Map, key: &str) -> Result<String> {
    config.get(key).map(brine_core::text::python_str).ok_or_else(|| no_key(key))
}

/// `path?key`, or the last part of the path is the key. Neither may leave its place in the address.
fn split(key: &str) -> Result<(&str, &str)> {
    let (path, key) = match key.split_once('?') {
        Some((_, rest)) if rest.contains('?') => {
            return Err(CallError::exception("ValueError", "too many values to unpack (expected 2)"));
        }
        Some(both) => both,
        None => key.rsplit_once('/').ok_or_else(|| {
            CallError::exception("ValueError", "not enough values to unpack (expected 2, got 1)")
        })?,
    };
    usable(path)?;
    Ok((path, key))
}

/// Whether a path stays in its place in an address.
fn usable(path: &str) -> Result<()> {
    if path.contains(['#', '?', '\r', '\n']) || path.split('/').any(|part| part == "..") {
        return Err(CallError::execution("The path of a secret cannot be used"));
    }
    Ok(())
}

fn get(cx: &Cx, key: &str, _: &Map) -> Result {
    let (path, key) = split(key)?;
    let vault = Vault::of(cx)?;
    let second = vault.second_version(path)?;
    let failed = |e: CallError| {
        error!("Failed to read secret! {e}");
        e
    };
    let mut reply =
        vault.ask("GET", &format!("v1/{}", second.as_deref().unwrap_or(path)), None).map_err(failed)?;
    if reply.status == 404
        && let Some(second) = &second
    {
        reply = vault.ask("GET", &format!("v1/{second}/{key}"), None).map_err(failed)?;
    }
    if reply.status == 404 {
        return Ok(Value::Nil);
    }
    if reply.status != 200 {
        return Err(failed(CallError::execution(format!(
            "the vault server answers with status {}",
            reply.status
        ))));
    }
    let answer = read(&reply).map_err(failed)?;
    let data =
        answer.get("data").and_then(Value::as_map).ok_or_else(|| failed(CallError::execution("'data'")))?;
    if second.is_none() {
        return Ok(data.get(key).cloned().unwrap_or_default());
    }
    let inner = data.get("data").ok_or_else(|| failed(CallError::execution("'data'")))?;
    Ok(inner.as_map().and_then(|inner| inner.get(key)).unwrap_or(inner).clone())
}

fn set(cx: &Cx, key: &str, value: Value, _: &Map) -> Result {
    let (path, key) = split(key)?;
    let vault = Vault::of(cx)?;
    let second = vault.second_version(path)?;
    let mut data = Map::new();
    data.insert(key, value);
    let data = if second.is_some() {
        map! {"data" => data}
    } else {
        data
    };
    let body = json(&data.into())?;
    let reply = vault.ask("POST", &format!("v1/{}", second.as_deref().unwrap_or(path)), Some(&body));
    let failed = |e: CallError| {
        error!("Failed to write secret! {e}");
        e
    };
    let reply = reply.map_err(failed)?;
    if reply.ok() {
        return Ok(true.into());
    }
    Err(failed(CallError::execution(format!("the vault server answers with status {}", reply.status))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_stands_after_the_mount() {
        assert_eq!(with_data("dev/secrets/fu/bar", "dev/secrets/"), "dev/secrets/data/fu/bar");
        assert_eq!(with_data("/secret/data/x", "secret/"), "secret/data/x");
        assert_eq!(with_data("secret/metadata/x", "secret/"), "secret/data/x");
    }

    #[test]
    fn keys_do_not_leave_their_place() {
        assert_eq!(split("secret/my?k").unwrap(), ("secret/my", "k"));
        assert_eq!(split("secret/my/k").unwrap(), ("secret/my", "k"));
        for key in ["a/../sys/x", "a", "a?b?c", "a#b/c"] {
            assert!(split(key).is_err(), "{key}");
        }
    }
}
