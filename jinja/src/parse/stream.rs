//! The token at hand and the one after it.

use crate::lex::{Kind, Lexer, Token};
use crate::{Error, Syntax};

/// Tokens, one at hand.
pub(super) struct Stream<'a> {
    lexer: Lexer<'a>,
    pub(super) current: Token,
    /// What follows, if it has been looked at.
    ahead: Option<Token>,
}

impl<'a> Stream<'a> {
    pub(super) fn new(source: &'a str, syntax: &'a Syntax) -> Result<Self, Error> {
        let current = Token { line: 1, kind: Kind::Initial, payload: crate::lex::Payload::None };
        let mut stream = Self { lexer: Lexer::new(source, syntax), current, ahead: None };
        stream.next()?;
        Ok(stream)
    }

    fn read(&mut self) -> Result<Token, Error> {
        let line = self.current.line;
        let end = || Token { line, kind: Kind::Eof, payload: crate::lex::Payload::None };
        if self.current.kind == Kind::Eof {
            return Ok(end());
        }
        Ok(self.lexer.next()?.unwrap_or_else(end))
    }

    /// Goes on, and gives what was at hand.
    pub(super) fn next(&mut self) -> Result<Token, Error> {
        let next = match self.ahead.take() {
            Some(token) => token,
            None => self.read()?,
        };
        Ok(std::mem::replace(&mut self.current, next))
    }

    /// What follows the token at hand.
    pub(super) fn look(&mut self) -> Result<&Token, Error> {
        if self.ahead.is_none() {
            self.ahead = Some(self.read()?);
        }
        Ok(self.ahead.as_ref().unwrap_or(&self.current))
    }

    pub(super) fn kind(&self) -> Kind {
        self.current.kind
    }

    pub(super) fn line(&self) -> u32 {
        self.current.line
    }

    /// Whether the token at hand is this name.
    pub(super) fn at_name(&self, name: &str) -> bool {
        self.current.is_name(name)
    }

    /// Goes over the token at hand if it is of this kind.
    pub(super) fn skip(&mut self, kind: Kind) -> Result<bool, Error> {
        let there = self.kind() == kind;
        if there {
            self.next()?;
        }
        Ok(there)
    }

    /// Goes over the token at hand if it is this name.
    pub(super) fn skip_name(&mut self, name: &str) -> Result<bool, Error> {
        let there = self.at_name(name);
        if there {
            self.next()?;
        }
        Ok(there)
    }

    /// Goes over a token that must be of this kind.
    pub(super) fn expect(&mut self, kind: Kind) -> Result<Token, Error> {
        if self.kind() == kind { self.next() } else { Err(self.missing(kind.describe())) }
    }

    /// Goes over this name, which must be there.
    pub(super) fn expect_name(&mut self, name: &str) -> Result<Token, Error> {
        if self.at_name(name) { self.next() } else { Err(self.missing(name)) }
    }

    fn missing(&self, wanted: &str) -> Error {
        let message = match self.kind() {
            Kind::Eof => format!("unexpected end of template, expected '{wanted}'."),
            _ => format!("expected token '{wanted}', got '{}'", self.current.describe()),
        };
        Error::syntax(self.line(), message)
    }
}
