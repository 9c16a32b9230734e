//! Which variable a name means at each place: Jinja2's rules of scopes.
//!
//! Jinja2 turns a template into a Python function whose local variables are named by level and name. A scope reads what it has not
//! set from the scope around it, or from the context; what it sets is its own, begun with the outer value. Macros see the variables
//! around them as they are when they are called. All of that follows from the tables here, which are Jinja2's own.

use super::walk::{self, Use};
use crate::tree::{Expr, Stmt, StmtKind, Target, TargetKind};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

/// A variable: the level of its scope, and its name.
pub(super) type Ident = (u16, Arc<str>);

/// What a variable holds when its scope begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Load {
    /// What it is given.
    Parameter,
    /// What the context has under the name.
    Resolve,
    /// What another variable holds.
    Alias(Ident),
    /// Nothing.
    Undefined,
}

/// The names of one scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Symbols {
    pub(super) level: u16,
    parent: Option<Rc<Symbols>>,
    refs: HashMap<Arc<str>, Ident>,
    /// In the order in which they were met.
    pub(super) loads: Vec<(Ident, Load)>,
    pub(super) stores: BTreeSet<Arc<str>>,
}

/// Which part of a `for` is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ForPart {
    Body,
    Else,
    Test,
}

impl Symbols {
    /// A scope within another.
    pub(super) fn inner(parent: &Rc<Symbols>) -> Self {
        Self { level: parent.level + 1, parent: Some(parent.clone()), ..Self::default() }
    }

    fn set_load(&mut self, ident: Ident, load: Load) {
        match self.loads.iter_mut().find(|(i, _)| *i == ident) {
            Some((_, old)) => *old = load,
            None => self.loads.push((ident, load)),
        }
    }

    fn define(&mut self, name: &Arc<str>, load: Load) -> Ident {
        let ident = (self.level, name.clone());
        self.refs.insert(name.clone(), ident.clone());
        self.set_load(ident.clone(), load);
        ident
    }

    /// What a variable of this scope, or of one around it, holds when its scope begins.
    pub(super) fn find_load(&self, ident: &Ident) -> Option<&Load> {
        match self.loads.iter().find(|(i, _)| i == ident) {
            Some((_, load)) => Some(load),
            None => self.parent.as_ref()?.find_load(ident),
        }
    }

    /// The variable that a name means.
    pub(super) fn find_ref(&self, name: &str) -> Option<&Ident> {
        match self.refs.get(name) {
            Some(ident) => Some(ident),
            None => self.parent.as_ref()?.find_ref(name),
        }
    }

    pub(super) fn store(&mut self, name: &Arc<str>) {
        self.stores.insert(name.clone());
        if self.refs.contains_key(name) {
            return;
        }
        let outer = self.parent.as_ref().and_then(|p| p.find_ref(name)).cloned();
        self.define(name, outer.map_or(Load::Undefined, Load::Alias));
    }

    pub(super) fn declare_parameter(&mut self, name: &Arc<str>) -> Ident {
        self.stores.insert(name.clone());
        self.define(name, Load::Parameter)
    }

    pub(super) fn load(&mut self, name: &Arc<str>) {
        if self.find_ref(name).is_none() {
            self.define(name, Load::Resolve);
        }
    }

    /// What branches of an `if` set may be set after it, or not.
    fn branch_update(&mut self, branches: Vec<Symbols>) {
        let mut stores: BTreeSet<Arc<str>> = branches.iter().flat_map(|b| b.stores.iter().cloned()).collect();
        stores.retain(|name| !self.stores.contains(name));
        for branch in branches {
            self.refs.extend(branch.refs);
            for (ident, load) in branch.loads {
                self.set_load(ident, load);
            }
            self.stores.extend(branch.stores);
        }
        for name in stores {
            let Some(target) = self.find_ref(&name).cloned() else { continue };
            let outer = self.parent.as_ref().and_then(|p| p.find_ref(&name)).cloned();
            self.set_load(target, outer.map_or(Load::Resolve, Load::Alias));
        }
    }

    /// Everything set in this scope and those around it, the inner variable of each name.
    pub(super) fn dump_stores(&self) -> Vec<(Arc<str>, Ident)> {
        let mut all: Vec<(Arc<str>, Ident)> = Vec::new();
        let mut scope = Some(self);
        while let Some(symbols) = scope {
            for name in &symbols.stores {
                if !all.iter().any(|(n, _)| n == name)
                    && let Some(ident) = self.find_ref(name)
                {
                    all.push((name.clone(), ident.clone()));
                }
            }
            scope = symbols.parent.as_deref();
        }
        all
    }

