//! `highstate`: what a state run did, state by state, and its summary.
//!
//! Here: the envelopes around the data, and one minion's part. A state is in `state`, the end of a minion's part in
//! `summary`, the joining of states of one id in `compress`. Everything is linear in the size of the data.
//!
//! Stock's outputter changes the data while it prints, and where it falls over something that is no state return the
//! changed data are what the nested outputter then shows; so this one works on a copy, which the error carries.

mod changes;
mod compress;
mod state;
mod summary;

use super::pprint::pformat;
use super::python::{decode, sort_by, splitlines};
use super::{CannotPrint, Style};
use brine_core::Opts;
use brine_core::text::python_str;
use brine_protocol::{Map, Value};
use summary::Tally;

type Result<T> = std::result::Result<T, CannotPrint>;

/// Prints a highstate, of one minion or many.
pub(super) fn output(data: &Value, opts: &Opts, style: &Style) -> Result<String> {
    let mut work = data.clone();
    match Run::new(opts, style).page(&mut work, 1) {
        Ok(Page::Text(text)) => Ok(text),
        // A number has no text to print.
        Ok(Page::Number) | Err(_) => Err(CannotPrint::Changed(work)),
    }
}

/// What is made of a highstate, or of what stands in the place of one.
enum Page {
    Text(String),
    Number,
}

/// The options of one run.
struct Run<'a> {
    opts: &'a Opts,
    style: &'a Style,
    /// The style of the changes below a state.
    changes: Style,
    compress: bool,
    diff: bool,
    verbose: bool,
    pct: bool,
    profile: bool,
    /// `state_output` in small letters; none if it is no text.
    mode: Option<String>,
}

impl<'a> Run<'a> {
    fn new(opts: &'a Opts, style: &'a Style) -> Self {
        let mode = match opts.get("state_output") {
            None => Some("full".to_owned()),
            Some(value) => value.as_str().map(str::to_lowercase),
        };
        Self {
            opts,
            style,
            changes: Style { retcode: 0, nested_indent: 14, ..style.clone() },
            compress: opts.flag("state_compress_ids"),
            diff: opts.flag("state_output_diff"),
            verbose: opts.flag("state_verbose"),
            pct: opts.flag("state_output_pct"),
            profile: opts.flag("state_output_profile"),
            mode,
        }
    }

    /// A whole return; `level` is 1, or more within an orchestration.
    fn page(&self, data: &mut Value, level: usize) -> Result<Page> {
        let data = unwrap(data)?;
        let hosts = match data {
            Value::Bool(_) | Value::Int(_) => return Ok(Page::Number),
            Value::Str(text) => return Ok(Page::Text(std::mem::take(text))),
            Value::Nil => return Ok(Page::Text("None".into())),
            Value::Map(hosts) => hosts,
            _ => return Err(CannotPrint::Data),
        };
        let mut masters = 0;
        for key in hosts.keys() {
            masters += usize::from(key.as_str().ok_or(CannotPrint::Data)?.ends_with("_master"));
        }
        if masters == 1 {
            // That of an orchestration.
            hosts.remove("retcode");
        }
        match self.compress.then(|| compress::compress(hosts)).flatten() {
            None => self.hosts(hosts, level),
            Some(mut compressed) => {
                let page = self.hosts(&mut compressed.hosts, level);
                compressed.restore(hosts);
                page
            }
        }
    }

    fn hosts(&self, hosts: &mut Map, level: usize) -> Result<Page> {
        let mut parts = Vec::with_capacity(hosts.len());
        for (host, states) in hosts.iter_mut() {
            parts.push(self.host(host, states, level)?.0);
        }
        if parts.is_empty() {
            tracing::error!("Data passed to highstate outputter is not a valid highstate return: {{}}");
        }
        Ok(Page::Text(parts.join("\n")))
    }

