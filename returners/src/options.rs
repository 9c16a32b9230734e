//! The options of a returner: stock's `get_returner_options`.
//!
//! Each is looked for as `redis: {host: ...}` and `redis.host`; with `ret_config: alternative` first as
//! `alternative.redis: {host: ...}` and `alternative.redis.host`. What `ret_kwargs` holds wins over all, but it comes with a
//! job: whoever may send `test.ping` writes it.

use brine_core::call::{CallError, Cx, Result};
use brine_core::config_option::option;
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value};

/// Which options a returner has.
pub struct Spec<'a> {
    /// The returner's name, which begins the keys.
    pub name: &'a str,
    /// Each option: what the returner calls it, and its key in the configuration.
    pub attrs: &'a [(&'a str, &'a str)],
    /// What holds for options that are not set, or set to nothing.
    pub defaults: Map,
    /// Options that come from a profile, if the returner knows profiles.
    pub profile: Option<Profile<'a>>,
}

/// Options that are taken from a part of the configuration that an option names.
pub struct Profile<'a> {
    /// The option that names the profile.
    pub attr: &'a str,
    /// As [`Spec::attrs`]; the keys stand in the profile with the returner's name before them.
    pub attrs: &'a [(&'a str, &'a str)],
}

/// The options by name. One that is set nowhere and has no default is not there.
///
/// # Errors
/// When the configuration or `ret_kwargs` has no map where one is needed.
pub fn options(cx: &Cx, ret: Option<&Map>, spec: &Spec<'_>) -> Result<Map> {
    let config = ret.and_then(|ret| ret.get("ret_config")).map(python_str).filter(|name| !name.is_empty());
    let mut found = Map::new();
    for (name, key) in spec.attrs {
        let value = lookup(cx, spec.name, key, config.as_deref())?;
        let given = value.filter(|value| !value.is_nil() && value.as_str() != Some(""));
        if let Some(value) = given.or_else(|| spec.defaults.get(name).cloned()) {
            found.insert(*name, value);
        }
    }
    if let Some(profile) = &spec.profile
        && let Some(at) = found.get(profile.attr).filter(|at| at.truthy())
        && let Some(Value::Map(creds)) = option(cx, &python_str(at))
    {
        for (name, key) in profile.attrs {
            found.insert(*name, creds.get(&format!("{}.{key}", spec.name)).cloned());
        }
    }
    match ret.and_then(|ret| ret.get("ret_kwargs")) {
        None => {}
        Some(Value::Map(given)) => add_from_job(&mut found, given),
        Some(other) => return Err(no_map("ret_kwargs", other)),
    }
    Ok(found)
}

/// Options that name files and sockets: a job may not.
const PATHS: [&str; 9] = [
    "filename",
    "unix_socket_path",
    "ssl_ca",
    "ssl_cert",
    "ssl_key",
    "sslcert",
    "sslkey",
    "sslrootcert",
    "sslcrl",
];
/// Options that say whom to talk to and how safely.
const PLACES: [&str; 5] = ["host", "port", "startup_nodes", "sslmode", "tls"];
/// Options that only the configured place may learn.
const SECRETS: [&str; 3] = ["pass", "passwd", "password"];

/// Puts the job's options over the configured ones.
fn add_from_job(found: &mut Map, given: &Map) {
    if PLACES.iter().any(|place| given.contains(place)) {
        for secret in SECRETS {
            found.remove(secret);
        }
    }
    for (key, value) in given {
        match key.as_str() {
            Some(name) if PATHS.contains(&name) || name == "host" && is_path(value) => {
                tracing::error!("a job cannot set the option '{name}' of a returner; it is ignored");
            }
            _ => drop(found.insert(key.clone(), value.clone())),
        }
    }
}

/// Databases take a path, also as one of several hosts, for a socket: there they may believe whoever the minion runs as.
fn is_path(host: &Value) -> bool {
    python_str(host).contains('/')
}

fn lookup(cx: &Cx, name: &str, key: &str, config: Option<&str>) -> Result<Option<Value>> {
    if let Some(config) = config {
        let there = nested_or_flat(cx, &format!("{config}.{name}"), key)?;
        if let Some(value) = there.filter(Value::truthy) {
            return Ok(Some(value));
        }
    }
    nested_or_flat(cx, name, key)
}

