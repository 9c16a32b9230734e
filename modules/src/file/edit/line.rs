//! `file.line`: one line of a file put in, replaced or taken out.

use super::put::{Inode, keep, write};
use super::{contents, diff};
use crate::python::path::{expanduser, realpath};
use crate::python::re::{compile, failed};
use crate::python::text::{is_space, utf8};
use brine_core::Value;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::clock::Clock;
use brine_core::target::Anchor;
use brine_core::text::{file_lines, splitlines};
use std::path::Path;

/// What is to be done, and where.
struct Edit {
    content: Option<String>,
    found: Option<Vec<String>>,
    location: Option<String>,
    before: Option<Vec<String>>,
    after: Option<Vec<String>>,
    indent: bool,
}

/// Edit a line of a file.
///
/// mode: ensure, replace, delete or insert
///
/// CLI Example: salt '*' file.line /etc/nsswitch.conf "networks:\tfiles dns" after="hosts:.*?" mode='ensure'
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
#[exec]
pub(in super::super) fn line(
    cx: &Cx,
    path: String,
    content: Option<String>,
    r#match: Option<String>,
    mode: Option<String>,
    location: Option<String>,
    before: Option<String>,
    after: Option<String>,
    #[default(true)] show_changes: bool,
    #[default(false)] backup: Value,
    #[default(false)] quiet: bool,
    #[default(true)] indent: bool,
) -> Result {
    let path = realpath(&expanduser(&path));
    if !Path::new(&path).is_file() {
        if quiet {
            return Ok(false.into());
        }
        return Err(CallError::execution(format!("File \"{path}\" does not exists or is not a file.")));
    }
    let mode = match mode.map(|mode| mode.to_lowercase()) {
        None => return Err(CallError::execution("Mode was not defined. How to process the file?")),
        Some(mode) if ["insert", "ensure", "delete", "replace"].contains(&mode.as_str()) => mode,
        Some(mode) => return Err(CallError::execution(format!("Unknown mode: \"{mode}\""))),
    };
    if mode != "delete" && content.is_none() {
        return Err(CallError::execution("Content can only be empty if mode is \"delete\""));
    }
    let was = utf8(contents(&path)?)?;
    let mut body: Vec<String> = file_lines(&was, true).into_iter().map(str::to_owned).collect();
    if body.last().is_some_and(|last| !eol(last).is_empty()) {
        body.push(String::new());
    }
    let wanted = match r#match.filter(|text| !text.is_empty()) {
        None if before.is_none() && after.is_none() => content.clone(),
        wanted => wanted,
    };
    let edit = Edit {
        found: matching(&body, wanted.as_deref())?,
        before: matching(&body, before.as_deref())?,
        after: matching(&body, after.as_deref())?,
        content,
        location: location.filter(|place| !place.is_empty()),
        indent,
    };
    if was.is_empty() && matches!(mode.as_str(), "delete" | "replace") {
        tracing::warn!("Cannot find text to {mode}. File '{path}' is empty.");
    }
    edit.apply(&mode, &mut body)?;
    finish(&mut body);
    let now = body.concat();
    let changed = was != now;
    if !changed {
        return Ok(false.into());
    }
    if backup.truthy() && !cx.test {
        let name = format!("{path}.{}", Clock::now().strftime("%Y-%m-%d-%H-%M-%S"));
        keep(&path, &name, Inode::Same, false).map_err(|e| {
            CallError::execution(format!("Unable to create the backup file of {path}. {}", e.text()))
        })?;
    }
    let shown = if show_changes { diff(&splitlines(&was, true), &body) } else { String::new() };
    if !cx.test {
        write(&path, now.as_bytes(), Inode::New)?;
    }
    Ok(if shown.is_empty() { true.into() } else { shown.into() })
}

