//! Goes through all names of a piece of a template, in the order of Jinja2's own walk.

use super::symbols::load_name;
use crate::tree::{Args, Expr, ExprKind, Signature, Stmt, StmtKind, Target, TargetKind};
use std::sync::Arc;

/// What is done with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is read.
    Load,
    /// It is set, or is a parameter.
    Store,
}

/// Told each name; `false` ends the walk.
type Visit<'v> = &'v mut dyn FnMut(&Arc<str>, Use) -> bool;

/// The names in an expression.
pub(super) fn expr(node: &Expr, visit: Visit<'_>) -> bool {
    match &node.kind {
        ExprKind::Data(_) | ExprKind::Const(_) => true,
        ExprKind::Name(name) => visit(name, Use::Load),
        ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Concat(items) => {
            items.iter().all(|i| expr(i, visit))
        }
        ExprKind::Dict(pairs) => pairs.iter().all(|(k, v)| expr(k, visit) && expr(v, visit)),
        ExprKind::CondExpr { test, then, else_ } => {
            expr(test, visit) && expr(then, visit) && else_.as_ref().is_none_or(|e| expr(e, visit))
        }
        ExprKind::Filter { node, args, .. } => {
            node.as_ref().is_none_or(|n| expr(n, visit)) && arguments(args, visit)
        }
        ExprKind::Test { node, args, .. } | ExprKind::Call(node, args) => {
            expr(node, visit) && arguments(args, visit)
        }
        ExprKind::Getitem(a, b) | ExprKind::Bin(_, a, b) => expr(a, visit) && expr(b, visit),
        ExprKind::Getattr(a, _) | ExprKind::Unary(_, a) => expr(a, visit),
        ExprKind::Slice(parts) => parts.iter().flatten().all(|p| expr(p, visit)),
        ExprKind::Compare(first, rest) => expr(first, visit) && rest.iter().all(|o| expr(&o.expr, visit)),
    }
}

fn arguments(args: &Args, visit: Visit<'_>) -> bool {
    args.args.iter().all(|a| expr(a, visit))
        && args.kwargs.iter().all(|(_, a)| expr(a, visit))
        && args.dyn_args.as_ref().is_none_or(|a| expr(a, visit))
        && args.dyn_kwargs.as_ref().is_none_or(|a| expr(a, visit))
}

fn target(node: &Target, visit: Visit<'_>) -> bool {
    match &node.kind {
        TargetKind::Name(name) => visit(name, Use::Store),
        TargetKind::NsRef(..) => true,
        TargetKind::Tuple(items) => items.iter().all(|t| target(t, visit)),
    }
}

fn signature(node: &Signature, visit: Visit<'_>) -> bool {
    node.args.iter().all(|(_, name)| visit(name, Use::Store)) && node.defaults.iter().all(|d| expr(d, visit))
}

/// The names in statements, but for those in blocks.
pub(super) fn body(nodes: &[Stmt], visit: Visit<'_>) -> bool {
    nodes.iter().all(|node| stmt(node, visit))
}

fn stmt(node: &Stmt, visit: Visit<'_>) -> bool {
    match &node.kind {
        StmtKind::Output(nodes) => nodes.iter().all(|n| expr(n, visit)),
        StmtKind::For { target: to, iter, test, body: inner, else_, .. } => {
            target(to, visit)
                && expr(iter, visit)
                && body(inner, visit)
                && body(else_, visit)
                && test.as_ref().is_none_or(|t| expr(t, visit))
        }
        StmtKind::If { branches, else_ } => {
            branches.iter().all(|b| expr(&b.test, visit) && body(&b.body, visit)) && body(else_, visit)
        }
        StmtKind::Assign(to, value) => target(to, visit) && expr(value, visit),
        StmtKind::AssignBlock { target: to, filter, body: inner } => {
            target(to, visit) && filter.as_ref().is_none_or(|f| expr(f, visit)) && body(inner, visit)
        }
        StmtKind::With { vars, body: inner } => {
            vars.iter().all(|(t, _)| target(t, visit))
                && vars.iter().all(|(_, v)| expr(v, visit))
                && body(inner, visit)
        }
        StmtKind::Macro { signature: params, body: inner, .. } => {
            signature(params, visit) && body(inner, visit)
        }
        StmtKind::CallBlock { signature: params, call, body: inner } => {
            expr(call, visit) && signature(params, visit) && body(inner, visit)
        }
        StmtKind::FilterBlock { filter, body: inner } => body(inner, visit) && expr(filter, visit),
        StmtKind::Block { .. } | StmtKind::Break | StmtKind::Continue => true,
        StmtKind::Extends(e) | StmtKind::Do(e) => expr(e, visit),
        StmtKind::Include { template, .. }
        | StmtKind::Import { template, .. }
        | StmtKind::FromImport { template, .. } => expr(template, visit),
        StmtKind::Autoescape(value, inner) => expr(value, visit) && body(inner, visit),
        StmtKind::Load { target: to, id, body: inner, .. } => {
            body(inner, visit) && target(to, visit) && visit(&load_name(*id), Use::Load)
        }
        StmtKind::ImportData { template, .. } => expr(template, visit),
        StmtKind::Profile { label, body: inner, .. } => expr(label, visit) && body(inner, visit),
    }
}

