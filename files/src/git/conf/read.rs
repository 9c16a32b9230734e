//! Reads remotes from options: values for all of them, then each one's own.

use super::{Auth, ConfigError, PerEnv, RefType, Remote, Role, auth, url};
use brine_core::text::python_str;
use brine_core::{Opts, Value};
use std::collections::BTreeMap;

/// What an `update_interval` of 0 stands for.
const INTERVAL: u64 = 60;

/// The most remotes of one list.
const MOST: usize = 10_000;

/// Reads a list of remotes.
///
/// # Errors
/// The configuration is one that stock refuses; all of it is refused then.
pub(crate) fn remotes(role: Role, opts: &Opts, list: &[Value]) -> Result<Vec<Remote>, ConfigError> {
    provider(role, opts)?;
    let defaults = defaults(role, opts);
    let global = opts.get(&format!("{}_saltenv", role.name())).map(pairs).unwrap_or_default();
    let global = per_env(role, &global.into_iter().collect())?;
    let mut all = Vec::new();
    for remote in list.iter().take(MOST) {
        let (id, own) = match remote {
            Value::Map(one) => match one.iter().find(|(id, _)| usable(role, &python_str(id))) {
                Some((id, own)) => (python_str(id), Some(own)),
                None => continue,
            },
            other => (python_str(other), None),
        };
        if own.is_none() && !usable(role, &id) {
            continue;
        }
        all.push(one(role, opts, &defaults, &global, id, own)?);
    }
    Ok(all)
}

/// Whether the URL in an id can be one; it is left out otherwise.
fn usable(role: Role, id: &str) -> bool {
    let (_, url) = split(id);
    let valid = url::is_valid(url);
    if !valid {
        tracing::warn!(
            "Found bad url data '{}' in the remotes of {}",
            url::without_password(id),
            role.name()
        );
    }
    valid
}

/// The word before the URL, if there is one.
fn split(id: &str) -> (Option<&str>, &str) {
    match id.trim().split_once(char::is_whitespace) {
        Some((branch, url)) => (Some(branch), url.trim_start()),
        None => (None, id.trim()),
    }
}

/// The libraries that stock can use. Here it is the git program for each of them, and `gitcli` says that `depth` counts.
fn provider(role: Role, opts: &Opts) -> Result<(), ConfigError> {
    const KNOWN: [&str; 3] = ["pygit2", "gitpython", "gitcli"];
    let given = opts.get(&format!("{}_provider", role.name())).filter(|given| given.truthy()).map(python_str);
    match given {
        Some(given) if !KNOWN.contains(&given.to_lowercase().as_str()) => Err(ConfigError::new(
            role,
            format!(
                "Invalid {}_provider '{}'. Valid choices are: {}",
                role.name(),
                given.to_lowercase(),
                KNOWN.join(", ")
            ),
        )),
        _ => Ok(()),
    }
}

/// The values for all remotes, by name without the role before it.
fn defaults(role: Role, opts: &Opts) -> BTreeMap<&'static str, Value> {
    let names = role.overrides().iter().chain(auth::PARAMS).chain(&["branch", "update_interval"]);
    let mut all: BTreeMap<&'static str, Value> = names
        .filter_map(|name| {
            let value = opts.get(&format!("{}_{name}", role.name()))?;
            Some((*name, enforced(name, value)))
        })
        .collect();
    // The older name counts where the newer one was left alone.
    if role == Role::Pillar
        && all.get("ssl_verify").is_none_or(Value::truthy)
        && let Some(older) = opts.get("pillar_gitfs_ssl_verify")
    {
        all.insert("ssl_verify", older.truthy().into());
    }
    all
}

/// A value as the type that its option has; all are text but a few.
fn enforced(name: &str, value: &Value) -> Value {
    match name {
        "ssl_verify" | "insecure_auth" | "disable_saltenv_mapping" => value.truthy().into(),
        "saltenv_whitelist" | "saltenv_blacklist" | "refspecs" | "ref_types" => match value {
            Value::List(list) => list.iter().map(python_str).collect::<Vec<_>>().into(),
            other => {
                python_str(other).split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>().into()
            }
        },
        "update_interval" | "depth" => match value {
            Value::Str(text) => text.trim().parse::<i64>().map_or_else(|_| value.clone(), Value::from),
            Value::Float(number) => (*number as i64).into(),
            other => other.clone(),
        },
        _ => python_str(value).into(),
    }
}

