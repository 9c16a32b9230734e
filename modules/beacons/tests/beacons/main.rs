//! Beacons beside stock's of the same names, run in stock's Python: their configurations, what they tell, when, and the functions that
//! change them.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod beside;
mod both;
mod functions;
mod real;
mod turns;
mod validate;
mod watched;
