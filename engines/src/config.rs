//! The option `engines`: which are started, and what they are told.

use brine_core::text::python_str;
use brine_core::{Map, Opts, Value};

/// Engines of stock that are not here.
const ABSENT: [&str; 17] = [
    "docker_events",
    "fluent",
    "http_logstash",
    "ircbot",
    "junos_syslog",
    "libvirt_events",
    "logentries",
    "logstash",
    "logstash_engine",
    "napalm_syslog",
    "redis_sentinel",
    "script",
    "slack",
    "slack_bolt",
    "sqs_events",
    "stalekey",
    "thorium",
];

/// One engine that the options name.
#[derive(Clone, Debug, PartialEq)]
pub struct Engine {
    /// As it is named: by its module, or with `engine_module` as its owner likes.
    pub name: String,
    /// What it is.
    pub module: String,
    /// What it is told.
    pub told: Map,
}

impl Engine {
    /// As the log has it.
    pub fn shown(&self) -> String {
        match self.name == self.module {
            true => format!("Engine(salt.loaded.int.engine.{})", self.module),
            false => format!("Engine(salt.loaded.int.engine.{}, name={})", self.module, self.name),
        }
    }

    /// Says in the log why this one is not here, for engines that a daemon does not know.
    pub fn refuse(&self) {
        let why = match ABSENT.contains(&self.module.as_str()) {
            true => {
                "this engine of Salt's is not built in; returners, event_return and alerts tell others of events"
            }
            false => "there is no such engine, and engines in Python cannot be loaded",
        };
        tracing::error!("engines: {} is not started: {why}", self.module);
    }

    /// Says in the log what it is told and does not take; false if there is such.
    pub fn takes(&self, names: &[&str]) -> bool {
        let unknown = self.told.keys().map(python_str).find(|key| !names.contains(&key.as_str()));
        if let Some(key) = &unknown {
            tracing::error!(
                "{} could not be started! start() got an unexpected keyword argument '{key}'",
                self.shown()
            );
        }
        unknown.is_none()
    }
}

/// The engines of the options, in their order. Where there is a `reactor`, so is the engine of that name, as in stock's master.
pub fn engines(opts: &Opts, reacts: bool) -> Vec<Engine> {
    let mut all: Vec<Engine> = match opts.get("engines") {
        Some(Value::List(list)) => list.iter().filter_map(read).collect(),
        Some(Value::Map(map)) => map.iter().map(|(name, told)| named(name, told)).collect(),
        _ => Vec::new(),
    };
    if reacts && opts.flag("reactor") && !all.iter().any(|engine| engine.module == "reactor") {
        tracing::info!("Enabling the reactor engine");
        all.push(Engine { name: "reactor".into(), module: "reactor".into(), told: Map::new() });
    }
    all
}

/// An entry of the list: a name, or a dict whose first key is one.
fn read(entry: &Value) -> Option<Engine> {
    match entry {
        Value::Map(map) => map.iter().next().map(|(name, told)| named(name, told)),
        name => Some(named(name, &Value::Nil)),
    }
}

fn named(name: &Value, told: &Value) -> Engine {
    let name = python_str(name);
    let mut told = told.as_map().cloned().unwrap_or_default();
    let module = told.remove("engine_module").map_or_else(|| name.clone(), |module| python_str(&module));
    Engine { name, module, told }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn lists_and_dicts_name_engines() {
        let of = |engines: Value, reactor: Value| {
            let all = super::engines(&Opts::new(map! {"engines" => engines, "reactor" => reactor}), true);
            all.into_iter().map(|e| (e.name, e.module, e.told)).collect::<Vec<_>>()
        };
        let webhook = map! {"webhook" => map! {"port" => 1}};
        let second = map! {"second" => map! {"engine_module" => "webhook", "port" => 2}};
        let none = Value::List(Vec::new());
        let want = [
            ("webhook".into(), "webhook".into(), map! {"port" => 1}),
            ("second".into(), "webhook".into(), map! {"port" => 2}),
            ("test".into(), "test".into(), Map::new()),
        ];
        let list = Value::List(vec![webhook.clone().into(), second.into(), "test".into()]);
        assert_eq!(of(list, none.clone()), want);
        assert_eq!(of(webhook.into(), none.clone()), want[..1]);
        let reactor: Value = vec![Value::from(map! {"x" => "/a"})].into();
        assert_eq!(of(none, reactor.clone()), [("reactor".into(), "reactor".into(), Map::new())]);
        let own: Value = vec![Value::from(map! {"reactor" => map! {"worker_hwm" => 5}})].into();
        assert_eq!(of(own, reactor), [("reactor".into(), "reactor".into(), map! {"worker_hwm" => 5})]);
    }

    #[test]
    fn names_are_as_in_the_log_of_stock() {
        let engine =
            |name: &str| named(&name.into(), &map! {"engine_module" => "webhook", "port" => 1}.into());
        assert_eq!(engine("w").shown(), "Engine(salt.loaded.int.engine.webhook, name=w)");
        assert_eq!(engine("webhook").shown(), "Engine(salt.loaded.int.engine.webhook)");
        assert!(engine("w").takes(&["port"]) && !engine("w").takes(&["address"]));
    }
}
