//! What can be assigned to, and the parameters of macros.

use super::{Parser, expr};
use crate::Error;
use crate::lex::Kind;
use crate::tree::{Expr, ExprKind, Signature, Target, TargetKind};
use std::sync::Arc;

/// One of the things in a list of targets, before it is known whether it can be assigned to.
enum Part {
    Target(Target),
    Expr(Expr),
}

impl Part {
    fn line(&self) -> u32 {
        match self {
            Self::Target(target) => target.line,
            Self::Expr(expr) => expr.line,
        }
    }

    /// Jinja2's word for it.
    fn name(&self) -> &'static str {
        match self {
            Self::Target(Target { kind: TargetKind::Tuple(_), .. }) => "tuple",
            Self::Target(_) => "name",
            Self::Expr(expr) => expr.kind.name(),
        }
    }

    fn target(self) -> Option<Target> {
        match self {
            Self::Target(target) => Some(target),
            Self::Expr(expr) => of(expr),
        }
    }
}

fn of(expr: Expr) -> Option<Target> {
    let kind = match expr.kind {
        ExprKind::Name(name) => TargetKind::Name(name),
        ExprKind::Tuple(items) => TargetKind::Tuple(items.into_iter().map(of).collect::<Option<_>>()?),
        _ => return None,
    };
    Some(Target { line: expr.line, kind })
}

impl Parser<'_> {
    /// One target, or several with commas. `namespace`: attributes of namespaces may be among them.
    pub(super) fn target(&mut self, namespace: bool) -> Result<Target, Error> {
        let mut line = self.stream.line();
        let mut parts = Vec::new();
        let mut tuple = false;
        loop {
            if !parts.is_empty() {
                self.stream.expect(Kind::Comma)?;
            }
            if self.at_tuple_end() {
                break;
            }
            parts.push(self.part(namespace)?);
            if self.stream.kind() != Kind::Comma {
                break;
            }
            tuple = true;
            line = self.stream.line();
        }
        if !tuple {
            let Some(part) = parts.pop() else { return self.no_expression() };
            let (line, name) = (part.line(), part.name());
            return part.target().ok_or_else(|| unassignable(line, name));
        }
        let items: Option<Vec<Target>> = parts.into_iter().map(Part::target).collect();
        let kind = TargetKind::Tuple(items.ok_or_else(|| unassignable(line, "tuple"))?);
        self.count()?;
        Ok(Target { line, kind })
    }

    fn part(&mut self, namespace: bool) -> Result<Part, Error> {
        if !namespace
            || self.stream.kind() != Kind::Name
            || expr::constant(self.stream.current.text()).is_some()
        {
            return self.primary().map(Part::Expr);
        }
        let token = self.stream.next()?;
        let line = token.line;
        self.count()?;
        let name = token.into_text();
        if !self.stream.skip(Kind::Dot)? {
            return Ok(Part::Target(Target { line, kind: TargetKind::Name(name) }));
        }
        let attribute = self.stream.expect(Kind::Name)?.into_text();
        Ok(Part::Target(Target { line, kind: TargetKind::NsRef(name, attribute) }))
    }

    /// A target that must be a name.
    pub(super) fn target_name(&mut self) -> Result<(u32, Arc<str>), Error> {
        let token = self.stream.expect(Kind::Name)?;
        let line = token.line;
        self.count()?;
        if expr::constant(token.text()).is_some() {
            return Err(unassignable(line, "name"));
        }
        Ok((line, token.into_text()))
    }

    /// Parameters in parentheses, which are at hand.
    pub(super) fn signature(&mut self) -> Result<Signature, Error> {
        let mut signature = Signature { args: Vec::new(), defaults: Vec::new() };
        self.stream.expect(Kind::LParen)?;
        while self.stream.kind() != Kind::RParen {
            if !signature.args.is_empty() {
                self.stream.expect(Kind::Comma)?;
            }
            let arg = self.target_name()?;
            if self.stream.skip(Kind::Assign)? {
                signature.defaults.push(self.expression()?);
            } else if !signature.defaults.is_empty() {
                return self.fail("non-default argument follows default argument");
            }
            signature.args.push(arg);
        }
        self.stream.expect(Kind::RParen)?;
        Ok(signature)
    }
}

fn unassignable(line: u32, name: &str) -> Error {
    Error::syntax(line, format!("can't assign to '{name}'"))
}
