//! Alerts: events that matter, told to those to whom they matter, and kept quiet about where they were expected.
//!
//! What passes between the rooms here is a [`Notice`]; it goes through the door [`Deliver`].
//!
//! 1. An [`Intake`] takes events off the bus by their tags, and a [`Worker`] looks at them on a thread of its own.
//! 2. [`builtin`] and [`rules`] make [`signal::Signal`]s of events; [`state`] makes alerts of those, and keeps them over a restart.
//! 3. [`core`] decides who is told: [`silence`]s and other alerts hold back.
//! 4. [`expected`] derives silences from what a job will disturb.
//! 5. [`sinks`] deliver, each from a [`queue`] on disk.

mod around;
pub mod builtin;
mod clock;
pub mod conf;
pub mod config;
pub mod core;
mod deliver;
pub mod event;
pub mod expected;
pub mod glob;
pub mod inventory;
mod json;
mod matcher;
pub mod notice;
pub mod pages;
pub mod queue;
pub mod rules;
pub mod signal;
pub mod silence;
pub mod sinks;
mod sites;
pub mod state;
pub mod stream;
pub mod text;
mod worker;

pub use around::Around;
pub use deliver::{Deliver, Delivery, NOWHERE};
pub use matcher::{Matcher, MatcherError, Op, is_label};
pub use notice::{Labels, Notice, Status};
pub use silence::{Silence, SilenceChange, SilenceId, Silences};
pub use worker::{Intake, Worker};
