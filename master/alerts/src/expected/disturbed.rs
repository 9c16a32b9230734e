//! What a minion's low data says that a run of states disturbs.

use std::collections::BTreeSet;

use brine_core::Value;
use brine_core::text::python_str;

/// Services counted for one minion; one with more is disturbed as a whole.
const MOST: usize = 200;

/// What is disturbed on one minion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disturbed {
    /// Services, and packages, which count as the service of their name: both are what a label `service` says.
    pub services: BTreeSet<String>,
    /// The whole of it: it starts anew, or its network changes.
    pub host: bool,
}

/// State modules whose states are a service each, by name.
const SERVICES: &[&str] = &["service", "docker_container", "supervisord", "systemd"];
/// State modules that install packages.
const PACKAGES: &[&str] = &["pkg", "pkgng", "aptpkg"];
/// State modules that take a whole host with them.
const HOSTS: &[&str] = &["network", "system", "kernelpkg"];
/// Functions, as states or as execution functions within `module.run`, after which a host starts anew.
const REBOOTS: &[&str] = &[
    "system.reboot",
    "system.shutdown",
    "system.halt",
    "system.poweroff",
    "system.init",
    "kernelpkg.latest_active",
];
/// What a command has among its words that stops a host.
const COMMANDS: &[&str] = &["reboot", "shutdown", "poweroff", "halt"];

impl Disturbed {
    /// By what `state.show_lowstate` or `state.show_low_sls` gave; `None` if that is no low data but a complaint.
    pub fn by_low(answer: &Value) -> Option<Self> {
        let Value::List(chunks) = answer else { return None };
        let mut all = Self::default();
        for chunk in chunks {
            chunk.as_map()?;
            all.add(chunk);
        }
        Some(all)
    }

    /// By one chunk of low data.
    pub fn add(&mut self, chunk: &Value) {
        let text = |key: &str| chunk.get(key).map(python_str).unwrap_or_default();
        let (state, fun) = (text("state"), text("fun"));
        // A few modules are called by another's name: `service.systemd_service` and the like do not come here.
        if SERVICES.contains(&state.as_str()) {
            self.names(chunk, &["name", "names"]);
        } else if PACKAGES.contains(&state.as_str()) {
            match chunk.get("pkgs").or_else(|| chunk.get("sources")) {
                Some(all) => self.each(all),
                None => self.names(chunk, &["name", "names"]),
            }
        } else if HOSTS.contains(&state.as_str()) {
            self.host = true;
        } else if state == "module" {
            self.module(chunk);
        } else if state == "cmd" && matches!(fun.as_str(), "run" | "wait" | "script") {
            self.command(&text("name"));
        }
        if REBOOTS.contains(&format!("{state}.{fun}").as_str()) {
            self.host = true;
        }
        if self.services.len() > MOST {
            self.services.clear();
            self.host = true;
        }
    }

    /// By an execution function that is called itself; nothing if it is not known to disturb anything.
    pub fn by_call(fun: &str, args: &[Value]) -> Self {
        let mut all = Self::default();
        let first = || args.iter().find(|arg| !matches!(arg, Value::Map(_)));
        match fun.split_once('.') {
            _ if REBOOTS.contains(&fun) => all.host = true,
            Some(("service", _)) => first().into_iter().for_each(|name| all.each(name)),
            Some(("pkg", "upgrade" | "dist_upgrade" | "full_upgrade")) => all.host = true,
            Some(("pkg", _)) => {
                let keyword = |arg: &Value, key: &str| arg.get(key).cloned();
                let named = args.iter().find_map(|arg| keyword(arg, "pkgs").or_else(|| keyword(arg, "name")));
                named.as_ref().or_else(first).into_iter().for_each(|names| all.each(names));
            }
            Some(("cmd", _)) => first().into_iter().for_each(|line| all.command(&python_str(line))),
            _ => {}
        }
        all
    }

    /// Takes in what another part of the same job disturbs.
    pub fn join(&mut self, other: Self) {
        self.host |= other.host;
        self.services.extend(other.services);
    }

    fn names(&mut self, chunk: &Value, keys: &[&str]) {
        keys.iter().filter_map(|key| chunk.get(key)).for_each(|value| self.each(value));
    }

    /// Names in all the forms in which states have them: a text, a list of texts, a list of maps of one key.
    fn each(&mut self, value: &Value) {
        match value {
            Value::List(all) => all.iter().for_each(|one| self.each(one)),
            Value::Map(map) => map.keys().filter_map(Value::as_str).for_each(|name| self.service(name)),
            Value::Nil => {}
            other => self.service(&python_str(other)),
        }
    }

