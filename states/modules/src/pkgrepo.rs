//! States of repositories: apt's files of sources name them, or do not.

use brine_core::apt::{Source, expanded};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::{is_true, python_str};
use brine_core::{Map, Value, map};
use std::collections::BTreeSet;

state_module! { "pkgrepo": absent, managed; unavailable = unavailable }

/// Why there are no such states here; stock gives no reason.
fn unavailable(cx: &Cx) -> Option<String> {
    cx.registry.get("pkg.mod_repo").is_none().then(String::new)
}

fn get_repo(cx: &Cx, repo: &str, kwargs: &Map) -> Result<Map> {
    let mut args = Args { positional: Vec::new(), keyword: kwargs.clone() };
    args.keyword.insert("repo", repo);
    Ok(match cx.call("pkg.get_repo", args)? {
        Value::Map(found) => found,
        _ => Map::new(),
    })
}

/// Which arguments do not go together; the last complaint counts.
fn complaint(kwargs: &Map) -> Option<&'static str> {
    let has = |key: &str| kwargs.contains(key);
    let server = has("keyid") || has("keyserver");
    if has("key_text") && has("key_url") {
        Some("You may not use both \"key_url\" and \"key_text\" argument.")
    } else if has("key_text") && server {
        Some("You may not use both \"keyid\"/\"keyserver\" and \"key_text\" argument.")
    } else if has("key_url") && server {
        Some("You may not use both \"keyid\"/\"keyserver\" and \"key_url\" argument.")
    } else {
        None
    }
}

/// Comments as one text.
fn combined(comments: &Value) -> String {
    match comments {
        Value::List(list) => list.iter().map(python_str).collect::<Vec<_>>().join(" ").trim().to_owned(),
        other => python_str(other).trim().to_owned(),
    }
}

/// The words of a line, those behind the address sorted.
fn compared(line: &str) -> Vec<&str> {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if words.len() > 3 {
        words[3..].sort_unstable();
    }
    words
}

fn set(value: Option<&Value>) -> BTreeSet<String> {
    value.and_then(Value::as_list).unwrap_or_default().iter().map(python_str).collect()
}

/// Whether a repository is as it is wanted.
fn as_wanted(wanted: &Map, have: &Map, kwargs: &Map) -> bool {
    let text = |map: &Map, key: &str| map.get(key).map(python_str).unwrap_or_default();
    wanted.iter().filter(|(key, _)| key.as_str() != Some("file")).all(|(key, value)| {
        let key = key.as_str().unwrap_or_default();
        let Some(known) = have.get(key) else { return false };
        match key {
            "comps" => {
                let sorted = |value: &Value| {
                    let mut all: Vec<String> = value.as_list().unwrap_or_default().iter().map(python_str).collect();
                    all.sort();
                    all
                };
                sorted(value) == sorted(known)
            }
            "line" if wanted.get("disabled").is_some_and(Value::truthy) => true,
            "line" => {
                let (known, comment) = (text(have, "line"), text(wanted, "line"));
                let (line, before) = known.split_once('#').unwrap_or((&known, ""));
                compared(&comment) == compared(line)
                    && kwargs.get("comments").is_none_or(|comments| before.trim() == combined(comments))
            }
            "architectures" if value.truthy() => set(Some(value)) == set(Some(known)),
            _ => python_str(value) == python_str(known),
        }
    })
}

/// Whether a file has lines beside the one that is wanted.
fn has_more(file: &str, line: &str) -> bool {
    let Ok(contents) = std::fs::read(file) else { return false };
    String::from_utf8_lossy(&contents)
        .lines()
        .map(str::trim)
        .any(|known| !known.is_empty() && !known.starts_with('#') && known != line.trim())
}

/// What differs between two descriptions of a repository, as far as a third names it.
fn differences(keys: &Map, old: &Map, new: &Map) -> Map {
    let of = |map: &Map, key: &Value| map.get_key(key).cloned().unwrap_or_default();
    keys.keys()
        .filter(|key| of(old, key) != of(new, key))
        .map(|key| (key.clone(), map! {"new" => of(new, key), "old" => of(old, key)}))
        .map(|(key, change)| (key, Value::from(change)))
        .collect()
}

