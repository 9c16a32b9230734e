//! States of lines and of what matches: `line`, `replace`, `comment`, `uncomment`.

use super::common::{error, handed, name_of};
use super::texts::{Coding, changed, diff_of, search, unfit};
use brine_core::call::{Args, Cx, Given, Result, given};
use brine_core::map;
use brine_core::state::Outcome;
use brine_core::text::python_str;

given! {
    /// Manage one line of a file.
    ///
    /// name: the file. content: the line. mode: ensure, insert, replace or delete. match: which line is replaced or deleted, a regular
    /// expression or a part of it. before, after: the lines beside the new one. location: `start` or `end`, for insert. indent: as
    /// the line beside it. create, user, group, file_mode: for a file that is not there. show_changes: show a diff.
    /// backup: keep a copy. quiet: a missing file is no error.
    pub(super) fn line(
        name, content = (), match_ = (), mode = (), location = (), before = (), after = (), show_changes = true,
        backup = false, quiet = false, indent = true, create = false, user = (), group = (), file_mode = ()
    ) => manage_line
}

given! {
    /// Replace what matches a regular expression in a file.
    ///
    /// name: the file. pattern, repl: what is replaced, and with what. count: how often at most. flags: those of Python's `re`.
    /// append_if_not_found, prepend_if_not_found: add `not_found_content` or `repl` where nothing matches. backup: the end of the
    /// copy's name, or `False`. ignore_if_missing: a missing file is no error. backslash_literal: backslashes mean themselves.
    /// show_changes: show a diff. encoding: of the file. bufsize: files are read whole.
    pub(super) fn replace(
        name, pattern, repl, count = 0, flags = 8, bufsize = 1, append_if_not_found = false, prepend_if_not_found = false,
        not_found_content = (), backup = ".bak", show_changes = true, ignore_if_missing = false, backslash_literal = false,
        encoding = ()
    ) => manage_matches
}

given! {
    /// Comment out lines that match.
    ///
    /// name: the file. regex: which lines. char: the sign. backup: the end of the copy's name, or `False`. ignore_missing: it is
    /// no error if nothing matches. encoding, encoding_errors: of the file.
    pub(super) fn comment(
        name, regex, char = "#", backup = ".bak", ignore_missing = false, encoding = (), encoding_errors = "strict"
    ) => put_comment
}

given! {
    /// Take the comment sign from lines that match.
    ///
    /// name: the file. regex: which lines, without the sign. char: the sign. backup: the end of the copy's name, or `False`.
    pub(super) fn uncomment(name, regex, char = "#", backup = ".bak") => take_comment
}

fn manage_line(cx: &Cx, given: Given) -> Result<Outcome> {
    let name = name_of(&given);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.line"));
    }
    let managed = Args::positional([name.as_str()])
        .with("create", given.value("create"))
        .with("user", given.value("user"))
        .with("group", given.value("group"))
        .with("mode", given.value("file_mode"))
        .with("replace", false);
    cx.call_state("file.managed", managed)?;
    if let Some(why) = unfit(&name) {
        return Ok(error(&name, why));
    }
    let Some(mode) = given.text("mode").map(|mode| mode.to_lowercase()) else {
        return Ok(error(&name, "Mode was not defined. How to process the file?"));
    };
    if mode != "delete" && given.get("content").is_none() {
        return Ok(error(&name, "Content can only be empty if mode is ['delete']"));
    }
    let args = handed(
        Args::positional([name.clone().into(), given.value("content")]).with("mode", mode),
        &given,
        &["match", "location", "before", "after", "show_changes", "backup", "quiet", "indent"],
    );
    let diff = cx.call("file.line", args)?;
    Ok(changed(cx, &name, diff, "Changes would be made"))
}

fn manage_matches(cx: &Cx, given: Given) -> Result<Outcome> {
    let name = name_of(&given);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.replace"));
    }
    if let Some(why) = unfit(&name) {
        if given.truthy("ignore_if_missing") && why.contains("file not found") {
            return Ok(Outcome::ok(name, "No changes needed to be made"));
        }
        return Ok(error(&name, why));
    }
    let args = handed(
        Args::positional([name.clone().into(), given.value("pattern"), given.value("repl")]).with("dry_run", cx.test),
        &given,
        &[
            "count",
            "flags",
            "bufsize",
            "append_if_not_found",
            "prepend_if_not_found",
            "not_found_content",
            "backup",
            "show_changes",
            "ignore_if_missing",
            "backslash_literal",
            "encoding",
        ],
    );
    let diff = cx.call("file.replace", args)?;
    Ok(changed(cx, &name, diff, "Changes would have been made"))
}

