//! Text to tokens, as far as the parser asks for them: an error behind the place where the parser stops is never seen.

mod chars;
mod escape;
mod number;
mod table;
mod tags;
mod token;

pub(crate) use chars::is_space;
pub(crate) use token::{Kind, Payload, Token};

use crate::{Error, Newline, Syntax};
use std::borrow::Cow;
use std::sync::Arc;
use tags::{Begin, Sign, Tag, Tags};
use token::OPERATORS;

/// Where in the template the lexer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    Inside(Begin),
}

/// The tokens of a template.
pub(crate) struct Lexer<'a> {
    text: Cow<'a, str>,
    syntax: &'a Syntax,
    tags: Tags<'a>,
    pos: usize,
    line: u32,
    state: State,
    /// The token after the one given last, if it is known.
    pending: Option<Token>,
    /// The brackets that must be closed before a tag can end.
    open: Vec<char>,
    line_starting: bool,
}

/// With the line ends that the lexer works on, and without the last.
fn lines<'a>(source: &'a str, syntax: &Syntax) -> Cow<'a, str> {
    let mut text = if source.contains('\r') {
        Cow::Owned(source.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(source)
    };
    if !syntax.keep_trailing_newline && text.ends_with('\n') {
        let end = text.len() - 1;
        match &mut text {
            Cow::Owned(text) => text.truncate(end),
            Cow::Borrowed(text) => *text = &text[..end],
        }
    }
    text
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(source: &'a str, syntax: &'a Syntax) -> Self {
        Self {
            text: lines(source, syntax),
            syntax,
            tags: Tags::new(syntax),
            pos: 0,
            line: 1,
            state: State::Text,
            pending: None,
            open: Vec::new(),
            line_starting: true,
        }
    }

    /// The next token, or none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Token>, Error> {
        loop {
            if let Some(token) = self.pending.take() {
                return Ok(Some(token));
            }
            if self.pos >= self.text.len() && self.state != State::Inside(Begin::LineStatement) {
                return Ok(None);
            }
            let token = match self.state {
                State::Text => self.in_text(),
                State::Inside(Begin::Raw) => self.in_raw()?,
                State::Inside(Begin::Comment) => {
                    let end = self.tags.comment_end(&self.text, self.pos);
                    let end = end.ok_or_else(|| Error::syntax(self.line, "Missing end of comment tag"))?;
                    self.leave(end);
                    None
                }
                State::Inside(Begin::LineComment) => {
                    let rest = &self.text[self.pos..];
                    self.leave(rest.find('\n').map_or(self.text.len(), |n| self.pos + n));
                    None
                }
                State::Inside(tag) => match self.in_tag(tag)? {
                    Step::Token(token) => Some(token),
                    Step::Blank => None,
                    Step::End => return Ok(None),
                },
            };
            if token.is_some() {
                return Ok(token);
            }
        }
    }

    /// Moves to `end`, over what has been matched.
    fn pass(&mut self, end: usize) {
        let passed = &self.text.as_bytes()[self.pos..end];
        let lines = memchr::memchr_iter(b'\n', passed).count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.line_starting = passed.last() == Some(&b'\n');
        self.pos = end;
    }

    fn leave(&mut self, end: usize) {
        self.pass(end);
        self.state = State::Text;
    }

    fn normal(&self, text: &str) -> String {
        match self.syntax.newline_sequence {
            Newline::Lf => text.to_owned(),
            other => text.replace('\n', other.as_str()),
        }
    }

    /// Text up to `end`, less what the tag there wants to be gone.
    fn data(&self, end: usize, sign: Sign, variable: bool) -> Option<Token> {
        let text = &self.text[self.pos..end];
        let kept = match sign {
            Sign::Trim => text.trim_end_matches(is_space),
            Sign::None if self.syntax.lstrip_blocks && !variable => {
                let line = text.rfind('\n').map_or(0, |n| n + 1);
                let blank = line < text.len() && text[line..].chars().all(is_space);
                if blank && (line > 0 || self.line_starting) { &text[..line] } else { text }
            }
            _ => text,
        };
        if kept.is_empty() {
            return None;
        }
        let payload = Payload::Text(Arc::from(self.normal(kept)));
        Some(Token { line: self.line, kind: Kind::Data, payload })
    }

    fn in_text(&mut self) -> Option<Token> {
        let Some(Tag { begin, sign, start, end }) = self.tags.find(&self.text, self.pos) else {
            let end = self.text.len();
            let token = self.data(end, Sign::Keep, false);
            self.pass(end);
            return token;
        };
        let data = self.data(start, sign, begin == Begin::Variable);
        self.pass(start);
        let kind = match begin {
            Begin::Variable => Some(Kind::VariableBegin),
            Begin::Block | Begin::LineStatement => Some(Kind::BlockBegin),
            Begin::Raw | Begin::Comment | Begin::LineComment => None,
        };
        let token = kind.map(|kind| Token::new(self.line, kind));
        self.pass(end);
        self.state = State::Inside(begin);
        if data.is_none() {
            return token;
        }
        self.pending = token;
        data
    }

    fn in_raw(&mut self) -> Result<Option<Token>, Error> {
        let Some((end, sign, after)) = self.tags.raw_end(&self.text, self.pos) else {
            return Err(Error::syntax(self.line, "Missing end of raw directive"));
        };
        let data = self.data(end, sign, false);
        self.leave(after);
        Ok(data)
    }

    fn tag_end(&self, tag: Begin) -> Option<(usize, Kind)> {
        let kind = if tag == Begin::Variable { Kind::VariableEnd } else { Kind::BlockEnd };
        let end = match tag {
            Begin::Variable => self.tags.variable_end(&self.text, self.pos),
            Begin::LineStatement => {
                let end = chars::skip_space(&self.text, self.pos);
                let last = self.text[self.pos..end].rfind('\n').map(|n| self.pos + n + 1);
                if end == self.text.len() { Some(end) } else { last }
            }
            _ => self.tags.block_end(&self.text, self.pos),
        };
        end.map(|end| (end, kind))
    }

    fn in_tag(&mut self, tag: Begin) -> Result<Step, Error> {
        if self.open.is_empty()
            && let Some((end, kind)) = self.tag_end(tag)
        {
            let token = Token::new(self.line, kind);
            self.leave(end);
            return Ok(Step::Token(token));
        }
        let rest = &self.text[self.pos..];
        let Some(c) = rest.chars().next() else { return Ok(Step::End) };
        if is_space(c) {
            self.pass(chars::skip_space(&self.text, self.pos));
            return Ok(Step::Blank);
        }
        let (length, kind, payload) =
            if let Some((length, number)) = number::number(rest, self.text[..self.pos].ends_with('.')) {
                let number = number.map_err(|message| Error::value(self.line, message))?;
                let kind =
                    if matches!(number, crate::tree::Const::Float(_)) { Kind::Float } else { Kind::Integer };
                (length, kind, Payload::Number(number))
            } else if chars::is_word(c) {
                let length = rest.find(|c| !chars::is_word(c)).unwrap_or(rest.len());
                let word = &rest[..length];
                if !chars::is_identifier(word) {
                    return Err(Error::syntax(self.line, "Invalid character in identifier"));
                }
                (length, Kind::Name, Payload::Text(Arc::from(word)))
            } else if let Some(length) = string_end(rest) {
                let text = escape::unescape(&self.normal(&rest[1..length - 1]));
                let text = text.map_err(|message| Error::syntax(self.line, message))?;
                (length, Kind::String, Payload::Text(Arc::from(text)))
            } else if let Some(&(text, kind)) = OPERATORS.iter().find(|(text, _)| rest.starts_with(text)) {
                self.balance(kind, c)?;
                (text.len(), kind, Payload::None)
            } else {
                let at = self.text[..self.pos].chars().count();
                return Err(Error::syntax(self.line, format!("unexpected char {} at {at}", chars::repr(c))));
            };
        let token = Token { line: self.line, kind, payload };
        self.pass(self.pos + length);
        Ok(Step::Token(token))
    }

    fn balance(&mut self, kind: Kind, c: char) -> Result<(), Error> {
        match kind {
            Kind::LBrace => self.open.push('}'),
            Kind::LParen => self.open.push(')'),
            Kind::LBracket => self.open.push(']'),
            Kind::RBrace | Kind::RParen | Kind::RBracket => match self.open.pop() {
                None => return Err(Error::syntax(self.line, format!("unexpected '{c}'"))),
                Some(closing) if closing != c => {
                    let message = format!("unexpected '{c}', expected '{closing}'");
                    return Err(Error::syntax(self.line, message));
                }
                Some(_) => {}
            },
            _ => {}
        }
        Ok(())
    }
}

/// What a step within a tag came to.
enum Step {
    Token(Token),
    Blank,
    End,
}

/// The length of the string that `text` starts with, quotes included, if it starts with one and that ends.
fn string_end(text: &str) -> Option<usize> {
    let quote = text.bytes().next().filter(|b| matches!(b, b'\'' | b'"'))?;
    let mut at = 1;
    loop {
        at += memchr::memchr2(quote, b'\\', text.as_bytes().get(at..)?)?;
        if text.as_bytes()[at] == quote {
            return Some(at + 1);
        }
        at += 1 + text[at + 1..].chars().next()?.len_utf8();
    }
}
