//! Statements as code.

use super::for_::Parts;
use super::{Compiler, Frame, Made};
use crate::Error;
use crate::run::code::{Keep, Names, Op, To};
use crate::run::symbols::{load_name, profile_name};
use crate::tree::{Expr, ExprKind, Format, Signature, Stmt, StmtKind, Target, TargetKind};
use std::sync::Arc;

impl Compiler<'_> {
    pub(super) fn body(&mut self, body: &[Stmt], frame: &Frame) -> Made<Vec<Op>> {
        let mut out = Vec::with_capacity(body.len());
        for stmt in body {
            self.stmt(stmt, frame, &mut out)?;
            if matches!(out.last(), Some(Op::Stop)) {
                break;
            }
        }
        Ok(out)
    }

    fn stmt(&mut self, stmt: &Stmt, frame: &Frame, out: &mut Vec<Op>) -> Made<()> {
        let line = stmt.line;
        match &stmt.kind {
            StmtKind::Output(nodes) => self.output(nodes, frame, out)?,
            StmtKind::For { target, iter, test, recursive, body, else_ } => {
                let parts =
                    Parts { line, target, iter, test: test.as_ref(), recursive: *recursive, body, else_ };
                out.push(Op::For(Box::new(self.for_(&parts, frame)?)));
            }
            StmtKind::If { branches, else_ } => {
                let soft = frame.soft();
                let mut made = Vec::with_capacity(branches.len());
                for (at, branch) in branches.iter().enumerate() {
                    let told = self.line(Some(if at == 0 { line } else { branch.line }));
                    let test = self.expr(&branch.test, &soft)?;
                    made.push((told, test, self.body(&branch.body, &soft)?));
                }
                let else_ = self.body(else_, &soft)?;
                out.push(Op::If(made, else_));
            }
            StmtKind::Assign(target, value) => {
                let check = self.line(None);
                let line = self.line(Some(line));
                let to = self.to(target, frame);
                let value = self.expr(value, frame)?;
                let (keep, names) = self.kept(target, frame);
                out.push(Op::Assign { check, line, to, value, keep, names });
            }
            StmtKind::AssignBlock { target, filter, body } => {
                let inner = frame.inner(|symbols| symbols.body(body));
                let inner = Frame { output_check: false, ..inner };
                let scope = self.scope(&inner);
                let body = self.body(body, &inner)?;
                let line = self.line(Some(line));
                let to = self.to(target, frame);
                let filter = filter.as_ref().map(|f| self.expr(f, &inner)).transpose()?;
                let (keep, names) = self.kept(target, frame);
                out.push(Op::AssignBlock { line, to, scope, body, filter, keep, names });
            }
            StmtKind::With { vars, body } => {
                let inner = frame.inner(|symbols| {
                    vars.iter().for_each(|(target, _)| symbols.target(target, true));
                    symbols.body(body);
                });
                let scope = self.scope(&inner);
                let line = self.line(None);
                let mut made = Vec::with_capacity(vars.len());
                for (target, value) in vars {
                    let to = self.to(target, &inner);
                    made.push((to, self.expr(value, frame)?));
                }
                let body = self.body(body, &inner)?;
                out.push(Op::With { line, scope, vars: made, body });
            }
            StmtKind::Macro { name, signature, body } => {
                self.macro_(name, signature, body, line, frame, out)?;
            }
            StmtKind::CallBlock { signature, call, body } => {
                let code = Arc::new(self.macro_body(None, signature, body, line, frame)?);
                let line = self.line(Some(line));
                let call = self.expr(call, frame)?;
                out.push(Op::CallBlock { line, code, call });
            }
            StmtKind::FilterBlock { filter, body } => {
                let inner = frame.inner(|symbols| {
                    symbols.body(body);
                    symbols.expr(filter);
                });
                let scope = self.scope(&inner);
                let body = self.body(body, &inner)?;
                let line = self.line(Some(line));
                let filter = self.expr(filter, &inner)?;
                out.push(Op::FilterBlock { line, scope, body, filter });
            }
            StmtKind::Block { name, scoped, required, .. } => {
                if frame.toplevel && self.known_extends {
                    return Ok(());
                }
                let check = frame.toplevel && self.extends_so_far;
                let scoped = if *scoped { Some(self.local_context(frame)) } else { None };
                let line = self.line(Some(line));
                let op = Op::Block { line, name: name.clone(), required: *required, scoped };
                out.push(if check { Op::UnlessExtended(vec![op]) } else { op });
            }
            StmtKind::Extends(template) => {
                if !frame.toplevel {
                    return Err(Error::assertion(line, "cannot use extend from a non top-level scope"));
                }
                let again = self.extends_so_far;
                if again && self.known_extends {
                    let told = self.line(None);
                    let none = self.none();
                    out.push(Op::Extends { line: told, template: none, again: true });
                    out.push(Op::Stop);
                    return Ok(());
                }
                let line = self.line(Some(line));
                let template = self.expr(template, frame)?;
                out.push(Op::Extends { line, template, again });
                self.known_extends |= frame.rootlevel;
                self.extends_so_far = true;
            }
            StmtKind::Include { template, ignore_missing, with_context } => {
                let line = self.line(Some(line));
                let select = matches!(template.kind, ExprKind::Tuple(_) | ExprKind::List(_));
                let template = self.expr(template, frame)?;
                let context = if *with_context { Some(self.local_context(frame)) } else { None };
                out.push(Op::Include { line, template, ignore_missing: *ignore_missing, select, context });
            }
            StmtKind::Import { template, target, with_context } => {
                self.import(line, template, target, *with_context, frame, out)?;
            }
            StmtKind::FromImport { template, names, with_context } => {
                let line = self.line(Some(line));
                let template = self.expr(template, frame)?;
                let context = if *with_context { Some(self.local_context(frame)) } else { None };
                let names = names
                    .iter()
                    .map(|(name, alias)| {
                        let alias = alias.as_ref().unwrap_or(name);
                        (name.clone(), alias.clone(), self.named(alias, frame).slot)
                    })
                    .collect();
                out.push(Op::FromImport { line, template, names, top: frame.toplevel, context });
            }
            StmtKind::Autoescape(value, body) => {
                // Jinja2 makes a scope for it.
                let inner = frame.inner(|symbols| {
                    symbols.expr(value);
                    symbols.body(body);
                });
                let scope = self.scope(&inner);
                let value = self.expr(value, &inner)?;
                let body = self.body(body, &inner)?;
                out.push(Op::Autoescape(scope, value, body));
            }
            StmtKind::Do(value) => {
                let line = self.line(Some(line));
                let value = self.expr(value, frame)?;
                out.push(Op::Do(line, value));
            }
            StmtKind::Break | StmtKind::Continue if self.loops == 0 => {
                let text = match stmt.kind {
                    StmtKind::Break => "'break' outside loop",
                    _ => "'continue' not properly in loop",
                };
                return Err(Error::value(line, text));
            }
            StmtKind::Break => out.push(Op::Break),
            StmtKind::Continue => out.push(Op::Continue),
            StmtKind::Load { format, target, id, body } => {
                let name = load_name(*id);
                self.macro_(
                    &name,
                    &Signature { args: Vec::new(), defaults: Vec::new() },
                    body,
                    line,
                    frame,
                    out,
                )?;
                let line = self.line(Some(line));
                let to = self.to(target, frame);
                self.reader(*format, line, frame)?;
                let from = self.named(&name, frame);
                let (keep, names) = self.kept(target, frame);
                out.push(Op::Read { line, format: *format, from, to, keep, names });
            }
            StmtKind::ImportData { format, template, target, with_context, id } => {
                let source = match format {
                    Format::Yaml => "import_yaml",
                    Format::Json => "import_json",
                    Format::Text => "import_text",
                };
                let slot = self.profile_start(line, template, source, *id, frame, out)?;
                self.import(line, template, target, *with_context, frame, out)?;
                let told = self.line(Some(line));
                self.reader(*format, told, frame)?;
                let own = Target { line, kind: TargetKind::Name(target.clone()) };
                let to = self.to(&own, frame);
                let from = self.named(target, frame);
                let (keep, names) = self.kept(&own, frame);
                out.push(Op::Read { line: told, format: *format, from, to, keep, names });
                out.push(Op::ProfileEnd { line: told, slot });
            }
            StmtKind::Profile { label, id, body } => {
                let slot = self.profile_start(line, label, "profile block", *id, frame, out)?;
                out.extend(self.body(body, frame)?);
                let line = self.line(Some(line));
                out.push(Op::ProfileEnd { line, slot });
            }
        }
        Ok(())
    }

    fn output(&mut self, nodes: &[Expr], frame: &Frame, out: &mut Vec<Op>) -> Made<()> {
        if frame.output_check && self.known_extends {
            return Ok(());
        }
        let mut made = Vec::with_capacity(nodes.len());
        for node in nodes {
            match &node.kind {
                ExprKind::Data(text) => made.push(Op::Data(text.clone())),
                _ => {
                    let line = self.line(Some(node.line));
                    made.push(Op::Print(line, self.expr(node, frame)?));
                }
            }
        }
        if frame.output_check {
            out.push(Op::UnlessExtended(made))
        } else {
            out.extend(made)
        }
        Ok(())
    }

    fn macro_(
        &mut self,
        name: &Arc<str>,
        signature: &Signature,
        body: &[Stmt],
        line: u32,
        frame: &Frame,
        out: &mut Vec<Op>,
    ) -> Made<()> {
        let code = Arc::new(self.macro_body(Some(name), signature, body, line, frame)?);
        let slot = self.named(name, frame).slot;
        out.push(Op::Macro { code, slot, top: frame.toplevel });
        Ok(())
    }

    fn import(
        &mut self,
        line: u32,
        template: &Expr,
        target: &Arc<str>,
        with_context: bool,
        frame: &Frame,
        out: &mut Vec<Op>,
    ) -> Made<()> {
        let line = self.line(Some(line));
        let slot = self.named(target, frame).slot;
        let template = self.expr(template, frame)?;
        let context = if with_context { Some(self.local_context(frame)) } else { None };
        out.push(Op::Import { line, template, slot, name: target.clone(), top: frame.toplevel, context });
        Ok(())
    }

    fn profile_start(
        &mut self,
        line: u32,
        label: &Expr,
        source: &'static str,
        id: u32,
        frame: &Frame,
        out: &mut Vec<Op>,
    ) -> Made<crate::run::code::Place> {
        let name = profile_name(id);
        let line = self.line(Some(line));
        let label = self.expr(label, frame)?;
        let place = self.named(&name, frame);
        let keep = keep(frame);
        out.push(Op::ProfileStart { line, label, source, slot: place.slot, keep, name });
        Ok(place)
    }

    /// The filter that reads data must be there.
    fn reader(&mut self, format: Format, line: u32, frame: &Frame) -> Made<u32> {
        self.callee(true, &format!("load_{}", format.name()).into(), line, frame)
    }

    /// What is assigned to.
    pub(super) fn to(&mut self, target: &Target, frame: &Frame) -> To {
        match &target.kind {
            TargetKind::Name(name) => To::Place(self.named(name, frame).slot),
            TargetKind::NsRef(name, attr) => To::Attr(self.named(name, frame), attr.clone()),
            TargetKind::Tuple(items) => To::Tuple(items.iter().map(|t| self.to(t, frame)).collect()),
        }
    }

    /// Where the names of a target are also kept.
    fn kept(&mut self, target: &Target, frame: &Frame) -> (Keep, Names) {
        let keep = keep(frame);
        let mut names = Vec::new();
        if keep != Keep::No {
            self.names_of(target, frame, &mut names);
        }
        (keep, names)
    }

    fn names_of(&mut self, target: &Target, frame: &Frame, out: &mut Names) {
        match &target.kind {
            TargetKind::Name(name) if out.iter().all(|(n, _)| n != name) => {
                out.push((name.clone(), self.named(name, frame)));
            }
            TargetKind::Tuple(items) => items.iter().for_each(|t| self.names_of(t, frame, out)),
            _ => {}
        }
    }
}

fn keep(frame: &Frame) -> Keep {
    if frame.loop_frame || frame.block_frame {
        Keep::Loop
    } else if frame.toplevel {
        Keep::Top
    } else {
        Keep::No
    }
}
