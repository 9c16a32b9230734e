//! Python's `re` on top of `fancy-regex`: the syntax is translated where the two differ, and work is bounded.
//!
//! The translation is in `pyre_syntax`. It is not a full one: what Python rejects may be accepted, but what both accept means the same. A match that
//! would take more steps than the bound counts as an error, so callers can deny.

use super::pyre_syntax::{DOLLAR, Translation};
use super::pyre_template::Template;
use std::fmt;
use std::sync::OnceLock;

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

/// Flags that are given beside a pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// `re.I`
    pub ignore_case: bool,
    /// `re.M`
    pub multiline: bool,
    /// `re.S`
    pub dot_all: bool,
    /// `re.X`
    pub verbose: bool,
    /// `re.A`: classes and the ends of words are those of ASCII, as in patterns of bytes.
    pub ascii: bool,
}

/// How much a pattern may cost.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    pattern: usize,
    backtracks: usize,
    size: usize,
}

/// For patterns that come from elsewhere, and for those that templates make.
const STRICT: Bounds = Bounds { pattern: MAX_PATTERN, backtracks: BACKTRACKS, size: SIZE };
/// For patterns that states and commands bring to search whole files with.
const WIDE: Bounds = Bounds { pattern: 16 << 20, backtracks: 500_000_000, size: 256 << 20 };

/// Where groups are in a text, in bytes: first the whole match; `None` for a group that took no part.
pub type Spans = Vec<Option<(usize, usize)>>;

/// A compiled pattern.
pub struct Regex {
    /// For text that does not end in a line end: there `$` is the end of text.
    plain: fancy_regex::Regex,
    /// For text that does: there `$` also matches before the line end. Absent if that makes no difference.
    before_newline: Option<Lazy>,
    /// One that must not match nothing at the place where the search begins, for either kind of text.
    advancing: [Lazy; 2],
    bounds: Bounds,
}

/// A pattern that is compiled when it is needed.
struct Lazy {
    pattern: String,
    compiled: OnceLock<fancy_regex::Regex>,
}

impl Lazy {
    fn new(pattern: String) -> Self {
        Self { pattern, compiled: OnceLock::new() }
    }

    fn get(&self, bounds: Bounds) -> Result<&fancy_regex::Regex, RegexError> {
        if let Some(regex) = self.compiled.get() {
            return Ok(regex);
        }
        let regex = compile(&self.pattern, bounds)?;
        Ok(self.compiled.get_or_init(|| regex))
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regex({})", self.plain.as_str())
    }
}

impl Regex {
    /// Compiles a Python pattern.
    ///
    /// # Errors
    /// `Invalid`, in Python's words where they are known.
    pub fn new(pattern: &str, anchor: Anchor) -> Result<Self, RegexError> {
        Self::with(pattern, anchor, Flags::default())
    }

    /// Compiles a Python pattern with flags.
    ///
    /// # Errors
    /// As [`Regex::new`].
    pub fn with(pattern: &str, anchor: Anchor, flags: Flags) -> Result<Self, RegexError> {
        Self::within(pattern, anchor, flags, STRICT)
    }

    /// The same with the bounds that whole files need.
    ///
    /// # Errors
    /// As [`Regex::new`].
    pub fn for_files(pattern: &str, anchor: Anchor, flags: Flags) -> Result<Self, RegexError> {
        Self::within(pattern, anchor, flags, WIDE)
    }

    fn within(pattern: &str, anchor: Anchor, flags: Flags, bounds: Bounds) -> Result<Self, RegexError> {
        if pattern.len() > bounds.pattern {
            return Err(RegexError::Invalid("pattern is too long".into()));
        }
        let translated = Translation::of(pattern, flags)?;
        let around = |body: &str| {
            let start = if anchor == Anchor::Search { "" } else { r"\A" };
            let end = if anchor == Anchor::Full { r"\z" } else { "" };
            // In verbose mode a comment would swallow what follows on the line.
            let line = if translated.verbose { "\n" } else { "" };
            let letters: String = [
                (flags.ignore_case, 'i'),
                (flags.multiline, 'm'),
                (flags.dot_all, 's'),
                (flags.verbose, 'x'),
            ]
            .into_iter()
            .filter_map(|(on, letter)| on.then_some(letter))
            .collect();
            format!("{start}(?{letters}:{body}{line}){end}")
        };
        let plain = around(&translated.text.replace(DOLLAR, "$"));
        let before_newline = (translated.text.contains(DOLLAR) && !translated.multiline && !flags.multiline)
            .then(|| around(&translated.text.replace(DOLLAR, r"(?=\n?\z)")));
        let advancing =
            [&plain, before_newline.as_ref().unwrap_or(&plain)].map(|p| Lazy::new(format!(r"{p}(?!\G)")));
        let before_newline = before_newline.map(Lazy::new);
        Ok(Self { plain: compile(&plain, bounds)?, before_newline, advancing, bounds })
    }

