//! Silences: what is not told for a while, since it was expected. Each ends by itself.
//!
//! What stands in one is here; [`Silences`] keeps them, one file each ([`file`]), and says whether an alert is silenced.

pub mod file;
mod id;
mod kept;

use std::time::{Duration, SystemTime};

use crate::{Labels, Matcher};

pub use id::SilenceId;
pub use kept::{SilenceError, Silences, Terms, check};

/// How far a silence reaches, and so how loud it is itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Everything: level 1. Itself an alert for as long as it stands.
    All,
    /// A place, by inventory labels: level 2. Kinds of alerts that are new to the place are told all the same.
    Place,
    /// What a job disturbs: level 3. Set by the master for the time of the job.
    Expected,
    /// What somebody chose.
    Manual,
}

impl Kind {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Place => "place",
            Self::Expected => "expected",
            Self::Manual => "manual",
        }
    }

    /// Reads what [`Kind::text`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::All, Self::Place, Self::Expected, Self::Manual].into_iter().find(|kind| kind.text() == text)
    }
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Which one. Setting one whose id is known changes that one.
    pub id: SilenceId,
    /// How far it reaches.
    pub kind: Kind,
    /// All must hold of an alert. Without any, every alert is meant.
    pub matchers: Vec<Matcher>,
    /// From when on.
    pub starts_at: SystemTime,
    /// Until when. One that is over is kept for a while, for reports.
    pub ends_at: SystemTime,
    /// Who wants it.
    pub author: String,
    /// Why.
    pub comment: String,
    /// The job that it was set for.
    pub job: Option<String>,
    /// The change that it belongs to.
    pub change_id: Option<String>,
}

impl Silence {
    /// A silence from now on, under a new id.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn new(kind: Kind, matchers: Vec<Matcher>, ttl: Duration, author: &str) -> std::io::Result<Self> {
        let now = crate::clock::now();
        Ok(Self {
            id: SilenceId::fresh()?,
            kind,
            matchers,
            starts_at: now,
            ends_at: now + ttl,
            author: author.to_owned(),
            comment: String::new(),
            job: None,
            change_id: None,
        })
    }

    /// Whether it stands at this time.
    pub fn stands(&self, now: SystemTime) -> bool {
        self.starts_at <= now && now < self.ends_at
    }

    /// Whether it is over at this time.
    pub fn is_over(&self, now: SystemTime) -> bool {
        self.ends_at <= now
    }

    /// Has it end now, also before it has begun.
    pub fn end(&mut self, now: SystemTime) {
        self.ends_at = now;
        self.starts_at = self.starts_at.min(now);
    }

    /// Whether an alert with these labels is meant, whenever it stands.
    pub fn covers(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|matcher| matcher.holds(labels))
    }

    /// Whether it leaves nothing out: it has no matchers, or none that leaves anything out.
    pub fn is_of_everything(&self) -> bool {
        self.matchers.iter().all(Matcher::takes_everything)
    }

    /// Its matchers in words.
    pub fn scope(&self) -> String {
        if self.matchers.is_empty() {
            return "all".into();
        }
        self.matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// What becomes of silences, for whoever has silences of his own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SilenceChange {
    /// It is new, or another than before.
    Set(Silence),
    /// It is over, by itself or since somebody ended it.
    Expired(SilenceId),
}
