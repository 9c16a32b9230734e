//! The lines around an error.

use brine_python::{Args, Obj, call_method};

/// Lines before and after.
const AROUND: usize = 5;
/// Characters of a line that are shown, so that an error stays one that can be read.
const WIDTH: usize = 10_000;
/// What marks the line.
pub const MARKER: &str = "    <======================";

/// Stock's `get_context`: the lines around line `line`, which is from 1, with a mark at it.
pub fn get_context(text: &str, line: usize, marker: &str) -> String {
    let lines = lines(text);
    if line > lines.len() {
        return text.to_owned();
    }
    let start = line.saturating_sub(AROUND + 1);
    let end = lines.len().min(line + AROUND);
    let mut shown: Vec<String> = Vec::new();
    if start > 0 {
        shown.push("[...]".into());
    }
    let first = shown.len();
    shown.extend(lines[start..end].iter().map(|line| match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}[...]", &line[..end]),
        None => line.clone(),
    }));
    if end < lines.len() {
        shown.push("[...]".into());
    }
    // A line of 0 is the one before the first: Python takes the last then.
    let at = match (line + first).checked_sub(start + 1) {
        Some(at) => at,
        None => shown.len().saturating_sub(1),
    };
    if let Some(marked) = shown.get_mut(at) {
        marked.push_str(marker);
    }
    format!("---\n{}\n---", shown.join("\n"))
}

/// Python's `splitlines`.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let lines = call_method(&Obj::str(text), "splitlines", &Args::default()).unwrap_or_default();
    lines.sequence().unwrap_or_default().iter().filter_map(|l| l.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_lines_around() {
        let text = (1..=20).map(|n| format!("line {n}\n")).collect::<String>();
        assert_eq!(get_context("a\nb", 1, "<"), "---\na<\nb\n---");
        assert_eq!(
            get_context(&text, 10, "<"),
            "---\n[...]\nline 5\nline 6\nline 7\nline 8\nline 9\nline 10<\nline 11\nline 12\nline 13\nline 14\nline 15\n[...]\n---"
        );
        assert_eq!(get_context("a", 7, "<"), "a");
    }
}
