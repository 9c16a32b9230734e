//! From the syntax of Python's `re` to that of `fancy-regex`.

use super::pyre_group::{is_repeated, looks_around};
use super::{Flags, RegexError};

/// Stands for an unescaped `$` in translated text; no pattern holds it.
pub(super) const DOLLAR: char = '\u{10ffff}';

/// A character of words, in ASCII.
const WORD: &str = "[0-9A-Za-z_]";

pub(super) struct Translation {
    pub(super) text: String,
    pub(super) verbose: bool,
    pub(super) multiline: bool,
    /// `(?a)`: classes mean ASCII only.
    pub(super) ascii: bool,
    /// Groups not yet closed: where they begin, and their numbers if they have some.
    pub(super) open: Vec<(usize, Option<usize>)>,
    /// How many groups have a number.
    pub(super) groups: usize,
    pub(super) names: Vec<(String, usize)>,
    /// Groups that conditions ask about, and where.
    pub(super) asked: Vec<(usize, usize)>,
    /// Whether anything but global flags and comments was read.
    pub(super) begun: bool,
    pub(super) last: Last,
}

/// An error at a place, in characters, in Python's words.
pub(super) fn error_at(why: impl std::fmt::Display, at: usize, chars: &[char]) -> String {
    if !chars.contains(&'\n') {
        return format!("{why} at position {at}");
    }
    let before = &chars[..at.min(chars.len())];
    let line = before.iter().filter(|c| **c == '\n').count() + 1;
    let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
    format!("{why} at position {at} (line {line}, column {column})")
}

pub(super) fn bad<T>(why: impl std::fmt::Display, at: usize, chars: &[char]) -> Result<T, RegexError> {
    Err(RegexError::Invalid(error_at(why, at, chars)))
}

/// What stands before the place that is read: whether it can be repeated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// Nothing, or a place such as `^`.
    Nothing,
    Atom,
    Repeat,
}

impl Translation {
    pub(super) fn of(pattern: &str, flags: Flags) -> Result<Self, RegexError> {
        let chars: Vec<char> = pattern.chars().filter(|c| *c != DOLLAR).collect();
        let text = String::with_capacity(pattern.len() + 8);
        let mut out = Self {
            text,
            verbose: flags.verbose,
            multiline: flags.multiline,
            ascii: flags.ascii,
            open: Vec::new(),
            groups: 0,
            names: Vec::new(),
            asked: Vec::new(),
            begun: false,
            last: Last::Nothing,
        };
        let mut i = 0;
        while let Some(&c) = chars.get(i) {
            i += 1;
            if out.verbose && (c.is_whitespace() || c == '#') {
                out.text.push(c);
                while c == '#' && chars.get(i).is_some_and(|c| *c != '\n') {
                    out.text.push(chars[i]);
                    i += 1;
                }
                continue;
            }
            let mut last = Last::Atom;
            if c != '(' || chars.get(i) != Some(&'?') {
                out.begun = true;
            }
            match c {
                '^' => {
                    out.text.push('^');
                    last = Last::Nothing;
                }
                '$' => {
                    out.text.push(DOLLAR);
                    last = Last::Nothing;
                }
                '|' => {
                    out.text.push('|');
                    last = Last::Nothing;
                }
                '\\' => {
                    let Some(&e) = chars.get(i) else {
                        return bad("bad escape (end of pattern)", i - 1, &chars);
                    };
                    i += 1;
                    out.escape(e, &chars, &mut i)?;
                    if matches!(e, 'A' | 'Z' | 'b' | 'B') {
                        last = Last::Nothing;
                    }
                }
                '[' => out.set(&chars, &mut i)?,
                '*' | '+' | '?' => {
                    out.text.push(c);
                    last = out.repeated(&chars, i - 1, &mut i)?;
                }
                '{' => match repeat(&chars, i) {
                    Some((text, end)) => {
                        let start = i - 1;
                        out.text.push_str(&text);
                        i = end;
                        last = out.repeated(&chars, start, &mut i)?;
                    }
                    None => out.text.push_str(r"\{"),
                },
                '}' => out.text.push_str(r"\}"),
                '(' => {
                    if chars.get(i) != Some(&'?') {
                        out.groups += 1;
                        out.open.push((i - 1, Some(out.groups)));
                        out.text.push('(');
                    } else if !out.group(&chars, &mut i)? {
                        continue;
                    }
                    last = Last::Nothing;
                }
                ')' => {
                    let Some((start, _)) = out.open.pop() else {
                        return bad("unbalanced parenthesis", i - 1, &chars);
                    };
                    // What looks around may be repeated, which the engine takes from a choice only.
                    let repeated = is_repeated(&chars, i);
                    out.text.push_str(match (looks_around(&chars, start), repeated) {
                        (false, _) => ")",
                        (true, false) => "))",
                        (true, true) => ")|(?!))",
                    });
                }
                c => out.text.push(c),
            }
            out.last = last;
        }
        if let Some((at, _)) = out.open.last() {
            return bad("missing ), unterminated subpattern", *at, &chars);
        }
        match out.asked.iter().find(|(group, _)| *group > out.groups) {
            Some((group, at)) => bad(format!("invalid group reference {group}"), *at, &chars),
            None => Ok(out),
        }
    }

