//! The door from what alerts are to where they are told: what rules make goes through it, what sinks deliver comes out of it.

use std::time::Duration;

use crate::{Notice, SilenceChange, SilenceId};

/// The label, and its value, of a notice that nobody is to be told of: it is only good for others to be held back by.
/// Alertmanager gets it, for its inhibit rules; no other sink does unless a route of its own asks for this very label.
pub const NOWHERE: (&str, &str) = ("route", "none");

/// What became of a notice at one sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The sink, by the name that the configuration gives it.
    pub sink: String,
    /// Whether the receiver has taken it; why not, otherwise.
    pub outcome: Result<(), String>,
}

/// Whoever delivers notices.
pub trait Deliver: Send + Sync + std::fmt::Debug {
    /// Takes a notice. Never waits for a receiver; when it returns, the notice is not forgotten over a restart.
    fn put(&self, notice: &Notice);

    /// Takes a change of the silences, for receivers that have silences of their own.
    fn silence(&self, change: &SilenceChange);

    /// Waits until receivers that have silences of their own have this one, or that long; whether all have it. At once true where no
    /// receiver has any.
    fn silence_stands(&self, _id: &SilenceId, _within: Duration) -> bool {
        true
    }

    /// What became of the last notice with this [`Notice::fingerprint`], for each sink that has it: delivered or given up.
    /// A sink where it still waits is not listed.
    fn deliveries(&self, fingerprint: &str) -> Vec<Delivery>;

    /// The sinks that are to get a notice, by name.
    fn meant(&self, notice: &Notice) -> Vec<String>;
}
