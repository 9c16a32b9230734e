//! The parameters of functions that are written in Python, and what Python says when arguments do not fit them. Those of
//! built-in functions are bound by [`Args::bind`].

use crate::args::Args;
use crate::error::{PyErr, R};
use crate::obj::Obj;
use std::rc::Rc;

/// `def name(implicit, a, b=..., *args, **kwargs)`.
///
/// Python counts all arguments in its errors, also `self`, an environment or a context that the caller adds. Those stand first
/// in `params` and are no part of [`Args`].
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    name: &'static str,
    implicit: usize,
    params: &'static [&'static str],
    required: usize,
    only: usize,
    rest: bool,
    named: bool,
}

/// Arguments in the places of their parameters, implicit ones left out.
#[derive(Default)]
pub struct Bound {
    slots: Vec<Option<Obj>>,
    /// What `*args` takes.
    pub rest: Vec<Obj>,
    /// What `**kwargs` takes.
    pub named: Vec<(Rc<str>, Obj)>,
}

impl Bound {
    /// A required argument, by its place without the implicit ones; `None` where nothing is.
    pub fn at(&self, at: usize) -> &Obj {
        self.get(at).unwrap_or(&Obj::None)
    }

    /// An argument, if it was given.
    pub fn get(&self, at: usize) -> Option<&Obj> {
        self.slots.get(at).and_then(Option::as_ref)
    }

    /// An argument, if it was given and is not `None`.
    pub fn some(&self, at: usize) -> Option<&Obj> {
        self.get(at).filter(|value| !matches!(value, Obj::None))
    }

    /// `bool()` of an argument, or the default.
    ///
    /// # Errors
    /// What an added type raises.
    pub fn truth(&self, at: usize, default: bool) -> R<bool> {
        self.get(at).map_or(Ok(default), crate::cmp::truth)
    }
}

