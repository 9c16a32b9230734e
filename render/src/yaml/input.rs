//! What stands between a text and the parser: characters that YAML has not, and what the parser cannot read as it is.
//!
//! Where the text is changed for the parser's sake, values and marks are changed back. What the parser cannot read: a comma
//! directly after a tag, over which it panics; `[? ]`, where it loses the bracket; a block scalar that ends without a line end.

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
    /// Nothing but blanks is on the last line.
    blank: bool,
}

/// What was inserted into a text.
#[derive(Default)]
struct Blanks {
    /// What stands between tags and commas: found nowhere else in the text.
    what: String,
    /// Each place, in order.
    places: Vec<Place>,
}

struct Place {
    /// Bytes of the changed text before it.
    at: usize,
    /// How many were inserted.
    len: usize,
    /// Where the tag begins that is before it; none of a bracket after a lone `?`.
    tag: Option<usize>,
}

/// What makes `[? ]` whole.
pub(super) const COLON: &str = " : ";

impl<'t> Input<'t> {
    /// A text, and where brackets are that end a sequence after a lone `?`.
    pub(super) fn new(text: &'t str, name: &str, lone: &[usize]) -> Result<Self, YamlError> {
        if let Some((at, c)) = text.char_indices().find(|(_, c)| !printable(*c)) {
            let problem = format!(
                "unacceptable character #x{:04x}: control characters are not allowed\n  in \"{name}\", position {at}",
                c as u32
            );
            return Err(YamlError::nowhere(Class::Reader, name, problem));
        }
        // Where it begins a text, the mark of Unicode counts for nothing.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut input = Self { text: Cow::Borrowed(text), end: None, blanks: Blanks::of(text, lone) };
        // The parser cannot read a block scalar that ends without a line end: it gets one, and what is read of it is
        // taken away again.
        let ended = text.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
        let padding = !ended && text.contains(['|', '>']);
        if !input.blanks.places.is_empty() {
            input.text = Cow::Owned(input.blanks.insert(text));
        }
        if padding {
            input.end = Some(End::of(text, input.text.len()));
            input.text.to_mut().push('\n');
        }
        Ok(input)
    }

    /// Whether an error that names the end of the text means the place itself, and not the line after it: a key that was not
    /// followed by a colon is missed there, unless it is on the last line.
    pub(super) fn is_within(&self, e: &y::Error) -> bool {
        if e.problem() != "could not find expected ':'" {
            return e.kind() != y::ErrorKind::Parser;
        }
        match (&self.end, e.context_mark()) {
            (Some(end), Some(key)) => key.line < end.mark.line,
            _ => false,
        }
    }

    /// A mark in the text as it was given. `within` says that it can be no later than its end.
    pub(super) fn mark(&self, mark: y::Mark, within: bool) -> Mark {
        match &self.end {
            Some(end) if within && mark.index > end.index => end.mark,
            _ => Mark {
                line: mark.line,
                column: mark.column.saturating_sub(self.blanks.before(&self.text, mark.index)),
            },
        }
    }

    /// How much blanks after tags have moved a byte.
    pub(super) fn tag_blanks(&self, at: usize) -> usize {
        self.blanks
            .places
            .iter()
            .filter(|place| place.tag.is_some() && place.at < at)
            .map(|place| place.len)
            .sum()
    }

    /// A scalar's value as it stands in the text.
    pub(super) fn restore(&self, value: &mut String, style: y::ScalarStyle, end: u64) {
        let block = matches!(style, y::ScalarStyle::Literal | y::ScalarStyle::Folded);
        let at_end = self.end.as_ref().is_some_and(|own| end > own.index);
        if block && at_end && value.ends_with('\n') {
            // A line end after a line of blanks is part of the value only if all line ends at the end are.
            let rest = &value[..value.len() - 1];
            let line = rest.rsplit(is_break).next().unwrap_or("");
            let added =
                rest.is_empty() || rest.ends_with(is_break) || line.chars().all(|c| c == ' ' || c == '\t');
            if added || !self.end.as_ref().is_some_and(|end| end.blank) {
                value.pop();
            }
        }
        if !self.blanks.what.is_empty() && value.contains(&self.blanks.what) {
            *value = value.replace(&self.blanks.what, "");
        }
    }

    /// An error over a comma after a tag, as the scanner would have it of the given text: outside of brackets, such a tag is wrong.
    pub(super) fn after_tag(&self, e: &y::Error) -> Option<(&'static str, Mark, &'static str, Mark)> {
        let mark = e.problem_mark()?;
        let parser = e.kind() == y::ErrorKind::Parser;
        if !parser && e.context_mark().is_some_and(|key| key.line < mark.line) {
            return None;
        }
        let within = |place: &&Place| {
            place.tag.is_some_and(|tag| {
                parser && mark.index == tag as u64 || mark.index == (place.at + place.len) as u64
            })
        };
        let place = self.blanks.places.iter().find(within)?;
        let tag = self.text.get(place.tag?..place.at)?.chars().count() as u64;
        let here = self.mark(mark, true);
        let start = if mark.index == place.tag? as u64 { here.column } else { here.column - tag };
        let context = Mark { line: here.line, column: start };
        let problem = Mark { line: here.line, column: start + tag };
        Some(("while scanning a tag", context, "did not find expected whitespace or line break", problem))
    }
}

