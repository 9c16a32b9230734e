//! What `re.sub` puts in the place of a match: a template of text and groups.

use super::pyre::{Regex, Spans};
use crate::text::python_repr;
use brine_protocol::Value;

/// What a match is replaced with: text and groups.
pub struct Template(Vec<Piece>);

enum Piece {
    Text(String),
    Group(usize),
}

/// Why a template is none.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    /// `re.error`.
    #[error("{0}")]
    Bad(String),
    /// `IndexError`: there is no group of that name.
    #[error("{0}")]
    Unknown(String),
}

type R<T> = Result<T, TemplateError>;

fn bad(why: impl std::fmt::Display, at: usize) -> TemplateError {
    TemplateError::Bad(format!("{why} at position {at}"))
}

impl Template {
    /// Adds what a match becomes.
    pub fn fill(&self, out: &mut String, text: &str, spans: &Spans) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Group(n) => {
                    if let Some(Some((start, end))) = spans.get(*n) {
                        out.push_str(&text[*start..*end]);
                    }
                }
            }
        }
    }

    /// `re._parser.parse_template`.
    ///
    /// # Errors
    /// In Python's words.
    pub fn read(text: &str, regex: &Regex) -> R<Self> {
        let chars: Vec<char> = text.chars().collect();
        let names = regex.groups();
        let (mut pieces, mut literal, mut i) = (Vec::new(), String::new(), 0);
        let mut group = |n: usize, at: usize, literal: &mut String| -> R<()> {
            if n >= names.len() {
                return Err(bad(format!("invalid group reference {n}"), at));
            }
            pieces.push(Piece::Text(std::mem::take(literal)));
            pieces.push(Piece::Group(n));
            Ok(())
        };
        while let Some(&c) = chars.get(i) {
            let at = i;
            i += 1;
            if c != '\\' {
                literal.push(c);
                continue;
            }
            let Some(&e) = chars.get(i) else { return Err(bad("bad escape (end of pattern)", at)) };
            i += 1;
            let octal = |k: usize| chars.get(k).and_then(|c| c.to_digit(8));
            match e {
                'g' => {
                    let (name, end) = group_name(&chars, i)?;
                    let n = if name.bytes().all(|b| b.is_ascii_digit()) {
                        name.parse().unwrap_or(usize::MAX)
                    } else if !identifier(&name) {
                        let shown = python_repr(&Value::from(name.as_str()));
                        return Err(bad(format!("bad character in group name {shown}"), i + 1));
                    } else {
                        match names.iter().position(|n| n.as_deref() == Some(&name)) {
                            Some(n) => n,
                            None => {
                                let shown = python_repr(&Value::from(name.as_str()));
                                return Err(TemplateError::Unknown(format!("unknown group name {shown}")));
                            }
                        }
                    };
                    group(n, i + 1, &mut literal)?;
                    i = end;
                }
                '0' => {
                    let mut n = 0;
                    for _ in 0..2 {
                        let Some(digit) = octal(i) else { break };
                        n = n * 8 + digit;
                        i += 1;
                    }
                    literal.push(char::from_u32(n & 0xff).unwrap_or('\0'));
                }
                '1'..='9' => {
                    let mut n = e.to_digit(10).unwrap_or(0) as usize;
                    if let Some(second) = chars.get(i).and_then(|c| c.to_digit(10)) {
                        i += 1;
                        let (first, last) = (e.to_digit(8), octal(i));
                        if let (Some(a), true, Some(c)) = (first, second < 8, last) {
                            i += 1;
                            let code = a * 64 + second * 8 + c;
                            if code > 0o377 {
                                let shown: String = chars[at..i].iter().collect();
                                return Err(bad(
                                    format!("octal escape value {shown} outside of range 0-0o377"),
                                    at,
                                ));
                            }
                            literal.push(char::from_u32(code).unwrap_or('\0'));
                            continue;
                        }
                        n = n * 10 + second as usize;
                    }
                    group(n, at + 1, &mut literal)?;
                }
                'a' => literal.push('\u{7}'),
                'b' => literal.push('\u{8}'),
                'f' => literal.push('\u{c}'),
                'n' => literal.push('\n'),
                'r' => literal.push('\r'),
                't' => literal.push('\t'),
                'v' => literal.push('\u{b}'),
                '\\' => literal.push('\\'),
                e if e.is_ascii_alphabetic() => return Err(bad(format!("bad escape \\{e}"), at)),
                e => {
                    literal.push('\\');
                    literal.push(e);
                }
            }
        }
        pieces.push(Piece::Text(literal));
        Ok(Self(pieces))
    }
}

fn identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

/// `<name>` behind `\g`, and where it ends.
fn group_name(chars: &[char], at: usize) -> R<(String, usize)> {
    if chars.get(at) != Some(&'<') {
        return Err(bad("missing <", at));
    }
    let Some(length) = chars[at + 1..].iter().position(|c| *c == '>') else {
        let why = if at + 1 == chars.len() { "missing group name" } else { "missing >, unterminated name" };
        return Err(bad(why, at + 1));
    };
    if length == 0 {
        return Err(bad("missing group name", at + 1));
    }
    Ok((chars[at + 1..at + 1 + length].iter().collect(), at + length + 2))
}

#[cfg(test)]
mod tests {
    use super::super::{Anchor, Flags};
    use super::*;

    #[test]
    fn groups_fill_templates() {
        let regex = Regex::with("(?P<n>a+)(b)?", Anchor::Search, Flags::default()).unwrap();
        let sub = |template: &str, most: usize| {
            regex.replace("xaab a", &Template::read(template, &regex).unwrap(), most).unwrap()
        };
        assert_eq!(sub(r"<\1\2\g<n>\g<0>\\\n>", 0), ("x<aabaaaab\\\n> <aaa\\\n>".into(), 2));
        assert_eq!(sub(r"\.-\1", 1), (r"x\.-aa a".into(), 1));
        let said = |template: &str| Template::read(template, &regex).err().unwrap();
        assert_eq!(said(r"\3"), TemplateError::Bad("invalid group reference 3 at position 1".into()));
        assert_eq!(said(r"\q"), TemplateError::Bad(r"bad escape \q at position 0".into()));
        assert_eq!(said(r"\g<x>"), TemplateError::Unknown("unknown group name 'x'".into()));
    }
}
