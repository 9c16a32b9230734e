//! What stands between a text and the parser: characters that YAML has not, and what the parser cannot read as it is.
//!
//! Where the text is changed for the parser's sake, values and marks are changed back.

use super::error::{Class, Mark, YamlError};
use libyaml_safer as y;
use std::borrow::Cow;

/// A text as the parser gets it.
pub(super) struct Input<'t> {
    /// What is parsed.
    pub(super) text: Cow<'t, str>,
    /// Where the text ended before a line end was added to it; none was if absent.
    end: Option<End>,
    blanks: Blanks,
}

/// Where the text ends.
struct End {
    index: u64,
    mark: Mark,
}

/// Blanks that stand between tags and commas, as the parser panics over a comma directly after a tag.
#[derive(Default)]
struct Blanks {
    /// What was inserted each time: found nowhere else in the text.
    what: String,
    /// Bytes of the changed text before each.
    at: Vec<usize>,
    /// Where the tags before them begin.
    tags: Vec<usize>,
}

/// What the scanner says of a character that begins nothing: of a comma, if it is one after a tag, it says something else.
const NO_TOKEN: &str = "found character that cannot start any token";

impl<'t> Input<'t> {
    pub(super) fn new(text: &'t str, name: &str) -> Result<Self, YamlError> {
        if let Some((at, c)) = text.char_indices().find(|(_, c)| !printable(*c)) {
            let problem = format!(
                "unacceptable character #x{:04x}: control characters are not allowed\n  in \"{name}\", position {at}",
                c as u32
            );
            return Err(YamlError::nowhere(Class::Reader, name, problem));
        }
        let mut input = Self { text: Cow::Borrowed(text), end: None, blanks: Blanks::of(text) };
        // The parser cannot read a block scalar that ends without a line end: it gets one, and what is read of it is
        // taken away again.
        let ended = text.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
        let padding = !ended && text.contains(['|', '>']);
        if !input.blanks.at.is_empty() {
            input.text = Cow::Owned(input.blanks.insert(text));
        }
        if padding {
            input.end = Some(End::of(text, input.text.len()));
            input.text.to_mut().push('\n');
        }
        Ok(input)
    }

    /// A mark in the text as it was given. `within` says that it can be no later than its end.
    pub(super) fn mark(&self, mark: y::Mark, within: bool) -> Mark {
        match &self.end {
            Some(end) if within && mark.index > end.index => end.mark,
            _ => Mark { line: mark.line, column: mark.column - self.blanks.before(&self.text, mark.index) },
        }
    }

    /// A scalar's value as it stands in the text.
    pub(super) fn restore(&self, value: &mut String, style: y::ScalarStyle, end: u64) {
        let block = matches!(style, y::ScalarStyle::Literal | y::ScalarStyle::Folded);
        let at_end = self.end.as_ref().is_some_and(|own| end > own.index);
        if block && at_end && value.ends_with('\n') {
            value.pop();
        }
        if !self.blanks.at.is_empty() && value.contains(&self.blanks.what) {
            *value = value.replace(&self.blanks.what, "");
        }
    }

    /// The scanner's error, if it is one over a comma after a tag, as the scanner would have it of the given text.
    pub(super) fn after_tag(&self, e: &y::Error) -> Option<(&'static str, Mark, &'static str, Mark)> {
        let mark = e.problem_mark()?;
        if e.problem() != NO_TOKEN {
            return None;
        }
        let comma = |at: usize| at + self.blanks.what.len();
        let which = self.blanks.at.iter().position(|at| comma(*at) as u64 == mark.index)?;
        let problem = self.mark(mark, true);
        let length = self.text.get(self.blanks.tags[which]..self.blanks.at[which])?.chars().count() as u64;
        let context = Mark { line: problem.line, column: problem.column - length };
        Some(("while scanning a tag", context, "did not find expected whitespace or line break", problem))
    }
}

impl End {
    fn of(text: &str, index: usize) -> Self {
        let is_break = |c: char| matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}');
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        let line = lines.chars().filter(|c| is_break(*c)).count() as u64;
        let column = lines.chars().rev().take_while(|c| !is_break(*c)).count() as u64;
        Self { index: index as u64, mark: Mark { line, column } }
    }
}

impl Blanks {
    /// Where a tag could stand before a comma. Most such places are within scalars, where blanks do no harm.
    fn of(text: &str) -> Self {
        let mut out = Self::default();
        if !text.contains('!') {
            return out;
        }
        let bytes = text.as_bytes();
        let mut places = Vec::new();
        for (comma, _) in text.match_indices(',') {
            // The parser takes these for parts of a tag.
            let tag = |b: &u8| b.is_ascii_alphanumeric() || b";/?:@&=+$.%!~*'()_-".contains(b);
            let before = bytes[..comma].iter().rev();
            let start = if bytes[..comma].last() == Some(&b'>') {
                text[..comma].rfind("!<").filter(|at| text[*at..comma - 1].bytes().all(|b| b > b' '))
            } else {
                let run = before.take_while(|b| tag(b)).count();
                text[comma - run..comma].find('!').map(|at| comma - run + at)
            };
            if let Some(start) = start {
                places.push((start, comma));
            }
        }
        if places.is_empty() {
            return out;
        }
        let mut what = "\t \t".to_owned();
        while text.contains(&what) {
            what.push_str(" \t");
        }
        for (i, (start, comma)) in places.iter().enumerate() {
            out.tags.push(start + i * what.len());
            out.at.push(comma + i * what.len());
        }
        out.what = what;
        out
    }

    fn insert(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + self.at.len() * self.what.len());
        let mut from = 0;
        for (i, at) in self.at.iter().enumerate() {
            let comma = at - i * self.what.len();
            out.push_str(&text[from..comma]);
            out.push_str(&self.what);
            from = comma;
        }
        out.push_str(&text[from..]);
        out
    }

    /// Columns by which blanks have moved what is at an index.
    fn before(&self, text: &str, index: u64) -> u64 {
        let index = usize::try_from(index).unwrap_or(usize::MAX).min(text.len());
        let before = self.at.partition_point(|at| *at < index);
        if before == 0 {
            return 0;
        }
        let line = text[..index].rfind(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).unwrap_or(0);
        let here = self.at[..before].iter().rev().take_while(|at| **at >= line).count();
        (here * self.what.len()) as u64
    }
}

/// What libyaml lets through.
fn printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7e}' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}
