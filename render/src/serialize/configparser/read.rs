//! Lines to sections.

use super::{Pairs, Parser, error, put, shown, strip};
use brine_python::{PyErr, R, is_space};
use std::collections::HashSet;

/// Python's name of a text that has no file.
const NAME: &str = "'<???>'";

/// What is being read.
#[derive(Default)]
struct State {
    /// The section: none before the first header, an empty name within for the default one.
    section: Option<String>,
    option: Option<String>,
    /// The lines of values. None is a key without one.
    values: Vec<(String, String, Option<Vec<String>>)>,
    added: HashSet<(String, Option<String>)>,
    faults: Vec<(usize, String)>,
}

pub(super) fn read(parser: &mut Parser, text: &str) -> R<()> {
    let mut state = State::default();
    let mut level = 0;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        let number = i + 1;
        let comment = comment(parser, line);
        let value = strip(&line[..comment.unwrap_or(line.len())]).to_owned();
        if value.is_empty() {
            if !parser.empty_lines_in_values {
                level = usize::MAX;
            } else if comment.is_none()
                && let Some(Some(lines)) = current(&mut state)
            {
                lines.push(String::new());
            }
            continue;
        }
        let indent = line.chars().take_while(|c| is_space(*c)).count();
        if state.section.is_some() && state.option.is_some() && indent > level {
            match current(&mut state) {
                Some(Some(lines)) => lines.push(value),
                _ => {
                    let e = "'NoneType' object has no attribute 'append'";
                    return Err(PyErr::new(brine_python::Kind::AttributeError, e));
                }
            }
            continue;
        }
        level = indent;
        if let Some(header) = header(&value) {
            begin(parser, &mut state, header, number)?;
        } else if state.section.is_none() {
            return Err(error(
                "MissingSectionHeaderError",
                format!("File contains no section headers.\nfile: {NAME}, line: {number}\n{}", shown(line)),
            ));
        } else {
            option(parser, &mut state, &value, number, line)?;
        }
    }
    for (section, option, lines) in state.values {
        let value = lines.map(|lines| lines.join("\n").trim_end_matches(is_space).to_owned());
        let is_default = section == parser.default_section;
        let pairs = if is_default { Some(&mut parser.defaults) } else { parser.section(&section) };
        if let Some(pairs) = pairs {
            put(pairs, option, value);
        }
    }
    if state.faults.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> =
        state.faults.iter().map(|(number, line)| format!("\n\t[line {number:2}]: {}", shown(line))).collect();
    Err(error("ParsingError", format!("Source contains parsing errors: {NAME}{}", lines.concat())))
}

/// Where a comment begins.
fn comment(parser: &Parser, line: &str) -> Option<usize> {
    if parser.comment_prefixes.iter().any(|prefix| strip(line).starts_with(prefix.as_str())) {
        return Some(0);
    }
    let begins = |at: usize| at == 0 || line[..at].ends_with(is_space);
    let found =
        |prefix: &String| line.match_indices(prefix.as_str()).map(|(at, _)| at).find(|at| begins(*at));
    parser.inline_comment_prefixes.iter().filter_map(found).min()
}

/// `[name]`, whatever follows.
fn header(value: &str) -> Option<&str> {
    let body = value.strip_prefix('[')?;
    body.rfind(']').map(|end| &body[..end]).filter(|name| !name.is_empty())
}

/// The value that lines are added to.
fn current(state: &mut State) -> Option<&mut Option<Vec<String>>> {
    let (section, option) = (state.section.as_ref()?, state.option.as_ref()?);
    let found = state.values.iter_mut().rev().find(|(s, o, _)| s == section && o == option);
    found.map(|(.., lines)| lines)
}

fn begin(parser: &mut Parser, state: &mut State, name: &str, number: usize) -> R<()> {
    let key = (name.to_owned(), None);
    if parser.section(name).is_some() {
        if parser.strict && state.added.contains(&key) {
            return Err(error(
                "DuplicateSectionError",
                format!(
                    "While reading from {NAME} [line {number:2}]: section {} already exists",
                    shown(name)
                ),
            ));
        }
        state.added.insert(key);
    } else if name != parser.default_section {
        parser.sections.push((name.to_owned(), Pairs::new()));
        state.added.insert(key);
    }
    state.section = Some(name.to_owned());
    state.option = None;
    Ok(())
}

fn option(parser: &Parser, state: &mut State, value: &str, number: usize, line: &str) -> R<()> {
    let first = |delimiter: &String| value.find(delimiter.as_str()).map(|at| (at, delimiter.len()));
    let delimiter = parser.delimiters.iter().filter_map(first).min();
    let (name, text) = match delimiter {
        Some((at, len)) => (&value[..at], Some(strip(&value[at + len..]).to_owned())),
        None if parser.allow_no_value => (value, None),
        None => {
            state.faults.push((number, line.to_owned()));
            return Ok(());
        }
    };
    let name = name.trim_end_matches(is_space);
    if name.is_empty() {
        state.faults.push((number, line.to_owned()));
    }
    let name = name.to_lowercase();
    let section = state.section.clone().unwrap_or_default();
    let key = (section.clone(), Some(name.clone()));
    if !state.added.insert(key) && parser.strict {
        return Err(error(
            "DuplicateOptionError",
            format!(
                "While reading from {NAME} [line {number:2}]: option {} in section {} already exists",
                shown(&name),
                shown(&section)
            ),
        ));
    }
    state.values.push((section, name.clone(), text.map(|text| vec![text])));
    state.option = Some(name);
    Ok(())
}
