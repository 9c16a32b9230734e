//! Alerts: events that matter, told to those to whom they matter, and kept quiet about where they were expected.
//!
//! What passes between the rooms here is a [`Notice`].

pub mod notice;

pub use notice::{Labels, Notice, Status};