/// The pattern without flags before it and without `^` and `$` around it. A text of several lines stays as it is.
fn unanchored(regex: &str) -> String {
    let text = regex.strip_suffix('\n').unwrap_or(regex);
    if text.contains('\n') {
        return regex.to_owned();
    }
    let mut inner = text;
    if let Some(flag) = inner.strip_prefix("(?").and_then(|rest| rest.split_once(')'))
        && flag.0.len() == 1
        && "iLmsux".contains(flag.0)
    {
        inner = flag.1;
    }
    inner = inner.strip_prefix('^').unwrap_or(inner);
    inner = inner.strip_suffix('$').unwrap_or(inner);
    format!("{inner}{}", &regex[text.len()..])
}

fn put_comment(cx: &Cx, given: Given) -> Result<Outcome> {
    let name = name_of(&given);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.comment"));
    }
    if let Some(why) = unfit(&name) {
        return Ok(error(&name, why));
    }
    let (regex, sign) = (python_str(&given.value("regex")), python_str(&given.value("char")));
    let inner = unanchored(&regex);
    let commented = format!("{sign}{inner}");
    if !search(cx, &name, &format!(r"^(?!\s*{sign})\s*{inner}"))? {
        if search(cx, &name, &commented)? {
            return Ok(Outcome::ok(name, "Pattern already commented"));
        }
        if given.truthy("ignore_missing") {
            return Ok(Outcome::ok(name, "Pattern not found and ignore_missing set to True"));
        }
        return Ok(error(&name, format!("{inner}: Pattern not found")));
    }
    finish(cx, &given, &name, true, &commented)
}

fn take_comment(cx: &Cx, given: Given) -> Result<Outcome> {
    let name = name_of(&given);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.uncomment"));
    }
    if let Some(why) = unfit(&name) {
        return Ok(error(&name, why));
    }
    let (regex, sign) = (python_str(&given.value("regex")), python_str(&given.value("char")));
    let inner = regex.trim_start_matches('^');
    let plain = format!("^[ \t]*{inner}");
    if !search(cx, &name, &format!("{sign}[ \t]*{inner}"))? {
        if search(cx, &name, &plain)? {
            return Ok(Outcome::ok(name, "Pattern already uncommented"));
        }
        return Ok(error(&name, format!("{regex}: Pattern not found")));
    }
    finish(cx, &given, &name, false, &plain)
}

/// Lets the lines be changed, and looks whether they are then as the pattern says.
fn finish(cx: &Cx, given: &Given, name: &str, cmnt: bool, wanted: &str) -> Result<Outcome> {
    if cx.test {
        let outcome = Outcome::would(name, format!("File {name} is set to be updated"));
        return Ok(outcome.with_changes(map! {name => "updated"}));
    }
    let coding = Coding::of(given);
    let before = coding.read(name)?;
    let args = [name.into(), given.value("regex"), given.value("char"), cmnt.into(), given.value("backup")];
    cx.call("file.comment_line", Args::positional(args))?;
    let after = coding.read(name)?;
    let done = search(cx, name, wanted)?;
    let comment = match (cmnt, done) {
        (true, true) => "Commented lines successfully",
        (true, false) => "Expected commented lines not found",
        (false, true) => "Uncommented lines successfully",
        (false, false) => "Expected uncommented lines not found",
    };
    Ok(Outcome { result: Some(done), ..Outcome::ok(name, comment) }.with_changes(diff_of(name, &before, &after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_and_flags_are_taken_off() {
        for (regex, inner) in
            [("^a$", "a"), ("(?i)^a", "a"), ("a", "a"), ("a$b", "a$b"), ("(?x)a", "a"), ("(?im)a", "(?im)a"), ("^", "")]
        {
            assert_eq!(unanchored(regex), inner, "{regex}");
        }
    }
}
