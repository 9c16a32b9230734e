//! Expressions: operators, constants, brackets.
//!
//! Operators are read by climbing their precedence, not by a function for each of its levels as in Jinja2, which would take eight
//! times the stack. The lines that Jinja2 notes are kept: the first operator of a level has the line where its left side begins, one
//! that follows on the same level has its own.

use super::Parser;
use crate::Error;
use crate::lex::{Kind, Payload};
use crate::tree::{BinOp, CmpOp, Const, Expr, ExprKind, Operand, UnaryOp};

/// How a list of expressions without brackets is read.
#[derive(Default, Clone, Copy)]
pub(super) struct Tuple {
    /// No `a if b else c` in it.
    pub(super) bare: bool,
    /// It is in parentheses, and may be empty.
    pub(super) parentheses: bool,
}

/// Levels of precedence, the loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Compare,
    Sum,
    Concat,
    Product,
    Power,
    Unary,
}

impl Level {
    fn tighter(self) -> Self {
        match self {
            Self::Or => Self::And,
            Self::And => Self::Not,
            Self::Not => Self::Compare,
            Self::Compare => Self::Sum,
            Self::Sum => Self::Concat,
            Self::Concat => Self::Product,
            Self::Product => Self::Power,
            Self::Power | Self::Unary => Self::Unary,
        }
    }
}

enum Operator {
    Binary(BinOp),
    Compare(CmpOp),
    Concat,
}

