//! The outputters of a few lines each: `txt`, `newline_values_only`, `no_return`, `overstatestage`, `virt_query`.

use super::pprint::pformat;
use super::python::{sorted, splitlines};
use super::{CannotPrint, Style};
use brine_core::Opts;
use brine_core::text::{python_repr, python_str};
use brine_protocol::{Map, Value};
use std::fmt::Write as _;

/// `key: line` for each line of each value.
pub(super) fn txt(data: &Value, _: &Opts, _: &Style) -> Result<String, CannotPrint> {
    let mut out = String::new();
    match data {
        Value::Map(map) => {
            for (key, value) in map {
                let key = python_str(key);
                let lines: Vec<String> = match value {
                    Value::Str(text) => splitlines(text, false).into_iter().map(str::to_owned).collect(),
                    Value::Bytes(bytes) => byte_lines(bytes),
                    other => vec![python_str(other)],
                };
                for line in lines {
                    let _infallible = writeln!(out, "{key}: {line}");
                }
            }
        }
        Value::Str(text) => {
            out.push_str(text);
            out.push('\n');
        }
        other => {
            out.push_str(&pformat(other, 1)?);
            out.push('\n');
        }
    }
    Ok(out)
}

/// `bytes.splitlines()`, each as Python shows it.
fn byte_lines(bytes: &[u8]) -> Vec<String> {
    let mut lines: Vec<&[u8]> = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(at) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')) else {
            lines.push(rest);
            break;
        };
        lines.push(&rest[..at]);
        rest = if rest[at..].starts_with(b"\r\n") { &rest[at + 2..] } else { &rest[at + 1..] };
    }
    lines.into_iter().map(|line| python_repr(&line.into())).collect()
}

/// The values of all minions, one a line.
pub(super) fn newline_values_only(data: &Value, _: &Opts, _: &Style) -> Result<String, CannotPrint> {
    let map = data.as_map().ok_or(CannotPrint::Data)?;
    let mut lines = Vec::new();
    for value in map.values() {
        match value {
            Value::List(items) => lines.extend(items.iter().map(python_str)),
            other => lines.push(python_str(other)),
        }
    }
    Ok(lines.join("\n"))
}

/// Minions that did not return.
pub(super) fn no_return(data: &Value, _: &Opts, style: &Style) -> Result<String, CannotPrint> {
    let mut out = String::new();
    missing(&mut out, data, 0, style)?;
    Ok(out)
}

fn missing(out: &mut String, value: &Value, indent: usize, style: &Style) -> Result<(), CannotPrint> {
    let colors = &style.colors;
    match value {
        Value::Str(text) => {
            for line in text.split('\n') {
                let _infallible = writeln!(out, "{}{:indent$}{line}{}", colors.red, "", colors.endc);
            }
        }
        Value::Map(map) => {
            for (key, value) in sorted(map).ok_or(CannotPrint::Data)? {
                let key = python_str(key);
                let _infallible = writeln!(out, "{}{:indent$}{key}{}:", colors.cyan, "", colors.endc);
                missing(out, value, indent + 4, style)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The stages of an orchestration.
pub(super) fn overstatestage(data: &Value, _: &Opts, style: &Style) -> Result<String, CannotPrint> {
    let (blue, endc) = (&style.colors.light_blue, &style.colors.endc);
    let mut out = String::new();
    let stages = match data {
        Value::List(stages) => stages.as_slice(),
        // Python finds nothing in these, and no stage in what else it can walk through.
        _ if !data.truthy() && matches!(data, Value::Map(_) | Value::Str(_) | Value::Bytes(_)) => &[],
        _ => return Err(CannotPrint::Data),
    };
    for stage in stages {
        for (name, stage) in stage.as_map().ok_or(CannotPrint::Data)? {
            let _infallible = writeln!(out, "{blue}{}: {endc}", python_str(name));
            let stage = match stage {
                Value::Map(stage) => stage,
                Value::List(_) | Value::Str(_) | Value::Bytes(_) if !stage.truthy() => continue,
                _ => return Err(CannotPrint::Data),
            };
            for (key, value) in sorted(stage).ok_or(CannotPrint::Data)? {
                let (key, value) = (python_str(key), python_str(value));
                let _infallible = writeln!(out, "    {blue}{key}: {value}{endc}");
            }
        }
    }
    Ok(out)
}

/// The virtual machines that the runner `virt.query` found. Stock looks for the machines below `data`, and for what
/// they are like beside it.
pub(super) fn virt_query(data: &Value, _: &Opts, _: &Style) -> Result<String, CannotPrint> {
    let map = |value: Option<&Value>| value.and_then(Value::as_map).cloned().ok_or(CannotPrint::Data);
    let mut out = String::new();
    for (host, listed) in &map(data.get("data"))? {
        let id = python_str(host);
        let _infallible = writeln!(out, "{id}");
        for machine in map(listed.get("vm_info"))?.keys() {
            let _infallible = writeln!(out, "  {}", python_str(machine));
            let info = data.as_map().and_then(|map| map.get_key(host)).and_then(|host| host.get("vm_info"));
            let info = map(info.and_then(Value::as_map).and_then(|all| all.get_key(machine)))?;
            machine_lines(&mut out, &id, &info).ok_or(CannotPrint::Data)?;
        }
    }
    Ok(out)
}

fn machine_lines(out: &mut String, host: &str, info: &Map) -> Option<()> {
    for (key, label) in [("cpu", "CPU"), ("mem", "Memory"), ("state", "State")] {
        if let Some(value) = info.get(key) {
            let _infallible = writeln!(out, "    {label}: {}", python_str(value));
        }
    }
    if let Some(graphics) = info.get("graphics") {
        let graphics = graphics.as_map()?;
        if graphics.get_str("type") == Some("vnc") {
            let port = python_str(graphics.get("port")?);
            let _infallible = writeln!(out, "    Graphics: vnc - {host}:{port}");
        }
    }
    fn line(out: &mut String, label: &str, value: &Value) {
        let _infallible = writeln!(out, "      {label}: {}", python_str(value));
    }
    if let Some(disks) = info.get("disks") {
        for (disk, about) in disks.as_map()? {
            let _infallible = writeln!(out, "    Disk - {}:", python_str(disk));
            line(out, "Size", about.get("disk size")?);
            line(out, "File", about.get("file")?);
            line(out, "File Format", about.get("file format")?);
        }
    }
    // What is empty has no cards, whatever it is.
    let empty =
        |nics: &Value| matches!(nics, Value::List(_) | Value::Str(_) | Value::Bytes(_)) && !nics.truthy();
    if let Some(nics) = info.get("nics").filter(|nics| !empty(nics)) {
        for (mac, about) in nics.as_map()? {
            let _infallible = writeln!(out, "    Nic - {}:", python_str(mac));
            line(out, "Source", about.get("source")?.as_map()?.values().next()?);
            line(out, "Type", about.get("type")?);
        }
    }
    Some(())
}
