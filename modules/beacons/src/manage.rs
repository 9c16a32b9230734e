//! Requests to change or show the beacons of a minion, as the functions of the module `beacons` send them: `func`, `name`,
//! `beacon_data` and what else they need.

use crate::{ALL, turns};
use brine_core::call::Cx;
use brine_core::{Map, Value, map};

/// The beacons of one minion: those of its options and by `beacons.add`, and those of its pillar.
#[derive(Clone, Debug, Default)]
pub struct Beacons {
    opts: Map,
    pillar: Map,
}

/// The answer to a request.
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// The tag of the event that tells it.
    pub tag: &'static str,
    /// Its data.
    pub data: Map,
    /// Beacons have changed.
    pub changed: bool,
}

/// The tag of the event that answers a request; None for a request that there is not.
pub fn reply_tag(func: &str) -> Option<&'static str> {
    Some(match func {
        "list" => "/salt/minion/minion_beacons_list_complete",
        "list_available" => "/salt/minion/minion_beacons_list_available_complete",
        "validate_beacon" => "/salt/minion/minion_beacon_validation_complete",
        "add" => "/salt/minion/minion_beacon_add_complete",
        "modify" => "/salt/minion/minion_beacon_modify_complete",
        "delete" => "/salt/minion/minion_beacon_delete_complete",
        "enable" => "/salt/minion/minion_beacons_enabled_complete",
        "disable" => "/salt/minion/minion_beacons_disabled_complete",
        "enable_beacon" => "/salt/minion/minion_beacon_enabled_complete",
        "disable_beacon" => "/salt/minion/minion_beacon_disabled_complete",
        "reset" => "/salt/minion/minion_beacon_reset_complete",
        _ => return None,
    })
}

impl Beacons {
    /// Those of the options.
    pub fn new(opts: Option<&Value>) -> Self {
        Self { opts: dict(opts), pillar: Map::new() }
    }

    /// Takes the pillar's. Returns whether they are others than before.
    pub fn set_pillar(&mut self, pillar: &Map) -> bool {
        let new = dict(pillar.get("beacons"));
        let other = new != self.pillar;
        self.pillar = new;
        other
    }

    /// Whether there are none at all.
    pub fn is_empty(&self) -> bool {
        self.opts.is_empty() && self.pillar.is_empty()
    }

    /// Those of the options, with what was changed since.
    pub fn opts(&self) -> &Map {
        &self.opts
    }

    /// Turns one off that was to run once. The answer, as to a request.
    pub fn spent(&mut self, name: &str) -> Option<Answer> {
        self.switch(name, false)
    }

