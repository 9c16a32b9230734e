//! A rule of the operator's own: which events raise an alert, what it says, and what ends it.

use std::time::Duration;

use brine_core::Value;

use super::{fixed, named};
use crate::Labels;
use crate::conf::{ConfError, Keys};
use crate::glob::Glob;
use crate::matcher::is_label;
use crate::text::{Expr, Text};

/// Alerts of one rule that there may be at once, unless told otherwise.
const LIMIT: usize = 1000;

/// What holds of all alerts of a rule, whoever raises them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `alertname`
    pub name: String,
    /// `severity`
    pub severity: String,
    /// How long it has to be so before it is told (`for`).
    pub hold: Duration,
    /// After how long without a word it is over.
    pub resolve_after: Option<Duration>,
    /// The labels by which alerts are taken together; each is told alone where this is none.
    pub group: Option<Vec<String>>,
    /// How many there may be at once; more are counted and told of together.
    pub limit: usize,
    /// Labels that all have.
    pub labels: Labels,
    /// Whether silences and other alerts can hold it back.
    pub hushable: bool,
}

impl Settings {
    /// Settings of a name and a severity, everything else as by default.
    pub fn new(name: &str, severity: &str) -> Self {
        Self {
            name: name.to_owned(),
            severity: severity.to_owned(),
            hold: Duration::ZERO,
            resolve_after: None,
            group: None,
            limit: LIMIT,
            labels: Labels::new(),
            hushable: true,
        }
    }

    /// Reads the keys that every rule can have, over what is there by default.
    pub(super) fn read(mut self, keys: &mut Keys<'_>) -> Result<Self, ConfError> {
        if let Some(severity) = keys.text("severity")? {
            self.severity = severity;
        }
        if let Some(hold) = keys.time("for")? {
            self.hold = hold;
        }
        if let Some(after) = keys.time("resolve_after")? {
            self.resolve_after = (!after.is_zero()).then_some(after);
        }
        if keys.value("group").is_some() {
            let group = keys.texts("group")?;
            if let Some(wrong) = group.iter().find(|name| !is_label(name)) {
                return Err(keys.error("group", format!("{wrong:?} is no name of a label")));
            }
            self.group = Some(group);
        }
        self.limit = keys.count("limit", self.limit, 1, 100_000)?;
        Ok(self)
    }
}

/// Which events are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Their tag fits one of these.
    pub tags: Vec<Glob>,
    /// This is true of them.
    pub when: Option<Expr>,
}

impl Condition {
    fn read(keys: &mut Keys<'_>) -> Result<Self, ConfError> {
        let tags: Vec<Glob> = keys.texts("tag")?.iter().map(|text| Glob::new(text)).collect();
        if tags.is_empty() {
            return Err(keys.error("tag", "is needed: a pattern of tags such as salt/job/*/ret/*"));
        }
        let when = keys.text("when")?.map(|text| Expr::new(&text)).transpose();
        Ok(Self { tags, when: when.map_err(|why| keys.error("when", why))? })
    }

    /// Whether a tag is one of these.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|glob| glob.fits(tag))
    }
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What holds of all its alerts.
    pub settings: Settings,
    /// What raises one.
    pub raise: Condition,
    /// What ends one whose labels are the same.
    pub resolve: Option<Condition>,
    /// Its labels.
    pub labels: Vec<(String, Text)>,
    /// What people read: `summary`, `description` and others.
    pub annotations: Vec<(String, Text)>,
}

impl Rule {
    /// Reads one.
    ///
    /// # Errors
    /// The first key that cannot be used, and why.
    pub fn read(value: &Value, at: &str) -> Result<Self, ConfError> {
        let mut keys = Keys::of(value, at)?;
        let name = keys.need("alert")?;
        if !is_label(&name) {
            return Err(keys.error("alert", "has to be a name of letters, digits and _"));
        }
        let settings = Settings::new(&name, "warning").read(&mut keys)?;
        let raise = Condition::read(&mut keys)?;
        let resolve = match keys.value("resolve") {
            None => None,
            Some(value) => {
                let mut own = Keys::of(value, &format!("{at}:resolve"))?;
                let resolve = Condition::read(&mut own)?;
                own.end()?;
                Some(resolve)
            }
        };
        if resolve.is_none() && settings.resolve_after.is_none() {
            return Err(keys.error("resolve", "is needed, or resolve_after: an alert has to end"));
        }
        let labels = texts(&mut keys, "labels", true)?;
        let mut annotations = texts(&mut keys, "annotations", false)?;
        for key in ["summary", "description"] {
            if let Some(text) = keys.text(key)? {
                let text = Text::new(&text).map_err(|why| keys.error(key, why))?;
                annotations.push((key.to_owned(), text));
            }
        }
        keys.end()?;
        Ok(Self { settings, raise, resolve, labels, annotations })
    }
}

fn texts(keys: &mut Keys<'_>, key: &str, labels: bool) -> Result<Vec<(String, Text)>, ConfError> {
    let mut all = Vec::new();
    for (name, text) in keys.pairs(key)? {
        let at = format!("{}:{key}:{name}", keys.at());
        if labels {
            named(&name).map_err(|why| ConfError::new(&at, why))?;
        }
        all.push((name, Text::new(&text).map_err(|why| ConfError::new(&at, why))?));
    }
    Ok(all)
}

/// Settings of an alert that is built in: those of every rule, and labels that are plain text.
pub(super) fn own(settings: Settings, keys: &mut Keys<'_>) -> Result<Settings, ConfError> {
    let mut settings = settings.read(keys)?;
    settings.labels.extend(fixed(keys, "labels")?);
    Ok(settings)
}