/// The lines that a text is in, or that it matches as a regular expression. `None` where nothing is asked.
fn matching(lines: &[String], wanted: Option<&str>) -> Result<Option<Vec<String>>> {
    let Some(wanted) = wanted.filter(|text| !text.is_empty() && !lines.is_empty()) else { return Ok(None) };
    let named = |e: CallError| CallError::execution(format!("{}: '{wanted}'", e.text()));
    // `re.DOTALL`
    let regex = compile(wanted, Anchor::Search, 16).map_err(named)?;
    let mut found = Vec::new();
    for line in lines {
        if regex.is_match(line).map_err(failed).map_err(named)? || line.contains(wanted) {
            found.push(line.clone());
        }
    }
    Ok(Some(found))
}

/// The end of a line, if it has one.
fn eol(line: &str) -> &str {
    let bytes = line.as_bytes();
    let last = |end: usize| end == bytes.len() || (end + 1 == bytes.len() && bytes[end] == b'\n');
    for at in bytes.len().saturating_sub(3)..bytes.len() {
        let end = match bytes[at] {
            b'\n' if at == 0 || bytes[at - 1] != b'\r' => at + 1,
            b'\r' if bytes.get(at + 1) != Some(&b'\n') => at + 1,
            b'\r' => at + 2,
            _ => continue,
        };
        if last(end) {
            return &line[at..end];
        }
    }
    ""
}

/// A line that ends as another does.
fn ended_as(source: &str, line: &str) -> String {
    let end = eol(source);
    format!("{}{}", line.trim_end_matches(is_space), if end.is_empty() { "\n" } else { end })
}

/// Lines that have no end get one, except the last.
fn finish(body: &mut Vec<String>) {
    for at in 0..body.len() {
        if eol(&body[at]).is_empty() && at + 1 < body.len() {
            // The line before the one before, by stock's reckoning.
            let like = if at > 1 { at - 1 } else { 1 };
            body[at] = ended_as(&body[like], &body[at]);
        }
    }
    if body.last().is_some_and(String::is_empty) {
        body.pop();
    }
}

fn bare_line(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

fn once<'a>(found: &'a [String], name: &str) -> Result<&'a str> {
    let word = match found {
        [one] => return Ok(one),
        [] => "less than",
        _ => "more than",
    };
    Err(CallError::execution(format!("Found {word} expected occurrences in \"{name}\" expression")))
}

fn place(lines: &[String], line: &str) -> usize {
    lines.iter().position(|other| other == line).unwrap_or_default()
}

impl Edit {
    fn content(&self) -> &str {
        self.content.as_deref().unwrap_or_default()
    }

    /// The new line, indented as another.
    fn like(&self, source: &str) -> String {
        if !self.indent {
            return self.content().to_owned();
        }
        let indent = source.len() - source.trim_start_matches([' ', '\t']).len();
        format!("{}{}", &source[..indent], self.content().trim_start_matches(is_space))
    }

    fn is(&self, line: &str) -> bool {
        bare_line(line) == bare_line(self.content())
    }

    fn apply(&self, mode: &str, lines: &mut Vec<String>) -> Result<()> {
        let first = self.found.as_deref().unwrap_or_default().first();
        match (mode, first) {
            ("delete", Some(first)) => lines.retain(|line| line != first),
            ("replace", Some(first)) => {
                let at = place(lines, first);
                lines[at] = self.like(&lines[at]);
            }
            ("insert", _) => self.insert(lines)?,
            ("ensure", _) => self.ensure(lines)?,
            _ => {}
        }
        Ok(())
    }

