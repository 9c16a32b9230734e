//! `wordwrap`: Python's `textwrap` as Jinja2 uses it.

use super::html::not_text;
use crate::env::State;
use crate::syntax::Newline;
use brine_python::{
    Args, Cmp, Obj, Op, PyErr, R, Signature, binary, call_method, compare, is_alnum, need_bytes, need_items,
    take_steps, truth,
};

/// How lines are wrapped.
struct Wrap<'a> {
    width: &'a Obj,
    break_long_words: &'a Obj,
    break_on_hyphens: &'a Obj,
}

pub(super) fn wordwrap(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new(
        "do_wordwrap",
        1,
        &["environment", "s", "width", "break_long_words", "wrapstring", "break_on_hyphens"],
        2,
    );
    let args = S.bind(args)?;
    let newline = match state.env.syntax.newline_sequence {
        Newline::Lf => "\n",
        Newline::CrLf => "\r\n",
        Newline::Cr => "\r",
    };
    let wrapstring = args.some(3).cloned().unwrap_or_else(|| newline.into());
    brine_python::getattr(&wrapstring, "join")?;
    let default = Obj::Int(79);
    let wrap = Wrap {
        width: args.get(1).unwrap_or(&default),
        break_long_words: args.get(2).unwrap_or(&Obj::Bool(true)),
        break_on_hyphens: args.get(4).unwrap_or(&Obj::Bool(true)),
    };
    let join = |lines: Vec<Obj>| call_method(&wrapstring, "join", &Args::of([Obj::list(lines)]));
    let mut paragraphs = Vec::new();
    for line in call_method(args.at(0), "splitlines", &Args::default())?.items()? {
        let line = line.as_str().ok_or_else(|| not_text(&line))?;
        paragraphs.push(join(wrap.lines(line)?)?);
    }
    join(paragraphs)
}

/// A word or the space between two, and its characters. They are counted once, as long words are taken apart bit by bit.
type Chunk<'a> = (&'a str, i64);

fn length(text: &str) -> i64 {
    text.chars().count() as i64
}

fn is_blank(text: &str) -> bool {
    text.chars().all(brine_python::is_space)
}

impl Wrap<'_> {
    /// Whether so many characters are at most the width.
    fn fits(&self, n: i64) -> R<bool> {
        compare(Cmp::Le, &Obj::Int(n), self.width)
    }

    fn lines(&self, text: &str) -> R<Vec<Obj>> {
        if compare(Cmp::Le, self.width, &Obj::Int(0))? {
            let width = brine_python::repr(self.width)?;
            return Err(PyErr::value(format!("invalid width {width} (must be > 0)")));
        }
        // Only `True` itself splits at hyphens; for long words anything true will do.
        let hyphens = matches!(self.break_on_hyphens, Obj::Bool(true));
        let chunks = if hyphens { split_hyphens(text)? } else { split_words(text) };
        need_items(chunks.len(), size_of::<Chunk<'_>>())?;
        let mut chunks: Vec<Chunk<'_>> = chunks.into_iter().rev().map(|text| (text, length(text))).collect();
        let mut lines: Vec<Obj> = Vec::new();
        while let Some(last) = chunks.last() {
            take_steps(1)?;
            if !lines.is_empty() && is_blank(last.0) {
                chunks.pop();
            }
            let (mut line, mut size) = (Vec::new(), 0);
            while let Some((chunk, n)) = chunks.last() {
                if !self.fits(size + n)? {
                    break;
                }
                line.push(*chunk);
                size += n;
                chunks.pop();
            }
            if let Some((_, n)) = chunks.last()
                && !self.fits(*n)?
            {
                self.long_word(&mut chunks, &mut line, size)?;
            }
            if line.last().is_some_and(|chunk| is_blank(chunk)) {
                line.pop();
            }
            if !line.is_empty() {
                let line = line.concat();
                need_bytes(line.len())?;
                lines.push(line.into());
            }
        }
        Ok(lines)
    }

    /// A word that no line can hold.
    fn long_word<'t>(&self, chunks: &mut Vec<Chunk<'t>>, line: &mut Vec<&'t str>, size: i64) -> R<()> {
        let Some((chunk, len)) = chunks.last_mut() else { return Ok(()) };
        if truth(self.break_long_words)? {
            let left = if compare(Cmp::Lt, self.width, &Obj::Int(1))? {
                Obj::Int(1)
            } else {
                binary(Op::Sub, self.width, &Obj::Int(size))?
            };
            let Ok(left) = brine_python::index(&left) else {
                return Err(PyErr::ty("slice indices must be integers or None or have an __index__ method"));
            };
            let mut end = left;
            if truth(self.break_on_hyphens)? && *len > left {
                let within = &chunk[..at(chunk, left)];
                if let Some(hyphen) = within.rfind('-')
                    && chunk[..hyphen].contains(|c| c != '-')
                {
                    end = length(&chunk[..hyphen]) + 1;
                }
            }
            let (head, tail) = chunk.split_at(at(chunk, end));
            line.push(head);
            *len -= end.clamp(0, *len);
            *chunk = tail;
        } else if line.is_empty() {
            line.extend(chunks.pop().map(|(chunk, _)| chunk));
        }
        Ok(())
    }
}