/// A list of dicts with one item each, as its items.
fn pairs(list: &Value) -> Vec<(String, Value)> {
    let Value::List(list) = list else { return Vec::new() };
    let one = |item: &Value| match item {
        Value::Map(map) if map.len() == 1 => map.iter().next().map(|(k, v)| (python_str(k), v.clone())),
        Value::Map(_) | Value::List(_) => None,
        plain => Some((python_str(plain), Value::Nil)),
    };
    list.iter().map(one).collect::<Option<Vec<_>>>().unwrap_or_default()
}

fn per_env(role: Role, given: &BTreeMap<String, Value>) -> Result<BTreeMap<String, PerEnv>, ConfigError> {
    let one = |(env, own): (&String, &Value)| {
        let own: BTreeMap<String, String> = match own {
            Value::List(_) => pairs(own).into_iter().map(|(k, v)| (k, python_str(&v))).collect(),
            Value::Map(map) => map.iter().map(|(k, v)| (python_str(k), python_str(v))).collect(),
            _ => {
                let text = format!("Invalid {} configuration for saltenv '{env}'", role.name());
                return Err(ConfigError::new(role, text));
            }
        };
        let mountpoint = own.get("mountpoint").map(|given| strip_proto(given).to_owned());
        let reference = own.get("ref").cloned();
        Ok((env.clone(), PerEnv { reference, mountpoint, root: own.get("root").cloned() }))
    };
    given.iter().map(one).collect()
}

/// Without the protocol before it.
fn strip_proto(text: &str) -> &str {
    match text.split_once("://") {
        Some((head, rest)) if !head.is_empty() && !head.contains([':', '/']) => rest,
        _ => text,
    }
}

fn one(
    role: Role,
    opts: &Opts,
    defaults: &BTreeMap<&'static str, Value>,
    global: &BTreeMap<String, PerEnv>,
    id: String,
    own: Option<&Value>,
) -> Result<Remote, ConfigError> {
    let shown = url::without_password(&id);
    let fail = |text: String| Err(ConfigError::new(role, text));
    let (branch, url) = match (role, split(&id)) {
        (Role::Pillar, (Some(branch), url)) => (branch.to_owned(), url.to_owned()),
        (Role::Pillar, (None, url)) => {
            (defaults.get("branch").map_or_else(|| "master".into(), python_str), url.to_owned())
        }
        (Role::Gitfs, _) => (String::new(), id.trim().to_owned()),
    };
    let own = own_values(role, &shown, &branch, own)?;
    let get = |name: &str| own.get(name).or_else(|| defaults.get(name));
    let text = |name: &str| get(name).map(python_str).unwrap_or_default();
    let texts = |name: &str| -> Vec<String> {
        let list = get(name).and_then(Value::as_list).unwrap_or_default();
        list.iter().map(python_str).filter(|text| !text.is_empty()).collect()
    };
    let name = own.get("name").map(python_str);
    if let Some(name) = &name
        && (name.contains('/') || brine_protocol::ids::RelPath::parse(name).is_err())
    {
        return fail(format!(
            "The name '{name}' of {} remote '{shown}' cannot be that of a folder",
            role.name()
        ));
    }
    let mut kinds = Vec::new();
    let mut invalid = Vec::new();
    for kind in texts("ref_types").iter().map(|kind| kind.to_lowercase()) {
        match kind.as_str() {
            "branch" => kinds.push(RefType::Branch),
            "tag" => kinds.push(RefType::Tag),
            "sha" => kinds.push(RefType::Sha),
            _ => invalid.push(kind),
        }
    }
    if !invalid.is_empty() {
        return fail(format!(
            "The following ref_types for {} remote '{shown}' are invalid: {}. The supported values are: branch, tag, sha",
            role.name(),
            invalid.join(", ")
        ));
    }
    let refspecs = texts("refspecs");
    if refspecs.iter().any(|spec| spec.starts_with('-') || spec.contains(char::is_control)) {
        return fail(format!("The refspecs of {} remote '{shown}' are no refspecs", role.name()));
    }
    let cli = opts.str(&format!("{}_provider", role.name())).eq_ignore_ascii_case("gitcli");
    let depth = get("depth").and_then(Value::as_int).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
    let mut remote = Remote {
        auth: if url.is_empty() { Auth::None } else { auth::read(role, &shown, &url, get)? },
        base: text("base"),
        fallback: text("fallback"),
        mountpoint: strip_proto(&text("mountpoint")).trim_matches('/').to_owned(),
        root: text("root").trim_end_matches('/').to_owned(),
        env: text("env"),
        ssl_verify: get("ssl_verify").is_none_or(Value::truthy),
        proxy: text("proxy"),
        depth: depth.filter(|_| cli),
        whitelist: texts("saltenv_whitelist"),
        blacklist: texts("saltenv_blacklist"),
        refspecs,
        disable_saltenv_mapping: get("disable_saltenv_mapping").is_some_and(Value::truthy),
        ref_types: kinds,
        update_interval: get("update_interval")
            .and_then(Value::as_int)
            .and_then(|n| u64::try_from(n).ok())
            .filter(|n| *n > 0)
            .unwrap_or(INTERVAL),
        all_saltenvs: own.get("all_saltenvs").map(python_str),
        saltenv: per_env(role, &own.get("saltenv").map(entries).unwrap_or_default())?,
        global_saltenv: global.clone(),
        revmap: BTreeMap::new(),
        id,
        url,
        branch,
        name,
    };
    map_references(role, &mut remote);
    Ok(remote)
}

