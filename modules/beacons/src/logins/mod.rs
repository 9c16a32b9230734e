//! What the beacons `wtmp` and `btmp` share: records of logins as programs append them to a file, and who is meant by a
//! configuration.

pub(crate) mod record;

use crate::config::{key_error, keys_of, list, merged, no_attribute};
use crate::log::Place;
use crate::{Kept, refused};
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::schedule::{Moment, read_date};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value};
use std::collections::HashMap;
use std::path::Path;

/// One of the two.
pub(crate) struct Logins {
    /// The beacon.
    pub(crate) name: &'static str,
    /// Its file.
    pub(crate) path: &'static str,
    /// Whether records are of logins and logouts, which name the terminal only.
    pub(crate) sessions: bool,
}

/// The beacon of one, which is a constant: a beacon's functions are told nothing of their own.
macro_rules! beacon {
    ($logins:ident) => {
        $crate::Beacon {
            name: $logins.name,
            unavailable: |_| $logins.unavailable(),
            validate: |_, config| $logins.validate(config),
            look: |cx, config, kept| $logins.look(cx, config, kept),
            lets_go: false,
        }
    };
}
pub(crate) use beacon;

/// Types of records.
const LOGIN: i64 = 7;
const LOGOUT: i64 = 8;

/// What is kept between turns: the place in the file, and who is logged in where.
#[derive(Default)]
struct State {
    place: Place,
    terminals: HashMap<String, Value>,
}

impl Logins {
    pub(crate) fn unavailable(&self) -> Option<String> {
        (!Path::new(self.path).is_file()).then(|| format!("{} does not exist.", self.path))
    }

    pub(crate) fn validate(&self, config: &Value) -> Result<()> {
        let config = merged(list(self.name, config)?)?;
        for (part, word) in [("users", "User"), ("groups", "Group")] {
            let Some(given) = config.get(part) else { continue };
            let given = given.as_map().ok_or_else(|| {
                refused(format!("{word} configuration for {} beacon must be a dictionary.", self.name))
            })?;
            let mut bad = None;
            for options in given.values() {
                bad = self.bad_range(options)?.or(bad);
            }
            bad.map_or(Ok(()), |words| Err(refused(words)))?;
        }
        let Some(defaults) = config.get("defaults") else { return Ok(()) };
        if defaults.as_map().is_none() {
            let words = format!("Defaults configuration for {} beacon must be a dictionary.", self.name);
            return Err(refused(words));
        }
        self.bad_range(defaults)?.map_or(Ok(()), |words| Err(refused(words)))
    }

    /// What is wrong with the range of times of an entry.
    fn bad_range(&self, options: &Value) -> Result<Option<String>> {
        let options = options.as_map().ok_or_else(|| no_attribute(options, "get"))?;
        let Some(range) = options.get("time_range").filter(|range| range.truthy()) else { return Ok(None) };
        let has = |key: &str| -> Result<bool> {
            match range {
                Value::Map(map) => Ok(map.contains(key)),
                Value::Str(text) => Ok(text.contains(key)),
                Value::List(list) => Ok(list.contains(&key.into())),
                other => {
                    let text = format!("argument of type '{}' is not iterable", python_type(other));
                    Err(CallError::exception("TypeError", text))
                }
            }
        };
        // The last fault found is the one that is told.
        if !has("start")? || !has("end")? {
            return Ok(Some(format!(
                "The time_range parameter for {} beacon must contain start & end options.",
                self.name
            )));
        }
        Ok(range
            .as_map()
            .is_none()
            .then(|| format!("The time_range parameter for {} beacon must be a dictionary.", self.name)))
    }

    pub(crate) fn look(&self, cx: &Cx, config: &[Value], kept: &mut Kept) -> Result<Vec<Map>> {
        self.look_at(cx, config, kept, Path::new(self.path))
    }

    /// A turn with the records of a file.
    pub(crate) fn look_at(
        &self,
        cx: &Cx,
        config: &[Value],
        kept: &mut Kept,
        path: &Path,
    ) -> Result<Vec<Map>> {
        let part = |name: &str| config.iter().rev().find_map(|entry| entry.get(name));
        let types = part("ut_type");
        let code = |name: &str, default: i64| {
            types.and_then(|t| t.get(name)).and_then(Value::as_int).unwrap_or(default)
        };
        let (login, logout) = (code("login", LOGIN), code("logout", LOGOUT));
        let state = kept.of::<State>();
        let news = state.place.news(path, record::SIZE as u64)?.unwrap_or_default();
        let (records, _) = news.as_chunks::<{ record::SIZE }>();
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let users = members(cx, part("users"), part("groups"))?;
        let default = part("defaults").and_then(|defaults| defaults.get("time_range"));
        let mut told = Vec::new();
        for raw in records {
            let mut event = record::parse(raw);
            if self.sessions {
                let kind = event.get("type").and_then(Value::as_int);
                let line = event.get("line").map(python_str).unwrap_or_default();
                if kind == Some(login) {
                    event.insert("action", "login");
                    state.terminals.insert(line, event.get("user").cloned().unwrap_or_default());
                } else if kind == Some(logout) {
                    event.insert("action", "logout");
                    if let Some(user) = state.terminals.remove(&line) {
                        event.insert("user", user);
                    }
                }
            }
            let range = match event.get("user").map(|user| users.get_key(user)) {
                _ if users.is_empty() => default,
                Some(Some(user)) => user.get("time_range").or(default),
                _ => continue,
            };
            if range.is_none_or(Value::is_nil) || within(range)? {
                told.push(event);
            }
        }
        Ok(told)
    }
}

/// The users that are meant, those of the groups with the groups' options.
fn members(cx: &Cx, users: Option<&Value>, groups: Option<&Value>) -> Result<Map> {
    let mut all = users.and_then(Value::as_map).cloned().unwrap_or_default();
    for group in keys_of(groups)? {
        let info = cx.call("group.info", Args::positional([group.clone()]))?;
        if !info.truthy() {
            tracing::warn!("Group {} does not exist, ignoring.", python_str(&group));
            continue;
        }
        let options = groups.and_then(Value::as_map).and_then(|groups| groups.get_key(&group));
        for member in keys_of(info.get("members"))? {
            all.entry_or(member, || options.cloned().unwrap_or_default());
        }
    }
    Ok(all)
}

/// Whether it is now between two times of the day, as people write them.
fn within(range: Option<&Value>) -> Result<bool> {
    let now = Moment::now();
    let time = |key: &str| -> Result<Moment> {
        let text = range.and_then(|range| range.get(key)).ok_or_else(|| key_error(&key.into()))?;
        let Some(text) = text.as_str() else {
            let text = format!("Parser must be a string or character stream, not {}", python_type(text));
            return Err(CallError::exception("TypeError", text));
        };
        match read_date(text, now) {
            Ok(written) => Ok(written.moment),
            Err(e) => Err(CallError::exception("ParserError", format!("{e}: {text}"))),
        }
    };
    Ok(time("start")? <= now && now <= time("end")?)
}

#[cfg(test)]
mod tests;
