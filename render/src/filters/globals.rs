//! The functions that Salt's templates can name.

use super::data::simple;
use brine_jinja::{Function, State};
use brine_python::{Args, Dict, Kind, Obj, Object, PyErr, R, Signature, str};
use std::rc::Rc;

/// All of them, by name.
pub fn globals() -> Vec<(&'static str, Obj)> {
    let function = |name, run| Obj::other(Function { name, run });
    vec![
        ("raise", function("jinja_raise", raise)),
        ("show_full_context", function("show_full_context", show_full_context)),
        ("odict", Obj::other(OrderedDict)),
        ("ifelse", function("ifelse", crate::live::ifelse)),
    ]
}

fn raise(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("jinja_raise", 0, &["msg"], 1);
    let a = SIG.bind(args)?;
    Err(PyErr::new(Kind::Other("TemplateError"), str(a.at(0))?))
}

fn show_full_context(state: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("show_full_context", 1, &["ctx"], 1);
    SIG.bind(args)?;
    simple(&Obj::Dict(state.context.all()), 0)
}

/// `collections.OrderedDict`, to be called.
struct OrderedDict;

impl Object for OrderedDict {
    fn type_name(&self) -> &str {
        "type"
    }

    fn repr(&self) -> R<Option<String>> {
        Ok(Some("<class 'collections.OrderedDict'>".into()))
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        let dict = Rc::new(Dict::ordered());
        match args.pos.as_slice() {
            [] => {}
            [from] => dict.update(from)?,
            more => {
                return Err(PyErr::ty(format!("expected at most 1 arguments, got {}", more.len())));
            }
        }
        for (name, value) in &args.kw {
            dict.set(Obj::Str(name.clone()), value.clone())?;
        }
        Ok(Some(Obj::Dict(dict)))
    }
}