    /// The names of groups, the whole match first; `None` for one without.
    pub fn groups(&self) -> Vec<Option<String>> {
        self.plain.capture_names().map(|name| name.map(str::to_owned)).collect()
    }

    /// What is right for a text.
    fn of(&self, text: &str) -> Result<&fancy_regex::Regex, RegexError> {
        match &self.before_newline {
            Some(lazy) if text.ends_with('\n') => lazy.get(self.bounds),
            _ => Ok(&self.plain),
        }
    }

    /// The first match from a place on.
    ///
    /// # Errors
    /// `Steps`.
    pub fn find(&self, text: &str, from: usize) -> Result<Option<Spans>, RegexError> {
        spans(self.of(text)?, text, from)
    }

    /// All matches, as `re.sub` finds them: one of nothing may follow another match, but not one of nothing.
    ///
    /// # Errors
    /// `Steps`.
    pub fn find_all(&self, text: &str) -> Result<Vec<Spans>, RegexError> {
        self.find_some(text, 0)
    }

    /// The first matches, so many of them; all if the number is 0.
    fn find_some(&self, text: &str, most: usize) -> Result<Vec<Spans>, RegexError> {
        let advancing = &self.advancing[usize::from(text.ends_with('\n'))];
        let first = self.of(text)?;
        let (mut all, mut from) = (Vec::new(), 0);
        let mut must_advance = false;
        while from <= text.len() && (most == 0 || all.len() < most) {
            let regex = if must_advance { advancing.get(self.bounds)? } else { first };
            let Some(found) = spans(regex, text, from)? else { break };
            let (start, end) = found.first().copied().flatten().unwrap_or_default();
            must_advance = start == end;
            from = end;
            all.push(found);
        }
        Ok(all)
    }

    /// The text with so many matches replaced (0: all of them), and how many there were: `re.subn`.
    ///
    /// # Errors
    /// `Steps`.
    pub fn replace(
        &self,
        text: &str,
        template: &Template,
        most: usize,
    ) -> Result<(String, usize), RegexError> {
        let found = self.find_some(text, most)?;
        let (mut out, mut done) = (String::with_capacity(text.len()), 0);
        for spans in &found {
            let (start, end) = spans.first().copied().flatten().unwrap_or_default();
            out.push_str(&text[done..start]);
            template.fill(&mut out, text, spans);
            done = end;
        }
        out.push_str(&text[done..]);
        Ok((out, found.len()))
    }

    /// Whether text matches.
    pub fn is_match(&self, text: &str) -> Result<bool, RegexError> {
        self.of(text)?.is_match(text).map_err(|_| RegexError::Steps)
    }
}

fn spans(regex: &fancy_regex::Regex, text: &str, from: usize) -> Result<Option<Spans>, RegexError> {
    let found = regex.captures_from_pos(text, from).map_err(|_| RegexError::Steps)?;
    Ok(found.map(|groups| groups.iter().map(|group| group.map(|m| (m.start(), m.end()))).collect()))
}

