//! Salt's Jinja: what a template of Salt's sees beside Jinja2's own, and how its errors are told.

mod convert;
mod error;
mod excerpt;
mod jinja;
mod loader;
mod names;
mod options;
mod plain;
mod salt;
mod session;

pub use convert::{call_error, py_error};
pub use error::{RENDER_ERROR, render_error};
pub use excerpt::{MARKER, get_context};
pub use jinja::{JinjaRequest, render_jinja};
pub use names::sls_context;
pub use plain::Folder;
pub use session::{Live, Session};
