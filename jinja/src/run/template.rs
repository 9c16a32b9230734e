//! A template ready to run in an environment, and where it comes from.

use super::activation::Activation;
use super::blocks::BlockCode;
use super::cache;
use super::code::Code;
use super::exec::Exec;
use super::module::Module;
use crate::context::Context;
use crate::env::{Callee, Environment, State};
use crate::error::{Error, ErrorKind};
use crate::undefined::Undefined;
use brine_python::{Dict, Kind, Limits, Obj, PyErr, R, repr};
use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

/// Where in a template something failed: the innermost place that is not in a block, as Salt looks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The file, if the template came from one.
    pub file: Option<Rc<str>>,
    /// The line, from 1.
    pub line: u32,
}

/// A template and what its code needs on this thread.
pub struct Template {
    pub(crate) code: Arc<Code>,
    pub(super) consts: Vec<Obj>,
    pub(super) filters: Vec<Option<Callee>>,
    pub(super) tests: Vec<Option<Callee>>,
    pub(crate) name: Option<Rc<str>>,
    pub(super) file: Option<Rc<str>>,
    module: OnceCell<Obj>,
}

/// A text that failed as a template, or while it ran.
#[derive(Debug)]
pub struct Failure {
    /// What was raised.
    pub error: PyErr,
    /// Where.
    pub trace: Option<Trace>,
}

impl Template {
    /// A template of this text.
    ///
    /// # Errors
    /// Why it is none.
    fn new(env: &Environment, text: &str, name: Option<Rc<str>>, file: Option<Rc<str>>) -> R<Rc<Self>> {
        let code = cache::code(env, text).map_err(|e| {
            if !matches!(e.kind, ErrorKind::Value) {
                *env.trace.borrow_mut() = Some(Trace { file: file.clone(), line: e.line.max(1) });
            }
            py_error(&e)
        })?;
        Ok(Rc::new(Self {
            consts: code.consts.iter().map(constant).collect(),
            filters: code.filters.iter().map(|n| env.filters.get(&**n).copied()).collect(),
            tests: code.tests.iter().map(|n| env.tests.get(&**n).copied()).collect(),
            code,
            name,
            file,
            module: OnceCell::new(),
        }))
    }

    /// Its blocks. They are not kept, as each keeps its template.
    pub(crate) fn blocks(self: &Rc<Self>) -> impl Iterator<Item = Rc<BlockCode>> + '_ {
        self.code.blocks.iter().map(|(name, function, line)| {
            Rc::new(BlockCode {
                name: name.clone(),
                template: self.clone(),
                function: function.clone(),
                line: *line,
            })
        })
    }

    /// How errors call a line of it.
    pub(super) fn position(&self, line: u32) -> String {
        match &self.name {
            Some(name) => format!("line {line} in {}", repr(&Obj::str(&**name)).unwrap_or_default()),
            None => format!("line {line}"),
        }
    }

    /// Prints it, and what it extends, with these variables.
    pub(super) fn run_root(self: &Rc<Self>, state: &State, out: &mut String) -> R<()> {
        state.env.deeper(|| {
            let root = &self.code.root;
            let act = Activation::new(root.slots, None)?;
            let exec = Exec::new(self.clone(), state.clone(), act.clone());
            exec.traced(|| {
                exec.special(root.me, None);
                exec.enter(&root.scope)?;
                exec.run(&root.body, out)?;
                let parent = act.extended.borrow_mut().take();
                match parent {
                    Some(parent) => parent.run_root(state, out),
                    None => Ok(()),
                }
            })
        })
    }

    /// Runs it as a module with these variables.
    pub(super) fn module(self: &Rc<Self>, env: &Rc<Environment>, parent: Rc<Dict>) -> R {
        let context = Rc::new(Context::new(parent, self.name.clone(), env.autoescape));
        context.add_blocks(self);
        let mut body = String::new();
        let state = State { env: env.clone(), context: context.clone(), autoescape: env.autoescape };
        self.run_root(&state, &mut body)?;
        Ok(Obj::other(Module { name: self.name.clone(), exported: context.exports(), body }))
    }

    /// Runs it once without the importer's variables; globals that only the importer has are given to it all the same.
    pub(super) fn default_module(self: &Rc<Self>, env: &Rc<Environment>, _importer: Option<&Context>) -> R {
        if let Some(module) = self.module.get() {
            return Ok(module.clone());
        }
        let parent = Dict::new();
        *parent.borrow_mut() = env.globals.borrow().clone();
        let module = self.module(env, Rc::new(parent))?;
        Ok(self.module.get_or_init(|| module).clone())
    }
}

fn constant(value: &crate::tree::Const) -> Obj {
    use crate::tree::Const;
    match value {
        Const::None => Obj::None,
        Const::Bool(b) => (*b).into(),
        Const::Int(i) => (*i).into(),
        Const::BigInt(radix, digits) => {
            num_bigint::BigInt::parse_bytes(digits.as_bytes(), *radix).map_or(Obj::None, Obj::big)
        }
        Const::Float(x) => (*x).into(),
        Const::Str(text) => Obj::str(&**text),
    }
}

