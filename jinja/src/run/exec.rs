//! Runs statements.

use super::activation::Activation;
use super::blocks::{TemplateReference, block_of};
use super::code::{Enter, For, Keep, LoopFilter, Names, Op, Recursive, Scope, To};
use super::loops::{LoopContext, LoopObject, Recurse};
use super::macros::Macro;
use super::module::Module;
use super::template::{Template, Trace};
use crate::context::Context;
use crate::env::State;
use crate::markup::{Markup, escape};
use crate::undefined::{RUNTIME_ERROR, Undefined};
use brine_python::{Args, Dict, Iter, Kind, Obj, PyErr, R, need_bytes, repr, str as text_of, take_steps};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// How a statement ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
    Stop,
}

/// One function of a template, running.
#[derive(Clone)]
pub(super) struct Exec {
    pub(super) template: Rc<Template>,
    pub(super) state: State,
    pub(super) act: Rc<Activation>,
}

impl Exec {
    pub(super) fn new(template: Rc<Template>, state: State, act: Rc<Activation>) -> Self {
        Self { template, state, act }
    }

    /// Runs something as a function of the template: an error notes where it was, unless it was deeper in another.
    pub(super) fn traced<T>(&self, run: impl FnOnce() -> R<T>) -> R<T> {
        run().inspect_err(|_| {
            let mut trace = self.state.env.trace.borrow_mut();
            if trace.is_none() {
                *trace = Some(Trace { file: self.template.file.clone(), line: self.act.line.get() });
            }
        })
    }

    pub(super) fn enter(&self, scope: &Scope) -> R<()> {
        for enter in &scope.enter {
            match enter {
                Enter::Resolve(slot, name) => self.act.set(*slot, self.state.context.resolve(name)),
                Enter::Alias(slot, from) => self.act.set(*slot, self.act.get(*from)),
                Enter::Undefined(slot) => self.act.set(*slot, None),
            }
        }
        Ok(())
    }

    fn leave(&self, scope: &Scope) {
        scope.leave.iter().for_each(|slot| self.act.set(*slot, None));
    }

    pub(super) fn write(out: &mut String, text: &str) -> R<()> {
        need_bytes(text.len())?;
        out.push_str(text);
        Ok(())
    }

    /// What was printed, as a value.
    pub(super) fn printed(&self, text: &str) -> Obj {
        if self.state.autoescape { Markup::new(text) } else { Obj::str(text) }
    }

    fn print(&self, value: &Obj, out: &mut String) -> R<()> {
        let done;
        let value = match self.state.env.finalize {
            Some(finalize) => {
                done = finalize(value)?;
                &done
            }
            None => value,
        };
        if self.state.autoescape {
            let escaped = escape(value)?;
            return Self::write(out, escaped.as_str().unwrap_or_default());
        }
        match value {
            Obj::Str(text) => Self::write(out, text),
            _ => Self::write(out, &text_of(value)?),
        }
    }

