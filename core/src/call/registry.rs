//! The table of everything that can be called by name.

use super::{Args, CallError, Cx, Result};
use crate::state::StateModule;
use brine_protocol::{Map, Value};
use std::collections::BTreeMap;

/// One parameter of a function, for binding and for `sys.argspec`.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// The name a keyword argument uses.
    pub name: &'static str,
    /// Whether and how it may be left out.
    pub kind: ParamKind,
}

/// Whether and how a parameter may be left out.
#[derive(Clone, Copy, Debug)]
pub enum ParamKind {
    /// Must be given.
    Required,
    /// Has a default.
    Default(fn() -> Value),
    /// Collects surplus positional arguments.
    VarArgs,
    /// Collects surplus keyword arguments.
    KwArgs,
}

/// One callable function. Written by `#[exec]`.
#[derive(Clone, Copy)]
pub struct Function {
    /// Its name within the module.
    pub name: &'static str,
    /// Its doc comment, for `sys.doc`.
    pub doc: &'static str,
    /// Its parameters in order.
    pub params: &'static [Param],
    /// Binds the arguments and runs it.
    pub run: fn(&Cx, Args) -> Result,
}

impl Function {
    /// The keyword arguments that it does not take; none if it takes any.
    pub fn unknown_keywords<'a>(&self, given: &'a Map) -> Vec<(&'a Value, &'a Value)> {
        if self.takes_kwargs() {
            return Vec::new();
        }
        let takes =
            |name: &str| self.params.iter().any(|p| p.name == name && !matches!(p.kind, ParamKind::VarArgs));
        given.iter().filter(|(name, _)| !name.as_str().is_some_and(takes)).collect()
    }

    /// Whether it takes `**kwargs`, and so is given the publish load as `__pub_*`.
    pub fn takes_kwargs(&self) -> bool {
        self.params.iter().any(|p| matches!(p.kind, ParamKind::KwArgs))
    }
}

/// One module: a name and its functions. Written by `module!`.
pub struct Module {
    /// The name calls use (`test`).
    pub name: &'static str,
    /// Its functions.
    pub functions: &'static [Function],
}

/// Every function by its full name. Built once; a change of configuration builds a new one.
#[derive(Default)]
pub struct Registry {
    functions: BTreeMap<String, Function>,
    /// Modules that exist but may not be used here, with stock's reason text.
    refused: BTreeMap<String, String>,
    states: BTreeMap<&'static str, &'static StateModule>,
    /// State modules that stock has and that are not here, with the reason.
    refused_states: BTreeMap<String, String>,
    asked_late: Option<Late>,
}

/// Says why a module cannot be used, when one that is not here is called.
type Late = Box<dyn Fn(Kind, &str) -> Option<String> + Send + Sync>;

/// The two tables of a [`Registry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Execution modules.
    Modules,
    /// State modules.
    States,
}

impl Registry {
    /// A registry of these modules; where two share a function's full name, the later one wins.
    pub fn new<'m>(modules: impl IntoIterator<Item = &'m Module>) -> Self {
        let mut registry = Self::default();
        for module in modules {
            registry.add(module.name, module);
        }
        registry
    }

    /// Adds a module under a name of its own choice: virtual modules (`pkg`) are added under the virtual name.
    pub fn add(&mut self, name: &str, module: &Module) {
        for function in module.functions {
            self.functions.insert(format!("{name}.{}", function.name), *function);
        }
    }

    /// Adds files of states. Where two have one name, the later one wins.
    #[must_use]
    pub fn with_states(mut self, modules: impl IntoIterator<Item = &'static StateModule>) -> Self {
        self.states.extend(modules.into_iter().map(|module| (module.name, module)));
        self
    }

    /// The states of that name.
    pub fn state_module(&self, name: &str) -> Option<&'static StateModule> {
        self.states.get(name).copied()
    }

    /// Every file of states, in byte order.
    pub fn state_modules(&self) -> impl Iterator<Item = &'static StateModule> {
        self.states.values().copied()
    }

    /// The state function of that full name.
    pub fn state(&self, name: &str) -> Option<&'static Function> {
        let (module, function) = name.split_once('.')?;
        self.states.get(module)?.functions.iter().find(|f| f.name == function)
    }

    /// Notes that there are no states of a name here, and why. States that are here stay.
    pub fn refuse_state(&mut self, module: &str, reason: &str) {
        if !self.states.contains_key(module) {
            self.refused_states.insert(module.to_owned(), reason.to_owned());
        }
    }

    /// Why there is no state function of that full name, in stock's words.
    pub fn missing_state(&self, name: &str) -> String {
        let module = name.split('.').next().unwrap_or(name);
        match self.late(Kind::States, module).as_ref().or(self.refused_states.get(module)) {
            Some(reason) => format!("'{module}' __virtual__ returned False: {reason}"),
            None => format!("'{name}' is not available."),
        }
    }

    /// Calls a state function by name.
    pub fn call_state(&self, cx: &Cx, name: &str, args: Args) -> Result {
        let function = self.state(name).ok_or_else(|| CallError::NotAvailable(self.missing_state(name)))?;
        cx.cancel.check()?;
        (function.run)(&cx.deeper()?, args)
    }

    /// Takes a module out, as `disable_modules` does.
    pub fn disable(&mut self, module: &str) {
        if self.has_module(module) {
            let prefix = format!("{module}.");
            self.functions.retain(|name, _| !name.starts_with(&prefix));
        }
    }

    /// Notes that a module exists but does not work here (stock: `__virtual__ returned False`).
    pub fn refuse(&mut self, module: &str, reason: &str) {
        self.disable(module);
        self.refused.insert(module.to_owned(), reason.to_owned());
    }

    /// Whom to ask for a reason when a module is called that is not here: what can come while a job runs. A reason given then
    /// goes before one noted earlier.
    #[must_use]
    pub fn asking_late(mut self, ask: impl Fn(Kind, &str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.asked_late = Some(Box::new(ask));
        self
    }

    fn late(&self, kind: Kind, module: &str) -> Option<String> {
        let here = match kind {
            Kind::Modules => self.has_module(module),
            Kind::States => self.states.contains_key(module),
        };
        self.asked_late.as_ref().filter(|_| !here).and_then(|ask| ask(kind, module))
    }

    /// The function of that full name.
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.functions.get(name)
    }

    /// Whether a module of that name has a function here.
    pub fn has_module(&self, module: &str) -> bool {
        let prefix = format!("{module}.");
        self.functions.range(prefix.clone()..).next().is_some_and(|(name, _)| name.starts_with(&prefix))
    }

    /// Every full name with its function, in byte order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Function)> {
        self.functions.iter().map(|(n, f)| (n.as_str(), f))
    }

    /// The error for a name that is not here, in stock's words.
    pub fn missing(&self, name: &str) -> CallError {
        let module = name.split('.').next().unwrap_or(name);
        CallError::NotAvailable(
            match self.late(Kind::Modules, module).as_ref().or(self.refused.get(module)) {
                Some(reason) if reason.is_empty() => format!("'{module}' __virtual__ returned False"),
                Some(reason) => format!("'{module}' __virtual__ returned False: {reason}"),
                None => format!("'{name}' is not available."),
            },
        )
    }

    /// Calls a function by name: the one door.
    pub fn call(&self, cx: &Cx, name: &str, args: Args) -> Result {
        let function = self.get(name).ok_or_else(|| self.missing(name))?;
        cx.cancel.check()?;
        (function.run)(&cx.deeper()?, args)
    }
}
