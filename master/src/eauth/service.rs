//! What the rest of the master asks of external authentication: to prove a login or a token, and to make tokens.
//!
//! The words of the log are stock's. A caller is never told why he is refused.

use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

use brine_core::auth_rules::rules_of;
use brine_protocol::{Map, Value, map};
use brine_store::Tokens;

use super::config::{EauthConfig, Section};
use super::level::Level;
use super::pool::Pool;
use super::{Failure, Login};

/// A user whom a backend or a token vouches for.
#[derive(Clone, Debug, PartialEq)]
pub struct Proved {
    /// His name, as he gave it.
    pub name: String,
    /// The backend.
    pub eauth: String,
    /// His rules, those of his groups included. None: he may do nothing.
    pub rules: Vec<Value>,
    /// The groups the backend has him in.
    groups: Vec<String>,
}

/// External authentication at work.
#[derive(Debug)]
pub struct Service {
    config: EauthConfig,
    tokens: Tokens,
    pool: Pool,
    level: Level,
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(f64::MAX, |d| d.as_secs_f64())
}

impl Service {
    /// Takes the options, and says in the log what is wrong with those of a backend.
    pub fn new(config: EauthConfig) -> Self {
        for section in &config.sections {
            if let Err(e) = (section.backend.check)(&section.settings) {
                tracing::error!("external_auth: {}: {e}", section.backend.name);
            }
        }
        let tokens = Tokens::at(config.token_dir.clone(), config.hash);
        Self { config, tokens, pool: Pool::default(), level: Level::default() }
    }

    #[cfg(test)]
    pub(super) fn config_for_test(&self) -> EauthConfig {
        self.config.clone()
    }

    /// The store of tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Removes tokens that have expired. Reads files.
    pub fn prune(&self) {
        if let Err(e) = self.tokens.prune(now()) {
            tracing::warn!("tokens: {e}");
        }
    }

    /// Proves a user by name and password. Failures take about a second.
    pub async fn login(&self, from: IpAddr, login: Login) -> Option<Proved> {
        let Some(section) = self.config.section(&login.eauth) else {
            tracing::warn!("The eauth system \"{}\" is not enabled", login.eauth);
            return None;
        };
        let start = Instant::now();
        let place = match self.pool.enter(from) {
            Ok(place) => place,
            Err(e) => {
                tracing::warn!(%from, "external authentication: {e}");
                return None;
            }
        };
        let (backend, settings) = (section.backend, section.settings.clone());
        let (rules, permissive) = (section.rules.clone(), self.config.permissive);
        let (name, eauth) = (login.username.clone(), login.eauth.clone());
        let asked = self.pool.run(move || {
            (backend.auth)(&settings, &login)?;
            let groups = (backend.groups)(&settings, &login).unwrap_or_else(|e| {
                tracing::error!("{}: the groups of {} are not known: {e}", backend.name, login.username);
                Vec::new()
            });
            let rules = rules_of(&rules, &login.username, &groups, permissive);
            let rules = (backend.expand)(&settings, rules).unwrap_or_else(|e| {
                tracing::error!("{}: the rules of {} cannot be read: {e}", backend.name, login.username);
                Vec::new()
            });
            Ok((groups, rules))
        });
        let delay = match asked.await {
            Ok(Ok((groups, rules))) => return Some(Proved { name, eauth, rules, groups }),
            Ok(Err(Failure::Refused { what, delay })) => {
                tracing::info!(%from, "{eauth}: {name:?} is refused: {what}");
                delay
            }
            Ok(Err(Failure::Broken(what))) => {
                tracing::error!("{eauth}: {name:?} cannot be checked: {what}");
                Duration::ZERO
            }
            Err(e) => {
                tracing::error!("{eauth}: {name:?} was not checked: {e}");
                Duration::ZERO
            }
        };
        // Whoever only waits to be told keeps nobody out.
        drop(place);
        self.level.wait(start, delay).await;
        None
    }

    /// Proves a user by a token.
    pub async fn token(&self, token: &Value) -> Option<Proved> {
        let data = self.tokens.get(token.as_str()?, now())?;
        let (name, eauth) = (data.get_str("name")?.to_owned(), data.get_str("eauth")?.to_owned());
        // A backend that is no longer in use vouches for nobody.
        let section = self.config.section(&eauth)?;
        let groups: Vec<String> = match data.get("groups") {
            Some(Value::List(groups)) => groups.iter().filter_map(|g| Some(g.as_str()?.to_owned())).collect(),
            _ => Vec::new(),
        };
        if self.config.keep_acl
            && let Some(Value::List(rules)) = data.get("auth_list")
        {
            return Some(Proved { name, eauth, rules: rules.clone(), groups });
        }
        let rules = rules_of(&section.rules, &name, &groups, self.config.permissive);
        let rules = self.expanded(section, rules).await?;
        Some(Proved { name, eauth, rules, groups })
    }

    /// The rules in terms of minions. Only rules that name a part of a directory need their backend for it.
    async fn expanded(&self, section: &Section, rules: Vec<Value>) -> Option<Vec<Value>> {
        let mark = format!("{}(", section.backend.name);
        let needs = |rule: &Value| {
            rule.as_map().is_some_and(|m| m.keys().any(|k| k.as_str().is_some_and(|k| k.starts_with(&mark))))
        };
        if !rules.iter().any(needs) {
            return Some(rules);
        }
        let (backend, settings) = (section.backend, section.settings.clone());
        match self.pool.run(move || (backend.expand)(&settings, rules)).await {
            Ok(Ok(rules)) => Some(rules),
            Ok(Err(e)) => {
                tracing::error!("{}: rules cannot be read: {e}", section.backend.name);
                None
            }
            Err(e) => {
                tracing::error!("{}: rules cannot be read: {e}", section.backend.name);
                None
            }
        }
    }

    /// The reply to `mk_token`: what is kept of the new token, or empty text.
    pub async fn make_token(&self, from: IpAddr, load: &mut Map) -> Value {
        let refuse = || {
            tracing::warn!("Authentication failure of type \"eauth\" occurred.");
            Value::from("")
        };
        let life = load.remove("token_expire");
        let Some(login) = Login::take(load) else { return refuse() };
        let Some(proved) = self.login(from, login).await else { return refuse() };
        let life = match life.filter(|_| self.config.expire_override.allows(&proved.eauth, &proved.name)) {
            None => self.config.token_expire,
            Some(life) => match life.as_float().filter(|x| x.is_finite() && *x >= 0.0) {
                Some(life) => life,
                None => return refuse(),
            },
        };
        let start = now();
        let mut data = map! {
            "start" => start, "expire" => start + life, "name" => proved.name, "eauth" => proved.eauth,
        };
        if self.config.keep_acl {
            data.insert("auth_list", proved.rules);
        }
        if !proved.groups.is_empty() {
            data.insert("groups", proved.groups.iter().map(String::as_str).collect::<Value>());
        }
        match self.tokens.make(data) {
            Ok(data) => data.into(),
            Err(e) => {
                tracing::warn!("Authentication failure: can not write token file: {e}");
                refuse()
            }
        }
    }

    /// The reply to `get_token`: what is kept of a valid token, or an empty map; false where none is given.
    pub fn get_token(&self, load: &Map) -> Value {
        match load.get("token") {
            None => false.into(),
            Some(token) => token.as_str().and_then(|t| self.tokens.get(t, now())).unwrap_or_default().into(),
        }
    }
}
