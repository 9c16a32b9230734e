//! Salt's Jinja: what a template of Salt's sees beside Jinja2's own, and how its errors are told.

mod convert;
mod session;

pub use convert::{call_error, py_error};
pub use session::{Live, Session};