    /// All parameters of this scope and those around it.
    pub(super) fn param_targets(&self) -> Vec<Ident> {
        let mut all = Vec::new();
        let mut scope = Some(self);
        while let Some(symbols) = scope {
            all.extend(symbols.loads.iter().filter(|(_, l)| *l == Load::Parameter).map(|(i, _)| i.clone()));
            scope = symbols.parent.as_deref();
        }
        all
    }

    /// Looks at an expression.
    pub(super) fn expr(&mut self, expr: &Expr) {
        walk::expr(expr, &mut |name, how| {
            if how == Use::Load {
                self.load(name);
            }
            true
        });
    }

    /// Looks at what is assigned to; with `param`, the names are given by what is around.
    pub(super) fn target(&mut self, target: &Target, param: bool) {
        match &target.kind {
            TargetKind::Name(name) if param => {
                self.declare_parameter(name);
            }
            TargetKind::Name(name) => self.store(name),
            TargetKind::NsRef(name, _) => self.load(name),
            TargetKind::Tuple(targets) => targets.iter().for_each(|t| self.target(t, param)),
        }
    }

    /// Looks at statements of this scope.
    pub(super) fn body(&mut self, body: &[Stmt]) {
        body.iter().for_each(|stmt| self.stmt(stmt));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Output(nodes) => nodes.iter().for_each(|n| self.expr(n)),
            StmtKind::For { iter, .. } => self.expr(iter),
            StmtKind::If { branches, else_ } => {
                let Some((first, elifs)) = branches.split_first() else { return };
                self.expr(&first.test);
                let mut body = self.clone();
                body.body(&first.body);
                let mut elif = self.clone();
                // Each `elif` is an `if` of its own to Jinja2's analysis.
                for branch in elifs {
                    elif.expr(&branch.test);
                    let mut inner = elif.clone();
                    inner.body(&branch.body);
                    elif.branch_update(vec![inner]);
                }
                let mut other = self.clone();
                other.body(else_);
                self.branch_update(vec![body, elif, other]);
            }
            StmtKind::Assign(target, value) => {
                self.expr(value);
                self.target(target, false);
            }
            StmtKind::AssignBlock { target, .. } => self.target(target, false),
            StmtKind::With { vars, .. } => vars.iter().for_each(|(_, value)| self.expr(value)),
            StmtKind::Macro { name, .. } => self.store(name),
            StmtKind::CallBlock { call, .. } => self.expr(call),
            StmtKind::FilterBlock { filter, .. } => self.expr(filter),
            StmtKind::Block { .. } => {}
            StmtKind::Extends(template) | StmtKind::Do(template) => self.expr(template),
            StmtKind::Include { template, .. } => self.expr(template),
            StmtKind::Import { template, target, .. } => {
                self.expr(template);
                self.store(target);
            }
            StmtKind::FromImport { template, names, .. } => {
                self.expr(template);
                names.iter().for_each(|(name, alias)| self.store(alias.as_ref().unwrap_or(name)));
            }
            StmtKind::Autoescape(..) | StmtKind::Break | StmtKind::Continue => {}
            StmtKind::Load { target, id, .. } => {
                let name = load_name(*id);
                self.store(&name);
                self.load(&name);
                self.target(target, false);
            }
            StmtKind::ImportData { template, target, id, .. } => {
                self.expr(template);
                self.store(&profile_name(*id));
                self.expr(template);
                self.store(target);
                self.load(target);
                self.load(&profile_name(*id));
            }
            StmtKind::Profile { label, id, body } => {
                self.expr(label);
                self.store(&profile_name(*id));
                self.body(body);
                self.load(&profile_name(*id));
            }
        }
    }

    /// Looks at one part of a `for` as a scope of its own.
    pub(super) fn for_part(
        &mut self,
        part: ForPart,
        target: &Target,
        test: Option<&Expr>,
        body: &[Stmt],
        else_: &[Stmt],
    ) {
        match part {
            ForPart::Body => {
                self.target(target, true);
                self.body(body);
            }
            ForPart::Else => self.body(else_),
            ForPart::Test => {
                self.target(target, true);
                if let Some(test) = test {
                    self.expr(test);
                }
            }
        }
    }
}

/// The name of the macro that a `load_*` block makes.
pub(super) fn load_name(id: u32) -> Arc<str> {
    format!("_fi{id}").into()
}

/// The name of the variable that keeps when a measuring began.
pub(super) fn profile_name(id: u32) -> Arc<str> {
    format!("_salt_profile_fi{id}").into()
}