fn compile(pattern: &str, bounds: Bounds) -> Result<fancy_regex::Regex, RegexError> {
    fancy_regex::RegexBuilder::new(pattern)
        .backtrack_limit(bounds.backtracks)
        .delegate_size_limit(bounds.size)
        .delegate_dfa_size_limit(bounds.size)
        .build()
        .map_err(|e| match e.to_string() {
            why if why.contains("ook-behind") => {
                RegexError::Invalid("look-behind requires fixed-width pattern".into())
            }
            why => RegexError::Invalid(why),
        })
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
            (r"\w", "²"),
            (r"\s", "\u{1c}"),
            ("(?i)(?s)A.", "a\n"),
            ("x(?<=x)+y", "xy"),
            ("x(?<=x)(?#c)+y", "xy"),
            ("(a)?(?(1)b|c)", "c"),
            (r"(a)(?:\1)0", "aa0"),
        ] {
            assert!(hit(pattern, text), "{pattern:?} {text:?}");
        }
        for (pattern, text) in
            [("eb", "web"), (r"web1\Z", "web1\n"), (r"(?a)\d", "\u{0663}"), ("[a&&b]", "c")]
        {
            assert!(!hit(pattern, text), "{pattern:?} {text:?}");
        }
        for pattern in [
            ")(?=1",
            "a)|(?:b",
            "^*",
            "a**",
            "a{2}{3}",
            "(?:a",
            "{2}",
            "(",
            "*a",
            "[a",
            r"\h",
            "(?<n>a)",
            "a(?i)b",
            r"a\",
            "(?P>n)",
            "(?(1)a)",
            r"(\1)",
            "(?P<n>a)(?P<n>b)",
            "[z-a]",
        ] {
            assert!(Regex::new(pattern, Anchor::Match).is_err(), "{pattern:?}");
        }
        assert!(Regex::new("a|ab", Anchor::Full).unwrap().is_match("ab").unwrap());
    }

    #[test]
    fn errors_in_pythons_words() {
        for (pattern, why) in [
            ("a**", "multiple repeat at position 2"),
            ("(a", "missing ), unterminated subpattern at position 0"),
            ("a\n[b", "unterminated character set at position 2 (line 2, column 1)"),
            (r"(a)\2", "invalid group reference 2 at position 4"),
            ("(?P<1>a)", "bad character in group name '1' at position 4"),
        ] {
            let said = Regex::new(pattern, Anchor::Search).err();
            assert_eq!(said, Some(RegexError::Invalid(why.into())), "{pattern}");
        }
    }

    #[test]
    fn groups_and_all_matches() {
        let regex =
            Regex::with("(?P<n>A)|(b)", Anchor::Search, Flags { ignore_case: true, ..Flags::default() })
                .unwrap();
        assert_eq!(regex.groups(), [None, Some("n".to_owned()), None]);
        assert_eq!(regex.find("xaB", 0).unwrap().unwrap(), [Some((1, 2)), Some((1, 2)), None]);
        let all = |pattern: &str, text: &str| -> Vec<(usize, usize)> {
            let regex = Regex::new(pattern, Anchor::Search).unwrap();
            regex.find_all(text).unwrap().iter().map(|spans| spans[0].unwrap()).collect()
        };
        assert_eq!(all("a*", "baac"), [(0, 0), (1, 3), (3, 3), (4, 4)]);
        assert_eq!(all("a*?", "aa"), [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)]);
        assert_eq!(all("$", "a\n"), [(1, 1), (2, 2)]);
        assert_eq!(all("x*", "é"), [(0, 0), (2, 2)]);
    }

    #[test]
    fn flags_beside_a_pattern() {
        let hit = |pattern: &str, flags: Flags, text: &str| {
            Regex::with(pattern, Anchor::Match, flags).unwrap().is_match(text).unwrap()
        };
        let none = Flags::default();
        assert!(!hit("a.b", none, "a\nb") && hit("a.b", Flags { dot_all: true, ..none }, "a\nb"));
        assert!(hit("a b # c", Flags { verbose: true, ..none }, "ab"));
        assert!(hit(r"\w\b", none, "\u{e9}") && !hit(r"\w", Flags { ascii: true, ..none }, "\u{e9}"));
        assert!(hit(r"a\b\W", Flags { ascii: true, ..none }, "a\u{e9}"));
        let wide = format!("{}$", "(?:[\\s]+)?ab".repeat(4000));
        assert!(
            Regex::for_files(&wide, Anchor::Match, none)
                .unwrap()
                .is_match("ab ".repeat(4000).trim())
                .unwrap()
        );
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
