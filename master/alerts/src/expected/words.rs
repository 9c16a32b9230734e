//! `change_id=` and `silence=`: what is said of a job and is no argument of its function.

use brine_core::text::python_str;
use brine_core::{Map, Value};

use crate::Matcher;

/// Longest change id.
const LONGEST: usize = 128;
/// Matchers that `silence=` may have.
const MOST: usize = 20;

/// What `silence=` asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Say {
    /// What the job disturbs.
    #[default]
    Derived,
    /// Nothing: every alert is told.
    Nothing,
    /// The places of the job's minions, as a whole.
    Place,
    /// What the job disturbs, and what all these matchers hold of.
    Also(Vec<Matcher>),
}

/// Both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The change that the job belongs to.
    pub change_id: Option<String>,
    /// What is to be kept quiet.
    pub silence: Say,
    /// As it was written, for the job's metadata.
    pub(super) said: Option<String>,
}

impl Words {
    /// Takes both out of a job's arguments, which then are as if they had never been there, and notes them in its metadata.
    ///
    /// # Errors
    /// In words for the caller, when one of them cannot be used.
    pub fn take(load: &mut Map) -> Result<Self, String> {
        let mut words = Self::default();
        match load.get_mut("arg") {
            Some(Value::List(args)) => words.take_from(args, 0)?,
            _ => return Ok(words),
        }
        if words != Self::default() {
            words.note(load);
        }
        Ok(words)
    }

    /// `depth` is 1 within the arguments of one of several functions.
    fn take_from(&mut self, args: &mut Vec<Value>, depth: u8) -> Result<(), String> {
        let mut failed = None;
        args.retain_mut(|arg| match arg {
            Value::Map(map) if map.get("__kwarg__").is_some_and(Value::truthy) => {
                let before = map.len();
                if let Err(why) = self.take_keys(map) {
                    failed.get_or_insert(why);
                }
                // A map that held nothing else goes with them.
                map.len() > 1 || map.len() == before
            }
            Value::List(inner) if depth == 0 => {
                if let Err(why) = self.take_from(inner, 1) {
                    failed.get_or_insert(why);
                }
                true
            }
            _ => true,
        });
        failed.map_or(Ok(()), Err)
    }

    fn take_keys(&mut self, map: &mut Map) -> Result<(), String> {
        if let Some(value) = map.remove("change_id") {
            let id = python_str(&value);
            let fits = |c: char| c.is_ascii_graphic();
            if id.is_empty() || id.len() > LONGEST || !id.chars().all(fits) {
                return Err(format!(
                    "change_id: {id:?} is no id of a change: at most {LONGEST} printable characters, no spaces"
                ));
            }
            self.change_id = Some(id);
        }
        if let Some(value) = map.remove("silence") {
            self.said = Some(python_str(&value));
            self.silence = say(&value).map_err(|why| format!("silence: {why}"))?;
        }
        Ok(())
    }

    /// Metadata of other kinds than a map is left alone.
    fn note(&self, load: &mut Map) {
        if !matches!(load.get("kwargs"), Some(Value::Map(_))) {
            load.insert("kwargs", Map::new());
        }
        let Some(Value::Map(extra)) = load.get_mut("kwargs") else { return };
        if !extra.get("metadata").is_some_and(Value::truthy) {
            extra.insert("metadata", Map::new());
        }
        let Some(Value::Map(metadata)) = extra.get_mut("metadata") else { return };
        if let Some(id) = &self.change_id {
            metadata.insert("change_id", id.as_str());
        }
        if let Some(said) = &self.said {
            metadata.insert("silence", said.as_str());
        }
    }
}

