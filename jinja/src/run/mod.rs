//! Runs templates: the tree becomes code once ([`compile`]), and code runs on Python's objects.
//!
//! What is observable follows Jinja2's compiled Python: scopes ([`symbols`]), what macros see, lines in errors, contexts of imports.

mod activation;
mod assign;
mod blocks;
mod cache;
mod code;
mod compile;
mod each;
mod eval;
mod exec;
mod loops;
mod macros;
mod module;
mod others;
mod symbols;
mod template;
mod walk;

pub(crate) use activation::Activation;
pub(crate) use blocks::BlockCode;
pub use macros::Function;
pub use template::{Failure, Template, Trace};