    /// Runs statements.
    pub(super) fn run(&self, body: &[Op], out: &mut String) -> R<Flow> {
        for op in body {
            let flow = self.op(op, out)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn at(&self, line: u32) {
        self.act.line.set(line);
    }

    fn op(&self, op: &Op, out: &mut String) -> R<Flow> {
        match op {
            Op::Data(text) => Self::write(out, text)?,
            Op::Print(line, node) => {
                self.at(*line);
                let value = self.eval(node, Some(out))?;
                self.print(&value, out)?;
            }
            Op::UnlessExtended(body) => {
                if self.act.extended.borrow().is_none() {
                    return self.run(body, out);
                }
            }
            Op::If(branches, else_) => {
                for (line, test, body) in branches {
                    self.at(*line);
                    if brine_python::truth(&self.eval(test, Some(out))?)? {
                        return self.run(body, out);
                    }
                }
                return self.run(else_, out);
            }
            Op::For(for_) => return self.for_(for_, out),
            Op::Assign { check, line, to, value, keep, names } => {
                self.at(*check);
                self.check_namespaces(to)?;
                self.at(*line);
                let value = self.eval(value, Some(out))?;
                self.assign(to, value)?;
                self.keep(*keep, names)?;
            }
            Op::AssignBlock { line, to, scope, body, filter, keep, names } => {
                self.enter(scope)?;
                let mut text = String::new();
                let flow = self.run(body, &mut text)?;
                if flow != Flow::Next {
                    return Ok(flow);
                }
                self.at(*line);
                let value = match filter {
                    Some(filter) => {
                        let value = self.eval(filter, Some(&text))?;
                        if self.state.autoescape { Markup::new(text_of(&value)?) } else { value }
                    }
                    None => self.printed(&text),
                };
                self.assign(to, value)?;
                self.keep(*keep, names)?;
                self.leave(scope);
            }
            Op::With { line, scope, vars, body } => {
                self.enter(scope)?;
                self.at(*line);
                for (to, value) in vars {
                    let value = self.eval(value, Some(out))?;
                    self.assign(to, value)?;
                }
                let flow = self.run(body, out)?;
                if flow == Flow::Next {
                    self.leave(scope);
                }
                return Ok(flow);
            }
            Op::Macro { code, slot, top } => {
                let value = self.macro_(code);
                if let (true, Some(name)) = (*top, &code.name) {
                    self.state.context.set(name, value.clone(), !name.starts_with('_'));
                }
                self.act.set(*slot, Some(value));
            }
            Op::CallBlock { line, code, call } => {
                let caller = self.macro_(code);
                self.at(*line);
                let value = self.call_node(call, Some(caller), out)?;
                // Jinja2 adds it as it is, so what is no text fails when all is joined.
                match value.as_str() {
                    Some(text) => Self::write(out, text)?,
                    None => return Err(not_text(&value)),
                }
            }
            Op::FilterBlock { line, scope, body, filter } => {
                self.enter(scope)?;
                let mut text = String::new();
                let flow = self.run(body, &mut text)?;
                if flow != Flow::Next {
                    return Ok(flow);
                }
                self.at(*line);
                let value = self.eval(filter, Some(&text))?;
                match value.as_str() {
                    Some(text) => Self::write(out, text)?,
                    None => return Err(not_text(&value)),
                }
                self.leave(scope);
            }
            Op::Do(line, value) => {
                self.at(*line);
                self.eval(value, Some(out))?;
            }
            Op::Break => return Ok(Flow::Break),
            Op::Continue => return Ok(Flow::Continue),
            Op::Stop => return Ok(Flow::Stop),
            Op::Read { line, format, from, to, keep, names } => {
                self.at(*line);
                let value = self.read(*format, *from)?;
                self.assign(to, value)?;
                self.keep(*keep, names)?;
            }
            Op::ProfileStart { line, label, source, slot, keep, name } => {
                self.at(*line);
                let label = self.eval(label, Some(out))?;
                let started = Obj::other(Started { label, source, at: Instant::now() });
                self.act.set(*slot, Some(started.clone()));
                match keep {
                    Keep::Top => self.state.context.set(name, started, false),
                    Keep::Loop => self.loop_var(name, started),
                    Keep::No => {}
                }
            }
            Op::ProfileEnd { line, slot } => {
                self.at(*line);
                if let (Some(Obj::Other(o)), Some(told)) = (self.act.get(*slot), self.state.env.profiled)
                    && let Some(started) = o.downcast::<Started>()
                {
                    told(started.source, &started.label, started.at.elapsed().as_secs_f64());
                }
            }
            Op::Autoescape(scope, value, body) => {
                self.enter(scope)?;
                let value = brine_python::truth(&self.eval(value, Some(out))?)?;
                let context = &self.state.context;
                let before = context.autoescape.replace(value);
                let inner = Exec { state: State { autoescape: value, ..self.state.clone() }, ..self.clone() };
                let flow = inner.run(body, out);
                context.autoescape.set(before);
                if matches!(flow, Ok(Flow::Next)) {
                    self.leave(scope);
                }
                return flow;
            }
            Op::Block { line, name, required, scoped } => {
                self.at(*line);
                self.block(name, *required, scoped.as_ref(), out)?;
            }
            Op::Extends { line, template, again } => {
                if *again && self.act.extended.borrow().is_some() {
                    return Err(PyErr::new(RUNTIME_ERROR, "extended multiple times"));
                }
                self.at(*line);
                let name = self.eval(template, Some(out))?;
                let parent = self.state.env.get_template(&name)?;
                self.state.context.add_blocks(&parent);
                *self.act.extended.borrow_mut() = Some(parent);
            }
            Op::Include { line, template, ignore_missing, select, context } => {
                self.at(*line);
                let name = self.eval(template, Some(out))?;
                self.include(&name, *select, *ignore_missing, context.as_ref(), out)?;
            }
            Op::Import { line, template, slot, name, top, context } => {
                self.at(*line);
                let which = self.eval(template, Some(out))?;
                let module = self.import(&which, context.as_ref())?;
                if *top {
                    self.state.context.set(name, module.clone(), false);
                    if !name.starts_with('_') {
                        self.state.context.hide(name);
                    }
                }
                self.act.set(*slot, Some(module));
            }
            Op::FromImport { line, template, names, top, context } => {
                self.at(*line);
                let which = self.eval(template, Some(out))?;
                let module = self.import(&which, context.as_ref())?;
                for (name, alias, slot) in names {
                    let value = match Module::find(&module).and_then(|m| m.get(name)) {
                        Some(value) => value,
                        None => self.not_exported(&module, name, *line),
                    };
                    if *top {
                        self.state.context.set(alias, value.clone(), false);
                        if !alias.starts_with('_') {
                            self.state.context.hide(alias);
                        }
                    }
                    self.act.set(*slot, Some(value));
                }
            }
        }
        Ok(Flow::Next)
    }

    fn macro_(&self, code: &Arc<super::code::MacroCode>) -> Obj {
        // It keeps the variables around it alive, and they keep it: the environment breaks that ring in the end.
        self.state.env.keep_ring(&self.act, &self.state.context);
        Obj::other(Macro {
            code: code.clone(),
            template: self.template.clone(),
            state: self.state.clone(),
            default_autoescape: self.state.context.autoescape.get(),
            around: self.act.clone(),
        })
    }

    fn loop_var(&self, name: &Arc<str>, value: Obj) {
        let mut vars = self.act.loop_vars.borrow_mut();
        match vars.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = value,
            None => vars.push((name.clone(), value)),
        }
    }

    /// Keeps names that a statement has set where others look for them.
    fn keep(&self, keep: Keep, names: &Names) -> R<()> {
        match keep {
            Keep::No => {}
            Keep::Loop => {
                for (name, place) in names {
                    if let Some(value) = self.act.get(*place) {
                        self.loop_var(name, value);
                    }
                }
            }
            Keep::Top => {
                for (name, place) in names {
                    if let Some(value) = self.act.get(*place) {
                        self.state.context.set(name, value, !name.starts_with('_'));
                    }
                }
            }
        }
        Ok(())
    }

    fn check_namespaces(&self, to: &To) -> R<()> {
        match to {
            To::Place(_) => Ok(()),
            To::Attr(place, ..) => match self.act.get(*place) {
                Some(value) if crate::globals::is_namespace(&value) => Ok(()),
                _ => Err(PyErr::new(RUNTIME_ERROR, "cannot assign attribute on non-namespace object")),
            },
            To::Tuple(items) => items.iter().try_for_each(|i| self.check_namespaces(i)),
        }
    }

    /// Assigns, unpacking as Python does.
    pub(super) fn assign(&self, to: &To, value: Obj) -> R<()> {
        match to {
            To::Place(slot) => self.act.set(*slot, Some(value)),
            To::Attr(place, attr) => {
                let namespace = self.act.get(*place).unwrap_or_default();
                brine_python::setattr(&namespace, attr, value)?;
            }
            To::Tuple(items) => {
                let values = unpack(&value, items.len())?;
                for (to, value) in items.iter().zip(values) {
                    self.assign(to, value)?;
                }
            }
        }
        Ok(())
    }

    fn for_(&self, for_: &For, out: &mut String) -> R<Flow> {
        self.at(for_.line);
        let iterable = self.eval(&for_.iter, Some(out))?;
        let Some(recursive) = &for_.recursive else {
            return self.each(for_, &iterable, None, 0, out);
        };
        self.state.env.keep_ring(&self.act, &self.state.context);
        let recurse = self.recurse(recursive);
        let value = recurse(&iterable, 0)?;
        Self::write(out, value.as_str().unwrap_or_default())?;
        Ok(Flow::Next)
    }

    /// The body of a recursive loop as a function.
    fn recurse(&self, code: &Arc<Recursive>) -> Recurse {
        let (outer, code) = (self.clone(), code.clone());
        Rc::new(move |items, depth| {
            let env = &outer.state.env;
            let level = env.depth.get();
            if level >= 200 {
                return Err(PyErr::recursion(""));
            }
            env.depth.set(level + 1);
            let done = stacker::maybe_grow(256 << 10, 2 << 20, || {
                let act = Activation::new(code.slots, Some(outer.act.clone()))?;
                let exec = Exec { act, ..outer.clone() };
                exec.at(code.inner.line);
                let mut text = String::new();
                let again = exec.outer_recurse(&outer, &code);
                exec.traced(|| exec.each(&code.inner, items, Some(again), depth, &mut text))?;
                Ok(exec.printed(&text))
            });
            env.depth.set(level);
            done
        })
    }

    /// What `loop(...)` calls within a recursive loop: the same function, called from where the loop stands.
    fn outer_recurse(&self, outer: &Exec, code: &Arc<Recursive>) -> Recurse {
        outer.recurse(code)
    }

    fn each(
        &self,
        for_: &For,
        iterable: &Obj,
        recurse: Option<Recurse>,
        depth: usize,
        out: &mut String,
    ) -> R<Flow> {
        let filtered;
        let iterable = match &for_.test {
            Some(test) => {
                filtered = self.filtered(test, iterable)?;
                &filtered
            }
            None => iterable,
        };
        let mut none = true;
        if let Some(slot) = for_.loop_ {
            let context = LoopContext::new(iterable, &self.state, recurse, depth)?;
            let object = Obj::other(LoopObject(context.clone()));
            loop {
                self.at(for_.line);
                let Some(item) = context.next()? else { break };
                take_steps(1)?;
                self.assign(&for_.target, item)?;
                self.act.set(slot, Some(object.clone()));
                match self.round(for_, out)? {
                    Flow::Stop => return Ok(Flow::Stop),
                    Flow::Break => {
                        // As in Python, `break` skips what would note that there was a round, unless one went before.
                        self.leave(&for_.scope);
                        return self.otherwise(for_, none, out);
                    }
                    Flow::Next => none = false,
                    Flow::Continue => {}
                }
            }
        } else {
            let iter = iterable.iter()?;
            loop {
                self.at(for_.line);
                let Some(item) = iter.next()? else { break };
                self.assign(&for_.target, item)?;
                match self.round(for_, out)? {
                    Flow::Stop => return Ok(Flow::Stop),
                    Flow::Break => {
                        self.leave(&for_.scope);
                        return self.otherwise(for_, none, out);
                    }
                    Flow::Next => none = false,
                    Flow::Continue => {}
                }
            }
        }
        self.leave(&for_.scope);
        self.otherwise(for_, none, out)
    }

    fn round(&self, for_: &For, out: &mut String) -> R<Flow> {
        self.enter(&for_.scope)?;
        self.act.loop_vars.borrow_mut().clear();
        self.run(&for_.body, out)
    }

    fn otherwise(&self, for_: &For, none: bool, out: &mut String) -> R<Flow> {
        if !none || for_.else_.is_empty() {
            return Ok(Flow::Next);
        }
        self.enter(&for_.else_scope)?;
        let flow = self.run(&for_.else_, out)?;
        if flow == Flow::Next {
            self.leave(&for_.else_scope);
        }
        Ok(flow)
    }

    /// The items for which a loop's condition holds, one by one.
    fn filtered(&self, code: &Arc<LoopFilter>, items: &Obj) -> R<Obj> {
        let around = if code.recursive { self.act.around() } else { Some(self.act.clone()) };
        let act = Activation::new(code.slots, around)?;
        let exec = Exec { act, ..self.clone() };
        let (code, items) = (code.clone(), items.clone());
        let mut iter: Option<Iter> = None;
        Ok(Obj::Iter(Iter::generator("t_1", move || {
            exec.traced(|| {
                exec.at(code.line);
                if iter.is_none() {
                    exec.enter(&code.scope)?;
                    iter = Some(items.iter()?);
                }
                let Some(iter) = &iter else { return Ok(None) };
                while let Some(item) = iter.next()? {
                    exec.assign(&code.target, item)?;
                    if brine_python::truth(&exec.eval(&code.test, None)?)? {
                        return Ok(Some(exec.target_value(&code.target)));
                    }
                }
                Ok(None)
            })
        })))
    }

    fn target_value(&self, to: &To) -> Obj {
        match to {
            To::Place(slot) => self.act.get(super::code::Place { up: 0, slot: *slot }).unwrap_or_default(),
            To::Attr(..) => Obj::None,
            To::Tuple(items) => Obj::tuple(items.iter().map(|t| self.target_value(t)).collect()),
        }
    }

    /// Reads data with the filter of the format.
    fn read(&self, format: crate::tree::Format, from: super::code::Place) -> R {
        let name = match format {
            crate::tree::Format::Yaml => "load_yaml",
            crate::tree::Format::Json => "load_json",
            crate::tree::Format::Text => "load_text",
        };
        let value = self.act.get(from).unwrap_or_default();
        let value = match Macro::find(&value) {
            Some(m)
                if m.code.params.is_empty() && m.code.name.as_ref().is_some_and(|n| n.starts_with("_fi")) =>
            {
                m.invoke(&Args::default(), self.state.autoescape)?
            }
            _ => value,
        };
        match self.state.env.filters.get(name) {
            Some(filter) => filter(&self.state, &Args::of([value])),
            None => Err(PyErr::new(RUNTIME_ERROR, format!("No filter named '{name}' found."))),
        }
    }

    /// The names that a template included here sees beside the context.
    fn locals(&self, names: &Names) -> Vec<(Arc<str>, Obj)> {
        names.iter().filter_map(|(name, place)| Some((name.clone(), self.act.get(*place)?))).collect()
    }

    /// A context for another template, of everything that is seen here.
    fn shared_context(&self, names: &Names) -> R<Rc<Dict>> {
        let all = self.state.context.all();
        let locals = self.locals(names);
        if locals.is_empty() {
            return Ok(all);
        }
        need_bytes(all.len() * 64)?;
        let dict = Dict::new();
        *dict.borrow_mut() = all.borrow().clone();
        for (name, value) in locals {
            dict.set_str(&name, value);
        }
        Ok(Rc::new(dict))
    }

    fn include(
        &self,
        name: &Obj,
        select: bool,
        ignore_missing: bool,
        names: Option<&Names>,
        out: &mut String,
    ) -> R<()> {
        let env = &self.state.env;
        let template = if select { env.select_template(name) } else { env.get_or_select_template(name) };
        let template = match template {
            Err(e) if ignore_missing && is_not_found(&e) => {
                env.trace.borrow_mut().take();
                return Ok(());
            }
            other => other?,
        };
        match names {
            Some(names) => {
                let parent = self.shared_context(names)?;
                let context = Context::new(parent, template.name.clone(), env.autoescape);
                context.add_blocks(&template);
                template.run_root(
                    &State { context: Rc::new(context), autoescape: env.autoescape, env: env.clone() },
                    out,
                )
            }
            None => {
                let module = template.default_module(env, None)?;
                Self::write(out, Module::find(&module).map_or("", |m| &m.body))
            }
        }
    }

    fn import(&self, name: &Obj, names: Option<&Names>) -> R {
        let env = &self.state.env;
        let template = env.get_template(name)?;
        match names {
            Some(names) => template.module(env, self.shared_context(names)?),
            None => template.default_module(env, Some(&self.state.context)),
        }
    }

    fn not_exported(&self, module: &Obj, name: &Arc<str>, line: u32) -> Obj {
        let of = Module::find(module).and_then(|m| m.name.clone());
        let shown = repr(&of.map_or(Obj::None, |n| Obj::str(&*n))).unwrap_or_default();
        let position = self.template.position(line);
        let wanted = repr(&Obj::str(&**name)).unwrap_or_default();
        let hint = format!(
            "the template {shown} (imported on {position}) does not export the requested name {wanted}"
        );
        Undefined::hint(self.state.env.undefined, hint, Some(name))
    }

    fn block(&self, name: &Arc<str>, required: bool, scoped: Option<&Names>, out: &mut String) -> R<()> {
        let context = match scoped {
            Some(names) => Rc::new(self.state.context.derived(self.locals(names))?),
            None => self.state.context.clone(),
        };
        let stack = self.state.context.blocks.borrow().get(name).cloned().unwrap_or_default();
        if required && stack.len() <= 1 {
            let shown = repr(&Obj::str(&**name))?;
            return Err(PyErr::new(RUNTIME_ERROR, format!("Required block {shown} not found")));
        }
        let Some(block) = stack.first() else { return Ok(()) };
        // What is escaped in a block is decided where it stands, not from where it is called.
        let env = self.state.env.clone();
        block.run(&State { context, autoescape: env.autoescape, env }, out)
    }

    /// Gives a function its `self` and `super`.
    pub(super) fn special(&self, me: Option<u16>, parent: Option<(u16, &Rc<super::BlockCode>)>) {
        if let Some(slot) = me {
            self.act.set(slot, Some(Obj::other(TemplateReference(self.state.clone()))));
        }
        if let Some((slot, block)) = parent {
            self.act.set(slot, Some(block_of(&self.state, block)));
        }
    }
}

/// When a measuring began.
struct Started {
    label: Obj,
    source: &'static str,
    at: Instant,
}

impl brine_python::Object for Started {
    fn type_name(&self) -> &str {
        "tuple"
    }
}

fn is_not_found(e: &PyErr) -> bool {
    matches!(e.kind(), Kind::Other("TemplateNotFound" | "TemplatesNotFound"))
}

/// What `''.join` says of what is no text.
fn not_text(value: &Obj) -> PyErr {
    PyErr::ty(format!("sequence item 0: expected str instance, {} found", value.type_name()))
}

/// As many values as there are targets.
fn unpack(value: &Obj, wanted: usize) -> R<Vec<Obj>> {
    if let Some(items) = value.sequence() {
        return match items.len() {
            n if n == wanted => Ok(items),
            n if n < wanted => Err(too_few(wanted, n)),
            _ => Err(too_many(wanted)),
        };
    }
    let iter = value.iter().map_err(|e| match e.kind() {
        Kind::TypeError => PyErr::ty(format!("cannot unpack non-iterable {} object", value.type_name())),
        _ => e,
    })?;
    let mut items = Vec::with_capacity(wanted);
    while items.len() < wanted {
        match iter.next()? {
            Some(item) => items.push(item),
            None => return Err(too_few(wanted, items.len())),
        }
    }
    if iter.next()?.is_some() { Err(too_many(wanted)) } else { Ok(items) }
}

fn too_few(wanted: usize, got: usize) -> PyErr {
    PyErr::value(format!("not enough values to unpack (expected {wanted}, got {got})"))
}

fn too_many(wanted: usize) -> PyErr {
    PyErr::value(format!("too many values to unpack (expected {wanted})"))
}
