//! The options of external authentication: sections of `external_auth`, `auth.*`, and those of tokens.

use std::collections::BTreeMap;

use brine_core::Opts;
use brine_protocol::crypt::HashType;
use brine_protocol::{Map, Value};

use super::{ABSENT, BACKENDS, Backend, Settings};
use crate::config::{ConfigError, bad};
use crate::fs::Dir;

/// One backend that is in use.
#[derive(Clone, Debug)]
pub struct Section {
    /// The backend.
    pub backend: &'static Backend,
    /// User, group with `%`, or pattern of users, to rules.
    pub rules: Map,
    /// Its options.
    pub settings: Settings,
}

/// Who may say how long a token stays valid (`token_expire_user_override`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Override {
    /// Everybody, or nobody.
    All(bool),
    /// Users by backend.
    Some(BTreeMap<String, Vec<String>>),
}

impl Override {
    /// Whether this user may.
    pub fn allows(&self, eauth: &str, user: &str) -> bool {
        match self {
            Self::All(all) => *all,
            Self::Some(by_backend) => {
                by_backend.get(eauth).is_some_and(|users| users.iter().any(|u| u == user))
            }
        }
    }
}

/// Everything about external authentication.
#[derive(Clone, Debug)]
pub struct EauthConfig {
    /// The backends in use.
    pub sections: Vec<Section>,
    /// Where tokens lie: `tokens` below `cachedir`.
    pub token_dir: Dir,
    /// `hash_type`, for the length of tokens.
    pub hash: HashType,
    /// `token_expire`, seconds.
    pub token_expire: f64,
    /// `token_expire_user_override`
    pub expire_override: Override,
    /// `keep_acl_in_token`: whether the rules of the login's moment hold as long as its token.
    pub keep_acl: bool,
    /// `permissive_acl`: whether the rules of `*` are added to a user's own.
    pub permissive: bool,
}

impl EauthConfig {
    /// Reads the options. What cannot work is an error where it would open something, else a line in the log.
    ///
    /// # Errors
    /// When a value has no meaning, or names a store or a source of rules that does not exist here.
    pub fn from_opts(opts: &Opts, token_dir: Dir, hash: HashType) -> Result<Self, ConfigError> {
        let sections = match opts.get("external_auth") {
            None | Some(Value::Nil) => Vec::new(),
            Some(Value::Map(map)) => sections(map, opts)?,
            Some(_) => return Err(bad("external_auth", "must be a map")),
        };
        let known = |name: &str| name.is_empty() || BACKENDS.iter().any(|b| b.name == name);
        if !known(opts.str("eauth_acl_module")) {
            let what = format!(
                "{} does not exist here; rules come from external_auth",
                opts.str("eauth_acl_module")
            );
            return Err(bad("eauth_acl_module", what));
        }
        for key in ["eauth_tokens", "eauth_tokens.cache_driver"] {
            if !matches!(opts.str(key), "" | "localfs") {
                return Err(bad(key, format!("{} does not exist here; localfs does", opts.str(key))));
            }
        }
        let expire_override = match opts.get("token_expire_user_override") {
            None | Some(Value::Nil) => Override::All(false),
            Some(Value::Bool(all)) => Override::All(*all),
            Some(Value::Map(map)) => Override::Some(users_by_backend(map)),
            Some(_) => return Err(bad("token_expire_user_override", "must be true, false or a map")),
        };
        let token_expire = opts.float("token_expire").unwrap_or(43_200.0);
        if !token_expire.is_finite() || token_expire < 0.0 {
            return Err(bad("token_expire", "must be a number of seconds"));
        }
        Ok(Self {
            sections,
            token_dir,
            hash,
            token_expire,
            expire_override,
            keep_acl: opts.flag("keep_acl_in_token"),
            permissive: opts.flag("permissive_acl"),
        })
    }

    /// The section of a backend in use.
    pub fn section(&self, eauth: &str) -> Option<&Section> {
        self.sections.iter().find(|s| s.backend.name == eauth)
    }
}

fn users_by_backend(map: &Map) -> BTreeMap<String, Vec<String>> {
    let names = |value: &Value| -> Vec<String> {
        value.as_list().unwrap_or_default().iter().filter_map(|v| Some(v.as_str()?.to_owned())).collect()
    };
    map.iter().filter_map(|(k, v)| Some((k.as_str()?.to_owned(), names(v)))).collect()
}

