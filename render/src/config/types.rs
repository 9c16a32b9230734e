//! Are the keys known, and do the values have types the options take?

use super::instead::{instead, taken};
use super::read::Reader;
use brine_core::options::{Daemon, Type, near_miss};
use brine_core::text::{python_str, python_type};
use brine_protocol::{Map, Value};

/// A value of a type that the option does not take; stock's words, after the place.
#[derive(Debug, thiserror::Error)]
#[error(
    "{place}: Config option '{key}' with value {value} has an invalid type of {found}, a {wanted} is required for this option"
)]
struct WrongType {
    place: String,
    key: String,
    value: String,
    found: &'static str,
    wanted: String,
}

/// Keys under which returners have their options.
const RETURNERS: [&str; 8] =
    ["elasticsearch", "multi_returner", "mysql", "rawfile_json", "redis", "slack_webhook", "smtp", "syslog"];

/// Keys that renderers and the Salt DB read.
const SECRETS: [&str; 2] = ["gpg_keydir", "vault"];

/// Whether a value is a profile of the Salt DB, whose name is anybody's choice.
fn is_profile(value: &Value) -> bool {
    value.as_map().is_some_and(|map| map.get_str("driver").is_some())
}

/// The overrides that count. An unknown key is a warning and stays (modules may read it); a value of a wrong type is a
/// warning that says what counts instead; `null` where the option takes none leaves the default.
pub(super) fn check(daemon: Daemon, overrides: &Map, reader: &Reader, warnings: &mut Vec<String>) -> Map {
    let mut kept = Map::with_capacity(overrides.len());
    let mut forced = Map::new();
    for (key, value) in overrides {
        let Some(name) = key.as_str() else {
            warnings.push(format!("ignored option {}: its name is no text", python_str(key)));
            continue;
        };
        let Some(row) = daemon.row(name) else {
            // `mysql.host` and the like configure single modules, and so does `mysql: {host: ...}`.
            if !name.contains('.')
                && !RETURNERS.contains(&name)
                && !SECRETS.contains(&name)
                && !is_profile(value)
            {
                let place = reader.place(name);
                warnings.push(match near_miss(daemon, name) {
                    Some(near) => format!("{place}: unknown option '{name}'; did you mean '{near}'?"),
                    None => format!("{place}: unknown option '{name}'"),
                });
            }
            kept.insert(name, value.clone());
            continue;
        };
        // An empty rule is one all the same, where none at all allows everything.
        let rule = row.key == "mine_get";
        if value.is_nil() && !row.types.is_empty() && !row.types.contains(&Type::Nil) && !rule {
            // A key whose values are all commented out.
            continue;
        }
        let fits = row.types.is_empty()
            || row.types.iter().any(|t| t.takes(value))
            || value.as_str().is_some_and(|s| s.starts_with("sdb://"));
        let honoured = row.status.is_honoured();
        if fits {
            kept.insert(name, if honoured { taken(row, value) } else { value.clone() });
            continue;
        }
        let wrong = WrongType {
            place: reader.place(name),
            key: name.to_owned(),
            value: shown(name, value),
            found: python_type(value),
            wanted: wanted(row.types),
        };
        if !honoured {
            warnings.push(wrong.to_string());
            kept.insert(name, value.clone());
            continue;
        }
        let used = instead(row, value);
        let said = match (used.is_empty(), hidden(name)) {
            (true, _) => "the default".into(),
            (false, true) => "what it reads as".into(),
            (false, false) => {
                let list = used.iter().map(|(k, v)| format!("{}: {}", python_str(k), python_str(v)));
                list.collect::<Vec<_>>().join(", ")
            }
        };
        warnings.push(format!("{wrong}; {said} is used"));
        forced.update(used);
    }
    // Last, since one may be about another option.
    kept.update(forced);
    kept
}

/// A value for a message; what may be a secret is not shown.
fn shown(name: &str, value: &Value) -> String {
    if hidden(name) { "(hidden)".into() } else { python_str(value) }
}

fn hidden(name: &str) -> bool {
    ["pass", "secret", "priv", "token", "auth"].iter().any(|word| name.contains(word))
}

fn wanted(types: &[Type]) -> String {
    let names: Vec<&str> = types.iter().map(|t| t.name()).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => (*last).to_owned(),
        None => String::new(),
    }
}
