//! What the tests of this crate share.

#![allow(clippy::unwrap_used, dead_code, reason = "a test, and none uses all of it")]

pub(crate) mod dump;
pub(crate) mod grammar;
pub(crate) mod program;
pub(crate) mod stock;