    fn service(&mut self, name: &str) {
        let name = name.strip_suffix(".service").unwrap_or(name).trim();
        // What a label cannot tell from others is not named.
        if !name.is_empty() && name.len() <= 200 && !name.chars().any(char::is_control) {
            self.services.insert(name.to_owned());
        }
    }

    /// `module.run`, by both of its ways to say what is called.
    fn module(&mut self, chunk: &Value) {
        let mut called: Vec<&str> = chunk.get("name").and_then(Value::as_str).into_iter().collect();
        if let Value::Map(map) = chunk {
            called.extend(map.keys().filter_map(Value::as_str).filter(|key| key.contains('.')));
        }
        self.host |= called.iter().any(|fun| REBOOTS.contains(fun));
        for fun in called {
            if let (Some(("service", _)), Some(args)) = (fun.split_once('.'), chunk.get(fun)) {
                self.called_with(args);
            }
        }
    }

    /// The arguments of a function in `module.run`: plain ones, and maps of keywords.
    fn called_with(&mut self, args: &Value) {
        match args {
            Value::List(all) => all.iter().for_each(|one| self.called_with(one)),
            Value::Map(map) => map.get("name").into_iter().for_each(|name| self.each(name)),
            other => self.each(other),
        }
    }

    fn command(&mut self, line: &str) {
        let mut words = line.split([' ', '\t', '\n', ';', '&', '|', '(', ')', '"', '\'']);
        self.host |= words.any(|word| COMMANDS.contains(&word.rsplit('/').next().unwrap_or(word)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::{Map, map};

    fn low(chunks: Vec<Map>) -> Disturbed {
        Disturbed::by_low(&chunks.into_iter().map(Value::from).collect::<Vec<_>>().into()).unwrap()
    }

    fn chunk(state: &str, fun: &str, name: &str) -> Map {
        map! {"state" => state, "fun" => fun, "name" => name, "__id__" => name, "__sls__" => "x", "order" => 1}
    }

    fn shown(all: &Disturbed) -> (String, bool) {
        (all.services.iter().cloned().collect::<Vec<_>>().join(" "), all.host)
    }

    #[test]
    fn services_packages_and_hosts_are_found() {
        let mut several = chunk("pkg", "installed", "all");
        several.insert("pkgs", vec![Value::from("php-fpm"), map! {"redis" => ">1"}.into()]);
        let all = low(vec![
            chunk("file", "managed", "/etc/nginx.conf"),
            chunk("service", "running", "nginx.service"),
            chunk("test", "nop", "reboot"),
            several,
        ]);
        assert_eq!(shown(&all), ("nginx php-fpm redis".into(), false));
        for (state, fun, name, host) in [
            ("cmd", "run", "systemctl reboot", true),
            ("cmd", "run", "/sbin/shutdown -r now", true),
            ("cmd", "run", "echo rebooted", false),
            ("module", "run", "system.reboot", true),
            ("system", "reboot", "x", true),
            ("network", "managed", "eth0", true),
        ] {
            assert_eq!(low(vec![chunk(state, fun, name)]).host, host, "{state}.{fun} {name}");
        }
        let mut new = chunk("module", "run", "restarts");
        new.insert("service.restart", vec![Value::from(map! {"name" => "sshd"})]);
        assert_eq!(shown(&low(vec![new])), ("sshd".into(), false));
    }

    #[test]
    fn complaints_are_no_low_data() {
        for answer in [
            Value::List(vec!["Rendering SLS 'base:x' failed".into()]),
            "The function \"state.apply\" is running as PID 1".into(),
            Value::Nil,
            map! {"a" => 1}.into(),
        ] {
            assert_eq!(Disturbed::by_low(&answer), None);
        }
        assert_eq!(Disturbed::by_low(&Value::List(vec![])), Some(Disturbed::default()));
    }

    #[test]
    fn functions_called_themselves_say_what_they_disturb() {
        for (fun, args, want, host) in [
            ("service.restart", vec![Value::from("nginx")], "nginx", false),
            ("pkg.install", vec![Value::from("nginx")], "nginx", false),
            ("pkg.install", vec![map! {"__kwarg__" => true, "pkgs" => vec!["a", "b"]}.into()], "a b", false),
            ("pkg.upgrade", vec![], "", true),
            ("system.reboot", vec![], "", true),
            ("cmd.run", vec![Value::from("reboot")], "", true),
            ("cmd.run", vec![Value::from("ls")], "", false),
            ("test.ping", vec![], "", false),
        ] {
            assert_eq!(shown(&Disturbed::by_call(fun, &args)), (want.into(), host), "{fun}");
        }
    }

    #[test]
    fn too_many_services_are_the_host() {
        let all = low((0..1000).map(|n| chunk("service", "running", &format!("s{n}"))).collect());
        assert!(all.host && all.services.len() <= MOST);
    }
}
