//! `local`: prints what it gets to standard output, to see what returners are given.

use crate::Returner;
use brine_core::call::{Cx, Result};
use brine_core::text::python_repr;
use brine_core::{Map, Value};
use std::io::Write;

pub(crate) static RETURNER: Returner = Returner {
    name: "local",
    doc: "Prints the return data to the console, to verify that it is passed properly. It has no options.\n\n\
          To use it: salt '*' test.ping --return local",
    returner: Some(returner),
    event_return: Some(event_return),
    ..Returner::NOTHING
};

fn returner(_: &Cx, ret: &Map) -> Result<()> {
    print(&Value::Map(ret.clone()))
}

fn event_return(_: &Cx, events: &[Value]) -> Result<()> {
    print(&Value::List(events.to_vec()))
}

fn print(value: &Value) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{}", python_repr(value))?)
}
