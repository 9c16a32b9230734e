//! States of text at the end of a file, or at its beginning: `append`, `prepend`.

use super::common::{error, name_of};
use super::managed::outcome;
use super::texts::{Coding, chunks, diff_of, is_text, rendered, search, sources, unfit};
use brine_core::call::{Args, CallError, Cx, Given, Result, given};
use brine_core::difflib::unified_diff;
use brine_core::map;
use brine_core::posixpath::dirname;
use brine_core::state::Outcome;
use brine_core::text::{re_escape, splitlines};
use brine_core::Value;
use std::path::Path;

given! {
    /// See to it that a text is in a file, by putting it at its end.
    ///
    /// name: the file. text: a text or a list. makedirs: make the folders above it. source or sources: files whose rendered text
    /// is appended in the place of `text` (template, defaults, context; source_hash and source_hashes are accepted).
    /// ignore_whitespace: blanks may differ. encoding, encoding_errors: of the file.
    pub(super) fn append(
        name, text = (), makedirs = false, source = (), source_hash = (), template = "jinja", sources = (), source_hashes = (),
        defaults = (), context = (), ignore_whitespace = true, encoding = (), encoding_errors = "strict"
    ) => put_behind
}

given! {
    /// See to it that a text is in a file, by putting it at its beginning.
    ///
    /// As `append`; header: the text must be the first lines of the file.
    pub(super) fn prepend(
        name, text = (), makedirs = false, source = (), source_hash = (), template = "jinja", sources = (), source_hashes = (),
        defaults = (), context = (), header = (), encoding = (), encoding_errors = "strict"
    ) => put_in_front
}

/// What both need first: the file, and the texts. Or what comes of it already.
fn begin(cx: &Cx, given: &Given, name: &str, function: &str) -> Result<std::result::Result<Vec<String>, Outcome>> {
    if name.is_empty() {
        return Ok(Err(error(name, format!("Must provide name to file.{function}"))));
    }
    let sources = match sources(given) {
        Ok(sources) => sources,
        Err(why) => return Ok(Err(error(name, why))),
    };
    let folder = dirname(name);
    if given.value("makedirs") == Value::Bool(true) && !cx.test && !Path::new(folder).is_dir() {
        let owner = Args::none().with("path", name).with("user", ()).with("group", ()).with("mode", ());
        cx.call("file.makedirs", owner)?;
    }
    if let Some(why) = unfit(name) {
        let args = Args::positional([name]).with("makedirs", given.value("makedirs"));
        let touched = cx.call_state("file.touch", args)?;
        if cx.test {
            return Ok(Err(outcome(touched, name)));
        }
        if unfit(name).is_some() {
            return Ok(Err(error(name, why)));
        }
    }
    if !sources.is_empty() {
        return rendered(cx, given, &sources);
    }
    Ok(Ok(chunks(&given.value("text"))))
}

/// A pattern that a text matches whatever blanks are between its words.
fn whatever_blanks(text: &str) -> Result<String> {
    const BLANKS: &str = r"(?:[\s]+)?";
    let lines: String = splitlines(text, false)
        .into_iter()
        .map(|line| Ok(format!("{BLANKS}{}{BLANKS}", words(line)?.join(BLANKS))))
        .collect::<Result<_>>()?;
    Ok(format!("(?m)^{lines}$"))
}

/// The words of a line, as a lexer of Python's `shlex` that splits at blanks finds them, each escaped for a pattern.
fn words(line: &str) -> Result<Vec<String>> {
    // What quotes hold together is one word, unless the other quote is in the line, too.
    let quotes = match () {
        () if line.contains("'\\\"") => "",
        () if line.contains('\'') => "\"",
        () if line.contains('"') => "'",
        () => "'\"",
    };
    let (mut words, mut word, mut inside) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match inside {
            Some(quote) => {
                word.push(c);
                if c == quote {
                    inside = None;
                    words.push(std::mem::take(&mut word));
                }
            }
            None if matches!(c, ' ' | '\t' | '\r' | '\n') => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            None => {
                // Within a word a quote is a letter like others.
                if word.is_empty() && quotes.contains(c) {
                    inside = Some(c);
                }
                word.push(c);
            }
        }
    }
    if inside.is_some() {
        return Err(CallError::exception("ValueError", "No closing quotation"));
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words.iter().map(|word| re_escape(word)).collect())
}

