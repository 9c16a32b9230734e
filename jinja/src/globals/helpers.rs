//! `cycler` and `joiner`.

use super::class::Method;
use brine_python::{Args, Kind, Obj, Object, PyErr, R, Signature};
use std::cell::Cell;
use std::rc::Rc;

/// What a cycler is in the middle of.
struct Cycle {
    items: Vec<Obj>,
    at: Cell<usize>,
}

/// `cycler(...)`: one item after the other, for ever.
struct Cycler(Rc<Cycle>);

pub(super) fn cycler(args: &Args) -> R {
    const S: Signature = Signature::new("Cycler.__init__", 1, &["self"], 1).rest();
    let args = S.bind(args)?;
    if args.rest.is_empty() {
        return Err(PyErr::new(Kind::RuntimeError, "at least one item has to be provided"));
    }
    Ok(Obj::other(Cycler(Rc::new(Cycle { items: args.rest, at: Cell::new(0) }))))
}

impl Cycle {
    fn current(&self) -> Obj {
        self.items.get(self.at.get()).cloned().unwrap_or_default()
    }
}

impl Object for Cycler {
    fn type_name(&self) -> &str {
        "Cycler"
    }

    fn module(&self) -> &str {
        "jinja2.utils"
    }

    fn getattr(&self, me: &Obj, name: &str) -> R<Option<Obj>> {
        let method = |name: &'static str, run: fn(&Cycle, &Args) -> R| {
            Some(Obj::other(Method { name, me: me.clone(), own: self.0.clone(), run }))
        };
        Ok(match name {
            "items" => Some(Obj::tuple(self.0.items.clone())),
            "pos" => Some(self.0.at.get().into()),
            "current" => Some(self.0.current()),
            "next" | "__next__" => method("Cycler.next", |cycle, args| {
                Signature::new("Cycler.next", 1, &["self"], 1).bind(args)?;
                let item = cycle.current();
                cycle.at.set((cycle.at.get() + 1) % cycle.items.len());
                Ok(item)
            }),
            "reset" => method("Cycler.reset", |cycle, args| {
                Signature::new("Cycler.reset", 1, &["self"], 1).bind(args)?;
                cycle.at.set(0);
                Ok(Obj::None)
            }),
            _ => None,
        })
    }
}

/// `joiner(...)`: nothing the first time, then the separator.
struct Joiner {
    sep: Obj,
    used: Cell<bool>,
}

pub(super) fn joiner(args: &Args) -> R {
    const S: Signature = Signature::new("Joiner.__init__", 1, &["self", "sep"], 1);
    let args = S.bind(args)?;
    let sep = args.get(0).cloned().unwrap_or_else(|| ", ".into());
    Ok(Obj::other(Joiner { sep, used: Cell::new(false) }))
}

impl Object for Joiner {
    fn type_name(&self) -> &str {
        "Joiner"
    }

    fn module(&self) -> &str {
        "jinja2.utils"
    }

    fn getattr(&self, _me: &Obj, name: &str) -> R<Option<Obj>> {
        Ok(match name {
            "sep" => Some(self.sep.clone()),
            "used" => Some(self.used.get().into()),
            _ => None,
        })
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        Signature::new("Joiner.__call__", 1, &["self"], 1).bind(args)?;
        Ok(Some(if self.used.replace(true) { self.sep.clone() } else { "".into() }))
    }

    fn callable(&self) -> bool {
        true
    }
}
