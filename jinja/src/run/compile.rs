//! The tree as code: where each variable is, which line each step is told as, and whether filters and tests exist.
//!
//! It follows the order in which Jinja2 writes its Python, as lines in errors depend on it: a step that Jinja2 gives no line has
//! that of the step before.

mod expr;
mod for_;
mod stmt;

use super::code::{Code, Enter, Function, MacroCode, Node, Place, Scope};
use super::symbols::{Ident, Load, Symbols};
use super::walk;
use crate::env::Environment;
use crate::tree::{Const, Signature, Stmt, Template};
use crate::{Error, tree::StmtKind};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

pub(super) type Made<T> = Result<T, Error>;

/// A Python function that is being written: the level of its outermost scope, and its variables.
struct Writing {
    base: u16,
    slots: HashMap<Ident, u16>,
}

/// The place in the template that is being written: Jinja2's `Frame`.
#[derive(Clone)]
struct Frame {
    symbols: Rc<Symbols>,
    toplevel: bool,
    rootlevel: bool,
    loop_frame: bool,
    block_frame: bool,
    soft: bool,
    /// Output is dropped where a parent is extended.
    output_check: bool,
}

impl Frame {
    fn root(symbols: Symbols) -> Self {
        Self {
            symbols: Rc::new(symbols),
            toplevel: false,
            rootlevel: false,
            loop_frame: false,
            block_frame: false,
            soft: false,
            output_check: false,
        }
    }

    /// A scope of its own, whose names are looked at by `look`.
    fn inner(&self, look: impl FnOnce(&mut Symbols)) -> Self {
        let mut symbols = Symbols::inner(&self.symbols);
        look(&mut symbols);
        Self { output_check: self.output_check, ..Self::root(symbols) }
    }

    /// The same scope, where filters need not exist.
    fn soft(&self) -> Self {
        Self { rootlevel: false, soft: true, ..self.clone() }
    }
}

pub(super) struct Compiler<'e> {
    env: &'e Environment,
    code: Code,
    writing: Vec<Writing>,
    /// The line that the step before was told as.
    last: u32,
    /// Parameters whose defaults are being written: they may be missing still.
    undeclared: Vec<Ident>,
    extends_so_far: bool,
    known_extends: bool,
    names: HashMap<(bool, Arc<str>), u32>,
    /// Loops around, within the function that is being written.
    loops: usize,
}

/// Makes the code of a template.
///
/// # Errors
/// What Jinja2 says while it compiles: unknown filters and tests, blocks that come twice, wrong places of `extends`, `break` and
/// `caller`.
pub(super) fn compile(template: &Template, env: &Environment) -> Made<Code> {
    let mut found = Vec::new();
    walk::blocks(&template.body, &mut found);
    let mut blocks: Vec<(&Arc<str>, &Stmt)> = Vec::new();
    for stmt in found {
        let StmtKind::Block { name, .. } = &stmt.kind else { continue };
        if blocks.iter().any(|(n, _)| *n == name) {
            return Err(Error::assertion(stmt.line, format!("block '{name}' defined twice")));
        }
        blocks.push((name, stmt));
    }
    let mut compiler = Compiler {
        env,
        code: Code { extends: walk::extends(&template.body), ..Code::default() },
        writing: Vec::new(),
        last: 0,
        undeclared: Vec::new(),
        extends_so_far: false,
        known_extends: false,
        names: HashMap::new(),
        loops: 0,
    };
    compiler.code.root = compiler.root(&template.body)?;
    for (name, stmt) in blocks {
        let StmtKind::Block { body, .. } = &stmt.kind else { continue };
        let function = compiler.block(body, stmt.line)?;
        compiler.code.blocks.push((name.clone(), Arc::new(function), stmt.line));
    }
    Ok(compiler.code)
}