/// One remote's own values, checked.
fn own_values(
    role: Role,
    shown: &str,
    branch: &str,
    own: Option<&Value>,
) -> Result<BTreeMap<String, Value>, ConfigError> {
    let Some(own) = own else { return Ok(BTreeMap::new()) };
    let own = pairs(own);
    let name = role.name();
    if own.is_empty() {
        return Err(ConfigError::new(
            role,
            format!(
                "Invalid per-remote configuration for {name} remote '{shown}'. If no per-remote parameters are being specified, \
                 there may be a trailing colon after the URL, which should be removed. Check the master configuration file."
            ),
        ));
    }
    if role == Role::Pillar && branch != "__env__" && own.iter().any(|(key, _)| key == "base") {
        return Err(ConfigError::new(
            role,
            format!(
                "Invalid per-remote configuration for {name} remote '{shown}'. base can only be specified if __env__ is \
                 specified as the branch name."
            ),
        ));
    }
    let valid: Vec<&str> = role.overrides().iter().chain(auth::PARAMS).chain(role.only()).copied().collect();
    let mut last = None;
    for (param, _) in own.iter().filter(|(param, _)| !valid.contains(&param.as_str())) {
        let mut text = format!(
            "Invalid {name} configuration parameter '{param}' in remote '{shown}'. Valid parameters are: {}.",
            valid.join(", ")
        );
        if role == Role::Gitfs {
            text.push_str(" See the GitFS Walkthrough in the Salt documentation for further information.");
        }
        last = Some(ConfigError::new(role, text));
    }
    if let Some(error) = last {
        return Err(error);
    }
    Ok(own
        .into_iter()
        .map(|(key, value)| {
            let value = if key == "saltenv" { value } else { enforced(&key, &value) };
            (key, value)
        })
        .collect())
}

fn entries(given: &Value) -> BTreeMap<String, Value> {
    match given {
        Value::Map(map) => map.iter().map(|(k, v)| (python_str(k), v.clone())).collect::<BTreeMap<_, _>>(),
        list => pairs(list).into_iter().collect(),
    }
}

/// Which environments a reference was mapped to. One for `base` takes the place of the option `base`.
fn map_references(role: Role, remote: &mut Remote) {
    let Remote { saltenv, global_saltenv, revmap, base, .. } = remote;
    for (env, conf) in saltenv.iter_mut() {
        let Some(reference) = conf.reference.clone() else { continue };
        revmap.entry(reference.clone()).or_default().push(env.clone());
        if env == "base" {
            conf.reference = None;
            if reference != *base {
                tracing::warn!(
                    "The 'base' environment has been defined in the 'saltenv' param for {0} remote {1} and will override the \
                     branch/tag specified by {0}_base (or a per-remote 'base' parameter).",
                    role.name(),
                    url::without_password(&remote.id)
                );
                *base = reference;
            }
        }
    }
    let mapped: Vec<String> = revmap.values().flatten().cloned().collect();
    for (env, conf) in global_saltenv.iter().filter(|(env, _)| !mapped.contains(env)) {
        if let Some(reference) = &conf.reference {
            revmap.entry(reference.clone()).or_default().push(env.clone());
        }
    }
}

/// The remotes of `gitfs_remotes`, or of what stands under `git` in `ext_pillar`, as a list.
pub(crate) fn listed(value: Option<&Value>) -> Vec<Value> {
    match value {
        Some(Value::List(list)) => list.clone(),
        Some(one @ (Value::Str(_) | Value::Map(_))) if one.truthy() => vec![one.clone()],
        _ => Vec::new(),
    }
}
