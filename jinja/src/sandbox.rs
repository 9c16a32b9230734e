//! What a sandbox does to `str.format`: the attributes and items that its fields name are looked up as a template's are.

use crate::env::State;
use crate::markup::{Escaping, Markup};
use brine_python::{Args, Formatter, Obj, Object, PyErr, R, vformat};

/// The method `format` or `format_map` of a text, within a sandbox.
struct Format {
    state: State,
    text: Obj,
    map: bool,
}

/// The sandbox's own method in place of one of text, if `name` is one of those that take apart their arguments.
pub(crate) fn format_method(state: &State, obj: &Obj, name: &str) -> Option<Obj> {
    obj.as_str()?;
    let map = match name {
        "format" => false,
        "format_map" => true,
        _ => return None,
    };
    Some(Obj::other(Format { state: state.clone(), text: obj.clone(), map }))
}

impl Formatter for State {
    fn attribute(&self, value: &Obj, name: &str) -> R {
        self.getattr(value, name)
    }

    fn item(&self, value: &Obj, key: &Obj) -> R {
        self.getitem(value, key)
    }
}

impl Object for Format {
    fn type_name(&self) -> &str {
        "function"
    }

    fn repr(&self) -> R<Option<String>> {
        let (of, name) = (self.text.type_name(), if self.map { "format_map" } else { "format" });
        Ok(Some(format!("<function {of}.{name} at {:#x}>", std::ptr::from_ref(self).addr())))
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        let named;
        let (pos, named): (&[Obj], &Obj) = if self.map {
            if !args.kw.is_empty() {
                return Err(PyErr::ty("format_map() takes no keyword arguments"));
            }
            let [map] = args.pos.as_slice() else {
                let given = args.pos.len();
                return Err(PyErr::ty(format!("format_map() takes exactly one argument ({given} given)")));
            };
            (&[], map)
        } else {
            let values = brine_python::Dict::new();
            for (name, value) in &args.kw {
                values.set(Obj::Str(name.clone()), value.clone())?;
            }
            named = Obj::dict(values);
            (&args.pos, &named)
        };
        let text = self.text.as_str().unwrap_or_default();
        Ok(Some(match Markup::find(&self.text) {
            Some(_) => Markup::new(vformat(&Escaping(&self.state), text, pos, named)?),
            None => vformat(&self.state, text, pos, named)?.into(),
        }))
    }

    fn callable(&self) -> bool {
        true
    }
}