/// Where so many characters end.
fn at(text: &str, n: i64) -> usize {
    let n = usize::try_from(n).unwrap_or(0);
    text.char_indices().nth(n).map_or(text.len(), |(at, _)| at)
}

/// What `textwrap` takes for space.
fn is_white(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0b' | '\x0c' | '\r' | ' ')
}

/// Words and the space between them.
fn split_words(text: &str) -> Vec<&str> {
    let mut chunks = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let white = is_white(first);
        let end = rest.find(|c| is_white(c) != white).unwrap_or(rest.len());
        chunks.push(&rest[..end]);
        rest = &rest[end..];
    }
    chunks
}

fn is_word(c: char) -> bool {
    is_alnum(c) || c == '_'
}

fn is_letter(c: char) -> bool {
    is_word(c) && !brine_python::is_decimal(c)
}

fn is_word_or_mark(c: char) -> bool {
    is_word(c) || matches!(c, '!' | '"' | '\'' | '&' | '.' | ',' | '?')
}

/// Words that are split behind hyphens and at dashes, and the space between them.
fn split_hyphens(text: &str) -> R<Vec<&str>> {
    need_items(text.len(), size_of::<(usize, char)>())?;
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let c = |i: usize| chars.get(i).map(|(_, c)| *c);
    let is = |i: usize, test: fn(char) -> bool| c(i).is_some_and(test);
    let before = |i: usize, n: usize, test: fn(char) -> bool| i.checked_sub(n).is_some_and(|i| is(i, test));
    let dash = |c: char| c == '-';
    // The end of a dash of two hyphens or more before a word.
    let long_dash = |i: usize| {
        // Asked first, so that a run is not gone through from each of its places.
        if !before(i, 1, is_word_or_mark) {
            return None;
        }
        let mut end = i;
        while is(end, dash) {
            end += 1;
        }
        (end >= i + 2 && is(end, is_word)).then_some(end)
    };
    let hyphen = |i: usize| {
        is(i, dash)
            && before(i, 1, is_letter)
            && (before(i, 2, is_letter) || before(i, 2, dash) && before(i, 3, is_letter))
            && is(i + 1, is_letter)
            && (is(i + 2, is_letter) || is(i + 2, dash) && is(i + 3, is_letter))
    };
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < chars.len() {
        let mut end = start + 1;
        if is(start, is_white) {
            while is(end, is_white) {
                end += 1;
            }
        } else if let Some(after) = long_dash(start) {
            end = after;
        } else {
            while end < chars.len() && !is(end, is_white) {
                if hyphen(end) {
                    end += 1;
                    break;
                }
                if long_dash(end).is_some() {
                    break;
                }
                end += 1;
            }
        }
        let place = |i: usize| chars.get(i).map_or(text.len(), |(at, _)| *at);
        chunks.push(&text[place(start)..place(end)]);
        start = end;
    }
    Ok(chunks)
}
