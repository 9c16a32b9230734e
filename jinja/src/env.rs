//! The environment of templates: what they can name beside their own variables, and where other templates come from.

use crate::Syntax;
use crate::context::Context;
use crate::run::{Activation, Template, Trace};
use crate::undefined::Behaviour;
use brine_python::{Args, Dict, Kind, Obj, PyErr, R};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// A filter, test or global function: it is given where it is called from, and for filters and tests the value as the first argument.
pub type Callee = fn(&State, &Args) -> R;

/// Filters or tests by name.
pub type Table = HashMap<&'static str, Callee>;

/// A template's text, and what it is called in errors.
#[derive(Clone, Debug)]
pub struct Source {
    /// The text.
    pub text: Rc<str>,
    /// The file it came from, if any; otherwise errors say the name that was asked for.
    pub file: Option<String>,
}

/// Where templates come from that others include, import or extend.
pub trait Loader {
    /// The text of a template; `None` if there is none of the name.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn source(&self, env: &Environment, name: &str) -> R<Option<Source>>;
}

/// The environment. One is made for each rendering; making it copies no table.
pub struct Environment {
    /// Delimiters and whitespace.
    pub syntax: Syntax,
    /// Filters.
    pub filters: Rc<Table>,
    /// Tests.
    pub tests: Rc<Table>,
    /// What every template can name, also one that is imported without context.
    pub globals: Rc<Dict>,
    /// What undefined values do.
    pub undefined: Behaviour,
    /// Whether what is printed is escaped for HTML.
    pub autoescape: bool,
    /// What is done to a value before it is printed.
    pub finalize: Option<fn(&Obj) -> R<Obj>>,
    /// Where templates come from.
    pub loader: Option<Rc<dyn Loader>>,
    /// Told what a `profile` block or an `import_*` was, its label, and how many seconds it took.
    pub profiled: Option<fn(&str, &Obj, f64)>,
    /// Whether attributes that begin with `_` are closed, as in `SandboxedEnvironment`.
    pub sandboxed: bool,
    /// What the embedder's own filters and functions need.
    pub extra: Rc<dyn Any>,
    pub(crate) templates: RefCell<HashMap<Rc<str>, Rc<Template>>>,
    pub(crate) trace: RefCell<Option<Trace>>,
    pub(crate) depth: Cell<usize>,
    pub(crate) rings: RefCell<Vec<(Rc<Activation>, Rc<Context>)>>,
}

impl Environment {
    /// Jinja2's own environment with its filters, tests and globals, and undefined values that may be printed.
    pub fn new(syntax: Syntax) -> Self {
        let globals = Dict::new();
        for (name, value) in crate::globals::table() {
            globals.set_str(name, value);
        }
        Self {
            syntax,
            filters: crate::filters::table(),
            tests: crate::tests::table(),
            globals: Rc::new(globals),
            undefined: Behaviour::Lenient,
            autoescape: false,
            finalize: None,
            loader: None,
            profiled: None,
            sandboxed: false,
            extra: Rc::new(()),
            templates: RefCell::default(),
            trace: RefCell::default(),
            depth: Cell::new(0),
            rings: RefCell::default(),
        }
    }
}

/// How deep macros, blocks, templates and recursive loops may be within each other; Python's stack ends at about as many.
const DEEPEST: usize = 200;
/// Stack that one of them may need, and how much is added where there is less.
const RED_ZONE: usize = 256 << 10;
const MORE_STACK: usize = 2 << 20;

impl Environment {
    /// Runs a function of a template, one level deeper.
    ///
    /// # Errors
    /// `RecursionError`, and what it raises.
    pub(crate) fn deeper<T>(&self, run: impl FnOnce() -> R<T>) -> R<T> {
        let depth = self.depth.get();
        if depth >= DEEPEST {
            return Err(PyErr::recursion(""));
        }
        self.depth.set(depth + 1);
        let done = stacker::maybe_grow(RED_ZONE, MORE_STACK, run);
        self.depth.set(depth);
        done
    }
}

/// Where a filter, a test or a function is called from. Cheap to clone, so that generators can keep it.
#[derive(Clone)]
pub struct State {
    /// The environment.
    pub env: Rc<Environment>,
    /// The variables of the template that runs.
    pub context: Rc<Context>,
    /// Whether output is escaped at this place.
    pub autoescape: bool,
}

