//! What the option `alerts` says of alerts themselves: where labels come from, which rules there are, and how long a silence may be.
//! What it says of sinks is read by those.

mod builtin;
mod rule;

use std::time::Duration;

use brine_core::Value;

use crate::conf::{ConfError, Keys};
use crate::matcher::is_label;
use crate::silence::Terms;
use crate::{Labels, Matcher};

pub use builtin::{Builtin, Builtins, Conf};
pub use rule::{Condition, Rule, Settings};

/// The labels that inventories give.
const INVENTORY: [&str; 5] = ["site", "building", "rack", "role", "customer"];
/// How long minions have to come back, unless told otherwise.
const SETTLE: Duration = Duration::from_secs(60);
/// Rules that there may be.
const MOST_RULES: usize = 500;

/// Where the value of a label stands in what is known of a minion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In its pillar, at this path of keys.
    Pillar(String),
    /// In its grains, at this path of keys.
    Grains(String),
    /// At this path of its pillar, or else of its grains.
    Either(String),
}

/// Alerts that match `source` hold back those that match `target`, if both have the same values of the labels `equal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inhibit {
    /// Of the alert that holds others back.
    pub source: Vec<Matcher>,
    /// Of the alerts that it holds back.
    pub target: Vec<Matcher>,
    /// The labels that tell which of them.
    pub equal: Vec<String>,
}

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Labels of minions, and where they come from.
    pub labels: Vec<(String, Origin)>,
    /// The alerts that are built in.
    pub builtin: Builtins,
    /// Rules of the operator's own.
    pub rules: Vec<Rule>,
    /// Which alerts hold others back.
    pub inhibit: Vec<Inhibit>,
    /// How long silences may last.
    pub terms: Terms,
    /// How long minions have to come back after the master's start before they are missed.
    pub settle: Duration,
}

impl Config {
    /// Reads the keys that are for alerts.
    ///
    /// # Errors
    /// The first key that cannot be used, and why.
    pub fn read(keys: &mut Keys<'_>) -> Result<Self, ConfError> {
        let builtin = Builtins::read(keys.value("builtin"), &format!("{}:builtin", keys.at()))?;
        let rules = list(keys, "rules")?;
        if rules.len() > MOST_RULES {
            return Err(keys.error("rules", format!("has more than {MOST_RULES} rules")));
        }
        let rules =
            rules.iter().map(|(at, value)| Rule::read(value, at)).collect::<Result<Vec<Rule>, _>>()?;
        for (n, rule) in rules.iter().enumerate() {
            let name = &rule.settings.name;
            if Builtin::parse(name).is_some() || rules[..n].iter().any(|other| other.settings.name == *name) {
                let at = format!("{}:rules:{}:alert", keys.at(), n + 1);
                return Err(ConfError::new(at, format!("there is an alert {name} already")));
            }
        }
        let settle = keys.time("settle")?.unwrap_or(SETTLE);
        Ok(Self {
            labels: labels(keys)?,
            builtin,
            rules,
            inhibit: inhibits(keys)?,
            terms: terms(keys)?,
            settle,
        })
    }
}

impl Default for Config {
    /// As if nothing were said but that there are to be alerts.
    fn default() -> Self {
        let either = |name: &str| (name.to_owned(), Origin::Either(name.to_owned()));
        Self {
            labels: INVENTORY.into_iter().map(either).collect(),
            builtin: Builtins::default(),
            rules: Vec::new(),
            inhibit: vec![site_down()],
            terms: Terms::default(),
            settle: SETTLE,
        }
    }
}

/// That a site is down says all there is to say of its minions.
fn site_down() -> Inhibit {
    let is = |name: &str| Matcher::new("alertname", crate::Op::Is, name).into_iter().collect();
    Inhibit { source: is("SiteDown"), target: is("MinionDown"), equal: vec!["site".into()] }
}

/// The members of a list, and what each is called.
fn list<'a>(keys: &mut Keys<'a>, key: &str) -> Result<Vec<(String, &'a Value)>, ConfError> {
    match keys.value(key) {
        None => Ok(Vec::new()),
        Some(Value::List(all)) => Ok(all
            .iter()
            .enumerate()
            .map(|(n, value)| (format!("{}:{key}:{}", keys.at(), n + 1), value))
            .collect()),
        Some(_) => Err(keys.error(key, "has to be a list")),
    }
}

fn labels(keys: &mut Keys<'_>) -> Result<Vec<(String, Origin)>, ConfError> {
    if keys.value("labels").is_none() {
        return Ok(Config::default().labels);
    }
    let mut labels = Vec::new();
    for (name, from) in keys.pairs("labels")? {
        let at = || format!("{}:labels:{name}", keys.at());
        if !is_label(&name) || matches!(name.as_str(), "alertname" | "severity" | "minion") {
            return Err(ConfError::new(at(), "is no name that a label of an inventory can have"));
        }
        let path = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let origin = match from.split_once(':') {
            Some(("pillar", rest)) => path(rest).map(Origin::Pillar),
            Some(("grains", rest)) => path(rest).map(Origin::Grains),
            _ => path(&from).map(Origin::Either),
        };
        let why = "has to be a path of keys such as location:site, pillar:location:site or grains:site";
        labels.push((name.clone(), origin.ok_or_else(|| ConfError::new(at(), why))?));
    }
    Ok(labels)
}

/// Matchers of a list of texts.
fn matchers(keys: &mut Keys<'_>, key: &str) -> Result<Vec<Matcher>, ConfError> {
    let texts = keys.texts(key)?;
    if texts.is_empty() {
        return Err(keys.error(key, "needs at least one matcher such as alertname=SiteDown"));
    }
    texts.iter().map(|text| Matcher::parse(text).map_err(|e| keys.error(key, e.to_string()))).collect()
}

fn inhibits(keys: &mut Keys<'_>) -> Result<Vec<Inhibit>, ConfError> {
    let mut all = vec![site_down()];
    for (at, value) in list(keys, "inhibit")? {
        let mut one = Keys::of(value, &at)?;
        let source = matchers(&mut one, "source")?;
        let target = matchers(&mut one, "target")?;
        let equal = one.texts("equal")?;
        one.end()?;
        all.push(Inhibit { source, target, equal });
    }
    Ok(all)
}

fn terms(keys: &mut Keys<'_>) -> Result<Terms, ConfError> {
    let nothing = Value::Nil;
    let mut own = Keys::of(keys.value("silences").unwrap_or(&nothing), &format!("{}:silences", keys.at()))?;
    let default = Terms::default();
    let terms = Terms {
        longest: own.time("longest")?.unwrap_or(default.longest),
        longest_all: own.time("longest_all")?.unwrap_or(default.longest_all),
        keep: own.time("keep")?.unwrap_or(default.keep),
    };
    own.end()?;
    Ok(terms)
}

/// Labels whose values are the same for every alert of a rule.
fn fixed(keys: &mut Keys<'_>, key: &str) -> Result<Labels, ConfError> {
    let pairs = keys.pairs(key)?;
    for (name, _) in &pairs {
        named(name).map_err(|why| ConfError::new(format!("{}:{key}:{name}", keys.at()), why))?;
    }
    Ok(pairs.into_iter().collect())
}

/// Whether a rule may set a label of this name.
fn named(name: &str) -> Result<(), &'static str> {
    match name {
        "alertname" => Err("is the name of the rule"),
        "severity" => Err("has a key of its own, severity"),
        name if !is_label(name) => Err("is no name of a label"),
        _ => Ok(()),
    }
}
