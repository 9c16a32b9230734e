//! What the lexer gives to the parser, and what errors call it.

use crate::tree::Const;
use std::sync::Arc;

/// The kinds of tokens. Statements of lines begin and end as others do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Add,
    Assign,
    Colon,
    Comma,
    Div,
    Dot,
    Eq,
    FloorDiv,
    Gt,
    Gteq,
    LBrace,
    LBracket,
    LParen,
    Lt,
    Lteq,
    Mod,
    Mul,
    Ne,
    Pipe,
    Pow,
    RBrace,
    RBracket,
    RParen,
    Semicolon,
    Sub,
    Tilde,
    Float,
    Integer,
    Name,
    String,
    BlockBegin,
    BlockEnd,
    VariableBegin,
    VariableEnd,
    Data,
    Initial,
    Eof,
}

/// The operators; longer ones come before those that they begin with.
pub(super) const OPERATORS: &[(&str, Kind)] = &[
    ("//", Kind::FloorDiv),
    ("**", Kind::Pow),
    ("==", Kind::Eq),
    ("!=", Kind::Ne),
    (">=", Kind::Gteq),
    ("<=", Kind::Lteq),
    ("+", Kind::Add),
    ("-", Kind::Sub),
    ("/", Kind::Div),
    ("*", Kind::Mul),
    ("%", Kind::Mod),
    ("~", Kind::Tilde),
    ("[", Kind::LBracket),
    ("]", Kind::RBracket),
    ("(", Kind::LParen),
    (")", Kind::RParen),
    ("{", Kind::LBrace),
    ("}", Kind::RBrace),
    (">", Kind::Gt),
    ("<", Kind::Lt),
    ("=", Kind::Assign),
    (".", Kind::Dot),
    (":", Kind::Colon),
    ("|", Kind::Pipe),
    (",", Kind::Comma),
    (";", Kind::Semicolon),
];

impl Kind {
    /// What an error calls a token of this kind.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Name => "name",
            Self::String => "string",
            Self::BlockBegin => "begin of statement block",
            Self::BlockEnd => "end of statement block",
            Self::VariableBegin => "begin of print statement",
            Self::VariableEnd => "end of print statement",
            Self::Data => "template data / text",
            Self::Initial => "initial",
            Self::Eof => "end of template",
            operator => OPERATORS.iter().find(|(_, k)| *k == operator).map_or("", |(text, _)| text),
        }
    }
}

/// What a token holds beside its kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Payload {
    None,
    /// Of names, strings and text.
    Text(Arc<str>),
    /// Of numbers.
    Number(Const),
}

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) line: u32,
    pub(crate) kind: Kind,
    pub(crate) payload: Payload,
}

impl Token {
    pub(super) fn new(line: u32, kind: Kind) -> Self {
        Self { line, kind, payload: Payload::None }
    }

    /// The text of a name, a string or the template's text; of others it is empty.
    pub(crate) fn text(&self) -> &str {
        match &self.payload {
            Payload::Text(text) => text,
            _ => "",
        }
    }

    /// The text, to keep.
    pub(crate) fn into_text(self) -> Arc<str> {
        match self.payload {
            Payload::Text(text) => text,
            _ => Arc::from(""),
        }
    }

    /// Whether it is this name.
    pub(crate) fn is_name(&self, name: &str) -> bool {
        self.kind == Kind::Name && self.text() == name
    }

    /// What an error calls it.
    pub(crate) fn describe(&self) -> &str {
        if self.kind == Kind::Name { self.text() } else { self.kind.describe() }
    }
}
