//! What has to be known before a job starts that may change something.

use brine_core::{Map, Value};

use super::Disturbed;

/// What one function of a job asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Demand {
    /// It changes nothing that anybody is told of.
    Nothing,
    /// It says itself what it disturbs.
    Known(Disturbed),
    /// Minions are to be asked for their low data.
    Ask {
        /// The function that gives it.
        fun: &'static str,
        /// Its arguments, as a job has them.
        arg: Vec<Value>,
    },
    /// It changes something, and nobody can say what.
    Unknown,
}

/// Functions of `state` that run what the files say that they are given.
const BY_FILES: &[&str] = &["state.apply", "state.sls", "state.sls_id"];
/// Functions of `state` that are given what they run.
const GIVEN: &[&str] = &["state.single", "state.low", "state.high"];
/// Functions of `state` whose low data nobody shows beforehand.
const BLIND: &[&str] =
    &["state.top", "state.template", "state.template_str", "state.pkg", "state.run_request"];
/// Functions of `service` and `pkg` that only look.
const LOOKS: &[&str] =
    &["list", "get", "status", "is", "version", "available", "missing", "show", "info", "latest", "which"];
/// Keywords that say how states are compiled, for asking beforehand as well.
const COMPILE: &[&str] = &["saltenv", "pillar", "pillarenv", "pillar_enc", "exclude", "localconfig"];

impl Demand {
    /// What each function of a job asks for.
    pub fn of(load: &Map) -> Vec<Self> {
        let args = |value: Option<&Value>| match value {
            Some(Value::List(args)) => args.clone(),
            _ => Vec::new(),
        };
        match load.get("fun") {
            Some(Value::Str(fun)) => vec![Self::of_one(fun, &args(load.get("arg")))],
            Some(Value::List(funs)) => {
                let each = args(load.get("arg"));
                let one = |(n, fun): (usize, &Value)| {
                    Self::of_one(fun.as_str().unwrap_or_default(), &args(each.get(n)))
                };
                funs.iter().enumerate().map(one).collect()
            }
            _ => Vec::new(),
        }
    }

    fn of_one(fun: &str, args: &[Value]) -> Self {
        let keywords = keywords(args);
        if keywords.is_some_and(|map| map.get("test").is_some_and(Value::truthy)) {
            return Self::Nothing;
        }
        let plain: Vec<Value> = args.iter().filter(|arg| !is_keywords(arg)).cloned().collect();
        let mods = || plain.first().or_else(|| keywords?.get("mods")).filter(|mods| mods.truthy()).cloned();
        if fun == "state.highstate" {
            return Self::ask("state.show_lowstate", None, keywords);
        }
        if BY_FILES.contains(&fun) {
            // `sls_id` has the id first; the other states of the file are not run, but it is the file that is shown.
            let mods = if fun == "state.sls_id" { plain.get(1).cloned() } else { mods() };
            return match mods {
                Some(mods) => Self::ask("state.show_low_sls", Some(mods), keywords),
                None if fun == "state.apply" => Self::ask("state.show_lowstate", None, keywords),
                None => Self::Unknown,
            };
        }
        if GIVEN.contains(&fun) {
            return given(fun, &plain, keywords).map_or(Self::Unknown, Self::Known);
        }
        if BLIND.contains(&fun) {
            return Self::Unknown;
        }
        if let Some(("service" | "pkg", word)) = fun.split_once('.')
            && LOOKS.iter().any(|look| word == *look || word.starts_with(&format!("{look}_")))
        {
            return Self::Nothing;
        }
        match Disturbed::by_call(fun, args) {
            nothing if nothing == Disturbed::default() => Self::Nothing,
            known => Self::Known(known),
        }
    }

    fn ask(fun: &'static str, mods: Option<Value>, keywords: Option<&Map>) -> Self {
        let mut arg: Vec<Value> = mods.into_iter().collect();
        let mut kept = Map::new();
        for key in COMPILE {
            if let Some(value) = keywords.and_then(|map| map.get(key)) {
                kept.insert(*key, value.clone());
            }
        }
        if !kept.is_empty() {
            kept.insert("__kwarg__", true);
            arg.push(kept.into());
        }
        Self::Ask { fun, arg }
    }
}

fn is_keywords(arg: &Value) -> bool {
    arg.get("__kwarg__").is_some_and(Value::truthy)
}

fn keywords(args: &[Value]) -> Option<&Map> {
    args.iter().find(|arg| is_keywords(arg))?.as_map()
}

