//! `file.keyvalue`: lines of keys and values.

use super::common::{error, name_of};
use brine_core::call::{Cx, Given, Result, given};
use brine_core::state::Outcome;
use brine_core::text::{file_lines, python_str, python_type};
use brine_core::{Map, Value, map};
use brine_python::is_space;
use std::path::Path;

given! {
    /// Set values in a file of lines that are a key, a separator and a value.
    ///
    /// name: the file. key and value, or key_values: what is set. separator: between them. append_if_not_found,
    /// prepend_if_not_found: add what is not there. count: how many lines of a key are kept, below zero all. uncomment: signs
    /// that are taken from the beginning of lines. key_ignore_case, value_ignore_case: case does not count. show_changes: show a diff.
    /// ignore_if_missing: a missing file is no error. search_only is accepted and changes nothing, as in stock.
    pub(super) fn keyvalue(
        name, key = (), value = (), key_values = (), separator = "=", append_if_not_found = false, prepend_if_not_found = false,
        search_only = false, show_changes = true, ignore_if_missing = false, count = 1, uncomment = (), key_ignore_case = false,
        value_ignore_case = false
    ) => manage
}

/// What is wished for, and how lines are read.
struct Wish<'a> {
    pairs: &'a [(String, Value)],
    separator: &'a str,
    uncomment: Option<&'a str>,
    key_case: bool,
    value_case: bool,
}

/// The new lines, what is shown of the change, and how many were changed.
#[derive(Default)]
struct Edit {
    content: Vec<String>,
    diff: Vec<String>,
    changes: usize,
    /// How many lines of each key are still to come.
    left: Vec<i64>,
}

impl Wish<'_> {
    fn stripped<'l>(&self, line: &'l str) -> &'l str {
        match self.uncomment {
            Some(signs) => line.trim_start_matches(|c| signs.contains(c)),
            None => line.trim_start_matches(is_space),
        }
    }

    /// Reads one line, and adds what becomes of it.
    fn line(&self, edit: &mut Edit, given: &str) {
        let mut line = given.to_owned();
        let bare = self.stripped(given);
        let uncommented = bare.len() < given.len();
        let test = if self.key_case { bare.to_owned() } else { bare.to_lowercase() };
        for (at, (key, value)) in self.pairs.iter().enumerate() {
            let wanted = if self.key_case { key.clone() } else { key.to_lowercase() };
            if !test.starts_with(&wanted) {
                continue;
            }
            let working = if uncommented { self.stripped(&line).to_owned() } else { line.clone() };
            let Some((found, old)) = working.split_once(self.separator) else { continue };
            let same = if self.key_case { found == wanted } else { found.to_lowercase() == wanted };
            if !same {
                continue;
            }
            let (mut old, mut new) =
                (old.trim_matches(is_space).to_owned(), python_str(value).trim_matches(is_space).to_owned());
            if !self.value_case {
                (old, new) = (old.to_lowercase(), new.to_lowercase());
            }
            let left = edit.left[at];
            // What was commented out is to be set, as long as lines are wanted.
            let needed = if uncommented { left > 0 } else { left == 0 };
            let fits = old == new || uncommented && !needed;
            if !fits || needed {
                edit.diff.push(format!("- {line}"));
                line = String::new();
                if left != 0 {
                    line = format!("{found}{}{}\n", self.separator, python_str(value));
                    edit.diff.push(match value {
                        Value::Str(_) => format!("+ {line}"),
                        other => {
                            format!(
                                "+ {} (from {} type)\n",
                                line.trim_end_matches(is_space),
                                python_type(other)
                            )
                        }
                    });
                }
                edit.changes += 1;
            }
            if left > 0 {
                edit.left[at] -= 1;
            }
        }
        edit.content.push(line);
    }

    fn missing(&self, edit: &Edit) -> Vec<String> {
        let left = self.pairs.iter().zip(&edit.left).filter(|(_, left)| **left > 0);
        left.map(|((key, value), _)| format!("{key}{}{}\n", self.separator, python_str(value))).collect()
    }

    fn append(&self, edit: &mut Edit) {
        let lines = self.missing(edit);
        if lines.is_empty() {
            return;
        }
        edit.changes += lines.len();
        edit.diff.push("- <EOF>\n".into());
        edit.diff.extend(lines.iter().map(|line| format!("+ {line}")));
        edit.diff.push("+ <EOF>\n".into());
        edit.content.extend(lines);
    }

    fn prepend(&self, edit: &mut Edit) {
        for (at, line) in self.missing(edit).into_iter().enumerate() {
            if at == 0 {
                edit.diff.insert(0, "  <SOF>\n".into());
            }
            edit.diff.insert(1, format!("+ {line}"));
            edit.content.insert(0, line);
            edit.changes += 1;
        }
    }
}

