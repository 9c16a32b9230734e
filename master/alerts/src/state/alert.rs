//! One alert: what is so, since when, whom it was told, and what holds it back.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use crate::clock::{millis, time};
use crate::silence::SilenceId;
use crate::{Labels, Notice, Status};

/// Members of an alert that are kept apart; more of them are one.
pub(crate) const MOST_MEMBERS: usize = 1000;
/// Members that a text names.
const NAMED: usize = 10;

/// What holds an alert back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// A silence.
    Silence(SilenceId),
    /// Another alert, by its fingerprint.
    Inhibited(String),
}

/// An alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// All its labels: which alert it is.
    pub labels: Labels,
    /// What people read.
    pub annotations: Labels,
    /// Since when it is so.
    pub since: SystemTime,
    /// Until when it has to be so before it counts; none once it does.
    pub pending: Option<SystemTime>,
    /// When somebody last said that it is so.
    pub last: SystemTime,
    /// How often that was.
    pub count: u64,
    /// What it is made of, by fingerprint: a name for people, and when it was last said. An alert that is not taken together with
    /// others is made of itself.
    pub members: BTreeMap<String, (String, SystemTime)>,
    /// Whether sinks were told that it fires.
    pub told: bool,
    /// What holds it back now.
    pub hush: Vec<Why>,
}

impl Alert {
    /// `alertname`
    pub fn name(&self) -> &str {
        self.labels.get("alertname").map_or("", String::as_str)
    }

    /// Which alert it is, as [`Notice::fingerprint`] has it.
    pub fn fingerprint(&self) -> String {
        crate::notice::fingerprint(&self.labels)
    }

    /// Whether it counts by now.
    pub fn is_firing(&self) -> bool {
        self.pending.is_none()
    }

    /// How it is: `pending`, `firing`, or `suppressed` where it is held back.
    pub fn state(&self) -> &'static str {
        match (self.is_firing(), self.hush.is_empty()) {
            (false, _) => "pending",
            (true, true) => "firing",
            (true, false) => "suppressed",
        }
    }

    /// As sinks are told.
    pub fn notice(&self, ends_at: Option<SystemTime>) -> Notice {
        let mut annotations = self.annotations.clone();
        let named = self.members.values().filter(|(name, _)| !name.is_empty());
        let names: Vec<&str> = named.clone().take(NAMED).map(|(name, _)| name.as_str()).collect();
        if !names.is_empty() {
            let all = named.count();
            let more =
                if all > names.len() { format!(" and {} more", all - names.len()) } else { String::new() };
            annotations.insert("members".into(), format!("{}{more}", names.join(", ")));
            annotations.insert("count".into(), all.to_string());
        }
        Notice {
            status: if ends_at.is_some() { Status::Resolved } else { Status::Firing },
            labels: self.labels.clone(),
            annotations,
            starts_at: self.since,
            ends_at,
        }
    }

    /// As the journal has it.
    pub fn to_json(&self) -> Value {
        let members: Map<String, Value> =
            self.members.iter().map(|(key, (name, at))| (key.clone(), json!([name, millis(*at)]))).collect();
        let why = |why: &Why| match why {
            Why::Silence(id) => json!({"silence": id.as_str()}),
            Why::Inhibited(by) => json!({"inhibited": by}),
        };
        json!({
            "labels": self.labels,
            "annotations": self.annotations,
            "since": millis(self.since),
            "pending": self.pending.map(millis),
            "last": millis(self.last),
            "count": self.count,
            "members": members,
            "told": self.told,
            "hush": self.hush.iter().map(why).collect::<Vec<_>>(),
        })
    }

    /// Reads what [`Alert::to_json`] gives.
    pub fn from_json(value: &Value) -> Option<Self> {
        let at = |key: &str| Some(time(value.get(key)?.as_u64()?));
        let members = value.get("members")?.as_object()?.iter().filter_map(|(key, member)| {
            let member = (member.get(0)?.as_str()?.to_owned(), time(member.get(1)?.as_u64()?));
            Some((key.clone(), member))
        });
        let why = |why: &Value| {
            let silence = why.get("silence").and_then(Value::as_str).and_then(SilenceId::parse);
            let by = || Some(Why::Inhibited(why.get("inhibited")?.as_str()?.to_owned()));
            silence.map(Why::Silence).or_else(by)
        };
        Some(Self {
            labels: labels(value.get("labels")?)?,
            annotations: labels(value.get("annotations")?)?,
            since: at("since")?,
            pending: at("pending"),
            last: at("last")?,
            count: value.get("count")?.as_u64()?,
            members: members.collect(),
            told: value.get("told")?.as_bool()?,
            hush: value.get("hush")?.as_array()?.iter().filter_map(why).collect(),
        })
    }
}

/// Labels of an object of texts.
pub(crate) fn labels(value: &Value) -> Option<Labels> {
    let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    value.as_object()?.iter().map(text).collect()
}
