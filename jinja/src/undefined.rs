//! What a name, attribute or item is that is not there: Jinja2's undefined types.

use crate::env::State;
use brine_python::{Args, Kind, Obj, Object, Op, PyErr, R, repr};
use std::any::Any;
use std::cmp::Ordering;

/// Raised when an undefined value is used.
pub const UNDEFINED_ERROR: Kind = Kind::Other("UndefinedError");
/// Raised when something is used that templates may not use.
pub const SECURITY_ERROR: Kind = Kind::Other("SecurityError");
/// Jinja2's general error while a template runs.
pub const RUNTIME_ERROR: Kind = Kind::Other("TemplateRuntimeError");

/// How an undefined value behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// `Undefined`: empty when printed.
    Lenient,
    /// `StrictUndefined`: nothing but asking whether it is defined.
    Strict,
    /// `ChainableUndefined`: its attributes and items are undefined, too.
    Chainable,
    /// `DebugUndefined`: printed as the expression that it was.
    Debug,
}

/// An undefined value.
#[derive(Clone)]
pub struct Undefined {
    behaviour: Behaviour,
    hint: Option<String>,
    obj: Option<Obj>,
    name: Option<Obj>,
    exc: Kind,
}

impl Undefined {
    /// A variable that is not there.
    pub fn name(behaviour: Behaviour, name: &str) -> Obj {
        Self::make(behaviour, None, None, Some(Obj::str(name)), UNDEFINED_ERROR)
    }

    /// An attribute or item that a value has not.
    pub fn of(behaviour: Behaviour, obj: &Obj, name: Obj) -> Obj {
        Self::make(behaviour, None, Some(obj.clone()), Some(name), UNDEFINED_ERROR)
    }

    /// Undefined for a reason in words.
    pub fn hint(behaviour: Behaviour, hint: impl Into<String>, name: Option<&str>) -> Obj {
        Self::make(behaviour, Some(hint.into()), None, name.map(Obj::str), UNDEFINED_ERROR)
    }

    /// With everything that can be said of it.
    pub fn make(
        behaviour: Behaviour,
        hint: Option<String>,
        obj: Option<Obj>,
        name: Option<Obj>,
        exc: Kind,
    ) -> Obj {
        Obj::other(Self { behaviour, hint, obj, name, exc })
    }

    /// The undefined value in `obj`, if it is one.
    pub fn find(obj: &Obj) -> Option<&Undefined> {
        match obj {
            Obj::Other(o) => o.downcast(),
            _ => None,
        }
    }

    /// What is said when it is used.
    pub fn message(&self) -> String {
        if let Some(hint) = self.hint.as_ref().filter(|h| !h.is_empty()) {
            return hint.clone();
        }
        let name = self.name.clone().unwrap_or_default();
        let shown = repr(&name).unwrap_or_default();
        match &self.obj {
            None => format!("{shown} is undefined"),
            Some(obj) if name.as_str().is_none() => format!("{} has no element {shown}", type_repr(obj)),
            Some(obj) => {
                let of = repr(&Obj::str(type_repr(obj))).unwrap_or_default();
                format!("{of} has no attribute {shown}")
            }
        }
    }

    /// The error of using it.
    pub fn fail(&self) -> PyErr {
        PyErr::new(self.exc, self.message())
    }

    pub(crate) fn is_chainable(&self) -> bool {
        self.behaviour == Behaviour::Chainable
    }

    /// What Jinja2 calls the class.
    pub fn class(&self) -> &'static str {
        match self.behaviour {
            Behaviour::Lenient => "Undefined",
            Behaviour::Strict => "StrictUndefined",
            Behaviour::Chainable => "ChainableUndefined",
            Behaviour::Debug => "DebugUndefined",
        }
    }

    fn strict<T>(&self, otherwise: T) -> R<T> {
        if self.behaviour == Behaviour::Strict { Err(self.fail()) } else { Ok(otherwise) }
    }
}

