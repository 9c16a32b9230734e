//! Loops as code.

use super::{Compiler, Frame, Made, Writing};
use crate::Error;
use crate::run::code::{For, LoopFilter, Node, Recursive, Scope};
use crate::run::symbols::ForPart;
use crate::run::walk;
use crate::tree::{Const, Expr, Stmt, Target};
use std::collections::HashMap;
use std::sync::Arc;

/// The parts of a `for`.
pub(super) struct Parts<'t> {
    pub(super) line: u32,
    pub(super) target: &'t Target,
    pub(super) iter: &'t Expr,
    pub(super) test: Option<&'t Expr>,
    pub(super) recursive: bool,
    pub(super) body: &'t [Stmt],
    pub(super) else_: &'t [Stmt],
}

impl Compiler<'_> {
    pub(super) fn for_(&mut self, parts: &Parts<'_>, frame: &Frame) -> Made<For> {
        let Parts { line, target, iter, test, recursive, body, else_ } = *parts;
        let mut found = Vec::new();
        walk::blocks(body, &mut found);
        walk::blocks(else_, &mut found);
        let scoped =
            found.iter().any(|stmt| matches!(&stmt.kind, crate::tree::StmtKind::Block { scoped: true, .. }));
        let extended = recursive || scoped || !walk::undeclared(body, &["loop"]).is_empty();
        let mut loop_ident = None;
        let loop_frame = frame.inner(|symbols| {
            if extended {
                loop_ident = Some(symbols.declare_parameter(&"loop".into()));
            }
            symbols.for_part(ForPart::Body, target, test, body, else_);
        });
        let loop_frame = Frame { loop_frame: true, ..loop_frame };
        let else_frame = frame.inner(|symbols| {
            if !else_.is_empty() {
                symbols.for_part(ForPart::Else, target, test, body, else_);
            }
        });
        let test = match test {
            Some(condition) => {
                let test_frame =
                    frame.inner(|symbols| symbols.for_part(ForPart::Test, target, test, body, else_));
                let head = self.line(Some(condition.line));
                self.writing.push(Writing { base: loop_frame.symbols.level, slots: HashMap::new() });
                let scope = self.scope(&test_frame);
                let to = self.to(target, &loop_frame);
                let test = self.expr(condition, &test_frame)?;
                let slots = self.writing.pop().map_or(0, |w| w.slots.len() as u16);
                Some(Arc::new(LoopFilter { slots, scope, line: head, recursive, target: to, test }))
            }
            None => None,
        };
        if recursive {
            self.line(Some(line));
            self.writing.push(Writing { base: loop_frame.symbols.level, slots: HashMap::new() });
        }
        let told = walk::in_target(target, "loop")
            .or_else(|| walk::stores(body, "loop"))
            .or_else(|| walk::stores(else_, "loop"));
        if let Some(line) = told {
            return Err(Error::assertion(line, "Can't assign to special loop variable in for-loop target"));
        }
        let head = self.line(Some(line));
        let to = self.to(target, &loop_frame);
        let loop_ = loop_ident.map(|ident| self.slot(&ident));
        let nothing = self.constant(Const::None);
        let walked = if recursive { nothing } else { self.expr(iter, frame)? };
        let scope = self.scope(&loop_frame);
        let loops = if recursive { std::mem::replace(&mut self.loops, 0) } else { self.loops };
        self.loops += 1;
        let body = self.body(body, &loop_frame)?;
        self.loops -= 1;
        let else_scope = if else_.is_empty() { Scope::default() } else { self.scope(&else_frame) };
        let else_ = self.body(else_, &else_frame)?;
        self.loops = loops;
        let inner = For {
            line: head,
            iter: walked,
            target: to,
            test,
            loop_,
            scope,
            body,
            else_scope,
            else_,
            recursive: None,
        };
        if !recursive {
            return Ok(inner);
        }
        let slots = self.writing.pop().map_or(0, |w| w.slots.len() as u16);
        let line = self.line(Some(line));
        let iter = self.expr(iter, frame)?;
        Ok(For {
            line,
            iter,
            recursive: Some(Arc::new(Recursive { slots, inner })),
            target: super::super::code::To::Tuple(Vec::new()),
            test: None,
            loop_: None,
            scope: Scope::default(),
            body: Vec::new(),
            else_scope: Scope::default(),
            else_: Vec::new(),
        })
    }

    /// A node that has no value of its own.
    pub(super) fn none(&mut self) -> Node {
        self.constant(Const::None)
    }
}
