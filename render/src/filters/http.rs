//! `http_query`: the execution function `http.query`, called by a filter.

use crate::template::Session;
use brine_jinja::{State, Table};
use brine_python::{Args, R};

pub(super) fn add(table: &mut Table) {
    table.insert("http_query", http_query);
}

fn http_query(state: &State, args: &Args) -> R {
    Session::of_state(state)?.call("http.query", args)
}
