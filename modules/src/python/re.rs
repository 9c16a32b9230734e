//! Python's `re` for files: flags as states give them, patterns of text and of bytes.

use super::text::{from_latin1, latin1};
use brine_core::Value;
use brine_core::call::{CallError, Result};
use brine_core::target::{Anchor, Flags, Regex, RegexError, Template, TemplateError};
use brine_core::text::python_str;

/// Flags by name and number; the letter that Python has for each.
const NAMES: &[(i128, &str, &str)] = &[
    (1, "TEMPLATE", "T"),
    (2, "IGNORECASE", "I"),
    (4, "LOCALE", "L"),
    (8, "MULTILINE", "M"),
    (16, "DOTALL", "S"),
    (32, "UNICODE", "U"),
    (64, "VERBOSE", "X"),
    (128, "DEBUG", "DEBUG"),
    (256, "ASCII", "A"),
];

/// `re.MULTILINE`.
pub(crate) const MULTILINE: i128 = 8;

/// Flags as a number: given as one, as a name or as a list of names.
pub(crate) fn flags_of(given: &Value) -> Result<i128> {
    let names = match given {
        Value::Int(bits) => return Ok(*bits),
        Value::Bool(on) => return Ok(i128::from(*on)),
        Value::Str(_) => vec![given.clone()],
        Value::List(list) => list.clone(),
        other => {
            return Err(CallError::execution(format!(
                "Invalid re flags: \"{}\", must be given either as a single flag string, a list of strings, as an integer, or as \
                 an re flag",
                python_str(other)
            )));
        }
    };
    names.iter().try_fold(0, |bits, name| {
        let name = python_str(name);
        let upper = name.to_uppercase();
        match NAMES.iter().find(|(_, long, short)| *long == upper || *short == upper) {
            Some((bit, ..)) => Ok(bits | bit),
            None => Err(CallError::execution(format!("Invalid re flag given: {name}"))),
        }
    })
}

fn flags(bits: i128) -> Flags {
    let on = |bit: i128| bits & bit != 0;
    Flags { ignore_case: on(2), multiline: on(MULTILINE), dot_all: on(16), verbose: on(64), ascii: on(256) }
}

/// `re.error`, or what is too much work.
pub(crate) fn failed(e: RegexError) -> CallError {
    match e {
        RegexError::Invalid(why) => CallError::exception("error", why),
        RegexError::Steps => CallError::execution(e.to_string()),
    }
}

/// A pattern of text.
pub(crate) fn compile(pattern: &str, anchor: Anchor, bits: i128) -> Result<Regex> {
    Regex::for_files(pattern, anchor, flags(bits)).map_err(failed)
}

/// A pattern of bytes, for some bytes.
pub(crate) struct Bytes {
    regex: Regex,
    text: String,
    /// Whether each character of `text` is a byte.
    mapped: bool,
}

impl Bytes {
    /// Compiles a pattern to search these bytes with.
    pub(crate) fn new(pattern: &[u8], bits: i128, searched: &[u8]) -> Result<Self> {
        // Where no class can mean more than in ASCII, the engine may do what it does best.
        let plain = |bytes: &[u8]| bytes.iter().all(|b| b.is_ascii() && !(0x1c..=0x1f).contains(b));
        let mapped = !(plain(searched) && plain(pattern));
        let bits = if mapped { bits | 256 } else { bits };
        let regex = compile(&latin1(pattern), Anchor::Search, bits)?;
        if bits & 32 != 0 {
            return Err(CallError::exception("ValueError", "cannot use UNICODE flag with a bytes pattern"));
        }
        Ok(Self { regex, text: latin1(searched), mapped })
    }

    /// `re.search`.
    pub(crate) fn found(&self) -> Result<bool> {
        self.regex.is_match(&self.text).map_err(failed)
    }

    /// `re.subn`.
    pub(crate) fn replace(&self, repl: &[u8], most: usize) -> Result<(Vec<u8>, usize)> {
        let template = template(&latin1(repl), &self.regex)?;
        let (text, found) = self.regex.replace(&self.text, &template, most).map_err(failed)?;
        Ok((if self.mapped || !repl.is_ascii() { from_latin1(&text) } else { text.into_bytes() }, found))
    }
}

/// What matches are replaced with.
pub(crate) fn template(text: &str, regex: &Regex) -> Result<Template> {
    Template::read(text, regex).map_err(|e| match e {
        TemplateError::Bad(why) => CallError::exception("error", why),
        TemplateError::Unknown(why) => CallError::exception("IndexError", why),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_searched_one_by_one() {
        let sub = |pattern: &str, repl: &str, text: &str| {
            let (out, n) = Bytes::new(pattern.as_bytes(), 8, text.as_bytes())
                .unwrap()
                .replace(repl.as_bytes(), 0)
                .unwrap();
            (String::from_utf8(out).unwrap(), n)
        };
        assert_eq!(sub("é+", "e", "cafés"), ("cafes".into(), 1));
        assert_eq!(sub("f..s", "é", "cafés"), ("caé".into(), 1));
        assert_eq!(sub(r"\w+", "x", "caf é"), ("x é".into(), 1));
        assert_eq!(sub("^(a)", r"\1é", "a\na"), ("aé\naé".into(), 2));
        assert!(Bytes::new(b"a", 32, b"").is_err());
    }

    #[test]
    fn flags_by_name() {
        assert_eq!(flags_of(&vec!["MULTILINE", "i"].into()).unwrap(), 10);
        assert_eq!(flags_of(&"QQ".into()).unwrap_err().to_string(), "Invalid re flag given: QQ");
        assert!(flags_of(&1.5.into()).unwrap_err().to_string().starts_with("Invalid re flags: \"1.5\""));
    }
}
