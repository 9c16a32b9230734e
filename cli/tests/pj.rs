//! `pj` as it is called: on Pallet Jack's own example, on repositories, and as hooks of git.

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "pj/around.rs"]
mod around;
#[path = "pj/export.rs"]
mod export;
#[path = "pj/hook.rs"]
mod hook;
#[path = "pj/look.rs"]
mod look;
#[path = "pj/make.rs"]
mod make;
#[path = "pj/pages.rs"]
mod pages;