/// The words that are constants.
pub(super) fn constant(word: &str) -> Option<Const> {
    match word {
        "true" | "True" => Some(Const::Bool(true)),
        "false" | "False" => Some(Const::Bool(false)),
        "none" | "None" => Some(Const::None),
        _ => None,
    }
}

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expr, Error> {
        self.enter(2)?;
        let expr = self.conditional()?;
        self.leave(2);
        Ok(expr)
    }

    fn bare_expression(&mut self) -> Result<Expr, Error> {
        self.enter(2)?;
        let expr = self.operators(Level::Or)?;
        self.leave(2);
        Ok(expr)
    }

    fn conditional(&mut self) -> Result<Expr, Error> {
        let mut line = self.stream.line();
        let mut expr = self.operators(Level::Or)?;
        while self.stream.skip_name("if")? {
            let test = Box::new(self.operators(Level::Or)?);
            let else_ = if self.stream.skip_name("else")? {
                self.enter(1)?;
                let expr = self.conditional()?;
                self.leave(1);
                Some(Box::new(expr))
            } else {
                None
            };
            expr = self.expr(line, ExprKind::CondExpr { test, then: Box::new(expr), else_ })?;
            line = self.stream.line();
        }
        Ok(expr)
    }

    /// The operator at hand, and its level.
    fn operator(&mut self) -> Result<Option<(Level, Operator)>, Error> {
        use Operator::{Binary, Compare, Concat};
        let found = match self.stream.kind() {
            Kind::Eq => (Level::Compare, Compare(CmpOp::Eq)),
            Kind::Ne => (Level::Compare, Compare(CmpOp::Ne)),
            Kind::Lt => (Level::Compare, Compare(CmpOp::Lt)),
            Kind::Lteq => (Level::Compare, Compare(CmpOp::Lteq)),
            Kind::Gt => (Level::Compare, Compare(CmpOp::Gt)),
            Kind::Gteq => (Level::Compare, Compare(CmpOp::Gteq)),
            Kind::Add => (Level::Sum, Binary(BinOp::Add)),
            Kind::Sub => (Level::Sum, Binary(BinOp::Sub)),
            Kind::Tilde => (Level::Concat, Concat),
            Kind::Mul => (Level::Product, Binary(BinOp::Mul)),
            Kind::Div => (Level::Product, Binary(BinOp::Div)),
            Kind::FloorDiv => (Level::Product, Binary(BinOp::FloorDiv)),
            Kind::Mod => (Level::Product, Binary(BinOp::Mod)),
            Kind::Pow => (Level::Power, Binary(BinOp::Pow)),
            Kind::Name if self.stream.at_name("not") => {
                if !self.stream.look()?.is_name("in") {
                    return Ok(None);
                }
                (Level::Compare, Compare(CmpOp::NotIn))
            }
            Kind::Name => match self.stream.current.text() {
                "or" => (Level::Or, Binary(BinOp::Or)),
                "and" => (Level::And, Binary(BinOp::And)),
                "in" => (Level::Compare, Compare(CmpOp::In)),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(found))
    }

    /// Operands and operators of `least` and tighter levels.
    fn operators(&mut self, least: Level) -> Result<Expr, Error> {
        let start = self.stream.line();
        // Operators of this level or tighter ones have all been read when the operand has.
        let mut below = Level::Unary;
        let mut expr = if least <= Level::Not && self.stream.at_name("not") {
            let line = self.stream.next()?.line;
            self.enter(1)?;
            let operand = self.operators(Level::Not)?;
            self.leave(1);
            below = Level::Compare;
            self.expr(line, ExprKind::Unary(UnaryOp::Not, Box::new(operand)))?
        } else {
            self.unary(true)?
        };
        let mut last = None;
        while let Some((level, operator)) = self.operator()? {
            if level < least || level >= below {
                break;
            }
            let line = if last == Some(level) { self.stream.line() } else { start };
            last = Some(level);
            expr = match operator {
                Operator::Binary(op) => {
                    self.stream.next()?;
                    let right = self.operators(level.tighter())?;
                    self.expr(line, ExprKind::Bin(op, Box::new(expr), Box::new(right)))?
                }
                Operator::Concat => self.concat(line, expr)?,
                Operator::Compare(op) => self.compare(expr, op)?,
            };
        }
        Ok(expr)
    }

    fn concat(&mut self, line: u32, first: Expr) -> Result<Expr, Error> {
        let mut parts = vec![first];
        while self.stream.skip(Kind::Tilde)? {
            parts.push(self.operators(Level::Product)?);
        }
        self.expr(line, ExprKind::Concat(parts))
    }

    fn compare(&mut self, first: Expr, mut op: CmpOp) -> Result<Expr, Error> {
        let mut operands = Vec::new();
        loop {
            self.stream.next()?;
            if op == CmpOp::NotIn {
                self.stream.next()?;
            }
            operands.push(Operand { op, expr: self.operators(Level::Sum)? });
            match self.operator()? {
                Some((_, Operator::Compare(next))) => op = next,
                _ => break,
            }
        }
        // The line of what follows the last operand: so it is noted in Jinja2.
        let line = self.stream.line();
        self.expr(line, ExprKind::Compare(Box::new(first), operands))
    }

    fn unary(&mut self, filters: bool) -> Result<Expr, Error> {
        let line = self.stream.line();
        let op = match self.stream.kind() {
            Kind::Sub => Some(UnaryOp::Neg),
            Kind::Add => Some(UnaryOp::Pos),
            _ => None,
        };
        let expr = if let Some(op) = op {
            self.stream.next()?;
            self.enter(1)?;
            let operand = self.unary(false)?;
            self.leave(1);
            self.expr(line, ExprKind::Unary(op, Box::new(operand)))?
        } else {
            self.primary()?
        };
        let expr = self.postfix(expr)?;
        if filters { self.filters_and_tests(expr) } else { Ok(expr) }
    }

    /// A name, a constant, or something in brackets.
    pub(super) fn primary(&mut self) -> Result<Expr, Error> {
        let line = self.stream.line();
        match self.stream.kind() {
            Kind::Name => {
                let name = self.stream.next()?.into_text();
                let kind = constant(&name).map_or_else(|| ExprKind::Name(name), ExprKind::Const);
                self.expr(line, kind)
            }
            Kind::String => {
                let mut text = self.stream.next()?.into_text();
                if self.stream.kind() == Kind::String {
                    let mut joined = String::from(&*text);
                    while self.stream.kind() == Kind::String {
                        joined.push_str(self.stream.next()?.text());
                    }
                    text = joined.into();
                }
                self.expr(line, ExprKind::Const(Const::Str(text)))
            }
            Kind::Integer | Kind::Float => {
                let number = match self.stream.next()?.payload {
                    Payload::Number(number) => number,
                    _ => Const::None,
                };
                self.expr(line, ExprKind::Const(number))
            }
            Kind::LParen => {
                self.stream.next()?;
                let expr = self.tuple(Tuple { parentheses: true, ..Tuple::default() })?;
                self.stream.expect(Kind::RParen)?;
                Ok(expr)
            }
            Kind::LBracket => self.list(),
            Kind::LBrace => self.dict(),
            _ => self.fail(format!("unexpected '{}'", self.stream.current.describe())),
        }
    }

    /// A trailing comma is only seen before these: `in` and `recursive` are meant to be among them, but Jinja2 asks for them in vain,
    /// so that `for a, in b` is an error.
    pub(super) fn at_tuple_end(&self) -> bool {
        matches!(self.stream.kind(), Kind::VariableEnd | Kind::BlockEnd | Kind::RParen)
    }

    pub(super) fn no_expression<T>(&self) -> Result<T, Error> {
        self.fail(format!("Expected an expression, got '{}'", self.stream.current.describe()))
    }

    /// An expression, or several with commas.
    pub(super) fn tuple(&mut self, how: Tuple) -> Result<Expr, Error> {
        let mut line = self.stream.line();
        let mut items = Vec::new();
        let mut tuple = false;
        loop {
            if !items.is_empty() {
                self.stream.expect(Kind::Comma)?;
            }
            if self.at_tuple_end() {
                break;
            }
            items.push(if how.bare { self.bare_expression()? } else { self.expression()? });
            if self.stream.kind() != Kind::Comma {
                break;
            }
            tuple = true;
            line = self.stream.line();
        }
        if !tuple {
            if let Some(item) = items.pop() {
                return Ok(item);
            }
            if !how.parentheses {
                return self.no_expression();
            }
        }
        self.expr(line, ExprKind::Tuple(items))
    }

    fn list(&mut self) -> Result<Expr, Error> {
        let line = self.stream.next()?.line;
        let mut items = Vec::new();
        while self.stream.kind() != Kind::RBracket {
            if !items.is_empty() {
                self.stream.expect(Kind::Comma)?;
            }
            if self.stream.kind() == Kind::RBracket {
                break;
            }
            items.push(self.expression()?);
        }
        self.stream.expect(Kind::RBracket)?;
        self.expr(line, ExprKind::List(items))
    }

    fn dict(&mut self) -> Result<Expr, Error> {
        let line = self.stream.next()?.line;
        let mut pairs = Vec::new();
        while self.stream.kind() != Kind::RBrace {
            if !pairs.is_empty() {
                self.stream.expect(Kind::Comma)?;
            }
            if self.stream.kind() == Kind::RBrace {
                break;
            }
            let key = self.expression()?;
            self.stream.expect(Kind::Colon)?;
            pairs.push((key, self.expression()?));
        }
        self.stream.expect(Kind::RBrace)?;
        self.expr(line, ExprKind::Dict(pairs))
    }
}
