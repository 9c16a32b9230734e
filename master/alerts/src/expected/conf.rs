//! `alerts:expected`: how what is expected is kept quiet.

use std::time::Duration;

use crate::conf::{ConfError, Keys};

/// What becomes of a job when nobody can say what it will disturb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The places of the minions concerned are silenced.
    Place,
    /// It does not start.
    Refuse,
    /// It starts, and every alert is told.
    Nothing,
}

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conf {
    /// The label that says where a minion is; alerts and silences of a place have it.
    pub place: String,
    /// How long a silence stands that nobody prolongs: what is left of it when the master dies.
    pub ttl: Duration,
    /// How long it stands when the job is over.
    pub grace: Duration,
    /// How long a job may go on without an answer and stay silenced.
    pub longest: Duration,
    /// How long minions have for their low data.
    pub patience: Duration,
    /// What becomes of a job of which that is not known.
    pub unknown: Unknown,
    /// The minions that are changed under a change id only: a compound target.
    pub change_id: Option<String>,
}

impl Conf {
    /// Reads `expected` of `alerts`; `None` where it is not there or `False`.
    ///
    /// # Errors
    /// The first key that cannot be used, and why.
    pub fn read(keys: &mut Keys<'_>) -> Result<Option<Self>, ConfError> {
        use brine_core::Value;
        let nothing = Value::Nil;
        let value = match keys.value("expected") {
            None | Some(Value::Bool(false)) => return Ok(None),
            Some(Value::Bool(true)) => &nothing,
            Some(value) => value,
        };
        let mut own = Keys::of(value, &format!("{}:expected", keys.at()))?;
        let time = |own: &mut Keys<'_>, key: &str, seconds: u64| -> Result<Duration, ConfError> {
            Ok(own.time(key)?.unwrap_or(Duration::from_secs(seconds)))
        };
        let place = own.text("place")?.unwrap_or_else(|| "site".into());
        if !crate::matcher::is_label(&place) {
            return Err(own.error("place", "is no name of a label"));
        }
        let unknown = match own.text("unknown")?.as_deref() {
            None | Some("place") => Unknown::Place,
            Some("refuse") => Unknown::Refuse,
            Some("nothing") => Unknown::Nothing,
            Some(_) => return Err(own.error("unknown", "has to be place, refuse or nothing")),
        };
        let conf = Self {
            place,
            ttl: time(&mut own, "ttl", 300)?,
            grace: time(&mut own, "grace", 60)?,
            longest: time(&mut own, "longest", 4 * 3600)?,
            patience: time(&mut own, "patience", 15)?,
            unknown,
            change_id: own.text("change_id")?.filter(|target| !target.is_empty()),
        };
        if conf.ttl < Duration::from_secs(5) {
            return Err(own.error("ttl", "has to be at least 5 s"));
        }
        own.end()?;
        Ok(Some(conf))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::{Value, map};

    fn read(value: impl Into<Value>) -> Result<Option<Conf>, String> {
        let all: Value = map! {"expected" => value.into()}.into();
        Conf::read(&mut Keys::of(&all, "alerts").unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn it_is_off_unless_asked_for() {
        assert_eq!(Conf::read(&mut Keys::of(&Value::Nil, "alerts").unwrap()).unwrap(), None);
        assert_eq!(read(false).unwrap(), None);
        let default = read(true).unwrap().unwrap();
        assert_eq!(
            (default.place.as_str(), default.ttl, default.unknown),
            ("site", Duration::from_secs(300), Unknown::Place)
        );
        let own =
            read(map! {"ttl" => "1m", "grace" => 0, "unknown" => "refuse", "change_id" => "G@env:prod"})
                .unwrap()
                .unwrap();
        assert_eq!(
            (own.ttl, own.grace, own.unknown),
            (Duration::from_secs(60), Duration::ZERO, Unknown::Refuse)
        );
        assert_eq!(own.change_id.as_deref(), Some("G@env:prod"));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (value, key) in [
            (map! {"ttl" => "soon"}, "alerts:expected:ttl"),
            (map! {"ttl" => 1}, "alerts:expected:ttl"),
            (map! {"unknown" => "maybe"}, "alerts:expected:unknown"),
            (map! {"place" => "a b"}, "alerts:expected:place"),
            (map! {"grase" => 1}, "grase"),
        ] {
            let error = read(value).unwrap_err();
            assert!(error.contains(key), "{error}");
        }
    }
}