fn sections(map: &Map, opts: &Opts) -> Result<Vec<Section>, ConfigError> {
    let mut out = Vec::new();
    for (name, section) in map {
        let Some(name) = name.as_str() else {
            return Err(bad("external_auth", "a backend's name is no text"));
        };
        let Some(backend) = BACKENDS.iter().find(|b| b.name == name) else {
            let why = if ABSENT.contains(&name) { "does not exist here" } else { "is unknown" };
            let have: Vec<_> = BACKENDS.iter().map(|b| b.name).collect();
            tracing::error!(
                "external_auth: the backend {name} {why}; nobody gets in by it. There are {}.",
                have.join(", ")
            );
            continue;
        };
        let entries = match section {
            Value::Nil => Map::new(),
            Value::Map(entries) => entries.clone(),
            _ => return Err(bad("external_auth", format!("{name} must be a map of users"))),
        };
        let mut settings = Settings::default();
        let mut rules = Map::new();
        for (key, value) in entries {
            match key.as_str() {
                // In other sections such a name is an expression for users.
                Some(key) if name == "file" && key.starts_with('^') => {
                    settings.own.insert(&key[1..], value);
                }
                Some(_) => {
                    rules.insert(key, value);
                }
                None => return Err(bad("external_auth", format!("{name}: a user's name is no text"))),
            }
        }
        let prefix = format!("auth.{name}.");
        for (key, value) in opts.map() {
            if let Some(key) = key.as_str().and_then(|k| k.strip_prefix(&prefix)) {
                settings.auth.insert(key, value.clone());
            }
        }
        out.push(Section { backend, rules, settings });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    fn read(opts: Map) -> Result<EauthConfig, ConfigError> {
        EauthConfig::from_opts(&Opts::new(opts), Dir::at("/nowhere"), HashType::Sha256)
    }

    #[test]
    fn sections_are_cut_into_rules_and_options() {
        let config = read(map! {
            "external_auth" => map! {
                "file" => map! {"^filename" => "/x", "gene" => vec![".*"]},
                "pam" => map! {"^dev.*$" => vec!["test.*"], "wheel%" => vec!["@wheel"]},
                "keystone" => map! {"fred" => vec![".*"]},
            },
            "auth.pam.service" => "sshd",
            "auth.ldap.basedn" => "dc=x",
        })
        .unwrap();
        assert_eq!(config.sections.len(), 2);
        let file = config.section("file").unwrap();
        assert_eq!((file.settings.own.get_str("filename"), file.rules.len()), (Some("/x"), 1));
        let pam = config.section("pam").unwrap();
        assert_eq!((pam.settings.auth.get_str("service"), pam.rules.len()), (Some("sshd"), 2));
        assert!(pam.settings.own.is_empty() && pam.settings.auth.len() == 1);
        // A backend that does not exist lets nobody in.
        assert!(config.section("keystone").is_none());
        assert!(read(Map::new()).unwrap().sections.is_empty());
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        for opts in [
            map! {"external_auth" => Value::List(vec![])},
            map! {"external_auth" => map! {"pam" => "x"}},
            map! {"eauth_acl_module" => "rest"},
            map! {"eauth_tokens" => "rediscluster"},
            map! {"eauth_tokens.cache_driver" => "redis"},
            map! {"token_expire" => -1},
            map! {"token_expire_user_override" => "yes"},
        ] {
            assert!(read(opts.clone()).is_err(), "{opts:?}");
        }
        assert!(read(map! {"eauth_acl_module" => "pam"}).is_ok());
    }

    #[test]
    fn some_users_may_choose_how_long() {
        assert_eq!(read(map! {"token_expire" => 7}).unwrap().token_expire, 7.0);
        let over = read(map! {"token_expire_user_override" => map! {"pam" => vec!["fred"]}})
            .unwrap()
            .expire_override;
        assert!(over.allows("pam", "fred") && !over.allows("pam", "eve") && !over.allows("ldap", "fred"));
        assert!(!read(Map::new()).unwrap().expire_override.allows("pam", "fred"));
        let all = read(map! {"token_expire_user_override" => true}).unwrap();
        assert!(all.expire_override.allows("x", "y"));
    }
}
