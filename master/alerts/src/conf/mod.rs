//! A part of the configuration, read key by key: every key is known or refused, and an error names the key with all that it is in.
//!
//! Secrets are not written there: what is one is named by `KEY_file` or `KEY_env` ([`Hidden`]).

mod hidden;
mod time;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use brine_core::{Map, Value};
use brine_dial::{Check, Tls};

pub use hidden::Hidden;
pub use time::duration;

/// What is wrong with the configuration of alerts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {why}")]
pub struct ConfError {
    /// The key, with those that it is in: `alerts:sinks:pager:url`.
    pub at: String,
    /// What is wrong with it.
    pub why: String,
}

impl ConfError {
    /// An error at a key.
    pub fn new(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self { at: at.into(), why: why.into() }
    }
}

/// The keys of one map, each read once; [`Keys::end`] refuses those that nobody has asked for.
#[derive(Debug)]
pub struct Keys<'a> {
    at: String,
    map: &'a Map,
    asked: BTreeSet<String>,
}

impl<'a> Keys<'a> {
    /// The keys of a map; `at` is what it is called. No value at all is an empty map.
    ///
    /// # Errors
    /// When it is no map.
    pub fn of(value: &'a Value, at: &str) -> Result<Self, ConfError> {
        static EMPTY: LazyLock<Map> = LazyLock::new(Map::new);
        let map = match value {
            Value::Map(map) => map,
            Value::Nil => &*EMPTY,
            _ => return Err(ConfError::new(at, "has to be a map of keys and values")),
        };
        Ok(Self { at: at.to_owned(), map, asked: BTreeSet::new() })
    }

    /// What this map is called.
    pub fn at(&self) -> &str {
        &self.at
    }

    /// An error at one of its keys.
    pub fn error(&self, key: &str, why: impl Into<String>) -> ConfError {
        ConfError::new(format!("{}:{key}", self.at), why)
    }

