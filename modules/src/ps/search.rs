//! Functions of `ps` that look for a name in what a tool prints.

use super::expression;
use crate::tools;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::{Value, text::python_str};

fn lines_with(text: &str, name: &str) -> Vec<String> {
    text.lines().filter(|l| l.contains(name)).map(str::to_owned).collect()
}

fn named(name: String, found: impl Into<Value>) -> Vec<Value> {
    vec![name.into(), found.into()]
}

/// Retrieve the lsof information of the given process name.
///
/// CLI Example: salt '*' ps.lsof apache2
#[exec]
fn lsof(cx: &Cx, name: Value) -> Result<Vec<Value>> {
    let name = python_str(&name);
    let out = tools::run(cx, &["lsof", "-c", &name])?;
    Ok(named(name, out))
}

/// Retrieve the netstat information of the given process name.
///
/// CLI Example: salt '*' ps.netstat apache2
#[exec]
fn netstat(cx: &Cx, name: Value) -> Result<Vec<Value>> {
    tools::require("netstat")?;
    let name = python_str(&name);
    let found = lines_with(&tools::run(cx, &["netstat", "-nap"])?, &name);
    Ok(named(name, found))
}

/// Retrieve the ss information of the given process name.
///
/// CLI Example: salt '*' ps.ss apache2
#[exec]
fn ss(cx: &Cx, name: Value) -> Result<Vec<Value>> {
    tools::require("ss")?;
    let name = python_str(&name);
    let found = lines_with(&tools::run(cx, &["ss", "-neap"])?, &name);
    Ok(named(name, found))
}

/// Retrieve information corresponding to a "ps aux" filtered with the given pattern, and how many lines there are.
///
/// CLI Example: salt '*' ps.psaux www-data.+apache2
#[exec]
fn psaux(cx: &Cx, name: Value) -> Result<Vec<Value>> {
    let name = python_str(&name);
    let (wanted, ourselves) = (expression(&name)?, expression("salt.+ps.psaux.+")?);
    let is = |regex: &brine_core::target::Regex, line: &str| {
        regex.is_match(line).map_err(|e| CallError::execution(e.to_string()))
    };
    let mut found = Vec::new();
    for line in tools::run(cx, &["ps", "aux"])?.lines() {
        if is(&wanted, line)? && !is(&ourselves, line)? {
            found.push(Value::from(line));
        }
    }
    let count = format!("{} occurrence(s).", found.len());
    Ok(vec![name.into(), found.into(), count.into()])
}