fn correct(name: &str) -> String {
    format!("File {name} is in correct state")
}

fn put_behind(cx: &Cx, given: Given) -> Result<Outcome> {
    let name = name_of(&given);
    let texts = match begin(cx, &given, &name, "append")? {
        Ok(texts) => texts,
        Err(outcome) => return Ok(outcome),
    };
    let coding = Coding::of(&given);
    let text = coding.read(&name)?;
    let before: Vec<&str> = splitlines(&text, false);
    let mut new: Vec<&str> = Vec::new();
    for chunk in &texts {
        let pattern = if given.truthy("ignore_whitespace") { whatever_blanks(chunk)? } else { chunk.clone() };
        if !search(cx, &name, &pattern)? {
            new.extend(splitlines(chunk, false));
        }
    }
    // Lines are shown without their ends here, so that those of the head have two.
    let diff = |after: &[&str]| {
        if before == after {
            return map! {};
        }
        let text = if is_text(&name) {
            unified_diff(&before, after, ("", ""), 3).join("\n")
        } else {
            "Replace binary file".into()
        };
        map! {"diff" => text}
    };
    if cx.test {
        if new.is_empty() {
            return Ok(Outcome::ok(name.clone(), correct(&name)));
        }
        let changes = diff(&[before.clone(), new].concat());
        return Ok(
            Outcome::would(name.clone(), format!("File {name} is set to be updated")).with_changes(changes)
        );
    }
    let comment = if new.is_empty() {
        correct(&name)
    } else {
        let lines: Vec<Value> = new.iter().map(|line| Value::from(*line)).collect();
        cx.call("file.append", Args::positional([name.as_str()]).with("args", lines))?;
        format!("Appended {} lines", new.len())
    };
    let after = coding.read(&name)?;
    let changes = diff(&splitlines(&after, false));
    Ok(Outcome::ok(name.clone(), comment).with_changes(changes))
}

fn put_in_front(cx: &Cx, given: Given) -> Result<Outcome> {
    let name = name_of(&given);
    let texts = match begin(cx, &given, &name, "prepend")? {
        Ok(texts) => texts,
        Err(outcome) => return Ok(outcome),
    };
    let coding = Coding::of(&given);
    let before = coding.read(&name)?;
    let header = given.truthy("header");
    let mut new: Vec<&str> = Vec::new();
    for chunk in &texts {
        if header || !search(cx, &name, &whatever_blanks(chunk)?)? {
            new.extend(splitlines(chunk, false));
        }
    }
    let changes = |after: &str| diff_of(&name, &before, after);
    if cx.test {
        if new.is_empty() {
            return Ok(Outcome::ok(name.clone(), correct(&name)));
        }
        let front: String = new.iter().map(|line| format!("{line}\n")).collect();
        let outcome = Outcome::would(name.clone(), format!("File {name} is set to be updated"));
        return Ok(outcome.with_changes(changes(&format!("{front}{before}"))));
    }
    let lines: Vec<&str> = splitlines(&before, false);
    let there = header && lines.len() >= new.len() && lines[..new.len()] == new[..];
    if !there && !new.is_empty() {
        let mut args = vec![Value::from(name.as_str())];
        args.extend(new.iter().map(|line| Value::from(*line)));
        cx.call("file.prepend", Args::positional(args))?;
    }
    let after = coding.read(&name)?;
    let comment =
        if there || new.is_empty() { correct(&name) } else { format!("Prepended {} lines", new.len()) };
    Ok(Outcome::ok(name.clone(), comment).with_changes(changes(&after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_between_words_may_differ() {
        assert_eq!(whatever_blanks("a  b.c").unwrap(), r"(?m)^(?:[\s]+)?a(?:[\s]+)?b\.c(?:[\s]+)?$");
        assert_eq!(words("say 'a b' x").unwrap(), ["say", "'a", "b'", "x"]);
        assert_eq!(words("say \"a b\" x").unwrap(), ["say", "\"a", "b\"", "x"]);
        assert_eq!(words("it's \"a b\"c").unwrap(), ["it's", "\"a\\ b\"", "c"]);
        assert!(words("it's \"a").is_err());
    }
}