    /// The value of a key, if it has one.
    pub fn value(&mut self, key: &str) -> Option<&'a Value> {
        self.asked.insert(key.to_owned());
        self.map.get(key).filter(|value| **value != Value::Nil)
    }

    /// All keys that are texts, with their values: for maps whose keys are names that people choose.
    ///
    /// # Errors
    /// When a key is no text.
    pub fn all(&mut self) -> Result<Vec<(&'a str, &'a Value)>, ConfError> {
        let mut all = Vec::with_capacity(self.map.len());
        for (key, value) in self.map {
            let Some(key) = key.as_str() else {
                return Err(ConfError::new(&self.at, format!("the key {key:?} has to be a text")));
            };
            self.asked.insert(key.to_owned());
            all.push((key, value));
        }
        Ok(all)
    }

    /// A text; numbers are taken as they are written.
    ///
    /// # Errors
    /// When it is a list or a map.
    pub fn text(&mut self, key: &str) -> Result<Option<String>, ConfError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Str(text)) => Ok(Some(text.clone())),
            Some(value @ (Value::Int(_) | Value::Float(_))) => Ok(Some(brine_core::text::python_str(value))),
            Some(_) => Err(self.error(key, "has to be a text")),
        }
    }

    /// A text that has to be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn need(&mut self, key: &str) -> Result<String, ConfError> {
        let text = self.text(key)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| self.error(key, "is needed"))
    }

    /// A list of texts; one text is a list of one.
    ///
    /// # Errors
    /// When anything in it is none.
    pub fn texts(&mut self, key: &str) -> Result<Vec<String>, ConfError> {
        match self.value(key) {
            None => Ok(Vec::new()),
            Some(Value::Str(text)) => Ok(vec![text.clone()]),
            Some(Value::List(all)) => {
                let texts =
                    all.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
                texts.ok_or_else(|| self.error(key, "has to be a list of texts"))
            }
            Some(_) => Err(self.error(key, "has to be a text or a list of texts")),
        }
    }

    /// A map of texts.
    ///
    /// # Errors
    /// When anything in it is none.
    pub fn pairs(&mut self, key: &str) -> Result<Vec<(String, String)>, ConfError> {
        let Some(value) = self.value(key) else { return Ok(Vec::new()) };
        let mut keys = Keys::of(value, &format!("{}:{key}", self.at))?;
        let names: Vec<&str> = keys.all()?.into_iter().map(|(name, _)| name).collect();
        names.into_iter().map(|name| Ok((name.to_owned(), keys.text(name)?.unwrap_or_default()))).collect()
    }

    /// `True` or `False`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn flag(&mut self, key: &str, default: bool) -> Result<bool, ConfError> {
        match self.value(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.error(key, "has to be True or False")),
        }
    }

    /// A whole number within bounds.
    ///
    /// # Errors
    /// When it is none, or outside.
    pub fn count(
        &mut self,
        key: &str,
        default: usize,
        least: usize,
        most: usize,
    ) -> Result<usize, ConfError> {
        let Some(value) = self.value(key) else { return Ok(default) };
        let number =
            value.as_int().and_then(|n| usize::try_from(n).ok()).filter(|n| (least..=most).contains(n));
        number.ok_or_else(|| self.error(key, format!("has to be a whole number from {least} to {most}")))
    }

    /// A length of time: a number of seconds, or `30s`, `5m`, `2h`, `1d`, also together: `1h30m`.
    ///
    /// # Errors
    /// When it is none.
    pub fn time(&mut self, key: &str) -> Result<Option<Duration>, ConfError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let time = match value {
            Value::Str(text) => duration(text),
            Value::Int(n) => u64::try_from(*n).ok().map(Duration::from_secs),
            Value::Float(n) => Duration::try_from_secs_f64(*n).ok(),
            _ => None,
        };
        let time = time.filter(|time| *time < Duration::from_secs(100 * 365 * 86_400));
        time.map(Some).ok_or_else(|| self.error(key, "has to be a time such as 30s, 5m, 1h30m or 2d"))
    }

    /// A file's name.
    ///
    /// # Errors
    /// When it is no text, or no absolute path.
    pub fn path(&mut self, key: &str) -> Result<Option<PathBuf>, ConfError> {
        let path = self.text(key)?.map(PathBuf::from);
        if path.as_ref().is_some_and(|path| !path.is_absolute()) {
            return Err(self.error(key, "has to be an absolute path"));
        }
        Ok(path)
    }

    /// A secret, by `KEY_file` or `KEY_env`.
    ///
    /// # Errors
    /// When it is written in clear, named twice, or not there.
    pub fn hidden(&mut self, key: &str) -> Result<Option<Hidden>, ConfError> {
        let (file_key, env_key) = (format!("{key}_file"), format!("{key}_env"));
        if self.value(key).is_some() {
            let why = format!("a secret does not stand in the configuration: use {file_key} or {env_key}");
            return Err(self.error(key, why));
        }
        match (self.path(&file_key)?, self.text(&env_key)?) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(self.error(&file_key, format!("is there beside {env_key}"))),
            (Some(path), None) => Hidden::in_file(path).map(Some).map_err(|why| self.error(&file_key, why)),
            (None, Some(name)) => Hidden::in_env(&name).map(Some).map_err(|why| self.error(&env_key, why)),
        }
    }

    /// How TLS is used: `ca`, `cert`, `key` (files) and `verify`.
    ///
    /// # Errors
    /// When one of them is not what it has to be.
    pub fn tls(&mut self) -> Result<Tls, ConfError> {
        let check = if self.flag("verify", true)? { Check::Full } else { Check::Nothing };
        let (ca, cert, key) = (self.path("ca")?, self.path("cert")?, self.path("key")?);
        let tls = Tls { ca, crl: None, cert, key, check };
        // What cannot be read now will not be later.
        tls.config().map_err(|e| ConfError::new(&self.at, e.to_string()))?;
        Ok(tls)
    }

    /// Refuses keys that nobody has asked for.
    ///
    /// # Errors
    /// The first such key.
    pub fn end(self) -> Result<(), ConfError> {
        for key in self.map.keys() {
            let text = brine_core::text::python_str(key);
            if !self.asked.contains(&text) {
                let known: Vec<&str> = self.asked.iter().map(String::as_str).collect();
                let why = format!("is not known here; known are {}", known.join(", "));
                return Err(ConfError::new(format!("{}:{text}", self.at), why));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn every_key_is_asked_for_or_refused() {
        let value = Value::Map(map! {"url" => "x", "count" => 3, "wait" => "1m", "to" => "a", "extra" => 1});
        let mut keys = Keys::of(&value, "alerts:sinks:a").unwrap();
        assert_eq!(keys.need("url").unwrap(), "x");
        assert_eq!(keys.count("count", 1, 1, 5).unwrap(), 3);
        assert_eq!(keys.time("wait").unwrap(), Some(Duration::from_secs(60)));
        assert_eq!(keys.texts("to").unwrap(), ["a"]);
        assert_eq!(keys.need("absent").unwrap_err().to_string(), "alerts:sinks:a:absent: is needed");
        let error = keys.end().unwrap_err();
        assert_eq!(error.at, "alerts:sinks:a:extra");
        assert!(error.why.contains("count"), "{error}");
    }

    #[test]
    fn what_is_not_of_its_kind_is_refused_by_name() {
        let value = Value::Map(
            map! {"n" => 9, "t" => "soon", "f" => 1, "p" => "a/b", "l" => vec![1], "m" => map! {}},
        );
        let mut keys = Keys::of(&value, "x").unwrap();
        let errors = [
            keys.count("n", 1, 1, 5).unwrap_err(),
            keys.time("t").unwrap_err(),
            keys.flag("f", true).unwrap_err(),
            keys.path("p").unwrap_err(),
            keys.texts("l").unwrap_err(),
            keys.text("m").unwrap_err(),
        ];
        assert_eq!(errors.map(|e| e.at), ["x:n", "x:t", "x:f", "x:p", "x:l", "x:m"]);
        assert!(Keys::of(&Value::Int(1), "x").is_err());
    }

    #[test]
    fn a_secret_in_clear_is_refused_and_not_repeated() {
        let value = Value::Map(map! {"password" => "hunter2"});
        let error = Keys::of(&value, "x").unwrap().hidden("password").unwrap_err().to_string();
        assert!(error.contains("password_file") && error.contains("password_env"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
