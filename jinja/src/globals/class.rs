//! Functions and classes as values that templates can call.

use brine_python::{Args, Obj, Object, R, call_method, method_names};
use std::rc::Rc;

/// A function, shown as Python shows it.
pub(crate) struct Function {
    /// Its qualified name.
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Args) -> R,
}

impl Object for Function {
    fn type_name(&self) -> &str {
        "function"
    }

    fn repr(&self) -> R<Option<String>> {
        let address = std::ptr::from_ref(self).addr();
        Ok(Some(format!("<function {} at {address:#x}>", self.name)))
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        (self.run)(args).map(Some)
    }

    fn callable(&self) -> bool {
        true
    }
}

/// A class, which makes objects when it is called.
pub(crate) struct Class {
    /// Its name with its module, as it shows itself.
    pub(crate) name: &'static str,
    pub(crate) make: fn(&Args) -> R,
    /// An object of it, when its methods can be had from the class.
    pub(crate) sample: Option<fn() -> Obj>,
}

impl Object for Class {
    fn type_name(&self) -> &str {
        "type"
    }

    fn repr(&self) -> R<Option<String>> {
        Ok(Some(format!("<class '{}'>", self.name)))
    }

    fn getattr(&self, _me: &Obj, name: &str) -> R<Option<Obj>> {
        let Some(sample) = self.sample else { return Ok(None) };
        let sample = sample();
        if name == "fromkeys" {
            return brine_python::find_attr(&sample, name);
        }
        let method = method_names(&sample).into_iter().find(|method| *method == name);
        Ok(method.map(|name| Obj::other(Unbound { name, class: self.name, sample })))
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        (self.make)(args).map(Some)
    }

    fn callable(&self) -> bool {
        true
    }
}

/// A method that takes its object as the first argument.
struct Unbound {
    name: &'static str,
    class: &'static str,
    sample: Obj,
}

impl Object for Unbound {
    fn type_name(&self) -> &str {
        "method_descriptor"
    }

    fn repr(&self) -> R<Option<String>> {
        Ok(Some(format!("<method '{}' of '{}' objects>", self.name, self.class)))
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        let (name, class) = (self.name, self.class);
        let Some((me, rest)) = args.pos.split_first() else {
            return Err(brine_python::PyErr::ty(format!(
                "unbound method {class}.{name}() needs an argument"
            )));
        };
        if std::mem::discriminant(me) != std::mem::discriminant(&self.sample) {
            let given = me.type_name();
            return Err(brine_python::PyErr::ty(format!(
                "descriptor '{name}' for '{class}' objects doesn't apply to a '{given}' object"
            )));
        }
        call_method(me, name, &Args { pos: rest.to_vec(), kw: args.kw.clone() }).map(Some)
    }

    fn callable(&self) -> bool {
        true
    }
}

/// A method of an added type, bound to an object of it.
pub struct Method<T: 'static> {
    /// Its qualified name.
    pub name: &'static str,
    /// The object as the program has it.
    pub me: Obj,
    /// What it works on.
    pub own: Rc<T>,
    /// What it does.
    pub run: fn(&T, &Args) -> R,
}

impl<T: 'static> Object for Method<T> {
    fn type_name(&self) -> &str {
        "method"
    }

    fn repr(&self) -> R<Option<String>> {
        Ok(Some(format!("<bound method {} of {}>", self.name, brine_python::repr(&self.me)?)))
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        (self.run)(&self.own, args).map(Some)
    }

    fn callable(&self) -> bool {
        true
    }
}
