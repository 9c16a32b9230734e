//! What stands behind an expression: attributes, items, calls, filters, tests.

use super::Parser;
use crate::Error;
use crate::lex::{Kind, Payload};
use crate::tree::{Args, Expr, ExprKind, UnaryOp};
use std::sync::Arc;

impl Parser<'_> {
    pub(super) fn postfix(&mut self, mut expr: Expr) -> Result<Expr, Error> {
        loop {
            expr = match self.stream.kind() {
                Kind::Dot => self.attribute(expr)?,
                Kind::LBracket => self.subscript(expr)?,
                Kind::LParen => self.call(expr)?,
                _ => return Ok(expr),
            };
        }
    }

    pub(super) fn filters_and_tests(&mut self, mut expr: Expr) -> Result<Expr, Error> {
        loop {
            expr = match self.stream.kind() {
                Kind::Pipe => match self.filters(Some(expr), false)? {
                    Some(filtered) => filtered,
                    None => return self.fail("expected token 'name'"),
                },
                Kind::Name if self.stream.at_name("is") => self.test(expr)?,
                Kind::LParen => self.call(expr)?,
                _ => return Ok(expr),
            };
        }
    }

    fn attribute(&mut self, expr: Expr) -> Result<Expr, Error> {
        let line = self.stream.next()?.line;
        let token = self.stream.next()?;
        match token.payload {
            Payload::Text(name) if token.kind == Kind::Name => {
                self.expr(line, ExprKind::Getattr(Box::new(expr), name))
            }
            Payload::Number(number) if token.kind == Kind::Integer => {
                let index = self.expr(token.line, ExprKind::Const(number))?;
                self.expr(line, ExprKind::Getitem(Box::new(expr), Box::new(index)))
            }
            _ => Err(Error::syntax(token.line, "expected name or number")),
        }
    }

    fn subscript(&mut self, expr: Expr) -> Result<Expr, Error> {
        let line = self.stream.next()?.line;
        let mut args = Vec::new();
        while self.stream.kind() != Kind::RBracket {
            if !args.is_empty() {
                self.stream.expect(Kind::Comma)?;
            }
            args.push(self.subscribed()?);
        }
        self.stream.expect(Kind::RBracket)?;
        let arg = match args.pop() {
            Some(only) if args.is_empty() => only,
            last => {
                args.extend(last);
                self.expr(line, ExprKind::Tuple(args))?
            }
        };
        self.expr(line, ExprKind::Getitem(Box::new(expr), Box::new(arg)))
    }

    /// An index, or a slice.
    fn subscribed(&mut self) -> Result<Expr, Error> {
        let line = self.stream.line();
        let mut parts = [None, None, None];
        if self.stream.kind() != Kind::Colon {
            let index = self.expression()?;
            if self.stream.kind() != Kind::Colon {
                return Ok(index);
            }
            parts[0] = Some(index);
        }
        self.stream.next()?;
        if self.stream.kind() != Kind::Colon {
            parts[1] = self.slice_part()?;
        }
        if self.stream.skip(Kind::Colon)? {
            parts[2] = self.slice_part()?;
        }
        self.expr(line, ExprKind::Slice(Box::new(parts)))
    }

    fn slice_part(&mut self) -> Result<Option<Expr>, Error> {
        match self.stream.kind() {
            Kind::RBracket | Kind::Comma => Ok(None),
            _ => self.expression().map(Some),
        }
    }

    fn call(&mut self, expr: Expr) -> Result<Expr, Error> {
        let line = self.stream.line();
        let args = self.args()?;
        self.expr(line, ExprKind::Call(Box::new(expr), Box::new(args)))
    }

    fn args(&mut self) -> Result<Args, Error> {
        let line = self.stream.expect(Kind::LParen)?.line;
        let mut args = Args::default();
        let invalid = || Error::syntax(line, "invalid syntax for function call expression");
        let mut first = true;
        while self.stream.kind() != Kind::RParen {
            if !first {
                self.stream.expect(Kind::Comma)?;
                if self.stream.kind() == Kind::RParen {
                    break;
                }
            }
            first = false;
            match self.stream.kind() {
                Kind::Mul => {
                    if args.dyn_args.is_some() || args.dyn_kwargs.is_some() {
                        return Err(invalid());
                    }
                    self.stream.next()?;
                    args.dyn_args = Some(self.expression()?);
                }
                Kind::Pow => {
                    if args.dyn_kwargs.is_some() {
                        return Err(invalid());
                    }
                    self.stream.next()?;
                    args.dyn_kwargs = Some(self.expression()?);
                }
                Kind::Name if self.stream.look()?.kind == Kind::Assign => {
                    if args.dyn_kwargs.is_some() {
                        return Err(invalid());
                    }
                    let name = self.stream.next()?.into_text();
                    self.stream.next()?;
                    args.kwargs.push((name, self.expression()?));
                }
                _ => {
                    if args.dyn_args.is_some() || args.dyn_kwargs.is_some() || !args.kwargs.is_empty() {
                        return Err(invalid());
                    }
                    args.args.push(self.expression()?);
                }
            }
        }
        self.stream.expect(Kind::RParen)?;
        Ok(args)
    }

    /// A name with dots in it.
    fn dotted(&mut self) -> Result<Arc<str>, Error> {
        let mut name = self.stream.expect(Kind::Name)?.into_text();
        if self.stream.kind() == Kind::Dot {
            let mut whole = String::from(&*name);
            while self.stream.skip(Kind::Dot)? {
                whole.push('.');
                whole.push_str(self.stream.expect(Kind::Name)?.text());
            }
            name = whole.into();
        }
        Ok(name)
    }

    /// Filters behind a value, or of a block. `started`: the first has no `|`, and must be there.
    pub(super) fn filters(&mut self, mut node: Option<Expr>, started: bool) -> Result<Option<Expr>, Error> {
        let mut started = started;
        while started || self.stream.kind() == Kind::Pipe {
            if !started {
                self.stream.next()?;
            }
            started = false;
            let line = self.stream.line();
            let name = self.dotted()?;
            let args = if self.stream.kind() == Kind::LParen { self.args()? } else { Args::default() };
            let kind = ExprKind::Filter { node: node.map(Box::new), name, args: Box::new(args) };
            node = Some(self.expr(line, kind)?);
        }
        Ok(node)
    }

    fn test(&mut self, expr: Expr) -> Result<Expr, Error> {
        let line = self.stream.next()?.line;
        let negated = self.stream.skip_name("not")?;
        let name = self.dotted()?;
        let mut args = Args::default();
        match self.stream.kind() {
            Kind::LParen => args = self.args()?,
            Kind::Name | Kind::String | Kind::Integer | Kind::Float | Kind::LBracket | Kind::LBrace
                if !["else", "or", "and"].iter().any(|word| self.stream.at_name(word)) =>
            {
                if self.stream.at_name("is") {
                    return self.fail("You cannot chain multiple tests with is");
                }
                let arg = self.primary()?;
                args.args.push(self.postfix(arg)?);
            }
            _ => {}
        }
        let test = self.expr(line, ExprKind::Test { node: Box::new(expr), name, args: Box::new(args) })?;
        if negated { self.expr(line, ExprKind::Unary(UnaryOp::Not, Box::new(test))) } else { Ok(test) }
    }
}