/// A fault of a text as the exception that Jinja2 raises.
fn py_error(e: &Error) -> PyErr {
    let kind = match e.kind {
        ErrorKind::Syntax => Kind::Other("TemplateSyntaxError"),
        ErrorKind::Assertion => Kind::Other("TemplateAssertionError"),
        ErrorKind::Value => Kind::ValueError,
        ErrorKind::Limit => Kind::Limit,
    };
    PyErr::new(kind, e.message.clone())
}

fn not_found(name: &str) -> PyErr {
    PyErr::new(Kind::Other("TemplateNotFound"), name)
}

impl Environment {
    /// A template by name.
    ///
    /// # Errors
    /// `TemplateNotFound`, and why it is no template.
    pub(super) fn get_template(&self, name: &Obj) -> R<Rc<Template>> {
        let Some(text) = name.as_str() else {
            return Err(match Undefined::find(name) {
                Some(undefined) => undefined.fail(),
                None => match brine_python::hash(name) {
                    Ok(_) => PyErr::attribute(name, "split"),
                    Err(e) => e,
                },
            });
        };
        if let Some(found) = self.templates.borrow().get(text) {
            return Ok(found.clone());
        }
        let Some(loader) = self.loader.clone() else {
            return Err(PyErr::ty("no loader for this environment specified"));
        };
        let source = loader.source(self, text)?.ok_or_else(|| not_found(text))?;
        let key: Rc<str> = text.into();
        let template = Template::new(self, &source.text, Some(key.clone()), source.file.map(Rc::from))?;
        self.templates.borrow_mut().insert(key, template.clone());
        Ok(template)
    }

    /// The first template of a list that is there.
    pub(super) fn select_template(&self, names: &Obj) -> R<Rc<Template>> {
        if let Some(undefined) = Undefined::find(names) {
            return Err(undefined.fail());
        }
        let none = |text: String| PyErr::new(Kind::Other("TemplatesNotFound"), text);
        if !brine_python::truth(names)? {
            return Err(none("Tried to select from an empty list of templates.".into()));
        }
        let all = names;
        let names = all.items()?;
        for name in &names {
            match self.get_template(name) {
                Err(e)
                    if matches!(
                        e.kind(),
                        Kind::Other("TemplateNotFound" | "TemplatesNotFound" | "UndefinedError")
                    ) => {}
                other => return other,
            }
        }
        // The exception is given the last name, which a dict may not have.
        if !matches!(all, Obj::Iter(_)) {
            brine_python::getitem(all, &Obj::Int(-1))?;
        }
        let mut shown = Vec::new();
        for name in &names {
            shown.push(match Undefined::find(name) {
                Some(undefined) => undefined.message(),
                None => brine_python::str(name)?,
            });
        }
        Err(none(format!("none of the templates given were found: {}", shown.join(", "))))
    }

    pub(super) fn get_or_select_template(&self, name: &Obj) -> R<Rc<Template>> {
        if name.as_str().is_some() || Undefined::find(name).is_some() {
            self.get_template(name)
        } else {
            self.select_template(name)
        }
    }

    /// Notes variables that a macro keeps alive, so that they can be emptied in the end.
    pub(super) fn keep_ring(&self, act: &Rc<Activation>, context: &Rc<Context>) {
        let mut rings = self.rings.borrow_mut();
        if rings.last().is_none_or(|(a, c)| !Rc::ptr_eq(a, act) || !Rc::ptr_eq(c, context)) {
            rings.push((act.clone(), context.clone()));
        }
    }

    /// Renders a text with these variables over the globals, within limits.
    ///
    /// # Errors
    /// What was raised, and where.
    pub fn render(self: &Rc<Self>, text: &str, vars: &Dict, limits: Limits) -> Result<String, Failure> {
        let done = limits.enter(|| {
            let template = Template::new(self, text, None, None)?;
            let parent = Dict::new();
            *parent.borrow_mut() = self.globals.borrow().clone();
            for (key, value) in vars.borrow().iter() {
                parent.borrow_mut().insert(key.clone(), value.clone());
            }
            let context = Rc::new(Context::new(Rc::new(parent), None, self.autoescape));
            context.add_blocks(&template);
            let mut out = String::with_capacity(text.len());
            let state = State { env: self.clone(), context, autoescape: self.autoescape };
            template.run_root(&state, &mut out)?;
            Ok(out)
        });
        let trace = self.trace.borrow_mut().take();
        self.templates.borrow_mut().clear();
        for (act, context) in std::mem::take(&mut *self.rings.borrow_mut()) {
            act.clear();
            context.clear();
        }
        done.map_err(|error| Failure { error, trace })
    }
}