    /// One minion: its text, and whether anything changed.
    fn host(&self, host: &Value, data: &mut Value, level: usize) -> Result<(String, bool)> {
        let host = python_str(&decode(host).ok_or(CannotPrint::Data)?);
        let c = &self.style.colors;
        let mut lines = vec![String::new()];
        let (color, changed) = match data {
            Value::Bool(_) | Value::Int(_) => {
                lines.push(format!("{}    {}{}", c.green, python_str(data), c.endc));
                (&c.cyan, true)
            }
            Value::Str(text) => {
                lines.extend(
                    splitlines(text, false)
                        .into_iter()
                        .map(|line| format!("{}    {line}{}", c.green, c.endc)),
                );
                (&c.cyan, true)
            }
            Value::List(errors) => {
                let red = &c.light_red;
                lines.push(format!("    {red}Data failed to compile:{}", c.endc));
                for error in errors {
                    let text = self.error(error)?;
                    lines.push(format!("{red}----------\n    {text}{}", c.endc));
                }
                (red, false)
            }
            Value::Map(states) => {
                let mut tally = Tally::new(&c.green);
                unordered(states, &mut lines)?;
                for (name, ret) in in_order(states)? {
                    self.state(name, ret, &mut tally, &mut lines, level)?;
                }
                self.summary(&host, &tally, &mut lines);
                (tally.color, tally.changes > 0)
            }
            _ => (&c.green, false),
        };
        lines[0] = format!("{color}{}:{}", self.safe(&host), c.endc);
        Ok((lines.join("\n"), changed))
    }

    /// One of the errors of a run that did not compile.
    fn error(&self, error: &Value) -> Result<String> {
        if !self.style.strip_colors {
            return Ok(python_str(error));
        }
        Ok(match decode(error).ok_or(CannotPrint::Data)? {
            Value::Str(text) => text.replace('\x1b', "?"),
            other => python_str(&other),
        })
    }

    fn safe(&self, text: &str) -> String {
        if self.style.strip_colors { text.replace('\x1b', "?") } else { text.to_owned() }
    }
}

/// The highstate within what runners and the job cache put around it.
fn unwrap(mut data: &mut Value) -> Result<&mut Value> {
    for key in ["return", "data"] {
        if data.get(key).is_some() {
            data = data.as_map_mut().and_then(|map| map.get_mut(key)).ok_or(CannotPrint::Data)?;
        }
    }
    let enveloped = match data.as_map() {
        Some(map) if map.len() == 1 => {
            let job = map.values().next();
            match job
                .filter(|job| job.get("jid").is_some() && job.get("fun").is_some())
                .and_then(Value::as_map)
            {
                Some(job) => match job.get("return") {
                    None => false,
                    Some(Value::Map(ret)) => ret.contains("data"),
                    Some(_) => return Err(CannotPrint::Data),
                },
                None => false,
            }
        }
        _ => false,
    };
    if enveloped {
        data = data
            .as_map_mut()
            .and_then(|map| map.iter_mut().next())
            .and_then(|(_, job)| job.as_map_mut()?.get_mut("return")?.as_map_mut()?.get_mut("data"))
            .ok_or(CannotPrint::Data)?;
    }
    Ok(data)
}

/// States that do not tell when they ran are shown before all others.
fn unordered(states: &Map, lines: &mut Vec<String>) -> Result<()> {
    for (name, info) in states.iter().rev() {
        let Value::Map(map) = info else { continue };
        if name.as_str() != Some("changes") && !map.is_empty() && !map.contains("__run_num__") {
            lines.push(
                "The State execution failed to record the order in which all states were executed. The state \
                 return missing data is:"
                    .into(),
            );
            lines.push(pformat(info, 1)?);
        }
    }
    Ok(())
}

/// The states in the order in which they ran.
fn in_order(states: &mut Map) -> Result<Vec<(&Value, &mut Map)>> {
    let mut found: Vec<(Value, &Value, &mut Map)> = Vec::with_capacity(states.len());
    for (name, info) in states.iter_mut() {
        if let Value::Map(info) = info
            && info.contains("result")
        {
            found.push((info.get("__run_num__").cloned().unwrap_or(Value::Int(0)), name, info));
        }
    }
    let mut order: Vec<usize> = (0..found.len()).collect();
    if !sort_by(&mut order, |i| &found[*i].0) {
        return Err(CannotPrint::Data);
    }
    let mut slots: Vec<_> = found.into_iter().map(|(_, name, info)| Some((name, info))).collect();
    Ok(order.into_iter().filter_map(|i| slots[i].take()).collect())
}
