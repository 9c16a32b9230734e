//! What the tests of this crate share.

#![allow(clippy::unwrap_used, reason = "a test")]

pub(crate) mod dump;
pub(crate) mod grammar;
pub(crate) mod stock;