    /// A repeat was read: there must be something to repeat, and it may be lazy or possessive.
    fn repeated(&mut self, chars: &[char], at: usize, i: &mut usize) -> Result<Last, RegexError> {
        match self.last {
            Last::Nothing => return bad("nothing to repeat", at, chars),
            Last::Repeat => return bad("multiple repeat", at, chars),
            Last::Atom => {}
        }
        if let Some(c @ ('?' | '+')) = chars.get(*i) {
            self.text.push(*c);
            *i += 1;
        }
        Ok(Last::Repeat)
    }

    fn escape(&mut self, e: char, chars: &[char], i: &mut usize) -> Result<(), RegexError> {
        match e {
            'Z' => self.text.push_str(r"\z"),
            'd' if self.ascii => self.text.push_str("[0-9]"),
            'D' if self.ascii => self.text.push_str("[^0-9]"),
            's' if self.ascii => self.text.push_str(r"[ \t\n\r\f\v]"),
            'S' if self.ascii => self.text.push_str(r"[^ \t\n\r\f\v]"),
            'w' if self.ascii => self.text.push_str("[0-9A-Za-z_]"),
            'W' if self.ascii => self.text.push_str("[^0-9A-Za-z_]"),
            'b' if self.ascii => {
                self.text.push_str(&format!("(?:(?<={WORD})(?!{WORD})|(?<!{WORD})(?={WORD}))"))
            }
            'B' if self.ascii => {
                self.text.push_str(&format!(r"(?:(?!\A\z)(?:(?<={WORD})(?={WORD})|(?<!{WORD})(?!{WORD})))"));
            }
            // Of a text without characters, Python says that no place is within a word.
            'B' => self.text.push_str(r"(?:(?!\A\z)\B)"),
            // As `str.isspace` and `str.isalnum`; sets in sets are understood, so that these may stand in one.
            's' => self.text.push_str(r"[\s\x1c-\x1f]"),
            'S' => self.text.push_str(r"[^\s\x1c-\x1f]"),
            'w' => self.text.push_str(r"[\p{L}\p{N}_]"),
            'W' => self.text.push_str(r"[^\p{L}\p{N}_]"),
            'A' | 'b' | 'd' | 'D' | 'a' | 'f' | 'n' | 'r' | 't' | 'v' => {
                self.text.push('\\');
                self.text.push(e);
            }
            'x' | 'u' | 'U' => self.hex(e, chars, i)?,
            '0' => self.octal(chars, i),
            '1'..='9' => self.reference(e, chars, i)?,
            c if c.is_ascii_alphabetic() => return bad(format!("bad escape \\{c}"), *i - 2, chars),
            c => self.literal(c),
        }
        Ok(())
    }

