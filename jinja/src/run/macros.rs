//! Macros as values.

use super::activation::Activation;
use super::code::MacroCode;
use super::exec::Exec;
use super::template::Template;
use crate::env::State;
use crate::markup::Markup;
use crate::undefined::Undefined;
use brine_python::{Args, Dict, Kind, Obj, Object, PyErr, R, repr};
use std::rc::Rc;
use std::sync::Arc;

/// A macro: its code, and the variables around it.
pub(crate) struct Macro {
    pub(super) code: Arc<MacroCode>,
    pub(super) template: Rc<Template>,
    pub(super) state: State,
    /// Whether its text is markup for callers that do not say.
    pub(super) default_autoescape: bool,
    pub(super) around: Rc<Activation>,
}

impl Macro {
    /// The macro in a value.
    pub(super) fn find(obj: &Obj) -> Option<&Macro> {
        match obj {
            Obj::Other(o) => o.downcast(),
            _ => None,
        }
    }

    fn name(&self) -> String {
        self.code.name.as_ref().map_or_else(|| "None".into(), |n| repr(&Obj::str(&**n)).unwrap_or_default())
    }

    /// Calls it.
    pub(super) fn invoke(&self, args: &Args, autoescape: bool) -> R {
        let code = &self.code;
        let act = Activation::new(code.function.slots, Some(self.around.clone()))?;
        let count = code.params.len();
        let mut kwargs = args.kw.clone();
        let mut found_caller =
            count == args.pos.len().min(count) && code.params.iter().any(|(name, ..)| &**name == "caller");
        for (at, (name, slot, _)) in code.params.iter().enumerate() {
            let value = match args.pos.get(at) {
                Some(value) => Some(value.clone()),
                None => {
                    found_caller |= &**name == "caller";
                    kwargs.iter().position(|(n, _)| **n == **name).map(|i| kwargs.remove(i).1)
                }
            };
            act.set(*slot, value);
        }
        // Given by name or not, `caller` is only asked for where the body uses it.
        if code.accesses_caller && !found_caller {
            let given = kwargs.iter().position(|(n, _)| &**n == "caller").map(|i| kwargs.remove(i).1);
            let caller = given.filter(|c| !matches!(c, Obj::None)).unwrap_or_else(|| {
                Undefined::hint(self.state.env.undefined, "No caller defined", Some("caller"))
            });
            if let Some(slot) = code.caller {
                act.set(slot, Some(caller));
            }
        }
        if let Some(slot) = code.kwargs {
            let dict = Dict::new();
            for (name, value) in kwargs {
                dict.set(Obj::Str(name), value)?;
            }
            act.set(slot, Some(dict.into()));
        } else if !kwargs.is_empty() {
            if kwargs.iter().any(|(n, _)| &**n == "caller") {
                return Err(PyErr::ty(format!(
                    "macro {} was invoked with two values for the special caller argument. This is most likely a bug.",
                    self.name()
                )));
            }
            let first = repr(&Obj::Str(kwargs[0].0.clone()))?;
            return Err(PyErr::ty(format!("macro {} takes no keyword argument {first}", self.name())));
        }
        let surplus = args.pos.get(count..).unwrap_or_default();
        if let Some(slot) = code.varargs {
            act.set(slot, Some(Obj::tuple(surplus.to_vec())));
        } else if !surplus.is_empty() {
            return Err(PyErr::ty(format!("macro {} takes not more than {count} argument(s)", self.name())));
        }
        let out = self.state.env.deeper(|| self.run(&act))?;
        Ok(if autoescape { Markup::new(&*out) } else { Obj::from(out) })
    }

    fn run(&self, act: &Rc<Activation>) -> R<String> {
        let code = &self.code;
        let exec = Exec::new(self.template.clone(), self.state.clone(), act.clone());
        let mut out = String::new();
        act.line.set(code.line);
        exec.traced(|| {
            exec.enter(&code.function.scope)?;
            for (name, slot, default) in &code.params {
                if act.is_missing(*slot) {
                    let value = match default {
                        Some(default) => exec.eval(default, None)?,
                        None => Undefined::hint(
                            self.state.env.undefined,
                            format!("parameter '{name}' was not provided"),
                            Some(name),
                        ),
                    };
                    act.set(*slot, Some(value));
                }
            }
            exec.run(&code.function.body, &mut out).map(|_| ())
        })?;
        Ok(out)
    }
}

impl Object for Macro {
    fn type_name(&self) -> &str {
        "Macro"
    }

    fn module(&self) -> &str {
        "jinja2.runtime"
    }

    fn repr(&self) -> R<Option<String>> {
        let name = if self.code.name.is_some() { self.name() } else { "anonymous".into() };
        Ok(Some(format!("<Macro {name}>")))
    }

    fn getattr(&self, _me: &Obj, name: &str) -> R<Option<Obj>> {
        let code = &self.code;
        Ok(Some(match name {
            "name" => code.name.as_ref().map_or(Obj::None, |n| Obj::str(&**n)),
            "arguments" => Obj::tuple(code.params.iter().map(|(n, ..)| Obj::str(&**n)).collect()),
            "catch_kwargs" => code.kwargs.is_some().into(),
            "catch_varargs" => code.varargs.is_some().into(),
            "caller" => code.accesses_caller.into(),
            "explicit_caller" => code.params.iter().any(|(n, ..)| &**n == "caller").into(),
            _ => return Ok(None),
        }))
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        self.invoke(args, self.default_autoescape).map(Some)
    }
}

/// A function that looks at where it is called from.
pub struct Function {
    /// Its name in Python.
    pub name: &'static str,
    /// What it does.
    pub run: crate::env::Callee,
}

impl Object for Function {
    fn type_name(&self) -> &str {
        "function"
    }

    fn repr(&self) -> R<Option<String>> {
        Ok(Some(format!("<function {} at {:#x}>", self.name, self.run as usize)))
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, _me: &Obj, _args: &Args) -> R<Option<Obj>> {
        Err(PyErr::new(Kind::RuntimeError, format!("{}() is called outside of a template", self.name)))
    }
}