impl Compiler<'_> {
    fn root(&mut self, body: &[Stmt]) -> Made<Function> {
        self.writing.push(Writing { base: 0, slots: HashMap::new() });
        let mut symbols = Symbols::default();
        let me = (!walk::undeclared(body, &["self"]).is_empty())
            .then(|| symbols.declare_parameter(&"self".into()));
        symbols.body(body);
        let frame = Frame {
            toplevel: true,
            rootlevel: true,
            output_check: self.code.extends,
            ..Frame::root(symbols)
        };
        let me = me.map(|ident| self.slot(&ident));
        let scope = self.scope(&frame);
        let body = self.body(body, &frame)?;
        Ok(self.finish(scope, body, me, None))
    }

    fn block(&mut self, body: &[Stmt], line: u32) -> Made<Function> {
        self.line(Some(line));
        self.writing.push(Writing { base: 0, slots: HashMap::new() });
        let mut symbols = Symbols::default();
        let used = walk::undeclared(body, &["self", "super"]);
        let mut special =
            |name: &'static str| used.contains(&name).then(|| symbols.declare_parameter(&name.into()));
        let (me, parent) = (special("self"), special("super"));
        symbols.body(body);
        let frame = Frame { block_frame: true, ..Frame::root(symbols) };
        let (me, parent) = (me.map(|i| self.slot(&i)), parent.map(|i| self.slot(&i)));
        let scope = self.scope(&frame);
        let body = self.body(body, &frame)?;
        Ok(self.finish(scope, body, me, parent))
    }

    fn finish(
        &mut self,
        scope: Scope,
        body: Vec<super::code::Op>,
        me: Option<u16>,
        parent: Option<u16>,
    ) -> Function {
        let slots = self.writing.pop().map_or(0, |w| w.slots.len() as u16);
        Function { slots, scope, body, me, parent }
    }

    /// The line that a step is told as.
    fn line(&mut self, line: Option<u32>) -> u32 {
        if let Some(line) = line {
            self.last = line;
        }
        self.last.max(1)
    }

    /// The place of a variable of the function that is being written.
    fn slot(&mut self, ident: &Ident) -> u16 {
        let Some(writing) = self.writing.last_mut() else { return 0 };
        let next = writing.slots.len() as u16;
        *writing.slots.entry(ident.clone()).or_insert(next)
    }

    /// The place of a variable of this function or of one around it.
    fn place(&mut self, ident: &Ident) -> Place {
        let at = self.writing.iter().rposition(|w| w.base <= ident.0).unwrap_or(0);
        let up = (self.writing.len() - 1 - at) as u16;
        let slots = &mut self.writing[at].slots;
        let next = slots.len() as u16;
        Place { up, slot: *slots.entry(ident.clone()).or_insert(next) }
    }

    /// The place of the variable that a name means here.
    fn named(&mut self, name: &str, frame: &Frame) -> Place {
        let ident = frame.symbols.find_ref(name).cloned().unwrap_or_else(|| (0, name.into()));
        self.place(&ident)
    }

    /// What a scope begins with, and what is empty after it.
    fn scope(&mut self, frame: &Frame) -> Scope {
        let mut scope = Scope::default();
        let mut undefined = Vec::new();
        for (ident, load) in &frame.symbols.loads {
            let slot = self.slot(ident);
            scope.leave.push(slot);
            match load {
                Load::Parameter => {}
                Load::Resolve => scope.enter.push(Enter::Resolve(slot, ident.1.clone())),
                Load::Alias(from) => {
                    let from = self.place(from);
                    scope.enter.push(Enter::Alias(slot, from));
                }
                Load::Undefined => undefined.push(Enter::Undefined(slot)),
            }
        }
        scope.enter.extend(undefined);
        scope
    }

    /// The variables that a template included here would see.
    fn local_context(&mut self, frame: &Frame) -> super::code::Names {
        let stores = frame.symbols.dump_stores();
        stores.into_iter().map(|(name, ident)| (name, self.place(&ident))).collect()
    }

    fn constant(&mut self, value: Const) -> Node {
        self.code.consts.push(value);
        Node::Const(self.code.consts.len() as u32 - 1)
    }

    fn macro_body(
        &mut self,
        name: Option<&Arc<str>>,
        signature: &Signature,
        body: &[Stmt],
        line: u32,
        frame: &Frame,
    ) -> Made<MacroCode> {
        let args = &signature.args;
        let first_default = args.len() - signature.defaults.len().min(args.len());
        let used = walk::undeclared(body, &["caller", "kwargs", "varargs"]);
        let explicit = args.iter().position(|(_, n)| &**n == "caller");
        let mut accesses_caller = false;
        let (mut caller, mut kwargs, mut varargs) = (None, None, None);
        if used.contains(&"caller") {
            if explicit.is_some_and(|at| at < first_default) {
                return Err(Error::assertion(
                    line,
                    "When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default.",
                ));
            }
            accesses_caller = true;
        }
        let declared = |n: &str| args.iter().any(|(_, a)| &**a == n);
        let inner = frame.inner(|symbols| {
            let look = |symbols: &mut Symbols| {
                args.iter().for_each(|(_, n)| {
                    symbols.declare_parameter(n);
                });
                signature.defaults.iter().for_each(|d| symbols.expr(d));
                symbols.body(body);
            };
            look(symbols);
            let mut special = |name: &'static str, wanted: bool| {
                (wanted && used.contains(&name)).then(|| symbols.declare_parameter(&name.into()))
            };
            caller = special("caller", explicit.is_none());
            kwargs = special("kwargs", !declared("kwargs"));
            varargs = special("varargs", !declared("varargs"));
            look(symbols);
        });
        let inner = Frame { output_check: false, ..inner };
        self.line(Some(line));
        self.writing.push(Writing { base: inner.symbols.level, slots: HashMap::new() });
        let (caller, kwargs, varargs) =
            (caller.map(|i| self.slot(&i)), kwargs.map(|i| self.slot(&i)), varargs.map(|i| self.slot(&i)));
        let scope = self.scope(&inner);
        let outer = std::mem::replace(&mut self.undeclared, inner.symbols.param_targets());
        let mut params = Vec::with_capacity(args.len());
        for (at, (_, name)) in args.iter().enumerate() {
            let ident = (inner.symbols.level, name.clone());
            let slot = self.slot(&ident);
            let default = match at.checked_sub(first_default) {
                Some(i) => Some(self.expr(&signature.defaults[i], &inner)?),
                None => None,
            };
            self.undeclared.retain(|i| *i != ident);
            params.push((name.clone(), slot, default));
        }
        self.undeclared = outer;
        let loops = std::mem::take(&mut self.loops);
        let body = self.body(body, &inner)?;
        self.loops = loops;
        let function = self.finish(scope, body, None, None);
        Ok(MacroCode {
            name: name.cloned(),
            function,
            line: line.max(1),
            params,
            caller,
            kwargs,
            varargs,
            accesses_caller,
        })
    }
}