/// States that are in the call itself.
fn given(fun: &str, plain: &[Value], keywords: Option<&Map>) -> Option<Disturbed> {
    let mut all = Disturbed::default();
    match fun {
        "state.single" => {
            let (state, function) = plain.first()?.as_str()?.split_once('.')?;
            let mut chunk = keywords.cloned().unwrap_or_default();
            if let Some(name) = plain.get(1).or_else(|| keywords?.get("name")) {
                chunk.insert("name", name.clone());
            }
            chunk.insert("state", state);
            chunk.insert("fun", function);
            all.add(&chunk.into());
        }
        "state.low" => all.add(plain.first().filter(|low| matches!(low, Value::Map(_)))?),
        _ => {
            for (id, body) in plain.first()?.as_map()? {
                for (state, parts) in body.as_map()? {
                    all.add(&chunk_of(id, state, parts)?.into());
                }
            }
        }
    }
    Some(all)
}

/// One state of high data: a list of its function and of maps of one key.
fn chunk_of(id: &Value, state: &Value, parts: &Value) -> Option<Map> {
    let Value::List(parts) = parts else { return None };
    let mut chunk = Map::new();
    chunk.insert("name", id.clone());
    let (state, mut fun) = state.as_str().map(|text| text.split_once('.').unwrap_or((text, "")))?;
    for part in parts {
        match part {
            Value::Str(word) => fun = word,
            Value::Map(map) => map.iter().for_each(|(key, value)| {
                chunk.insert(key.clone(), value.clone());
            }),
            _ => {}
        }
    }
    chunk.insert("state", state);
    chunk.insert("fun", fun);
    Some(chunk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    fn of(fun: &str, arg: Vec<Value>) -> Demand {
        Demand::of(&map! {"fun" => fun, "arg" => Value::List(arg)}).remove(0)
    }

    fn known(services: &[&str], host: bool) -> Demand {
        Demand::Known(Disturbed { services: services.iter().map(|s| (*s).to_owned()).collect(), host })
    }

    fn keywords(mut map: Map) -> Value {
        map.insert("__kwarg__", true);
        map.into()
    }

    #[test]
    fn runs_of_files_are_asked_for_as_they_would_be_run() {
        let ask = |fun, arg| Demand::Ask { fun, arg };
        assert_eq!(of("state.highstate", vec![]), ask("state.show_lowstate", vec![]));
        assert_eq!(of("state.apply", vec![]), ask("state.show_lowstate", vec![]));
        assert_eq!(of("state.apply", vec!["nginx".into()]), ask("state.show_low_sls", vec!["nginx".into()]));
        let mods = keywords(map! {"mods" => vec!["a", "b"], "pillar" => map! {"x" => 1}, "queue" => true});
        let kept: Value = map! {"pillar" => map! {"x" => 1}, "__kwarg__" => true}.into();
        assert_eq!(of("state.sls", vec![mods]), ask("state.show_low_sls", vec![vec!["a", "b"].into(), kept]));
        assert_eq!(
            of("state.sls_id", vec!["id".into(), "web".into()]),
            ask("state.show_low_sls", vec!["web".into()])
        );
        assert_eq!(of("state.sls", vec![]), Demand::Unknown);
        assert_eq!(of("state.top", vec!["t.sls".into()]), Demand::Unknown);
    }

    #[test]
    fn a_test_and_a_look_disturb_nothing() {
        assert_eq!(of("state.apply", vec![keywords(map! {"test" => true})]), Demand::Nothing);
        for fun in [
            "test.ping",
            "service.status",
            "service.get_all",
            "pkg.list_pkgs",
            "pkg.version",
            "state.show_sls",
        ] {
            assert_eq!(of(fun, vec!["nginx".into()]), Demand::Nothing, "{fun}");
        }
    }

    #[test]
    fn what_is_given_is_known() {
        assert_eq!(
            of("state.single", vec!["service.running".into(), "nginx".into()]),
            known(&["nginx"], false)
        );
        let name = keywords(map! {"name" => "nginx"});
        assert_eq!(of("state.single", vec!["service.dead".into(), name]), known(&["nginx"], false));
        let low = map! {"state" => "pkg", "fun" => "installed", "name" => "redis"};
        assert_eq!(of("state.low", vec![low.into()]), known(&["redis"], false));
        let body = map! {"service" => vec![Value::from("running"), map! {"name" => "sshd"}.into()], "cmd.run" => vec![Value::from(map! {"name" => "reboot"})]};
        assert_eq!(of("state.high", vec![map! {"x" => body}.into()]), known(&["sshd"], true));
        assert_eq!(of("state.high", vec!["text".into()]), Demand::Unknown);
        assert_eq!(of("service.restart", vec!["nginx".into()]), known(&["nginx"], false));
        assert_eq!(of("system.reboot", vec![]), known(&[], true));
    }

    #[test]
    fn each_of_several_functions_is_looked_at() {
        let load = map! {
            "fun" => vec!["test.ping", "service.stop"],
            "arg" => Value::List(vec![Value::List(vec![]), Value::List(vec!["nginx".into()])]),
        };
        assert_eq!(Demand::of(&load), [Demand::Nothing, known(&["nginx"], false)]);
    }
}