    fn hex(&mut self, kind: char, chars: &[char], i: &mut usize) -> Result<(), RegexError> {
        let width = match kind {
            'x' => 2,
            'u' => 4,
            _ => 8,
        };
        let digits: String =
            chars.iter().skip(*i).take(width).take_while(|c| c.is_ascii_hexdigit()).collect();
        if digits.len() < width {
            return bad(format!("incomplete escape \\{kind}{digits}"), *i - 2, chars);
        }
        let Some(c) = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) else {
            return bad(format!("bad escape \\{kind}{digits}"), *i - 2, chars);
        };
        *i += width;
        self.literal(c);
        Ok(())
    }

    /// `\1`: a group, or three octal digits.
    fn reference(&mut self, first: char, chars: &[char], i: &mut usize) -> Result<(), RegexError> {
        let at = *i - 2;
        let mut digits = String::from(first);
        if let Some(second) = chars.get(*i).filter(|c| c.is_ascii_digit()) {
            *i += 1;
            digits.push(*second);
            let octal = |c: char| ('0'..='7').contains(&c);
            if let Some(third) = chars.get(*i).filter(|c| octal(**c) && octal(first) && octal(*second)) {
                *i += 1;
                digits.push(*third);
                let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
                if code > 0o377 {
                    return bad(format!("octal escape value \\{digits} outside of range 0-0o377"), at, chars);
                }
                self.literal(char::from_u32(code).unwrap_or('\0'));
                return Ok(());
            }
        }
        let group: usize = digits.parse().unwrap_or(usize::MAX);
        if group > self.groups {
            return bad(format!("invalid group reference {group}"), at + 1, chars);
        }
        if self.open.iter().any(|(_, number)| *number == Some(group)) {
            return bad("cannot refer to an open group", at, chars);
        }
        // In a group of its own, so that a digit that follows is none of it.
        self.text.push_str(&format!("(?:\\{group})"));
        Ok(())
    }

    fn octal(&mut self, chars: &[char], i: &mut usize) {
        let mut n = 0;
        for _ in 0..2 {
            let Some(d) = chars.get(*i).and_then(|c| c.to_digit(8)) else { break };
            n = n * 8 + d;
            *i += 1;
        }
        self.literal(char::from_u32(n).unwrap_or('\0'));
    }

    /// A character that means itself, in verbose mode and within sets too.
    fn literal(&mut self, c: char) {
        if c.is_alphanumeric() {
            self.text.push(c);
        } else {
            self.text.push_str(&format!("\\x{{{:x}}}", c as u32));
        }
    }

    /// A set: Python knows no nested sets and no set operators.
    fn set(&mut self, chars: &[char], i: &mut usize) -> Result<(), RegexError> {
        let start = *i - 1;
        self.text.push('[');
        if chars.get(*i) == Some(&'^') {
            self.text.push('^');
            *i += 1;
        }
        let mut first = true;
        loop {
            let Some(&c) = chars.get(*i) else {
                return bad("unterminated character set", start, chars);
            };
            *i += 1;
            match c {
                ']' if !first => break,
                '\\' => {
                    let Some(&e) = chars.get(*i) else {
                        return bad("bad escape (end of pattern)", *i - 1, chars);
                    };
                    *i += 1;
                    match e {
                        'b' => self.text.push_str(r"\x08"),
                        'A' | 'B' | 'Z' | '8' | '9' => {
                            return bad(format!("bad escape \\{e}"), *i - 2, chars);
                        }
                        '0'..='7' => {
                            *i -= 1;
                            let mut n = 0;
                            for _ in 0..3 {
                                let Some(d) = chars.get(*i).and_then(|c| c.to_digit(8)) else { break };
                                n = n * 8 + d;
                                *i += 1;
                            }
                            self.literal(char::from_u32(n).unwrap_or('\0'));
                        }
                        e => self.escape(e, chars, i)?,
                    }
                }
                // A hyphen between characters makes a range; doubled it would be an operator.
                '-' if chars.get(*i) == Some(&'-') => self.text.push_str(r"\x{2d}"),
                '-' => self.text.push('-'),
                c => {
                    // A range of characters must go up.
                    let to = match (chars.get(*i), chars.get(*i + 1), chars.get(*i + 2)) {
                        (Some('-'), Some('\\'), Some(&to)) if to.is_ascii_punctuation() => Some((to, "\\")),
                        (Some('-'), Some(&to), _) if !matches!(to, ']' | '\\') => Some((to, "")),
                        _ => None,
                    };
                    if let Some((to, slash)) = to.filter(|(to, _)| *to < c) {
                        return bad(format!("bad character range {c}-{slash}{to}"), *i - 1, chars);
                    }
                    self.literal(c);
                }
            }
            first = false;
        }
        self.text.push(']');
        Ok(())
    }
}

/// `{m}`, `{m,}`, `{,n}`, `{m,n}` after a `{`, in the engine's form; anything else is literal text in Python.
fn repeat(chars: &[char], start: usize) -> Option<(String, usize)> {
    let end = (start..chars.len()).find(|&k| !(chars[k].is_ascii_digit() || chars[k] == ','))?;
    let body: String = chars[start..end].iter().collect();
    if chars[end] != '}' || body.is_empty() || body.matches(',').count() > 1 {
        return None;
    }
    let text = match body.strip_prefix(',') {
        Some(most) => format!("{{0,{most}}}"),
        None => format!("{{{body}}}"),
    };
    Some((text, end + 1))
}