/// What is to be set, or why that is not clear.
fn pairs(given: &Given) -> std::result::Result<Vec<(String, Value)>, &'static str> {
    if let (Some(key), Some(value)) = (given.get("key"), given.get("value")) {
        if matches!(given.get("key_values"), Some(Value::Map(_))) {
            return Err("file.keyvalue can not combine key_values with key and value");
        }
        return Ok(vec![(python_str(key), value.clone())]);
    }
    match given.set_to("key_values") {
        Some(Value::Map(map)) => Ok(map.iter().map(|(key, value)| (python_str(key), value.clone())).collect()),
        Some(_) => Err("file.keyvalue key and value not supplied and key_values is not a dictionary"),
        None => Err("file.keyvalue key and value not supplied and key_values is empty"),
    }
}

fn manage(cx: &Cx, given: Given) -> Result<Outcome> {
    let name = name_of(&given);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.keyvalue"));
    }
    let pairs = match pairs(&given) {
        Ok(pairs) => pairs,
        Err(why) => return Ok(error(&name, why)),
    };
    let Ok(bytes) = std::fs::read(&name) else {
        let comment = format!("unable to open {name}");
        return Ok(if given.truthy("ignore_if_missing") { Outcome::ok(name, comment) } else { error(&name, comment) });
    };
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let byte = e.as_bytes().get(at).copied().unwrap_or_default();
        let text = format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: invalid start byte");
        brine_core::CallError::exception("UnicodeDecodeError", text)
    })?;
    let separator = python_str(&given.value("separator"));
    let uncomment = given.text("uncomment");
    let wish = Wish {
        pairs: &pairs,
        separator: &separator,
        uncomment: uncomment.as_deref(),
        key_case: !given.truthy("key_ignore_case"),
        value_case: !given.truthy("value_ignore_case"),
    };
    let count = given.value("count").as_int().unwrap_or(1);
    let mut edit = Edit { left: vec![count; pairs.len()], ..Edit::default() };
    for line in file_lines(&text, true) {
        wish.line(&mut edit, line);
    }
    if given.truthy("append_if_not_found") {
        wish.append(&mut edit);
    } else if given.truthy("prepend_if_not_found") {
        wish.prepend(&mut edit);
    }
    if edit.changes == 0 {
        return Ok(Outcome::ok(name, ""));
    }
    let shown = given.truthy("show_changes");
    let changes = if shown { map! {"diff" => edit.diff.concat()} } else { Map::new() };
    if cx.test {
        let mut comment = format!("File {name} is set to be changed ({} lines)", edit.changes);
        if shown {
            comment.push_str(&format!("\nPredicted diff:\n\r\t\t{}", edit.diff.join("\r\t\t")));
        }
        return Ok(Outcome::would(name, comment).with_changes(changes));
    }
    if let Err(e) = brine_files::put_bytes(edit.content.concat().as_bytes(), Path::new(&name)) {
        tracing::debug!("{e}");
        return Ok(error(&name, format!("{name} not writable")).with_changes(changes));
    }
    Ok(Outcome::ok(name, format!("Changed {} lines", edit.changes)).with_changes(changes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(wish: &Wish, count: i64, text: &str) -> (String, String) {
        let mut edit = Edit { left: vec![count; wish.pairs.len()], ..Edit::default() };
        for line in file_lines(text, true) {
            wish.line(&mut edit, line);
        }
        (edit.content.concat(), edit.diff.concat())
    }

    #[test]
    fn values_are_set() {
        let pairs = [("a".to_owned(), Value::from(2))];
        let wish = Wish { pairs: &pairs, separator: "=", uncomment: Some("#"), key_case: true, value_case: true };
        assert_eq!(
            edited(&wish, 1, "#a=1\na=2\nab=3\n"),
            ("a=2\nab=3\n".into(), "- #a=1\n+ a=2 (from int type)\n- a=2\n".into())
        );
        assert_eq!(edited(&wish, -1, "a=1\na=x\n").0, "a=2\na=2\n");
    }
}
