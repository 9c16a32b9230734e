//! Compound expressions: their words, and boolean algebra over whatever the words match.
//!
//! Shared by the minion's side (truth values) and the master's side (sets of minions); neither evaluates code, as
//! stock does.

use crate::text::python_str;
use brine_protocol::Value;

/// A word that is no operator: `X@pattern`, `X<delimiter>@pattern`, or a glob without engine.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) engine: Option<char>,
    pub(super) delimiter: Option<char>,
    pub(super) pattern: &'a str,
}

impl<'a> Word<'a> {
    pub(super) fn parse(word: &'a str) -> Self {
        let glob = Self { engine: None, delimiter: None, pattern: word };
        let mut chars = word.chars();
        let Some(engine) = chars.next().filter(|c| "GPIJLNSERTM".contains(*c)) else { return glob };
        let rest = chars.as_str();
        if "GPIJ".contains(engine) {
            let mut after = rest.chars();
            if let (Some(delimiter), Some('@')) = (after.next(), after.next())
                && !after.as_str().is_empty()
            {
                return Self { engine: Some(engine), delimiter: Some(delimiter), pattern: after.as_str() };
            }
        }
        match rest.strip_prefix('@') {
            Some(pattern) if !pattern.is_empty() => Self { engine: Some(engine), delimiter: None, pattern },
            _ => glob,
        }
    }
}

/// The words of an expression: text at white space, or a list.
pub(super) fn words(tgt: &Value) -> Option<Vec<String>> {
    match tgt {
        Value::Str(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
        Value::List(list) => Some(list.iter().map(python_str).collect()),
        _ => None,
    }
}

/// What an expression is made of once its words are evaluated.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<T> {
    And,
    Or,
    Not,
    Open,
    Close,
    Operand(T),
}

/// What can be combined.
pub(super) trait Algebra: Sized {
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn not(self) -> Self;
}

impl Algebra for bool {
    fn and(self, other: Self) -> Self {
        self && other
    }
    fn or(self, other: Self) -> Self {
        self || other
    }
    fn not(self) -> Self {
        !self
    }
}

/// How deep parentheses may nest.
const MAX_DEPTH: usize = 200;

/// Evaluates with `not` before `and` before `or`. `None` if the expression is malformed.
pub(super) fn evaluate<T: Algebra>(tokens: Vec<Token<T>>) -> Option<T> {
    let mut depth = 0usize;
    for token in &tokens {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return None;
        }
    }
    let mut rest = tokens.into_iter().peekable();
    let value = disjunction(&mut rest)?;
    rest.next().is_none().then_some(value)
}

type Rest<T> = std::iter::Peekable<std::vec::IntoIter<Token<T>>>;

fn disjunction<T: Algebra>(rest: &mut Rest<T>) -> Option<T> {
    let mut left = conjunction(rest)?;
    while rest.next_if(|t| matches!(t, Token::Or)).is_some() {
        left = left.or(conjunction(rest)?);
    }
    Some(left)
}

fn conjunction<T: Algebra>(rest: &mut Rest<T>) -> Option<T> {
    let mut left = negation(rest)?;
    while rest.next_if(|t| matches!(t, Token::And)).is_some() {
        left = left.and(negation(rest)?);
    }
    Some(left)
}

fn negation<T: Algebra>(rest: &mut Rest<T>) -> Option<T> {
    match rest.next()? {
        Token::Not => Some(negation(rest)?.not()),
        Token::Open => {
            let inner = disjunction(rest)?;
            matches!(rest.next()?, Token::Close).then_some(inner)
        }
        Token::Operand(value) => Some(value),
        _ => None,
    }
}

/// Adds an operator with stock's rules: none but `(` and `not` may come first, or `and`/`or` right after `(`; `not`
/// after an operand means `and not`. `None` if it cannot stand there.
pub(super) fn push_operator<T>(tokens: &mut Vec<Token<T>>, word: &str) -> Option<bool> {
    let token = match word {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        "(" => Token::Open,
        ")" => Token::Close,
        _ => return Some(false),
    };
    let binary = matches!(token, Token::And | Token::Or);
    match tokens.last() {
        None if !matches!(token, Token::Open | Token::Not) => return None,
        Some(Token::Open) if binary => return None,
        Some(last)
            if matches!(token, Token::Not) && !matches!(last, Token::And | Token::Or | Token::Open) =>
        {
            tokens.push(Token::And);
        }
        _ => {}
    }
    tokens.push(token);
    Some(true)
}
