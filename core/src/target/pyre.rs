//! Python's `re` on top of `fancy-regex`: the syntax is translated where the two differ, and work is bounded.
//!
//! The translation is in `pyre_syntax`. It is not a full one: what Python rejects may be accepted, but what both accept means the same. A match that
//! would take more steps than the bound counts as an error, so callers can deny.

use super::pyre_syntax::{DOLLAR, Translation};
use std::fmt;

/// How long a pattern may be, in bytes.
const MAX_PATTERN: usize = 16 * 1024;
/// How often the engine may step back in one match.
const BACKTRACKS: usize = 200_000;
/// How much memory a compiled pattern may take, in bytes.
const SIZE: usize = 4 << 20;

/// Where a match must begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Anywhere: Python's `re.search`.
    Search,
    /// At the start: Python's `re.match`.
    Match,
    /// The whole text: Python's `re.fullmatch`.
    Full,
}

/// Why a pattern is not usable, or a match could not be decided.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RegexError {
    /// Not a regular expression.
    #[error("invalid regular expression: {0}")]
    Invalid(String),
    /// The match took more steps than allowed.
    #[error("regular expression takes too many steps")]
    Steps,
}

/// A compiled pattern.
pub struct Regex {
    /// For text that does not end in a line end: there `$` is the end of text.
    plain: fancy_regex::Regex,
    /// For text that does: there `$` also matches before the line end. Absent if that makes no difference.
    before_newline: Option<String>,
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regex({})", self.plain.as_str())
    }
}

impl Regex {
    /// Compiles a Python pattern.
    pub fn new(pattern: &str, anchor: Anchor) -> Result<Self, RegexError> {
        if pattern.len() > MAX_PATTERN {
            return Err(RegexError::Invalid("pattern is too long".into()));
        }
        let translated = Translation::of(pattern)?;
        let around = |body: &str| {
            let start = if anchor == Anchor::Search { "" } else { r"\A" };
            let end = if anchor == Anchor::Full { r"\z" } else { "" };
            // In verbose mode a comment would swallow what follows on the line.
            let line = if translated.verbose { "\n" } else { "" };
            format!("{start}(?:{body}{line}){end}")
        };
        let plain = compile(&around(&translated.text.replace(DOLLAR, "$")))?;
        let before_newline = (translated.text.contains(DOLLAR) && !translated.multiline)
            .then(|| around(&translated.text.replace(DOLLAR, r"(?=\n?\z)")));
        Ok(Self { plain, before_newline })
    }

    /// Whether text matches.
    pub fn is_match(&self, text: &str) -> Result<bool, RegexError> {
        let steps = |_| RegexError::Steps;
        match &self.before_newline {
            Some(pattern) if text.ends_with('\n') => compile(pattern)?.is_match(text).map_err(steps),
            _ => self.plain.is_match(text).map_err(steps),
        }
    }
}

fn compile(pattern: &str) -> Result<fancy_regex::Regex, RegexError> {
    fancy_regex::RegexBuilder::new(pattern)
        .backtrack_limit(BACKTRACKS)
        .delegate_size_limit(SIZE)
        .delegate_dfa_size_limit(SIZE)
        .build()
        .map_err(|e| RegexError::Invalid(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(pattern: &str, text: &str) -> bool {
        Regex::new(pattern, Anchor::Match).unwrap().is_match(text).unwrap()
    }

    #[test]
    fn pythons_dialect() {
        for (pattern, text) in [
            ("web", "web1"),
            ("web1$", "web1\n"),
            (r"web1\Z", "web1"),
            ("[[a]x", "[x"),
            ("[]a]", "]"),
            ("[a&&b]{2}", "&b"),
            ("a{,2}$", "aa"),
            ("a{x}", "a{x}"),
            (r"(?P<n>a)(?P=n)", "aa"),
            (r"(a)\1", "aa"),
            ("(?i)WEB", "web"),
            ("(?x) w e b # comment", "web"),
            ("(?!db)", "web"),
            ("(?#note)a", "a"),
            (r"\x41\u0042", "AB"),
            (r"[\w-]+\.example\.com", "a-b.example.com"),
            (r"\<", "<"),
            ("(?u)a", "a"),
            ("web(1|2)", "web2"),
            ("^web", "web"),
            (r"\d+", "\u{0663}"),
        ] {
            assert!(hit(pattern, text), "{pattern:?} {text:?}");
        }
        for (pattern, text) in
            [("eb", "web"), (r"web1\Z", "web1\n"), (r"(?a)\d", "\u{0663}"), ("[a&&b]", "c")]
        {
            assert!(!hit(pattern, text), "{pattern:?} {text:?}");
        }
        for pattern in [
            ")(?=1", "a)|(?:b", "^*", "a**", "a{2}{3}", "(?:a", "{2}", "(", "*a", "[a", r"\h", "(?<n>a)",
            "a(?i)b", r"a\", "(?P>n)",
        ] {
            assert!(Regex::new(pattern, Anchor::Match).is_err(), "{pattern:?}");
        }
        assert!(Regex::new("a|ab", Anchor::Full).unwrap().is_match("ab").unwrap());
    }

    #[test]
    fn work_is_bounded() {
        let evil = Regex::new(r"(a|b|ab)*(?=c)\1", Anchor::Match).unwrap();
        let start = std::time::Instant::now();
        assert_eq!(evil.is_match(&"ab".repeat(2000)), Err(RegexError::Steps));
        assert!(start.elapsed().as_secs() < 5);
        assert!(Regex::new("((a{1000}){1000}){1000}", Anchor::Match).is_err());
        assert!(Regex::new(&"a".repeat(MAX_PATTERN + 1), Anchor::Match).is_err());
    }
}
