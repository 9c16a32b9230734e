//! Tokens of a JMESPath expression.

use crate::json;
use brine_python::{Kind, Obj, PyErr, R, int};

/// A token: its type in the words of errors, its value, and where it begins, in characters.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) kind: &'static str,
    pub(super) value: Obj,
    pub(super) start: usize,
}

/// An expression that cannot be read, at a character of it.
fn failed(message: &str, at: usize, text: &str) -> PyErr {
    PyErr::new(
        Kind::Other("LexerError"),
        format!("Bad jmespath expression: {message}:\n{text}\n{}^", " ".repeat(at)),
    )
}

struct Lexer<'a> {
    text: &'a str,
    chars: Vec<char>,
    at: usize,
}

/// All tokens, `eof` last.
pub(super) fn tokens(text: &str) -> R<Vec<Token>> {
    let mut lexer = Lexer { text, chars: text.chars().collect(), at: 0 };
    let mut out = Vec::new();
    while let Some(token) = lexer.next()? {
        out.push(token);
    }
    out.push(Token { kind: "eof", value: Obj::str(""), start: lexer.chars.len() });
    Ok(out)
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// One character, or two where the second one follows.
    fn either(&mut self, second: char, two: &'static str, one: &'static str) -> (&'static str, String) {
        let first = self.chars[self.at];
        self.at += 1;
        if self.peek() == Some(second) {
            self.at += 1;
            return (two, format!("{first}{second}"));
        }
        (one, first.to_string())
    }

    fn next(&mut self) -> R<Option<Token>> {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
        let start = self.at;
        let Some(c) = self.peek() else { return Ok(None) };
        let simple = match c {
            '.' => "dot",
            '*' => "star",
            ']' => "rbracket",
            ',' => "comma",
            ':' => "colon",
            '@' => "current",
            '(' => "lparen",
            ')' => "rparen",
            '{' => "lbrace",
            '}' => "rbrace",
            _ => "",
        };
        if !simple.is_empty() {
            self.at += 1;
            return Ok(Some(Token { kind: simple, value: c.into(), start }));
        }
        let (kind, value) = match c {
            'a'..='z' | 'A'..='Z' | '_' => {
                let rest = self.chars[start..].iter();
                let name: String = rest.take_while(|c| c.is_ascii_alphanumeric() || **c == '_').collect();
                self.at += name.len();
                ("unquoted_identifier", name.into())
            }
            '[' => {
                self.at += 1;
                let (kind, value) = match self.peek() {
                    Some(']') => ("flatten", "[]"),
                    Some('?') => ("filter", "[?"),
                    _ => ("lbracket", "["),
                };
                self.at += value.len() - 1;
                (kind, value.into())
            }
            '\'' => ("literal", self.until('\'')?.replace("\\'", "'").into()),
            '`' => ("literal", self.literal()?),
            '"' => {
                let lexeme = format!("\"{}\"", self.until('"')?);
                let value = json::loads(&lexeme).map_err(|e| {
                    let why = e.to_string();
                    failed(why.split(':').next().unwrap_or_default(), start, self.text)
                })?;
                ("quoted_identifier", value)
            }
            '|' => self.pair('|', "or", "pipe"),
            '&' => self.pair('&', "and", "expref"),
            '<' => self.pair('=', "lte", "lt"),
            '>' => self.pair('=', "gte", "gt"),
            '!' => self.pair('=', "ne", "not"),
            '0'..='9' | '-' => {
                let rest = self.chars[start + 1..].iter();
                let digits: String = rest.take_while(|c| c.is_ascii_digit()).collect();
                self.at += 1 + digits.len();
                if c == '-' && digits.is_empty() {
                    return Err(failed("Unknown token '-'", start, self.text));
                }
                ("number", int(&Obj::from(format!("{c}{digits}")), None)?)
            }
            '=' => {
                if self.chars.get(start + 1) != Some(&'=') {
                    return Err(failed("Unknown token '='", start, self.text));
                }
                self.at += 2;
                ("eq", "==".into())
            }
            c => return Err(failed(&format!("Unknown token {c}"), start, self.text)),
        };
        Ok(Some(Token { kind, value, start }))
    }

    fn pair(&mut self, second: char, two: &'static str, one: &'static str) -> (&'static str, Obj) {
        let (kind, value) = self.either(second, two, one);
        (kind, value.into())
    }

    /// What stands before a delimiter that is not behind a backslash.
    fn until(&mut self, delimiter: char) -> R<String> {
        let start = self.at;
        let mut out = String::new();
        self.at += 1;
        while self.peek() != Some(delimiter) {
            if self.peek() == Some('\\') {
                out.push('\\');
                self.at += 1;
            }
            let Some(c) = self.peek() else {
                return Err(failed(&format!("Unclosed {delimiter} delimiter"), start, self.text));
            };
            out.push(c);
            self.at += 1;
        }
        self.at += 1;
        Ok(out)
    }

    /// JSON, or text without its quotes.
    fn literal(&mut self) -> R {
        let start = self.at;
        let lexeme = self.until('`')?.replace("\\`", "`");
        json::loads(&lexeme)
            .or_else(|_| json::loads(&format!("\"{}\"", lexeme.trim_start())))
            .map_err(|_| failed(&format!("Bad token {lexeme}"), start, self.text))
    }
}
