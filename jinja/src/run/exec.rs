//! Runs statements.

use super::activation::Activation;
use super::blocks::{TemplateReference, block_of};
use super::code::{Enter, Keep, Names, Op, Scope};
use super::macros::Macro;
use super::module::Module;
use super::template::{Template, Trace};
use crate::env::State;
use crate::markup::{Markup, escape};
use crate::undefined::RUNTIME_ERROR;
use brine_python::{Args, Obj, PyErr, R, need_bytes, str as text_of};
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

    pub(super) fn leave(&self, scope: &Scope) {
        scope.leave.iter().for_each(|slot| self.act.set(*slot, None));
    }

    pub(super) fn write(out: &mut String, text: &str) -> R<()> {
        need_bytes(text.len())?;
        out.push_str(text);
        Ok(())
    }

    /// Adds a value as it is: what is no text fails in Jinja2 when all is joined.
    fn append(out: &mut String, value: &Obj) -> R<()> {
        let text = value.as_str().ok_or_else(|| {
            PyErr::ty(format!("sequence item 0: expected str instance, {} found", value.type_name()))
        })?;
        Self::write(out, text)
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

    pub(super) fn at(&self, line: u32) {
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
                if !self.act.is_extended() {
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
                Self::append(out, &value)?;
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
                Self::append(out, &value)?;
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