    /// Does what a request asks for. What a request cannot mean is logged and changes nothing.
    pub fn manage(&mut self, cx: &Cx, request: &Map) -> Option<Answer> {
        let func = request.get_str("func").unwrap_or_default();
        let name = request.get_str("name").unwrap_or_default();
        let data = request.get("beacon_data").cloned().unwrap_or_default();
        let in_pillar = self.pillar.contains(name);
        let refuse = |what: &str, tail: &str| {
            let comment = format!("Cannot {what} beacon item {name}, {tail}it is configured in pillar.");
            tracing::warn!("{comment}");
            comment
        };
        match func {
            "list" => {
                let wanted = |key: &str| request.get(key).is_some_and(Value::truthy);
                let mut all = Map::new();
                for (key, part) in [("include_pillar", &self.pillar), ("include_opts", &self.opts)] {
                    if wanted(key) {
                        all.update(part.clone());
                    }
                }
                told(func, map! { "complete" => true, "beacons" => all }, false)
            }
            "list_available" => {
                let names = ALL.iter().filter(|beacon| (beacon.unavailable)(cx).is_none());
                let names: Vec<Value> = names.map(|beacon| beacon.name.into()).collect();
                told(func, map! { "complete" => true, "beacons" => names }, false)
            }
            "validate_beacon" => {
                let (valid, comment) = validate(cx, name, &data);
                told(func, map! { "complete" => true, "vcomment" => comment, "valid" => valid }, false)
            }
            "add" | "modify" if in_pillar => {
                let comment = if func == "add" { refuse("update", "because ") } else { refuse("modify", "") };
                self.answer(func, false, comment)
            }
            "add" | "modify" => {
                let known = func == "modify" || self.opts.contains(name);
                self.opts.insert(name, data);
                let comment =
                    if known { "Updating settings for beacon item" } else { "Added new beacon item" };
                self.answer(func, true, format!("{comment}: {name}"))
            }
            "delete" if in_pillar => {
                let comment = refuse("delete", "");
                self.answer(func, false, comment)
            }
            "delete" => {
                let comment = match self.opts.remove(name) {
                    Some(_) => format!("Deleting beacon item: {name}"),
                    None => format!("Beacon item {name} not found."),
                };
                self.answer(func, true, comment)
            }
            "enable" | "disable" => {
                self.opts.insert("enabled", func == "enable");
                told(func, map! { "complete" => true, "beacons" => self.opts.clone() }, true)
            }
            "enable_beacon" | "disable_beacon" => self.switch(name, func == "enable_beacon"),
            "reset" => {
                self.opts = Map::new();
                self.answer(func, true, "Beacons have been reset".to_owned())
            }
            _ => {
                tracing::error!("Function \"{func}\" is unavailable in salt.utils.beacons");
                None
            }
        }
    }

    fn switch(&mut self, name: &str, on: bool) -> Option<Answer> {
        let (func, word, doing) = if on {
            ("enable_beacon", "enable", "Enabling")
        } else {
            ("disable_beacon", "disable", "Disabling")
        };
        if self.pillar.contains(name) {
            let comment = format!("Cannot {word} beacon item {name}, it is configured in pillar.");
            return self.answer(func, false, comment);
        }
        match self.opts.get_mut(name) {
            Some(Value::Map(config)) => drop(config.insert("enabled", on)),
            Some(Value::List(config)) => {
                let place =
                    config.iter_mut().filter_map(Value::as_map_mut).find(|item| item.contains("enabled"));
                match place {
                    Some(item) => drop(item.insert("enabled", on)),
                    None => config.push(map! { "enabled" => on }.into()),
                }
            }
            _ => {
                tracing::error!("there is no beacon {name} to {word}");
                return None;
            }
        }
        self.answer(func, true, format!("{doing} beacon item {name}"))
    }

    fn answer(&self, func: &str, complete: bool, comment: String) -> Option<Answer> {
        let data = map! { "complete" => complete, "comment" => comment, "beacons" => self.opts.clone() };
        told(func, data, complete)
    }
}

fn told(func: &str, data: Map, changed: bool) -> Option<Answer> {
    reply_tag(func).map(|tag| Answer { tag, data, changed })
}

fn dict(value: Option<&Value>) -> Map {
    match value {
        Some(Value::Map(all)) => all.clone(),
        None | Some(Value::Nil) => Map::new(),
        Some(_) => {
            tracing::error!("Beacons must be of type dict.");
            Map::new()
        }
    }
}

/// Whether a configuration is one, and what is said of it.
fn validate(cx: &Cx, name: &str, config: &Value) -> (bool, String) {
    let first = config.as_list().and_then(|list| list.iter().find_map(|item| item.get("beacon_module")));
    let kind = first.and_then(Value::as_str).unwrap_or(name);
    match crate::find(kind) {
        None => (true, format!("Beacon {kind} does not have a validate function, skipping validation.")),
        Some(beacon) => match turns::check(cx, beacon, config) {
            // That of one beacon is not as those of all others.
            Ok(()) if kind == "salt_monitor" => (true, "valid config".to_owned()),
            Ok(()) => (true, "Valid beacon configuration".to_owned()),
            Err(comment) => (false, comment),
        },
    }
}
