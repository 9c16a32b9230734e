//! Python's `textwrap.fill`, as the highstate outputter uses it for warnings.

use super::python::{is_decimal, is_space};

/// `textwrap.TextWrapper(width=width, initial_indent=indent, subsequent_indent=indent).fill(text)` with an indent of
/// that many blanks.
pub fn fill(text: &str, width: usize, indent: usize) -> String {
    let text = blank(text);
    let mut chunks = split(&text).into_iter().peekable();
    let room = width.saturating_sub(indent).max(1);
    let mut out = String::new();
    let mut held: Option<&[char]> = None;
    while held.is_some() || chunks.peek().is_some() {
        let mut line: Vec<&[char]> = Vec::new();
        let mut used = 0;
        held = held.or_else(|| chunks.next());
        if !out.is_empty() && held.is_some_and(all_space) {
            held = None;
        }
        while let Some(chunk) = held.take().or_else(|| chunks.next()) {
            if used + chunk.len() <= room {
                used += chunk.len();
                line.push(chunk);
                continue;
            }
            held = Some(chunk);
            if chunk.len() > room {
                let end = long_word_end(chunk, room - used);
                line.push(&chunk[..end]);
                held = Some(&chunk[end..]);
            }
            break;
        }
        if line.last().is_some_and(|chunk| all_space(chunk)) {
            line.pop();
        }
        if !line.is_empty() {
            if !out.is_empty() {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n(' ', indent));
            out.extend(line.into_iter().flatten());
        }
    }
    out
}

fn all_space(chunk: &[char]) -> bool {
    chunk.iter().all(|c| is_space(*c))
}

/// A word that fits on no line breaks where the line ends, or after the last hyphen before that.
fn long_word_end(chunk: &[char], left: usize) -> usize {
    match chunk[..left].iter().rposition(|c| *c == '-') {
        Some(hyphen) if hyphen > 0 && chunk[..hyphen].iter().any(|c| *c != '-') => hyphen + 1,
        _ => left,
    }
}

/// What divides words, as ASCII has it.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0b' | '\x0c' | '\r' | ' ')
}

/// Tabs reach to the next column of eight; all that divides words becomes a blank.
fn blank(text: &str) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' => {
                let n = 8 - column % 8;
                out.extend(std::iter::repeat_n(' ', n));
                column += n;
            }
            '\n' | '\r' => {
                out.push(' ');
                column = 0;
            }
            c => {
                out.push(if is_blank(c) { ' ' } else { c });
                column += 1;
            }
        }
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_letter(c: char) -> bool {
    is_word(c) && !is_decimal(c)
}

fn ends_word(c: char) -> bool {
    is_word(c) || matches!(c, '!' | '"' | '\'' | '&' | '.' | ',' | '?')
}

/// Words, the blanks between them, and dashes between words; words with hyphens break after these.
fn split(text: &[char]) -> Vec<&[char]> {
    let at = |i: usize, fits: fn(char) -> bool| text.get(i).is_some_and(|c| fits(*c));
    let before = |i: usize, n: usize, fits: fn(char) -> bool| i >= n && fits(text[i - n]);
    // The end of two dashes or more that a word follows.
    let dashes = |i: usize| {
        let n = text[i..].iter().take_while(|c| **c == '-').count();
        (n >= 2 && at(i + n, is_word)).then_some(i + n)
    };
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let mut end = start + 1;
        if is_blank(text[start]) {
            while at(end, is_blank) {
                end += 1;
            }
        } else if let Some(after) = before(start, 1, ends_word).then(|| dashes(start)).flatten() {
            end = after;
        } else {
            while end < text.len() && !is_blank(text[end]) {
                if text[end] == '-' {
                    let hyphenated = before(end, 1, is_letter)
                        && (before(end, 2, is_letter)
                            || (before(end, 2, |c| c == '-') && before(end, 3, is_letter)))
                        && at(end + 1, is_letter)
                        && (at(end + 2, is_letter) || (at(end + 2, |c| c == '-') && at(end + 3, is_letter)));
                    if hyphenated {
                        end += 1;
                        break;
                    }
                    if before(end, 1, ends_word) && dashes(end).is_some() {
                        break;
                    }
                }
                end += 1;
            }
        }
        chunks.push(&text[start..end]);
        start = end;
    }
    chunks
}
