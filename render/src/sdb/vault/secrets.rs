//! All that stands under a path, for pillar. On a master it is read with a token that is made for the minion and may do what the
//! option's `policies` say of it; elsewhere with one's own.

use super::{Vault, denied, json, needed, no_key, read, usable};
use brine_core::call::{CallError, Result};
use brine_core::{Cx, Map, Secret, Value, map};
use brine_dial::http::Reply;
use std::cell::RefCell;

/// A way to one minion's secrets.
pub struct Secrets<'a> {
    vault: Vault<'a>,
    minion: Option<Minion>,
    /// A token that was made, and how often it can still be used; always if that is not said.
    token: RefCell<Option<(Secret, Option<i64>)>>,
}

struct Minion {
    id: String,
    policies: Vec<String>,
}

impl<'a> Secrets<'a> {
    /// The way that the options say. `policies` makes the names of policies from their patterns.
    ///
    /// # Errors
    /// What the options lack; what `policies` says.
    pub fn of(
        cx: &'a Cx,
        id: &str,
        policies: impl FnOnce(Vec<String>) -> Result<Vec<String>>,
    ) -> Result<Self> {
        let config = cx.opts.get("vault").and_then(Value::as_map);
        let location = config.and_then(|config| config.get_str("config_location"));
        let (vault, minion) = if cx.opts.str("__role") == "master" && location != Some("local") {
            let config = config.ok_or_else(|| CallError::exception("KeyError", "'vault'"))?;
            let patterns = match config.get("policies") {
                Some(Value::List(list)) => list.iter().map(brine_core::text::python_str).collect(),
                _ => vec!["saltstack/minion/{minion}".to_owned(), "saltstack/minions".to_owned()],
            };
            let policies = policies(patterns)?;
            if policies.is_empty() {
                return Err(CallError::execution("No policies matched minion"));
            }
            (Vault::new(config)?, Some(Minion { id: id.to_owned(), policies }))
        } else {
            (Vault::of(cx)?, None)
        };
        Ok(Self { vault, minion, token: RefCell::new(None) })
    }

    /// What is kept under a path; nothing, with a line in the log, if the server does not give it.
    ///
    /// # Errors
    /// No connection, no token, an answer that is none, a path that would leave its place in the address.
    pub fn read(&self, path: &str) -> Result<Option<Value>> {
        usable(path)?;
        let mounts = self.ask(&format!("v1/sys/internal/ui/mounts/{path}"))?;
        let second = Vault::second_of(&mounts, path);
        let reply = self.ask(&format!("v1/{}", second.as_deref().unwrap_or(path)))?;
        if !reply.ok() {
            tracing::info!("Vault secret not found for: {path}");
            return Ok(None);
        }
        let data = read(&reply)?.get("data").cloned().unwrap_or_else(|| Map::new().into());
        match (second, data) {
            (Some(_), Value::Map(data)) if !data.is_empty() => {
                data.get("data").cloned().map(Some).ok_or_else(|| CallError::exception("KeyError", "'data'"))
            }
            (_, data) => Ok(Some(data)),
        }
    }

    fn ask(&self, resource: &str) -> Result<Reply> {
        let Some(minion) = &self.minion else { return self.vault.ask("GET", resource, None) };
        let reply = self.vault.send("GET", resource, Some(&self.made(minion, false)?), None)?;
        if reply.ok() || !denied(&reply) {
            return Ok(reply);
        }
        self.vault.send("GET", resource, Some(&self.made(minion, true)?), None)
    }

    /// A token for the minion, made anew when the last one is used up.
    fn made(&self, minion: &Minion, fresh: bool) -> Result<Secret> {
        let mut kept = self.token.borrow_mut();
        if let Some((token, left)) = kept.as_mut().filter(|_| !fresh)
            && left.is_none_or(|left| left > 0)
        {
            *left = left.map(|left| left - 1);
            return Ok(token.clone());
        }
        let auth = self.vault.config.get("auth").and_then(Value::as_map).ok_or_else(|| no_key("auth"))?;
        let uses = auth.get("uses").and_then(Value::as_int).unwrap_or(1);
        let mut wanted = map! {
            "policies" => minion.policies.clone(),
            "num_uses" => uses,
            "meta" => map! {"saltstack-jid" => "<no jid set>", "saltstack-minion" => &minion.id, "saltstack-user" => "<no user set>"},
        };
        if let Some(ttl) = auth.get("ttl").filter(|ttl| !ttl.is_nil()) {
            wanted.insert("explicit_max_ttl", brine_core::text::python_str(ttl));
        }
        let mut path = "v1/auth/token/create".to_owned();
        if self.vault.config.get("role_name").is_some_and(Value::truthy) {
            let role = needed(self.vault.config, "role_name")?;
            usable(&role)?;
            path = format!("{path}/{}", role.trim_matches('/'));
        }
        let reply = self.vault.ask("POST", &path, Some(&json(&wanted.into())?))?;
        if reply.status != 200 {
            let text = format!("the vault server makes no token for the minion: status {}", reply.status);
            return Err(CallError::execution(text));
        }
        let answer = read(&reply)?;
        let token = answer.get("auth").and_then(Value::as_map).and_then(|auth| auth.get_str("client_token"));
        let token = Secret::new(token.ok_or_else(|| no_key("auth"))?.to_owned());
        *kept = Some((token.clone(), Some(uses).filter(|uses| *uses > 0).map(|uses| uses - 1)));
        Ok(token)
    }
}