/// `prefix: {key: ...}`, else `prefix.key: ...`.
fn nested_or_flat(cx: &Cx, prefix: &str, key: &str) -> Result<Option<Value>> {
    let nested = match option(cx, prefix) {
        Some(Value::Map(map)) => map.get(key).cloned(),
        None => None,
        Some(other) => return Err(no_map(prefix, &other)),
    };
    Ok(nested.or_else(|| option(cx, &format!("{prefix}.{key}"))))
}

fn no_map(what: &str, value: &Value) -> CallError {
    CallError::exception("TypeError", format!("{what} must be a dict, not {}", python_type(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::host::NoHost;
    use brine_core::{Opts, Registry, map};
    use std::sync::Arc;

    fn cx(opts: Map, pillar: Map) -> Cx {
        let mut cx = Cx::new(Arc::new(Opts::new(opts)), Arc::new(Registry::default()), Arc::new(NoHost));
        cx.pillar = Arc::new(pillar);
        cx
    }

    fn of(cx: &Cx, ret: Map) -> Map {
        let spec = Spec {
            name: "redis",
            attrs: &[
                ("host", "host"),
                ("db", "db"),
                ("pass", "password"),
                ("nodes", "cluster.nodes"),
                ("x", "x"),
            ],
            defaults: map! {"db" => "7", "x" => 1},
            profile: None,
        };
        options(cx, Some(&ret), &spec).unwrap()
    }

    #[test]
    fn an_option_is_found_nested_flat_in_pillar_and_by_default() {
        let opts = map! {
            "redis" => map! {"host" => "nested", "cluster.nodes" => vec!["a"]}, "redis.host" => "flat", "redis.x" => "",
        };
        let pillar = map! {"redis" => map! {"host" => "not seen"}, "redis.password" => "p"};
        let found = of(&cx(opts, pillar), Map::new());
        // `redis.db` has a default in the `config` module itself.
        let want = map! {"host" => "nested", "db" => "0", "pass" => "p", "nodes" => vec!["a"], "x" => 1};
        assert_eq!(found, want);
    }

    #[test]
    fn a_named_configuration_wins_and_arguments_win_over_it() {
        let opts = map! {
            "redis.host" => "usual", "redis.password" => "usual", "other.redis.host" => "other",
            "other.redis" => map! {"db" => 3, "password" => ""},
        };
        let cx = cx(opts, Map::new());
        let found = of(&cx, map! {"ret_config" => "other"});
        assert_eq!(found, map! {"host" => "other", "db" => 3, "pass" => "usual", "x" => 1});
        let found = of(&cx, map! {"ret_config" => "other", "ret_kwargs" => map! {"db" => 4, "new" => 1}});
        assert_eq!(found, map! {"host" => "other", "db" => 4, "pass" => "usual", "x" => 1, "new" => 1});
        let spec = Spec { name: "redis", attrs: &[], defaults: Map::new(), profile: None };
        assert!(options(&cx, Some(&map! {"ret_kwargs" => "text"}), &spec).is_err());
    }

    #[test]
    fn a_job_names_no_path_and_leads_no_secret_elsewhere() {
        let cx = cx(map! {"redis.host" => "h", "redis.password" => "secret"}, Map::new());
        let of_job = |given: Map| of(&cx, map! {"ret_kwargs" => given});
        let path = of_job(map! {"filename" => "/etc/shadow", "unix_socket_path" => "/s", "ssl_key" => "/k"});
        assert_eq!(path, of_job(Map::new()));
        assert_eq!(of_job(map! {"host" => "a,/run/postgresql"}).get_str("host"), Some("h"));
        assert_eq!(path.get_str("pass"), Some("secret"));
        for place in [map! {"host" => "elsewhere"}, map! {"port" => 1}, map! {"tls" => false}] {
            assert!(!of_job(place).contains("pass"));
        }
        let own = of_job(map! {"host" => "elsewhere", "pass" => "own"});
        assert_eq!((own.get_str("host"), own.get_str("pass")), (Some("elsewhere"), Some("own")));
    }

    #[test]
    fn a_profile_gives_options() {
        let opts = map! {"xmpp.profile" => "mine", "mine" => map! {"xmpp.jid" => "me"}};
        let profile = Some(Profile { attr: "profile", attrs: &[("from", "jid"), ("pass", "password")] });
        let spec = Spec { name: "xmpp", attrs: &[("profile", "profile")], defaults: Map::new(), profile };
        let found = options(&cx(opts, Map::new()), None, &spec).unwrap();
        assert_eq!(found, map! {"profile" => "mine", "from" => "me", "pass" => Value::Nil});
    }
}
