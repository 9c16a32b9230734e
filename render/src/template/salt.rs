//! What templates see as `salt`: execution functions by item and by attribute.

use super::Session;
use brine_jinja::Method;
use brine_python::{Args, Iter, Obj, Object, PyErr, R};
use std::rc::{Rc, Weak};

/// `salt`: `salt['mod.fun'](...)` and `salt.mod.fun(...)`.
pub(crate) struct Salt(Weak<Session>);

impl Salt {
    /// The functions of a session. It does not keep the session alive.
    pub(crate) fn of(session: &Rc<Session>) -> Obj {
        Obj::other(Self(Rc::downgrade(session)))
    }

    fn function(&self, name: &str) -> Option<Obj> {
        let session = self.0.upgrade()?;
        let known = crate::live::find(name).is_some() || session.cx.registry.get(name).is_some();
        known.then(|| Obj::other(Function { name: name.into(), session: self.0.clone() }))
    }

    fn get(&self, args: &Args) -> R {
        let given = args.bind("get", &["key", "default"], 1)?;
        let key = given[0].clone().unwrap_or_default();
        let found = key.as_str().and_then(|name| self.function(name));
        Ok(found.or_else(|| given[1].clone()).unwrap_or_default())
    }

    fn keys(&self, args: &Args) -> R {
        args.bind("keys", &[], 0)?;
        Ok(Obj::list(self.names()))
    }

    fn names(&self) -> Vec<Obj> {
        let Some(session) = self.0.upgrade() else { return Vec::new() };
        session.cx.registry.iter().map(|(name, _)| Obj::str(name)).collect()
    }
}

impl Object for Salt {
    fn type_name(&self) -> &str {
        "AliasedLoader"
    }

    fn module(&self) -> &str {
        "salt.utils.templates"
    }

    fn getattr(&self, me: &Obj, name: &str) -> R<Option<Obj>> {
        let method = |name, run| {
            Ok(Some(Obj::other(Method { name, me: me.clone(), own: Rc::new(Self(self.0.clone())), run })))
        };
        // What a mapping has, too.
        match name {
            "get" => return method("LazyLoader.get", Self::get),
            "keys" => return method("LazyLoader.keys", Self::keys),
            _ => {}
        }
        let Some(session) = self.0.upgrade() else { return Ok(None) };
        Ok(session
            .cx
            .registry
            .has_module(name)
            .then(|| Obj::other(Module { name: name.into(), session: self.0.clone() })))
    }

    fn getitem(&self, _me: &Obj, key: &Obj) -> R<Option<Obj>> {
        key.as_str().and_then(|name| self.function(name)).map(Some).ok_or_else(|| PyErr::key(key))
    }

    fn contains(&self, item: &Obj) -> R<Option<bool>> {
        Ok(Some(item.as_str().is_some_and(|name| self.function(name).is_some())))
    }

    fn iter(&self, _me: &Obj) -> R<Option<Obj>> {
        Ok(Some(Obj::Iter(Iter::over("dict_keyiterator", self.names()))))
    }
}

/// `salt.mod`.
struct Module {
    name: Rc<str>,
    session: Weak<Session>,
}

impl Object for Module {
    fn type_name(&self) -> &str {
        "LoadedMod"
    }

    fn module(&self) -> &str {
        "salt.loader.lazy"
    }

    fn getattr(&self, _me: &Obj, name: &str) -> R<Option<Obj>> {
        Ok(Salt(self.session.clone()).function(&format!("{}.{name}", self.name)))
    }
}

/// One execution function.
struct Function {
    name: Rc<str>,
    session: Weak<Session>,
}

impl Object for Function {
    fn type_name(&self) -> &str {
        "LoadedFunc"
    }

    fn module(&self) -> &str {
        "salt.loader.lazy"
    }

    fn repr(&self) -> R<Option<String>> {
        Ok(Some(format!("<LoadedFunc name='{}'>", self.name)))
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        match self.session.upgrade() {
            Some(session) => session.call(&self.name, args).map(Some),
            None => Err(PyErr::new(brine_python::Kind::RuntimeError, "the run is over")),
        }
    }
}