/// Apt's files name a repository.
///
/// name: the definition, one complete line (`deb http://.. bookworm main`)
/// ppa: a personal package archive on Launchpad, instead of the definition
/// copr: of use with other systems
/// aptkey: whether keys go to `apt-key`, where there is one
///
/// Further arguments: disabled or enabled, architectures, comps, dist, file, clean_file, comments, consolidate, refresh,
/// key_url, key_text, keyid and keyserver, ppa_auth, allow_insecure_key (True).
#[exec]
fn managed(
    cx: &Cx,
    name: Value,
    ppa: Option<Value>,
    copr: Option<Value>,
    #[default(true)] aptkey: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _elsewhere = copr;
    let mut kwargs = kwargs.0;
    let shown = python_str(&name);
    let mut outcome = Outcome { result: None, ..Outcome::new(name.clone()) };
    if let Some(complaint) = complaint(&kwargs) {
        outcome.result = Some(false);
        outcome.comment = complaint.into();
    }
    if kwargs.contains("repo") {
        let text = "'repo' is not a supported argument for this state. The 'name' argument is probably what was intended.";
        return Ok(Outcome::failed(name, text));
    }
    let enabled = kwargs.remove("enabled").filter(|value| !value.is_nil());
    let disabled = kwargs.remove("disabled").filter(|value| !value.is_nil());
    let disabled = match (enabled, disabled) {
        (Some(_), Some(_)) => return Ok(Outcome::failed(name, "Only one of enabled/disabled is allowed")),
        (Some(enabled), None) => !is_true(&enabled),
        (None, Some(disabled)) => is_true(&disabled),
        (None, None) => false,
    };
    let insecure = kwargs.remove("allow_insecure_key").is_none_or(|allow| allow.truthy());
    let key_url = kwargs.get("key_url").map(python_str).unwrap_or_default();
    if key_url.trim().starts_with("http:") && !insecure {
        let text = "Cannot have 'key_url' using http with 'allow_insecure_key' set to True";
        return Ok(Outcome::failed(name, text));
    }
    kwargs.insert("name", name.clone());
    let repo = ppa.map_or_else(|| shown.clone(), |ppa| format!("ppa:{}", python_str(&ppa)));
    kwargs.insert("disabled", disabled);
    let mut pre = match get_repo(cx, &repo, &kwargs) {
        Err(error @ (CallError::Execution(_) | CallError::Detailed(_))) => {
            return Ok(Outcome::failed(name, format!("Failed to examine repo '{shown}': {error}")));
        }
        other => other?,
    };
    let grain = |key: &str| cx.grains.get_str(key).unwrap_or_default();
    let mut wanted = expanded(&repo, grain("os"), grain("oscodename"), &kwargs)?;
    let clean = kwargs.get("clean_file").is_some_and(Value::truthy);
    let file = kwargs.get("file").filter(|file| file.truthy()).map(python_str);
    let stale = !pre.is_empty() && clean && file.as_ref().is_some_and(|file| has_more(file, &shown));
    if !pre.is_empty() && !stale {
        pre.remove("file");
        wanted.remove("file");
        if as_wanted(&wanted, &pre, &kwargs) {
            outcome.result = Some(true);
            outcome.comment = format!("Package repo '{shown}' already configured").into();
            return Ok(outcome);
        }
    }
    if cx.test {
        outcome.comment = format!(
            "Package repo '{shown}' would be configured. This may cause pkg states to behave differently than stated if this \
             action is repeated without test=True, due to the differences in the configured repositories."
        )
        .into();
        if pre.is_empty() {
            outcome.changes.insert("repo", name);
        } else {
            outcome.changes = differences(&wanted, &pre, &wanted);
        }
        return Ok(outcome);
    }
    if clean {
        let file = kwargs.get("file").map(python_str);
        let file = file.ok_or_else(|| CallError::exception("KeyError", "'file'"))?;
        std::fs::write(file, "")?;
    }
    let mut args = Args { positional: vec![repo.as_str().into()], keyword: kwargs.clone() };
    args.keyword.insert("saltenv", cx.saltenv());
    args.keyword.insert("aptkey", aptkey);
    match cx.call("pkg.mod_repo", args) {
        Err(CallError::Cancelled) => return Err(CallError::Cancelled),
        Err(error) => {
            return Ok(Outcome::failed(name, format!("Failed to configure repo '{shown}': {}", error.text())));
        }
        Ok(_) => {}
    }
    match get_repo(cx, &repo, &kwargs) {
        Ok(post) => {
            outcome.changes =
                if pre.is_empty() { map! {"repo" => repo} } else { differences(&wanted, &pre, &post) };
            outcome.result = Some(true);
            outcome.comment = format!("Configured package repo '{shown}'").into();
        }
        Err(error) => {
            outcome.result = Some(false);
            outcome.comment = format!("Failed to confirm config of repo '{shown}': {}", error.text()).into();
        }
    }
    Ok(outcome)
}

