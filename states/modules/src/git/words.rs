//! What these states say, in stock's words.

use brine_core::call::CallError;
use brine_core::state::Outcome;
use brine_core::Value;

/// Several comments as one text.
pub(super) fn joined(comments: &[String]) -> String {
    let mut text = comments.join(". ");
    if comments.len() > 1 {
        text.push('.');
    }
    text
}

/// What a failed command said, without the command.
pub(super) fn stripped(e: &CallError) -> String {
    let text = e.text();
    let first = text.split('\n').next().unwrap_or_default();
    if !first.starts_with("Command '") && !first.starts_with("Command \"") {
        return text;
    }
    let end = ["' failed: ", "\" failed: "].iter().filter_map(|end| Some(first.rfind(end)? + end.len())).max();
    match end {
        Some(end) if end > "Command 'x' failed: ".len() - 1 => text[end..].to_owned(),
        _ => text,
    }
}

/// The text of any error, as these states show it.
pub(super) fn shown(e: &CallError) -> String {
    if e.is_execution() { stripped(e) } else { e.text() }
}

/// The first seven letters of a commit.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// The first seven letters of a commit, `None` as Python shows it where there is none.
pub(super) fn short_or_none(commit: Option<&str>) -> &str {
    commit.map_or("None", short)
}

/// The end of a state that failed.
pub(super) fn fail(ret: &Outcome, text: impl Into<String>, comments: &[String]) -> Outcome {
    let mut text = text.into();
    if !comments.is_empty() {
        text += &format!("\n\nChanges already made: {}", joined(comments));
    }
    Outcome { result: Some(false), comment: text.into(), ..ret.clone() }
}

/// The end of a state that would change something.
pub(super) fn would(ret: &Outcome, text: impl Into<Value>) -> Outcome {
    Outcome { result: None, comment: text.into(), ..ret.clone() }
}

/// The end of a state whose repository is as wished.
pub(super) fn up_to_date(ret: &Outcome, test: bool, target: &str, comments: &[String], local_changes: bool) -> Outcome {
    let mut text = format!("Repository {target} is up-to-date");
    if local_changes {
        text += ", but with uncommitted changes. Set 'force_reset' to True to purge uncommitted changes.";
    }
    Outcome { comment: with_changes(text, test, comments).into(), ..ret.clone() }
}

/// Text, and what was changed or would be.
pub(super) fn with_changes(mut text: String, test: bool, comments: &[String]) -> String {
    if !comments.is_empty() {
        let would = if test { "that would be " } else { "" };
        text += &format!("\n\nChanges {would}made: {}", joined(comments));
    }
    text
}

/// Python's error for a part of something that is not there.
pub(super) fn no_part() -> CallError {
    CallError::exception("TypeError", "'NoneType' object is not subscriptable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_not_shown() {
        let e = CallError::execution("Command 'git x' failed: fatal: 'y' failed: no\nmore");
        assert_eq!(stripped(&e), "no\nmore");
        assert_eq!(stripped(&CallError::execution("Command 'git x' failed")), "Command 'git x' failed");
        assert_eq!(joined(&["a".into(), "b".into()]), "a. b.");
        assert_eq!(short_or_none(None), "None");
    }
}
