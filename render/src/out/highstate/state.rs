//! One state of a highstate: its block of lines, or its one terse line.

use super::summary::Tally;
use super::{CannotPrint, Result, Run};
use crate::out::color::Code;
use crate::out::pyformat::{self, Arg};
use crate::out::python::{equal, float, strip};
use crate::out::wrap;
use brine_core::text::python_str;
use brine_protocol::{Map, Value};

impl Run<'_> {
    /// Counts a state and adds its lines, if it is one to be shown. `name` is `module_|-id_|-name_|-function`.
    pub(super) fn state<'c>(
        &'c self,
        name: &Value,
        ret: &mut Map,
        tally: &mut Tally<'c>,
        lines: &mut Vec<String>,
        level: usize,
    ) -> Result<()> {
        let result = ret.get("result").cloned().unwrap_or_default();
        let names = if self.compress { compressed_names(name)? } else { 1 };
        tally.count(&result, names)?;
        tally.duration(ret)?;
        let is_run = Self::is_run(ret);
        let changes = ret.get_mut("changes").ok_or(CannotPrint::Data)?;
        let (changed, text) =
            if is_run { (true, self.run_changes(changes, level)?) } else { self.changes(changes)? };
        tally.changes += match changes {
            _ if is_run => 1,
            Value::Map(map) if changed && names > 1 => match map.get("compressed changes") {
                None => 1,
                Some(all) => length(all)?.max(1),
            },
            _ if changed && names > 1 => return Err(CannotPrint::Data),
            _ => usize::from(changed),
        };
        if (self.diff || !self.verbose) && result.truthy() && !changed {
            return Ok(());
        }
        let c = &self.style.colors;
        let mut color = if changed { &c.cyan } else { &c.green };
        if result == Value::Bool(false) {
            (tally.color, color) = (&c.red, &c.red);
        }
        if result.is_nil() {
            (tally.color, color) = (&c.light_yellow, &c.light_yellow);
        }
        let mode = self.mode.as_deref().ok_or(CannotPrint::Data)?;
        let mut comps: Vec<&str> = name.as_str().ok_or(CannotPrint::Data)?.split("_|-").collect();
        if mode.ends_with("_id") {
            let &[_, id, ..] = comps.as_slice() else { return Err(CannotPrint::Data) };
            *comps.get_mut(2).ok_or(CannotPrint::Data)? = id;
        }
        let terse = if mode.starts_with("filter") {
            let (exclude, terse) = self.filters();
            let shown = python_str(&result);
            let terse = holds(&terse, &shown)?;
            if !terse && holds(&exclude, &shown)? {
                return Ok(());
            }
            terse
        } else {
            mode.starts_with("terse")
                || (mode.starts_with("mixed") && result != Value::Bool(false))
                || (mode.starts_with("changes") && result.truthy() && !changed)
        };
        if terse {
            lines.push(self.terse(color, &comps, ret, &result)?);
            return Ok(());
        }
        self.full(color, &comps, ret, &text, lines)?;
        if let Some(warnings) = ret.get("warnings") {
            tally.warning();
            let text = wrap::fill(&joined(warnings)?, 80, 14);
            let text = text.trim_start_matches(crate::out::python::is_space);
            lines.push(format!("   {} Warnings: {text}{}", c.light_red, c.endc));
        }
        Ok(())
    }

    /// The block of a state, up to its changes.
    fn full(
        &self,
        color: &Code,
        comps: &[&str],
        ret: &mut Map,
        changes: &str,
        lines: &mut Vec<String>,
    ) -> Result<()> {
        let &[module, id, name, ..] = comps else { return Err(CannotPrint::Data) };
        let started = self.profile && ret.contains("start_time");
        let comment = comment(ret)?;
        ret.entry_or("start_time", || "".into());
        let duration = ret.entry_or("duration", || "".into());
        if duration.as_str() != Some("") {
            *duration = format!("{} ms", python_str(duration)).into();
        }
        let function = comps.get(3).ok_or(CannotPrint::Data)?;
        let end = &self.style.colors.endc;
        let shown = |key: &str| ret.get(key).map(python_str).unwrap_or_default();
        lines.push(format!("{color}----------{end}"));
        let mut line = |label: &str, text: &str| lines.push(format!("    {color}{label}: {text}{end}"));
        line("      ID", id);
        line("Function", &format!("{module}.{function}"));
        if id != name {
            line("    Name", name);
        }
        line("  Result", &shown("result"));
        line(" Comment", &comment);
        if started {
            line(" Started", &shown("start_time"));
            line("Duration", &shown("duration"));
        }
        lines.push(format!("{color}     Changes:   {changes}{end}"));
        Ok(())
    }

    /// The line of a state.
    fn terse(&self, color: &Code, comps: &[&str], ret: &Map, result: &Value) -> Result<String> {
        let &[module, _, name, ..] = comps else { return Err(CannotPrint::Data) };
        let function = comps.last().copied().unwrap_or_default();
        let verdict = match result {
            Value::Bool(false) => "Failed",
            Value::Nil => "Differs",
            _ if ret.get("changes").is_some_and(Value::truthy) => "Changed",
            _ => "Clean",
        };
        let c = &self.style.colors;
        let timed = self.profile && ret.contains("start_time");
        // Stock puts warnings into the template itself, so braces in them are fields, or errors.
        let warnings = |end: &str| match ret.get("warnings") {
            None => Ok(String::new()),
            Some(w) => joined(w).map(|w| format!("{}Warnings:\n{w}{}{end}", c.light_red, c.endc)),
        };
        let template = match self.opts.get("state_tabular") {
            Some(Value::Bool(true)) => {
                let times = if timed { "{6[start_time]!s} [{6[duration]!s:>7} ms] " } else { "" };
                format!("{}{{0}}{times}{{2:>10}}.{{3:<10}} {{4:7}}   Name: {{1}}{{5}}", warnings("\n")?)
            }
            Some(Value::Str(own)) => own.clone(),
            _ => {
                let times =
                    if timed { " - Started: {6[start_time]!s} - Duration: {6[duration]!s} ms" } else { "" };
                format!(
                    "{} {{0}} Name: {{1}} - Function: {{2}}.{{3}} - Result: {{4}}{times}{{5}}",
                    warnings("")?
                )
            }
        };
        let texts = [color, name, module, function, verdict, &c.endc];
        let mut args: Vec<Arg<'_>> = texts.into_iter().map(Arg::Text).collect();
        args.push(Arg::Map(ret));
        pyformat::format(&template, &args)
    }

    /// The results to leave out and those to show tersely: from the job's arguments, else the options.
    fn filters(&self) -> (Value, Value) {
        let given = self.opts.get("arg").and_then(Value::as_list).unwrap_or_default();
        let given = given.iter().rev().find(|arg| arg.get("__kwarg__").is_some());
        let list = |key: &str, option: &str| {
            let value = given.and_then(|given| given.get(key)).or_else(|| self.opts.get(option));
            match value {
                None => Value::List(Vec::new()),
                Some(Value::Str(text)) => text.split(',').collect(),
                Some(other) => other.clone(),
            }
        };
        (list("exclude", "state_output_exclude"), list("terse", "state_output_terse"))
    }
}

