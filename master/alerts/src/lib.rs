//! Alerts: events that matter, told to those to whom they matter, and kept quiet about where they were expected.
//!
//! What passes between the rooms here is a [`Notice`]; it goes through the door [`Deliver`].

pub mod conf;
mod deliver;
mod json;
mod matcher;
pub mod notice;
pub mod pages;
pub mod queue;
pub mod silence;
pub mod sinks;
pub mod stream;

pub use deliver::{Deliver, Delivery, NOWHERE};
pub use matcher::{Matcher, MatcherError, Op, is_label};
pub use notice::{Labels, Notice, Status};
pub use silence::{Silence, SilenceChange, SilenceId, Silences};