impl End {
    fn of(text: &str, index: usize) -> Self {
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        let line = lines.chars().filter(|c| is_break(*c)).count() as u64;
        let column = lines.chars().rev().take_while(|c| !is_break(*c)).count() as u64;
        let blank =
            lines.rsplit(is_break).next().is_some_and(|line| line.chars().all(|c| c == ' ' || c == '\t'));
        Self { index: index as u64, mark: Mark { line, column }, blank }
    }
}

impl Blanks {
    /// Where a tag could stand before a comma, and where brackets lack a colon. Most of the former are within scalars, where blanks
    /// do no harm.
    fn of(text: &str, lone: &[usize]) -> Self {
        let mut places: Vec<(usize, Option<usize>)> = lone.iter().map(|at| (*at, None)).collect();
        if text.contains('!') {
            places.extend(tags(text));
            places.sort_unstable();
        }
        if places.is_empty() {
            return Self::default();
        }
        let mut what = "\t \t".to_owned();
        while text.contains(&what) {
            what.push_str(" \t");
        }
        let mut shift = 0;
        let mut out = Vec::with_capacity(places.len());
        for (at, tag) in places {
            let len = if tag.is_some() { what.len() } else { COLON.len() };
            out.push(Place { at: at + shift, len, tag: tag.map(|tag| tag + shift) });
            shift += len;
        }
        Self { what, places: out }
    }

    fn insert(&self, text: &str) -> String {
        let added: usize = self.places.iter().map(|place| place.len).sum();
        let mut out = String::with_capacity(text.len() + added);
        let mut from = 0;
        for place in &self.places {
            let to = from + place.at - out.len();
            out.push_str(&text[from..to]);
            out.push_str(if place.tag.is_some() { &self.what } else { COLON });
            from = to;
        }
        out.push_str(&text[from..]);
        out
    }

    /// Columns by which insertions have moved what is at an index.
    fn before(&self, text: &str, index: u64) -> u64 {
        let index = usize::try_from(index).unwrap_or(usize::MAX).min(text.len());
        let before = self.places.partition_point(|place| place.at < index);
        if before == 0 {
            return 0;
        }
        let line = text[..index].rfind(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).unwrap_or(0);
        let here = self.places[..before].iter().rev().take_while(|place| place.at >= line);
        // The mark may be among what was inserted.
        here.map(|place| (index - place.at).min(place.len) as u64).sum()
    }
}

/// Commas that could follow a tag directly, and where the tag would begin.
fn tags(text: &str) -> Vec<(usize, Option<usize>)> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    // The parser takes these for parts of a tag.
    let of_tag = |b: &u8| b.is_ascii_alphanumeric() || b";/?:@&=+$.%!~*'()_-".contains(b);
    // Behind the comma before, where the line begins, and where a `!<` without its end does.
    let (mut last, mut line, mut verbatim) = (0, 0, None);
    for (comma, _) in text.match_indices(',') {
        let piece = &text[last..comma];
        if let Some(at) = piece.rfind(['\n', '\r']) {
            line = last + at + 1;
        }
        let closed = piece.rfind(|c: char| c == '>' || c.is_whitespace());
        let open_before = verbatim;
        let before = if closed.is_none() { verbatim } else { None };
        verbatim =
            piece[closed.unwrap_or(0)..].find("!<").map(|at| last + closed.unwrap_or(0) + at).or(before);
        let start = if let Some(open) = piece.strip_suffix('>') {
            let gap = |c: char| c == '>' || c.is_whitespace();
            let after = open.rsplit_once(gap).map_or(0, |(_, rest)| open.len() - rest.len());
            let here = open[after..].find("!<").map(|at| last + after + at);
            here.or(open_before.filter(|_| after == 0))
        } else {
            let run = piece.bytes().rev().take_while(|b| of_tag(b)).count();
            text[comma - run..comma].find('!').map(|at| comma - run + at)
        };
        // A blank after a colon would make it that of a pair; within `!<...>` and in directives it would end a tag.
        let changes = piece.ends_with(':') || verbatim.is_some() || bytes.get(line) == Some(&b'%');
        if start.is_some() && !changes {
            out.push((comma, start));
        }
        last = comma + 1;
    }
    out
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What libyaml lets through.
fn printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7e}' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}
