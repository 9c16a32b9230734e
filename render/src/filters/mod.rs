//! The filters, tests and globals that Salt adds to Jinja2's, one file per theme.
//!
//! Salt's take the places of Jinja2's of the same name, but for `indent`.

mod data;
mod date;
mod dictkeys;
mod entries;
mod finalize;
mod format;
mod globals;
mod hash;
mod http;
mod iter;
mod jmespath;
pub(crate) mod kinds;
mod lists;
mod net;
mod path;
mod random;
mod regex;
mod text;
mod traverse;
mod undefined;
mod white;
mod xml;
mod yamltext;

pub use finalize::finalize;
pub use globals::globals;
pub use traverse::{find, traverse};

use brine_jinja::{Environment, State, Syntax, Table};
use brine_python::{Args, R, Signature, eq};
use std::rc::Rc;

thread_local! {
    static TABLES: (Rc<Table>, Rc<Table>) = build();
}

/// Filters and tests: Jinja2's and Salt's. Made once per thread.
pub fn tables() -> (Rc<Table>, Rc<Table>) {
    TABLES.with(Clone::clone)
}

fn build() -> (Rc<Table>, Rc<Table>) {
    let jinja = Environment::new(Syntax::default());
    let (mut filters, mut tests) = ((*jinja.filters).clone(), (*jinja.tests).clone());
    data::add(&mut filters);
    date::add(&mut filters);
    dictkeys::add(&mut filters);
    entries::add(&mut filters);
    format::add(&mut filters);
    hash::add(&mut filters);
    http::add(&mut filters);
    iter::add(&mut filters);
    jmespath::add(&mut filters);
    lists::add(&mut filters);
    net::add(&mut filters);
    path::add(&mut filters);
    random::add(&mut filters);
    regex::add(&mut filters, &mut tests);
    text::add(&mut filters);
    white::add(&mut filters);
    yamltext::add(&mut filters);
    tests.insert("equalto", equalto);
    tests.insert("list", lists::list_test);
    (Rc::new(filters), Rc::new(tests))
}

fn equalto(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("test_equalto", 0, &["value", "other"], 2);
    let a = SIG.bind(args)?;
    Ok(eq(a.at(0), a.at(1))?.into())
}
