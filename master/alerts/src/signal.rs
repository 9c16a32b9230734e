//! What a rule says of an event: that something is so, or is so no longer.

use crate::Labels;

/// Which rule: its place in the list of settings.
pub type RuleIndex = usize;

/// What a rule says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signal {
    /// Which rule.
    pub rule: RuleIndex,
    /// Whether it is so.
    pub on: bool,
    /// The rule's own labels; those of the inventory, `alertname` and `severity` are added.
    pub labels: Labels,
    /// What people read.
    pub annotations: Labels,
    /// Labels of the place that it is about; as those of an inventory, they may change without making another thing of it.
    pub place: Labels,
    /// The minion that it is about, whose inventory labels are added.
    pub minion: Option<String>,
    /// What makes the event the same when it comes again.
    pub event: Option<String>,
}

impl Signal {
    /// That something is so.
    pub fn on(rule: RuleIndex) -> Self {
        Self { rule, on: true, ..Self::default() }
    }

    /// That something is so no longer.
    pub fn off(rule: RuleIndex) -> Self {
        Self { rule, on: false, ..Self::default() }
    }

    /// With a label; its value may be a stranger's word.
    #[must_use]
    pub fn label(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.labels.insert(name.to_owned(), crate::text::tame(value.as_ref()));
        self
    }

    /// With a text for people.
    #[must_use]
    pub fn note(mut self, name: &str, value: &str) -> Self {
        self.annotations.insert(name.to_owned(), crate::text::tame(value));
        self
    }

    /// About a minion.
    #[must_use]
    pub fn about(mut self, minion: &str) -> Self {
        self.labels.insert("minion".to_owned(), minion.to_owned());
        self.minion = Some(minion.to_owned());
        self
    }

    /// At a place with these labels.
    #[must_use]
    pub fn at(mut self, place: Labels) -> Self {
        self.place = place;
        self
    }

    /// Of an event that may come again.
    #[must_use]
    pub fn of(mut self, event: Option<String>) -> Self {
        self.event = event;
        self
    }
}