    fn insert(&self, lines: &mut Vec<String>) -> Result<()> {
        match self.location.as_deref() {
            Some("end") => {
                let line = lines.last().map_or_else(|| self.content().to_owned(), |last| self.like(last));
                lines.push(line);
                return Ok(());
            }
            Some("start") => {
                let line = match lines.first() {
                    Some(first) => ended_as(first, self.content()),
                    None => format!("{}\n", self.content()),
                };
                lines.insert(0, line);
                return Ok(());
            }
            Some(_) => return Ok(()),
            None if self.before.is_none() && self.after.is_none() => {
                let text = "On insert either \"location\" or \"before/after\" conditions are required.";
                return Err(CallError::execution(text));
            }
            None => {}
        }
        let some = |found: &'_ Option<Vec<String>>| found.clone().filter(|found| !found.is_empty());
        match (some(&self.before), some(&self.after)) {
            (Some(before), Some(after)) => {
                let before = once(&before, "before")?;
                once(&after, "after")?;
                let at = place(lines, before);
                lines.insert(at, self.like(before));
            }
            (None, Some(after)) => {
                let after = once(&after, "after")?;
                let at = place(lines, after);
                if !lines.get(at + 1).is_some_and(|next| self.is(next)) {
                    lines.insert(at + 1, self.like(after));
                }
            }
            (Some(before), None) => {
                let before = once(&before, "before")?;
                let at = place(lines, before);
                // The line before the first is the last, as Python counts.
                let previous = at.checked_sub(1).unwrap_or(lines.len() - 1);
                if !self.is(&lines[previous]) {
                    lines.insert(at, self.like(before));
                }
            }
            (None, None) => {
                return Err(CallError::execution("Neither before or after was found in file"));
            }
        }
        Ok(())
    }

    fn ensure(&self, lines: &mut Vec<String>) -> Result<()> {
        let some = |found: &'_ Option<Vec<String>>| found.clone().filter(|found| !found.is_empty());
        match (some(&self.before), some(&self.after)) {
            (Some(before), Some(after)) => {
                let (after, before) = (once(&after, "after")?, once(&before, "before")?);
                let (from, to) = (place(lines, after), place(lines, before));
                if lines.iter().any(|line| line.trim_start_matches(is_space) == self.content()) {
                    return Ok(());
                }
                if from + 1 == to {
                    lines.insert(from + 1, self.like(after));
                } else if from + 2 == to {
                    lines[from + 1] = self.like(after);
                } else {
                    let text = "Found more than one line between boundaries \"before\" and \"after\".";
                    return Err(CallError::execution(text));
                }
            }
            (Some(before), None) => {
                let at = place(lines, once(&before, "before")?);
                if at == 0 || !self.is(&lines[at - 1]) {
                    let source = &lines[at.checked_sub(1).unwrap_or(lines.len() - 1)];
                    let line = self.like(source);
                    lines.insert(at, line);
                }
            }
            (None, Some(after)) => {
                let after = once(&after, "after")?;
                let at = place(lines, after);
                if !lines.get(at + 1).is_some_and(|next| self.is(next)) {
                    lines.insert(at + 1, self.like(after));
                }
            }
            (None, None) => {
                let text =
                    "Wrong conditions? Unable to ensure line without knowing where to put it before and/or after.";
                return Err(CallError::execution(text));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_found() {
        for (line, end) in
            [("a\n", "\n"), ("a\r\n", "\r\n"), ("a\r", "\r"), ("a", ""), ("a\n\n", "\n"), ("\r\n\n", "\r\n"), ("", "")]
        {
            assert_eq!(eol(line), end, "{line:?}");
        }
        assert_eq!(ended_as("x\r\n", "y  \n"), "y\r\n");
    }

    #[test]
    fn ensured_lines_stand_between_others() {
        let lines = |text: &str| file_lines(text, true).into_iter().map(str::to_owned).collect::<Vec<_>>();
        let mut body = lines("  after\nbefore\n");
        let edit = Edit {
            content: Some("new".into()),
            found: None,
            location: None,
            before: Some(vec!["before\n".into()]),
            after: Some(vec!["  after\n".into()]),
            indent: true,
        };
        edit.apply("ensure", &mut body).unwrap();
        finish(&mut body);
        assert_eq!(body.concat(), "  after\n  new\nbefore\n");
    }
}
