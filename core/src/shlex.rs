//! `shlex.split` with its POSIX rules, and `shlex.quote`.

use crate::CallError;

/// Splits a command line as `shlex.split(text)` does. Fails in Python's words on an open quote or escape.
///
/// # Errors
/// `ValueError`
pub fn split(text: &str) -> Result<Vec<String>, CallError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            // Python's shlex knows these four only; other blanks are part of a word.
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => {
                let next = chars.next().ok_or_else(|| error("No escaped character"))?;
                word.get_or_insert_default().push(next);
            }
            '\'' | '"' => quoted(&mut chars, c, word.get_or_insert_default())?,
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn quoted(chars: &mut std::str::Chars<'_>, quote: char, word: &mut String) -> Result<(), CallError> {
    loop {
        match chars.next().ok_or_else(|| error("No closing quotation"))? {
            c if c == quote => return Ok(()),
            '\\' if quote == '"' => {
                let next = chars.next().ok_or_else(|| error("No escaped character"))?;
                // Within double quotes a backslash escapes only the quote and itself.
                if next != '"' && next != '\\' {
                    word.push('\\');
                }
                word.push(next);
            }
            c => word.push(c),
        }
    }
}

fn error(text: &str) -> CallError {
    CallError::exception("ValueError", text)
}

/// Quotes a word for a POSIX shell as `shlex.quote` does.
pub fn quote(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(safe) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\"'\"'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_pythons() {
        for (text, words) in [
            ("", vec![]),
            ("  a  b\tc\n", vec!["a", "b", "c"]),
            ("a'b c'd", vec!["ab cd"]),
            ("''", vec![""]),
            (r#""a\"b\\c\d""#, vec![r#"a"b\c\d"#]),
            (r"a\ b '\n'", vec!["a b", r"\n"]),
            ("a#b # c", vec!["a#b", "#", "c"]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        assert_eq!(split("a 'b").unwrap_err().to_string(), "ValueError: No closing quotation");
        assert_eq!(split("a\\").unwrap_err().to_string(), "ValueError: No escaped character");
    }

    #[test]
    fn quoting_is_pythons() {
        for (word, quoted) in [("", "''"), ("a/b", "a/b"), ("a b", "'a b'"), ("it's", "'it'\"'\"'s'")] {
            assert_eq!(quote(word), quoted);
        }
    }
}
