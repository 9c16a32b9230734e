//! Where text ends and a tag begins, and how tags end: the rules that depend on the delimiters.

use super::chars::{is_space, skip_space};
use crate::Syntax;
use memchr::memmem::Finder;

/// What begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Begin {
    // In the order of Jinja2's names for them, which decides between delimiters of the same length.
    Block,
    Comment,
    LineComment,
    LineStatement,
    Variable,
    Raw,
}

/// The mark for whitespace beside a tag's delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    None,
    /// `-`
    Trim,
    /// `+`
    Keep,
}

/// A tag that begins in the text.
pub(super) struct Tag {
    pub(super) begin: Begin,
    pub(super) sign: Sign,
    pub(super) start: usize,
    /// Where what is in the tag begins.
    pub(super) end: usize,
}

/// The rules of one syntax.
pub(super) struct Tags<'a> {
    syntax: &'a Syntax,
    /// Longer ones first.
    rules: Vec<(Begin, &'a str)>,
}

fn sign(text: &str, pos: usize) -> (Sign, usize) {
    match text.as_bytes().get(pos) {
        Some(b'-') => (Sign::Trim, pos + 1),
        Some(b'+') => (Sign::Keep, pos + 1),
        _ => (Sign::None, pos),
    }
}

/// After any number of characters of a class, the rest: as many as may be, and fewer if the rest must begin with some.
fn after<T>(
    text: &str,
    pos: usize,
    class: impl Fn(char) -> bool,
    rest: impl Fn(usize) -> Option<T>,
) -> Option<T> {
    let most = text[pos..].find(|c| !class(c)).map_or(text.len(), |n| pos + n);
    rest(most).or_else(|| text[pos..most].char_indices().rev().find_map(|(n, _)| rest(pos + n)))
}

impl<'a> Tags<'a> {
    pub(super) fn new(syntax: &'a Syntax) -> Self {
        let mut rules = vec![
            (Begin::Comment, syntax.comment_start.as_str()),
            (Begin::Block, syntax.block_start.as_str()),
            (Begin::Variable, syntax.variable_start.as_str()),
        ];
        rules.extend(syntax.line_statement_prefix.iter().map(|p| (Begin::LineStatement, p.as_str())));
        rules.extend(syntax.line_comment_prefix.iter().map(|p| (Begin::LineComment, p.as_str())));
        rules.sort_by_key(|(begin, text)| std::cmp::Reverse((text.chars().count(), *begin)));
        Self { syntax, rules }
    }

    /// The first tag at or after `pos`.
    pub(super) fn find(&self, text: &str, pos: usize) -> Option<Tag> {
        if self.rules.len() > 3 {
            return text[pos..].char_indices().find_map(|(n, _)| self.at(text, pos + n));
        }
        let first = |i: usize| self.rules[i].1.as_bytes()[0];
        let mut places = memchr::memchr3_iter(first(0), first(1), first(2), &text.as_bytes()[pos..]);
        places.find_map(|n| self.at(text, pos + n))
    }

    fn at(&self, text: &str, start: usize) -> Option<Tag> {
        if let Some((sign, end)) = self.raw_begin(text, start) {
            return Some(Tag { begin: Begin::Raw, sign, start, end });
        }
        self.rules.iter().find_map(|&(begin, delimiter)| {
            let delimited = |at: usize| {
                text.as_bytes()[at..].starts_with(delimiter.as_bytes()).then(|| at + delimiter.len())
            };
            let before = text[..start].chars().next_back();
            let at_line_start = matches!(before, None | Some('\n'));
            let end = match begin {
                Begin::LineStatement if at_line_start => {
                    after(text, start, |c| matches!(c, ' ' | '\t' | '\x0b'), delimited)
                }
                Begin::LineComment if at_line_start || before.is_some_and(|c| !is_space(c)) => {
                    after(text, start, |c| is_space(c) && !matches!(c, '\r' | '\n'), delimited)
                }
                Begin::LineStatement | Begin::LineComment => None,
                _ => delimited(start),
            }?;
            let (sign, end) = sign(text, end);
            Some(Tag { begin, sign, start, end })
        })
    }

    fn raw_begin(&self, text: &str, start: usize) -> Option<(Sign, usize)> {
        if !text.as_bytes()[start..].starts_with(self.syntax.block_start.as_bytes()) {
            return None;
        }
        let (sign, pos) = sign(text, start + self.syntax.block_start.len());
        let word = skip_space(text, pos);
        let pos = text[word..].starts_with("raw").then(|| word + 3)?;
        let end = after(text, pos, is_space, |at| end_of(text, at, &self.syntax.block_end, false, false))?;
        Some((sign, end))
    }

    /// The text in a raw block from `pos` on: where it ends, and how, and where the block does.
    pub(super) fn raw_end(&self, text: &str, pos: usize) -> Option<(usize, Sign, usize)> {
        let mut from = pos;
        let finder = Finder::new(self.syntax.block_start.as_bytes());
        loop {
            let start = from + finder.find(&text.as_bytes()[from..])?;
            let (sign, inner) = sign(text, start + self.syntax.block_start.len());
            let word = skip_space(text, inner);
            let end = text[word..]
                .starts_with("endraw")
                .then(|| word + 6)
                .and_then(|at| after(text, at, is_space, |at| self.block_end(text, at)));
            if let Some(end) = end {
                return Some((start, sign, end));
            }
            from = start + text[start..].chars().next().map_or(1, char::len_utf8);
        }
    }

    /// Where a comment of which `pos` is the inside has ended.
    pub(super) fn comment_end(&self, text: &str, pos: usize) -> Option<usize> {
        let delimiter = &self.syntax.comment_end;
        let at = pos + memchr::memmem::find(&text.as_bytes()[pos..], delimiter.as_bytes())?;
        let signed = at > pos && matches!(text.as_bytes()[at - 1], b'+' | b'-');
        end_of(text, at - usize::from(signed), delimiter, true, self.syntax.trim_blocks)
    }

    /// The place after the end of a statement, if it is at `pos`.
    pub(super) fn block_end(&self, text: &str, pos: usize) -> Option<usize> {
        end_of(text, pos, &self.syntax.block_end, true, self.syntax.trim_blocks)
    }

    /// The place after the end of a print statement, if it is at `pos`.
    pub(super) fn variable_end(&self, text: &str, pos: usize) -> Option<usize> {
        end_of(text, pos, &self.syntax.variable_end, false, false)
    }
}

/// The place after an end delimiter and the whitespace that goes with it. `keep`: it may have a `+`; `trim`: a line end goes, too.
fn end_of(text: &str, pos: usize, delimiter: &str, keep: bool, trim: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let delimited = |at: usize| bytes[at..].starts_with(delimiter.as_bytes()).then(|| at + delimiter.len());
    let signed = |c: u8| (bytes.get(pos) == Some(&c)).then(|| delimited(pos + 1)).flatten();
    if keep && let Some(end) = signed(b'+') {
        return Some(end);
    }
    if let Some(end) = signed(b'-') {
        return Some(skip_space(text, end));
    }
    let end = delimited(pos)?;
    Some(if trim && bytes.get(end) == Some(&b'\n') { end + 1 } else { end })
}