/// A definition without the slash at the end of its address.
fn without_slash(repo: &str) -> String {
    repo.split_whitespace()
        .map(|word| {
            let address = ["http://", "https://", "ftp://"].iter().any(|scheme| word.starts_with(scheme));
            if address { word.trim_end_matches('/') } else { word }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Apt's files do not name a repository.
///
/// name: the definition, one complete line
///
/// Further arguments: ppa, keyid (the key goes, too), keyid_ppa, keydir, aptkey.
#[exec]
fn absent(cx: &Cx, name: Value, kwargs: KwArgs) -> Result<Outcome> {
    let mut kwargs = kwargs.0;
    let mut shown = python_str(&name);
    let mut outcome = Outcome { result: None, ..Outcome::new(name) };
    if kwargs.contains("ppa") && matches!(cx.grains.get_str("os"), Some("Ubuntu" | "Mint")) {
        let ppa = kwargs.remove("ppa").map(|ppa| python_str(&ppa)).unwrap_or_default();
        shown = if ppa.starts_with("ppa:") { ppa } else { format!("ppa:{ppa}") };
    }
    let remove_key = ["keyid", "keyid_ppa"].iter().any(|key| kwargs.get(key).is_some_and(|value| !value.is_nil()));
    let repo = without_slash(&shown);
    let mut found = match get_repo(cx, &repo, &kwargs) {
        Err(error @ (CallError::Execution(_) | CallError::Detailed(_))) => {
            outcome.result = Some(false);
            outcome.comment = format!("Failed to configure repo '{shown}': {error}").into();
            return Ok(outcome);
        }
        other => other?,
    };
    // `pkg.get_repo` finds repositories of other architectures, too.
    if !found.is_empty() {
        let wanted: BTreeSet<String> = Source::read(&repo, "")?.architectures.into_iter().collect();
        if wanted != set(found.get("architectures")) {
            found = Map::new();
        }
    }
    if found.is_empty() {
        outcome.result = Some(true);
        outcome.comment = format!("Package repo {shown} is absent").into();
        return Ok(outcome);
    }
    if cx.test {
        outcome.comment = format!(
            "Package repo '{shown}' will be removed. This may cause pkg states to behave differently than stated if this action \
             is repeated without test=True, due to the differences in the configured repositories."
        )
        .into();
        return Ok(outcome);
    }
    let mut args = Args { positional: Vec::new(), keyword: kwargs.clone() };
    args.keyword.insert("repo", repo.as_str());
    match cx.call("pkg.del_repo", args) {
        Err(error @ (CallError::Execution(_) | CallError::Detailed(_) | CallError::Invocation(_))) => {
            outcome.result = Some(false);
            outcome.comment = error.to_string().into();
            return Ok(outcome);
        }
        other => other?,
    };
    let left = cx.call("pkg.list_repos", Args::none())?;
    if left.get(&repo).is_some() {
        outcome.result = Some(false);
        outcome.comment = format!("Failed to remove repo {shown}").into();
        return Ok(outcome);
    }
    outcome.result = Some(true);
    outcome.changes.insert("repo", shown.as_str());
    let mut comment = format!("Removed repo {shown}");
    if remove_key {
        let args = Args { positional: vec![repo.into()], keyword: kwargs };
        match cx.call("pkg.del_repo_key", args) {
            Err(error @ (CallError::Execution(_) | CallError::Detailed(_) | CallError::Invocation(_))) => {
                outcome.result = Some(false);
                comment.push_str(&format!(", but failed to remove key: {error}"));
            }
            other => {
                let id = other?;
                comment.push_str(&format!(", and keyid {}", python_str(&id)));
                outcome.changes.insert("keyid", id);
            }
        }
    }
    outcome.comment = comment.into();
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_components_and_comments_do_not_matter() {
        let wanted = expanded("deb http://a b c d", "Debian", "x", &map! {"disabled" => false}).unwrap();
        let mut have = Source::read("deb http://a b d c # note\n", "/f").unwrap().shown();
        assert!(as_wanted(&wanted, &have, &Map::new()));
        have = Source::read("deb http://a b d c # note\n", "/f").unwrap().shown();
        assert!(as_wanted(&wanted, &have, &map! {"comments" => "note"}));
        assert!(!as_wanted(&wanted, &have, &map! {"comments" => "other"}));
        let off = expanded("deb http://a b c d", "Debian", "x", &map! {"disabled" => true}).unwrap();
        assert!(!as_wanted(&off, &have, &Map::new()));
        assert_eq!(without_slash("deb  http://a/ b/ c"), "deb http://a b/ c");
    }
}
