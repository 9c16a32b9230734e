//! Expressions as code.

use super::{Compiler, Frame, Made};
use crate::Error;
use crate::run::code::{Given, Node};
use crate::run::symbols::Load;
use crate::tree::{Args, Const, Expr, ExprKind};
use std::sync::Arc;

impl Compiler<'_> {
    pub(super) fn expr(&mut self, expr: &Expr, frame: &Frame) -> Made<Node> {
        Ok(match &expr.kind {
            ExprKind::Data(text) => Node::Data(text.clone()),
            ExprKind::Const(value) => self.constant(value.clone()),
            ExprKind::Name(name) => self.name(name, frame),
            ExprKind::Tuple(items) => Node::Tuple(self.exprs(items, frame)?),
            ExprKind::List(items) => Node::List(self.exprs(items, frame)?),
            ExprKind::Dict(pairs) => {
                let mut out = Vec::with_capacity(pairs.len());
                for (key, value) in pairs {
                    out.push((self.expr(key, frame)?, self.expr(value, frame)?));
                }
                Node::Dict(out)
            }
            ExprKind::CondExpr { test, then, else_ } => {
                let soft = frame.soft();
                let then = self.expr(then, &soft)?;
                let test = self.expr(test, &soft)?;
                let other = match else_ {
                    Some(e) => Some(Box::new(self.expr(e, &soft)?)),
                    None => None,
                };
                Node::Cond(Box::new([test, then]), other, expr.line)
            }
            ExprKind::Filter { node, name, args } => {
                let at = self.callee(true, name, expr.line, frame)?;
                let node = match node {
                    Some(n) => Some(Box::new(self.expr(n, frame)?)),
                    None => None,
                };
                Node::Filter(node, at, Box::new(self.given(args, frame)?))
            }
            ExprKind::Test { node, name, args } => {
                let at = self.callee(false, name, expr.line, frame)?;
                Node::Test(Box::new(self.expr(node, frame)?), at, Box::new(self.given(args, frame)?))
            }
            ExprKind::Call(callee, args) => {
                if let ExprKind::Getattr(of, name) = &callee.kind {
                    let of = Box::new(self.expr(of, frame)?);
                    return Ok(Node::CallMethod(of, name.clone(), Box::new(self.given(args, frame)?)));
                }
                Node::Call(Box::new(self.expr(callee, frame)?), Box::new(self.given(args, frame)?))
            }
            ExprKind::Getitem(of, arg) => {
                let of = Box::new(self.expr(of, frame)?);
                if let ExprKind::Slice(parts) = &arg.kind {
                    let [a, b, c] = &**parts;
                    let mut part = |p: &Option<Expr>| p.as_ref().map(|e| self.expr(e, frame)).transpose();
                    return Ok(Node::Slice(of, Box::new([part(a)?, part(b)?, part(c)?])));
                }
                Node::Getitem(of, Box::new(self.expr(arg, frame)?))
            }
            ExprKind::Getattr(of, name) => Node::Getattr(Box::new(self.expr(of, frame)?), name.clone()),
            // A slice outside of `x[]` is none of the parser's.
            ExprKind::Slice(_) => self.constant(Const::None),
            ExprKind::Concat(items) => Node::Concat(self.exprs(items, frame)?),
            ExprKind::Compare(first, rest) => {
                let first = Box::new(self.expr(first, frame)?);
                let mut out = Vec::with_capacity(rest.len());
                for operand in rest {
                    out.push((operand.op, self.expr(&operand.expr, frame)?));
                }
                Node::Compare(first, out)
            }
            ExprKind::Bin(op, a, b) => {
                Node::Bin(*op, Box::new(self.expr(a, frame)?), Box::new(self.expr(b, frame)?))
            }
            ExprKind::Unary(op, a) => Node::Unary(*op, Box::new(self.expr(a, frame)?)),
        })
    }

    fn exprs(&mut self, items: &[Expr], frame: &Frame) -> Made<Vec<Node>> {
        items.iter().map(|item| self.expr(item, frame)).collect()
    }

    pub(super) fn name(&mut self, name: &Arc<str>, frame: &Frame) -> Node {
        let Some(ident) = frame.symbols.find_ref(name).cloned() else {
            let place = self.named(name, frame);
            return Node::Name(place, name.clone());
        };
        let place = self.place(&ident);
        let given = frame.symbols.find_load(&ident) == Some(&Load::Parameter);
        if given && !self.undeclared.contains(&ident) {
            Node::Param(place)
        } else {
            Node::Name(place, name.clone())
        }
    }

    fn given(&mut self, args: &Args, frame: &Frame) -> Made<Given> {
        let mut kwargs = Vec::with_capacity(args.kwargs.len());
        let positional = self.exprs(&args.args, frame)?;
        for (at, (name, _)) in args.kwargs.iter().enumerate() {
            // Python's compiler says so, of the program that Jinja2 writes, unless a name is one of its keywords.
            if args.kwargs[..at].iter().any(|(n, _)| n == name) {
                return Err(Error::value(0, format!("keyword argument repeated: {name}")));
            }
        }
        for (name, value) in &args.kwargs {
            kwargs.push((name.clone(), self.expr(value, frame)?));
        }
        Ok(Given {
            args: positional,
            kwargs,
            dyn_args: args.dyn_args.as_ref().map(|e| self.expr(e, frame)).transpose()?,
            dyn_kwargs: args.dyn_kwargs.as_ref().map(|e| self.expr(e, frame)).transpose()?,
        })
    }

    /// The number of a filter or test; outside of conditions it must exist.
    pub(super) fn callee(&mut self, filter: bool, name: &Arc<str>, line: u32, frame: &Frame) -> Made<u32> {
        let table = if filter { &self.env.filters } else { &self.env.tests };
        if !frame.soft && !table.contains_key(&**name) {
            let what = if filter { "filter" } else { "test" };
            let shown = brine_python::repr(&brine_python::Obj::str(&**name)).unwrap_or_default();
            return Err(Error::assertion(line, format!("No {what} named {shown}.")));
        }
        let all = if filter { &mut self.code.filters } else { &mut self.code.tests };
        Ok(*self.names.entry((filter, name.clone())).or_insert_with(|| {
            all.push(name.clone());
            all.len() as u32 - 1
        }))
    }
}
