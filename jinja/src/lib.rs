//! Jinja2's syntax: template text to a syntax tree, as Jinja2 3.1.6 reads it with Salt's tags. Nothing is evaluated here.
//!
//! [`parse`] takes text and the delimiters of a [`Syntax`] and gives a [`tree::Template`]: plain data that can be shared between
//! threads and kept for as long as the text is the same. Whether filters exist, or whether `break` stands in a loop, is asked by
//! what runs the tree, as in Jinja2.
//!
//! Text comes from anybody who may write a template, so [`Limits`] bound the work: depth and number of nodes are errors, never a
//! stack that overflows.

mod context;
mod env;
mod error;
mod filters;
mod globals;
mod lex;
mod markup;
mod parse;
mod run;
mod sandbox;
mod syntax;
mod tests;
pub mod tree;
mod undefined;

pub use context::Context;
pub use env::{Callee, Environment, Loader, Source, State, Table};
pub use error::{Error, ErrorKind};
pub use globals::{Method, is_namespace, table as globals};
pub use markup::{Markup, escape, has_html, html, is_markup, mark, soft_str};
pub use run::{Failure, Function, Template, Trace};
pub use syntax::{Limits, Newline, Syntax};
pub use undefined::{
    Behaviour, RUNTIME_ERROR, SECURITY_ERROR, UNDEFINED_ERROR, Undefined, is_undefined, type_repr,
};

/// Reads a template within the default [`Limits`].
///
/// # Errors
/// What Jinja2 would say of the text, with its line; or that `syntax` cannot be used; or that a limit was passed.
pub fn parse(source: &str, syntax: &Syntax) -> Result<tree::Template, Error> {
    parse_within(source, syntax, &Limits::default())
}

/// Reads a template within limits of the caller's choice.
///
/// # Errors
/// As [`parse`].
pub fn parse_within(source: &str, syntax: &Syntax, limits: &Limits) -> Result<tree::Template, Error> {
    syntax.check()?;
    if source.len() > limits.source {
        return Err(Error::limit(1, format!("the template is larger than {} bytes", limits.source)));
    }
    parse::template(source, syntax, limits)
}