impl State {
    /// Runs a filter by name, as `map` does; `args` begin with the value.
    ///
    /// # Errors
    /// `TemplateRuntimeError` when there is none of the name, and what the filter raises.
    pub fn call_filter(&self, name: &Obj, args: &Args) -> R {
        self.call_named(&self.env.filters, "filter", name, args)
    }

    /// Runs a test by name, as `select` does; `args` begin with the value.
    ///
    /// # Errors
    /// `TemplateRuntimeError` when there is none of the name, and what the test raises.
    pub fn call_test(&self, name: &Obj, args: &Args) -> R {
        self.call_named(&self.env.tests, "test", name, args)
    }

    fn call_named(&self, table: &Table, what: &str, name: &Obj, args: &Args) -> R {
        match name.as_str().and_then(|n| table.get(n)) {
            Some(callee) => callee(self, args),
            None => {
                brine_python::hash(name)?;
                let mut text = format!("No {what} named {}.", brine_python::repr(name)?);
                if let Some(undefined) = crate::undefined::Undefined::find(name) {
                    text.push_str(&format!(
                        " ({}; did you forget to quote the callable name?)",
                        undefined.message()
                    ));
                }
                Err(PyErr::new(crate::undefined::RUNTIME_ERROR, text))
            }
        }
    }

    /// `x.name`: the attribute, then the item; undefined if there is neither.
    ///
    /// # Errors
    /// What a value's own code raises.
    pub fn getattr(&self, obj: &Obj, name: &str) -> R {
        if let Some(value) = self.attribute(obj, name)? {
            return Ok(value);
        }
        // A missing key or a type without items is the common case: it costs no error value.
        if let Obj::Dict(dict) = obj {
            return Ok(dict.get_str(name).unwrap_or_else(|| self.undefined_of(obj, Obj::str(name))));
        }
        match brine_python::getitem(obj, &Obj::str(name)) {
            Ok(value) => Ok(value),
            Err(e) if lookup_failed(e.kind()) => Ok(self.undefined_of(obj, Obj::str(name))),
            Err(e) => Err(e),
        }
    }

    /// `x[key]`: the item, then the attribute; undefined if there is neither.
    ///
    /// # Errors
    /// What a value's own code raises.
    pub fn getitem(&self, obj: &Obj, key: &Obj) -> R {
        let found = match (obj, key) {
            (Obj::Dict(dict), Obj::Str(text)) => dict.get_str(text),
            _ => match brine_python::getitem(obj, key) {
                Ok(value) => Some(value),
                Err(e) if lookup_failed(e.kind()) => None,
                Err(e) => return Err(e),
            },
        };
        if let Some(value) = found {
            return Ok(value);
        }
        if let Some(name) = key.as_str()
            && let Some(value) = self.attribute(obj, name)?
        {
            return Ok(value);
        }
        Ok(self.undefined_of(obj, key.clone()))
    }

    /// The attribute of a name, if there is one; what the sandbox closes is there, but undefined.
    fn attribute(&self, obj: &Obj, name: &str) -> R<Option<Obj>> {
        let found = match brine_python::find_attr(obj, name) {
            Err(e) if e.kind() == Kind::AttributeError => None,
            found => found?,
        };
        if !self.env.sandboxed {
            return Ok(found);
        }
        if name.starts_with('_') {
            let there = found.is_some() || brine_python::has_special(obj, name);
            return Ok(there.then(|| self.closed(obj, name)));
        }
        Ok(found.map(|value| crate::sandbox::format_method(self, obj, name).unwrap_or(value)))
    }

    /// What an attribute is that the sandbox closes.
    fn closed(&self, obj: &Obj, name: &str) -> Obj {
        let hint = format!("access to attribute '{name}' of '{}' object is unsafe.", short_type(obj));
        crate::undefined::Undefined::make(
            self.env.undefined,
            Some(hint),
            Some(obj.clone()),
            Some(Obj::str(name)),
            crate::undefined::SECURITY_ERROR,
        )
    }
}

/// The name of a type without its module.
pub(crate) fn short_type(obj: &Obj) -> &str {
    let name = obj.type_name();
    name.rsplit('.').next().unwrap_or(name)
}

fn lookup_failed(kind: Kind) -> bool {
    matches!(kind, Kind::TypeError | Kind::KeyError | Kind::IndexError | Kind::LookupError)
}