impl Signature {
    /// Of a function's qualified name, so many implicit parameters, all parameters, and how many of these have no default.
    pub const fn new(
        name: &'static str,
        implicit: usize,
        params: &'static [&'static str],
        required: usize,
    ) -> Self {
        Self { name, implicit, params, required, only: 0, rest: false, named: false }
    }

    /// With `*args`.
    #[must_use]
    pub const fn rest(mut self) -> Self {
        self.rest = true;
        self
    }

    /// With `**kwargs`.
    #[must_use]
    pub const fn named(mut self) -> Self {
        self.named = true;
        self
    }

    /// With `/` behind so many parameters.
    #[must_use]
    pub const fn only(mut self, only: usize) -> Self {
        self.only = only;
        self
    }

    /// Puts arguments into their places.
    ///
    /// # Errors
    /// `TypeError`: too many, too few, an unknown name, one given twice.
    pub fn bind(&self, args: &Args) -> R<Bound> {
        let most = self.params.len() - self.implicit;
        let taken = args.pos.len().min(most);
        let mut bound = Bound {
            slots: args.pos[..taken].iter().cloned().map(Some).collect(),
            rest: args.pos[taken..].to_vec(),
            named: Vec::new(),
        };
        bound.slots.resize(most, None);
        for (name, value) in &args.kw {
            self.place(name, value, &mut bound, args)?;
        }
        if !bound.rest.is_empty() && !self.rest {
            return Err(self.too_many(args.pos.len() + self.implicit));
        }
        let required = self.required - self.implicit;
        if bound.slots[..required].iter().any(Option::is_none) {
            return Err(self.missing(&bound.slots[..required]));
        }
        Ok(bound)
    }

    fn place(&self, name: &Rc<str>, value: &Obj, bound: &mut Bound, args: &Args) -> R<()> {
        let at = self.params[self.only..].iter().position(|p| **p == **name).map(|at| at + self.only);
        let Some(at) = at else {
            if self.named {
                bound.named.push((name.clone(), value.clone()));
                return Ok(());
            }
            return Err(self.unexpected(name, args));
        };
        match at.checked_sub(self.implicit).and_then(|at| bound.slots.get_mut(at)) {
            Some(slot @ None) => {
                *slot = Some(value.clone());
                Ok(())
            }
            _ => Err(PyErr::ty(format!("{}() got multiple values for argument '{name}'", self.name))),
        }
    }

    fn unexpected(&self, name: &str, args: &Args) -> PyErr {
        let only = &self.params[..self.only];
        let named: Vec<&str> =
            only.iter().copied().filter(|p| args.kw.iter().any(|(name, _)| **name == **p)).collect();
        if named.is_empty() {
            return PyErr::ty(format!("{}() got an unexpected keyword argument '{name}'", self.name));
        }
        PyErr::ty(format!(
            "{}() got some positional-only arguments passed as keyword arguments: '{}'",
            self.name,
            named.join(", ")
        ))
    }

    fn too_many(&self, given: usize) -> PyErr {
        let most = self.params.len();
        let takes = if self.required < most {
            format!("from {} to {most} positional arguments", self.required)
        } else {
            format!("{most} positional argument{}", if most == 1 { "" } else { "s" })
        };
        let were = if given == 1 { "was" } else { "were" };
        PyErr::ty(format!("{}() takes {takes} but {given} {were} given", self.name))
    }

    fn missing(&self, slots: &[Option<Obj>]) -> PyErr {
        let names: Vec<String> = slots
            .iter()
            .zip(&self.params[self.implicit..])
            .filter(|(slot, _)| slot.is_none())
            .map(|(_, name)| format!("'{name}'"))
            .collect();
        let listed = match names.as_slice() {
            [one] => one.clone(),
            [one, other] => format!("{one} and {other}"),
            [first @ .., one, other] => format!("{}, {one}, and {other}", first.join(", ")),
            [] => String::new(),
        };
        let (n, s) = (names.len(), if names.len() == 1 { "" } else { "s" });
        PyErr::ty(format!("{}() missing {n} required positional argument{s}: {listed}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLACE: Signature = Signature::new("do_replace", 1, &["eval_ctx", "s", "old", "new", "count"], 4);

    fn said(signature: &Signature, pos: usize, kw: &[&str]) -> String {
        let args = Args {
            pos: vec![Obj::None; pos],
            kw: kw.iter().map(|name| ((*name).into(), Obj::None)).collect(),
        };
        signature.bind(&args).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn python_words() {
        assert_eq!(said(&REPLACE, 3, &[]), "");
        assert_eq!(said(&REPLACE, 1, &["new", "old", "count"]), "");
        assert_eq!(said(&REPLACE, 2, &[]), "do_replace() missing 1 required positional argument: 'new'");
        assert_eq!(
            said(&REPLACE, 1, &[]),
            "do_replace() missing 2 required positional arguments: 'old' and 'new'"
        );
        assert_eq!(
            said(&REPLACE, 0, &[]),
            "do_replace() missing 3 required positional arguments: 's', 'old', and 'new'"
        );
        assert_eq!(
            said(&REPLACE, 5, &[]),
            "do_replace() takes from 4 to 5 positional arguments but 6 were given"
        );
        assert_eq!(said(&REPLACE, 1, &["x"]), "do_replace() got an unexpected keyword argument 'x'");
        assert_eq!(said(&REPLACE, 1, &["s"]), "do_replace() got multiple values for argument 's'");
        assert_eq!(
            said(&REPLACE, 3, &["eval_ctx"]),
            "do_replace() got multiple values for argument 'eval_ctx'"
        );
        let upper = Signature::new("do_upper", 0, &["s"], 1);
        assert_eq!(said(&upper, 2, &[]), "do_upper() takes 1 positional argument but 2 were given");
        let escape = Signature::new("escape", 0, &["s"], 1).only(1);
        assert_eq!(
            said(&escape, 1, &["s"]),
            "escape() got some positional-only arguments passed as keyword arguments: 's'"
        );
        let format = Signature::new("do_format", 0, &["value"], 1).rest().named();
        assert_eq!(said(&format, 3, &["a"]), "");
    }
}