/// Which of these names are read before they are set.
pub(super) fn undeclared(nodes: &[Stmt], names: &[&'static str]) -> Vec<&'static str> {
    let mut open: Vec<&'static str> = names.to_vec();
    let mut found = Vec::new();
    body(nodes, &mut |name, how| {
        let Some(at) = open.iter().position(|n| **n == **name) else { return true };
        if how == Use::Load {
            if !found.contains(&open[at]) {
                found.push(open[at]);
            }
            found.len() < names.len()
        } else {
            open.remove(at);
            true
        }
    });
    found
}

/// The bodies of a statement, in the order in which they stand.
fn bodies(node: &Stmt) -> Vec<&[Stmt]> {
    match &node.kind {
        StmtKind::For { body, else_, .. } => vec![body, else_],
        StmtKind::If { branches, else_ } => {
            branches.iter().map(|b| b.body.as_slice()).chain([else_.as_slice()]).collect()
        }
        StmtKind::AssignBlock { body, .. }
        | StmtKind::Load { body, .. }
        | StmtKind::With { body, .. }
        | StmtKind::Macro { body, .. }
        | StmtKind::CallBlock { body, .. }
        | StmtKind::FilterBlock { body, .. }
        | StmtKind::Block { body, .. }
        | StmtKind::Autoescape(_, body)
        | StmtKind::Profile { body, .. } => vec![body],
        _ => Vec::new(),
    }
}

/// Whether somewhere, blocks included, something is set to this name: its line.
pub(super) fn stores(nodes: &[Stmt], wanted: &str) -> Option<u32> {
    nodes.iter().find_map(|node| {
        let own = match &node.kind {
            StmtKind::For { target, .. }
            | StmtKind::Assign(target, _)
            | StmtKind::AssignBlock { target, .. }
            | StmtKind::Load { target, .. } => in_target(target, wanted),
            StmtKind::With { vars, .. } => vars.iter().find_map(|(t, _)| in_target(t, wanted)),
            StmtKind::ImportData { target, .. } => (**target == *wanted).then_some(node.line),
            _ => None,
        };
        own.or_else(|| bodies(node).into_iter().find_map(|body| stores(body, wanted)))
    })
}

pub(super) fn in_target(target: &Target, wanted: &str) -> Option<u32> {
    match &target.kind {
        TargetKind::Name(name) => (**name == *wanted).then_some(target.line),
        TargetKind::NsRef(..) => None,
        TargetKind::Tuple(items) => items.iter().find_map(|t| in_target(t, wanted)),
    }
}

/// All blocks, those within blocks too, in the order in which they stand.
pub(super) fn blocks<'t>(nodes: &'t [Stmt], found: &mut Vec<&'t Stmt>) {
    for node in nodes {
        if matches!(node.kind, StmtKind::Block { .. }) {
            found.push(node);
        }
        bodies(node).into_iter().for_each(|body| blocks(body, found));
    }
}

/// Whether there is an `extends` anywhere.
pub(super) fn extends(nodes: &[Stmt]) -> bool {
    nodes
        .iter()
        .any(|node| matches!(node.kind, StmtKind::Extends(_)) || bodies(node).into_iter().any(extends))
}