/// `text in container`.
fn holds(container: &Value, text: &str) -> Result<bool> {
    match container {
        Value::List(items) => Ok(items.iter().any(|item| equal(item, &text.into()))),
        Value::Map(map) => Ok(map.contains(text)),
        _ => Err(CannotPrint::Data),
    }
}

/// `len(value)`.
fn length(value: &Value) -> Result<usize> {
    match value {
        Value::List(items) => Ok(items.len()),
        Value::Map(map) => Ok(map.len()),
        Value::Str(text) => Ok(text.chars().count()),
        Value::Bytes(bytes) => Ok(bytes.len()),
        _ => Err(CannotPrint::Data),
    }
}

/// `"\n".join(value)`.
fn joined(value: &Value) -> Result<String> {
    let lines: Option<Vec<String>> = match value {
        Value::Str(text) => Some(text.chars().map(String::from).collect()),
        Value::List(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Value::Map(map) => map.keys().map(|key| key.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    lines.map(|lines| lines.join("\n")).ok_or(CannotPrint::Data)
}

/// The comment of a state with what its data add, its lines below each other. The return keeps it as text.
fn comment(ret: &mut Map) -> Result<String> {
    let comment = ret.get_mut("comment").ok_or(CannotPrint::Data)?;
    if comment.as_str().is_none() {
        *comment = python_str(comment).into();
    }
    let mut out = strip(comment.as_str().unwrap_or_default()).replace('\n', &format!("\n{:14}", ""));
    match ret.get("data") {
        None => {}
        Some(Value::List(items)) => {
            for item in items {
                out.push(' ');
                out.push_str(&python_str(item));
            }
        }
        Some(Value::Map(map)) => {
            for (key, value) in map {
                out.push_str(&format!("\n\t\t{}: {}", python_str(key), python_str(value)));
            }
        }
        Some(other) => {
            out.push(' ');
            out.push_str(&python_str(other));
        }
    }
    Ok(out)
}

/// How many names a compressed state stands for.
fn compressed_names(name: &Value) -> Result<i64> {
    let name = name.as_str().ok_or(CannotPrint::Data)?;
    if !name.contains("_|-state_compressed_") {
        return Ok(1);
    }
    let comps: Vec<&str> = name.split("_|-").collect();
    let &[_, id, _, _] = comps.as_slice() else { return Err(CannotPrint::Data) };
    let id = id.strip_suffix('\n').unwrap_or(id);
    let digits = id.strip_suffix(')').and_then(|id| id.rsplit_once('(')).map(|(_, digits)| digits);
    Ok(digits.filter(|d| d.bytes().all(|b| b.is_ascii_digit())).and_then(|d| d.parse().ok()).unwrap_or(1))
}

/// Python's text of the duration without its unit.
pub(super) fn milliseconds(value: &Value) -> Result<Option<f64>> {
    if let Some(number) = float(value) {
        return Ok(Some(number));
    }
    let text = value.as_str().ok_or(CannotPrint::Data)?;
    let text = text.split(" ms").next().unwrap_or_default();
    let number = float(&text.into());
    if number.is_none() {
        tracing::error!("Cannot parse a float from duration {text}");
    }
    Ok(number)
}
