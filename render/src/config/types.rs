//! Are the keys known, and do the values have types the options take?

use super::error::ConfigError;
use super::read::Reader;
use brine_core::options::{Daemon, Status, Type, near_miss};
use brine_core::text::{python_str, python_type};
use brine_protocol::{Map, Value};

/// The overrides that count. An unknown key is a warning and stays (modules may read it); a value of a wrong type is
/// an error for an option that has effect, else a warning; `null` where the option takes none leaves the default.
pub(super) fn check(
    daemon: Daemon,
    overrides: &Map,
    reader: &Reader,
    warnings: &mut Vec<String>,
) -> Result<Map, ConfigError> {
    let mut kept = Map::with_capacity(overrides.len());
    for (key, value) in overrides {
        let Some(name) = key.as_str() else {
            warnings.push(format!("ignored option {}: its name is no text", python_str(key)));
            continue;
        };
        let Some(row) = daemon.row(name) else {
            // `mysql.host` and the like configure single modules.
            if !name.contains('.') {
                let place = reader.place(name);
                warnings.push(match near_miss(daemon, name) {
                    Some(near) => format!("{place}: unknown option '{name}'; did you mean '{near}'?"),
                    None => format!("{place}: unknown option '{name}'"),
                });
            }
            kept.insert(name, value.clone());
            continue;
        };
        if value.is_nil() && !row.types.is_empty() && !row.types.contains(&Type::Nil) {
            // A key whose values are all commented out.
            continue;
        }
        let fits = row.types.is_empty()
            || row.types.iter().any(|t| t.takes(value))
            || value.as_str().is_some_and(|s| s.starts_with("sdb://"));
        if fits {
            kept.insert(name, value.clone());
            continue;
        }
        let error = ConfigError::Type {
            place: reader.place(name),
            key: name.to_owned(),
            value: shown(name, value),
            found: python_type(value),
            wanted: wanted(row.types),
        };
        if row.status == Status::Honoured {
            return Err(error);
        }
        warnings.push(error.to_string());
        kept.insert(name, value.clone());
    }
    Ok(kept)
}

/// A value for a message; what may be a secret is not shown.
fn shown(name: &str, value: &Value) -> String {
    let secret = ["pass", "secret", "priv", "token", "auth"].iter().any(|word| name.contains(word));
    if secret { "(hidden)".into() } else { python_str(value) }
}

fn wanted(types: &[Type]) -> String {
    let names: Vec<&str> = types.iter().map(|t| t.name()).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => (*last).to_owned(),
        None => String::new(),
    }
}