fn say(value: &Value) -> Result<Say, String> {
    let text = match value {
        Value::Bool(true) | Value::Nil => return Ok(Say::Derived),
        Value::Bool(false) => return Ok(Say::Nothing),
        other => python_str(other),
    };
    match text.trim() {
        "" | "yes" | "job" => Ok(Say::Derived),
        "no" | "none" => Ok(Say::Nothing),
        "place" => Ok(Say::Place),
        other => {
            let all: Vec<Matcher> = other
                .split([' ', ','])
                .filter(|part| !part.is_empty())
                .map(|part| Matcher::parse(part).map_err(|e| format!("{e}; or say no, place or job")))
                .collect::<Result<_, _>>()?;
            if all.len() > MOST {
                return Err(format!("has more than {MOST} matchers"));
            }
            if all.iter().all(Matcher::takes_everything) {
                return Err("would silence everything; that is salt-run silence.create all".into());
            }
            Ok(Say::Also(all))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    fn load(arg: Vec<Value>) -> Map {
        map! {"fun" => "state.apply", "arg" => Value::List(arg), "kwargs" => map! {"delimiter" => ":"}}
    }

    #[test]
    fn words_leave_the_arguments_and_become_metadata() {
        let keywords = map! {"__kwarg__" => true, "change_id" => "CHG42", "silence" => "place"};
        let mut one = load(vec!["nginx".into(), keywords.into()]);
        let words = Words::take(&mut one).unwrap();
        assert_eq!((words.change_id.as_deref(), words.silence), (Some("CHG42"), Say::Place));
        assert_eq!(one.get("arg"), Some(&Value::List(vec!["nginx".into()])));
        let metadata = one.get("kwargs").and_then(|k| k.get("metadata")).unwrap();
        assert_eq!(*metadata, map! {"change_id" => "CHG42", "silence" => "place"}.into());
    }

    #[test]
    fn other_keywords_and_metadata_stay() {
        let keywords = map! {"__kwarg__" => true, "test" => false, "change_id" => 42};
        let mut one = load(vec![keywords.into()]);
        one.insert("kwargs", map! {"metadata" => map! {"who" => "ann"}});
        assert_eq!(Words::take(&mut one).unwrap().change_id.as_deref(), Some("42"));
        let rest = map! {"__kwarg__" => true, "test" => false};
        assert_eq!(one.get("arg"), Some(&Value::List(vec![rest.into()])));
        let metadata = one.get("kwargs").and_then(|k| k.get("metadata")).unwrap();
        assert_eq!(*metadata, map! {"who" => "ann", "change_id" => "42"}.into());
    }

    #[test]
    fn a_job_without_words_is_as_it_was() {
        let alone = map! {"__kwarg__" => true};
        let lookalike = map! {"change_id" => "data of its own", "silence" => 1};
        for arg in [vec![], vec![alone.into(), "change_id".into()], vec![lookalike.into()]] {
            let (mut one, before) = (load(arg.clone()), load(arg));
            assert_eq!(Words::take(&mut one).unwrap(), Words::default());
            assert_eq!(one, before);
        }
    }

    #[test]
    fn several_functions_are_looked_through() {
        let keywords = || map! {"__kwarg__" => true, "change_id" => "C1"};
        let mut one = load(vec![Value::List(vec![]), Value::List(vec!["a".into(), keywords().into()])]);
        assert_eq!(Words::take(&mut one).unwrap().change_id.as_deref(), Some("C1"));
        assert_eq!(
            one.get("arg"),
            Some(&Value::List(vec![Value::List(vec![]), Value::List(vec!["a".into()])]))
        );
    }

    #[test]
    fn silences_are_said_in_several_ways() {
        for (value, want) in [
            (Value::Bool(true), Say::Derived),
            ("job".into(), Say::Derived),
            (Value::Bool(false), Say::Nothing),
            ("no".into(), Say::Nothing),
            ("place".into(), Say::Place),
        ] {
            assert_eq!(say(&value), Ok(want));
        }
        let Ok(Say::Also(all)) = say(&"site=akl alertname=~Disk.*".into()) else { panic!() };
        assert_eq!(all.len(), 2);
        for text in ["akl", "site=~(", "site=~.*", "a=~.* b=~.*"] {
            assert!(say(&text.into()).is_err(), "{text}");
        }
        for bad in ["", "a b", &"x".repeat(200)] {
            let keywords = map! {"__kwarg__" => true, "change_id" => bad};
            assert!(Words::take(&mut load(vec![keywords.into()])).unwrap_err().contains("change_id"));
        }
    }
}