/// `object_type_repr`: how Jinja2 names the type of a value in errors.
pub fn type_repr(obj: &Obj) -> String {
    match obj {
        Obj::None => "None".into(),
        _ => match obj.module() {
            "builtins" => format!("{} object", obj.type_name()),
            module => format!("{module}.{} object", obj.type_name()),
        },
    }
}

impl Object for Undefined {
    fn type_name(&self) -> &str {
        self.class()
    }

    fn module(&self) -> &str {
        "jinja2.runtime"
    }

    fn subscriptable(&self) -> bool {
        true
    }

    fn int(&self) -> R<Option<Obj>> {
        Err(self.fail())
    }

    fn float(&self) -> R<Option<f64>> {
        Err(self.fail())
    }

    fn truth(&self) -> R<bool> {
        self.strict(false)
    }

    fn repr(&self) -> R<Option<String>> {
        Ok(Some("Undefined".into()))
    }

    fn str(&self) -> R<Option<String>> {
        if self.behaviour != Behaviour::Debug {
            return self.strict(Some(String::new()));
        }
        let message = match (&self.hint, &self.obj) {
            (Some(hint), _) if !hint.is_empty() => format!("undefined value printed: {hint}"),
            (_, None) => brine_python::str(&self.name.clone().unwrap_or_default())?,
            (_, Some(obj)) => {
                format!(
                    "no such element: {}[{}]",
                    type_repr(obj),
                    repr(&self.name.clone().unwrap_or_default())?
                )
            }
        };
        Ok(Some(format!("{{{{ {message} }}}}")))
    }

    fn format(&self, spec: &str) -> R<Option<Obj>> {
        if spec.is_empty() {
            return Ok(None);
        }
        Err(PyErr::ty(format!("unsupported format string passed to {}.__format__", self.class())))
    }

    fn getattr(&self, me: &Obj, name: &str) -> R<Option<Obj>> {
        if name.starts_with("__") && name.ends_with("__") {
            return Ok(None);
        }
        if self.behaviour == Behaviour::Chainable {
            return Ok(Some(me.clone()));
        }
        Err(self.fail())
    }

    fn getitem(&self, me: &Obj, _key: &Obj) -> R<Option<Obj>> {
        if self.behaviour == Behaviour::Chainable { Ok(Some(me.clone())) } else { Err(self.fail()) }
    }

    fn call(&self, _me: &Obj, _args: &Args) -> R<Option<Obj>> {
        Err(self.fail())
    }

    fn callable(&self) -> bool {
        true
    }

    fn iter(&self, _me: &Obj) -> R<Option<Obj>> {
        self.strict(Some(Obj::list(Vec::new())))
    }

    fn len(&self) -> R<Option<usize>> {
        self.strict(Some(0))
    }

    fn contains(&self, _item: &Obj) -> R<Option<bool>> {
        self.strict(Some(false))
    }

    fn eq(&self, other: &Obj) -> R<Option<bool>> {
        self.strict(Some(Self::find(other).is_some_and(|o| o.behaviour == self.behaviour)))
    }

    fn cmp(&self, _other: &Obj) -> R<Option<Ordering>> {
        Err(self.fail())
    }

    fn hash(&self) -> R<Option<u64>> {
        self.strict(Some(self.behaviour as u64))
    }

    fn binary(&self, op: Op, _other: &Obj, _reflected: bool) -> R<Option<Obj>> {
        match op {
            Op::And | Op::Or | Op::Xor => Ok(None),
            _ => Err(self.fail()),
        }
    }
}

/// Whether a value is undefined.
pub fn is_undefined(obj: &Obj) -> bool {
    Undefined::find(obj).is_some()
}

impl State {
    /// An undefined value of the environment's behaviour, for an attribute or item.
    pub fn undefined_of(&self, obj: &Obj, name: Obj) -> Obj {
        Undefined::of(self.env.undefined, obj, name)
    }

    /// An undefined value of the environment's behaviour, with its reason in words.
    pub fn undefined_hint(&self, hint: impl Into<String>) -> Obj {
        Undefined::hint(self.env.undefined, hint, None)
    }
}

const _: fn() = || {
    fn is_any<T: Any>() {}
    is_any::<Undefined>();
};
