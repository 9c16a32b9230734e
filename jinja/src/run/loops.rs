//! The `loop` variable.

use crate::env::State;
use crate::globals::Method;
use brine_python::{Args, Iter, Kind, Obj, Object, PyErr, R, Signature, eq, take_steps};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Runs the body of a recursive loop on other items, at a depth.
pub(super) type Recurse = Rc<dyn Fn(&Obj, usize) -> R>;

/// What a template sees as `loop`.
pub(super) struct LoopContext {
    iterable: Obj,
    iterator: RefCell<Iter>,
    index0: Cell<i64>,
    length: Cell<Option<i64>>,
    after: RefCell<Option<Obj>>,
    current: RefCell<Option<Obj>>,
    before: RefCell<Option<Obj>>,
    changed: RefCell<Option<Obj>>,
    state: State,
    recurse: Option<Recurse>,
    depth0: usize,
}

impl LoopContext {
    pub(super) fn new(iterable: &Obj, state: &State, recurse: Option<Recurse>, depth0: usize) -> R<Rc<Self>> {
        Ok(Rc::new(Self {
            iterable: iterable.clone(),
            iterator: RefCell::new(iterable.iter()?),
            index0: Cell::new(-1),
            length: Cell::new(None),
            after: RefCell::default(),
            current: RefCell::default(),
            before: RefCell::default(),
            changed: RefCell::default(),
            state: state.clone(),
            recurse,
            depth0,
        }))
    }

    /// The next item of the loop itself.
    pub(super) fn next(&self) -> R<Option<Obj>> {
        let peeked = self.after.borrow_mut().take();
        let item = match peeked {
            Some(item) => Some(item),
            None => self.advance()?,
        };
        if let Some(item) = &item {
            take_steps(1)?;
            self.index0.set(self.index0.get() + 1);
            let old = self.current.borrow_mut().replace(item.clone());
            *self.before.borrow_mut() = old;
        }
        Ok(item)
    }

    fn advance(&self) -> R<Option<Obj>> {
        let iterator = self.iterator.borrow().clone();
        iterator.next()
    }

    fn peek(&self) -> R<Option<Obj>> {
        let peeked = self.after.borrow().clone();
        if peeked.is_some() {
            return Ok(peeked);
        }
        let item = self.advance()?;
        *self.after.borrow_mut() = item.clone();
        Ok(item)
    }

    fn length(&self) -> R<i64> {
        if let Some(length) = self.length.get() {
            return Ok(length);
        }
        let length = match brine_python::len(&self.iterable) {
            Ok(length) => length as i64,
            Err(e) if e.kind() == Kind::TypeError => {
                let iterator = self.iterator.borrow().clone();
                let rest = iterator.collect()?;
                let count = rest.len() as i64;
                *self.iterator.borrow_mut() = Obj::list(rest).iter()?;
                count + self.index0.get() + 1 + i64::from(self.after.borrow().is_some())
            }
            Err(e) => return Err(e),
        };
        self.length.set(Some(length));
        Ok(length)
    }

    /// A method of it, which takes arguments by position alone.
    fn method(self: &Rc<Self>, me: &Obj, name: &'static str, run: fn(&Self, &Args) -> R) -> Obj {
        Obj::other(Method { name, me: me.clone(), own: self.clone(), run })
    }

    fn cycle(&self, args: &Args) -> R {
        Signature::new("LoopContext.cycle", 1, &["self"], 1).rest().bind(args)?;
        if args.pos.is_empty() {
            return Err(PyErr::ty("no items for cycling given"));
        }
        let at = self.index0.get().rem_euclid(args.pos.len() as i64);
        Ok(args.pos[at as usize].clone())
    }

    fn has_changed(&self, args: &Args) -> R {
        Signature::new("LoopContext.changed", 1, &["self"], 1).rest().bind(args)?;
        let value = Obj::tuple(args.pos.clone());
        let last = self.changed.borrow().clone();
        if let Some(last) = last
            && eq(&last, &value)?
        {
            return Ok(false.into());
        }
        *self.changed.borrow_mut() = Some(value);
        Ok(true.into())
    }
}

/// The object that a template has: it shares the loop's own state.
pub(super) struct LoopObject(pub(super) Rc<LoopContext>);

impl Object for LoopObject {
    fn type_name(&self) -> &str {
        "LoopContext"
    }

    fn module(&self) -> &str {
        "jinja2.runtime"
    }

    fn truth(&self) -> R<bool> {
        Ok(self.0.length()? > 0)
    }

    fn repr(&self) -> R<Option<String>> {
        Ok(Some(format!("<LoopContext {}/{}>", self.0.index0.get() + 1, self.0.length()?)))
    }

    fn getattr(&self, me: &Obj, name: &str) -> R<Option<Obj>> {
        let it = &self.0;
        let index0 = it.index0.get();
        Ok(Some(match name {
            "index0" => index0.into(),
            "index" => (index0 + 1).into(),
            "depth0" => it.depth0.into(),
            "depth" => (it.depth0 + 1).into(),
            "length" => it.length()?.into(),
            "revindex0" => (it.length()? - index0 - 1).into(),
            "revindex" => (it.length()? - index0).into(),
            "first" => (index0 == 0).into(),
            "last" => it.peek()?.is_none().into(),
            "previtem" if index0 == 0 => it.state.undefined_hint("there is no previous item"),
            "previtem" => it.before.borrow().clone().unwrap_or_default(),
            "nextitem" => it.peek()?.unwrap_or_else(|| it.state.undefined_hint("there is no next item")),
            "cycle" => it.method(me, "LoopContext.cycle", LoopContext::cycle),
            "changed" => it.method(me, "LoopContext.changed", LoopContext::has_changed),
            _ => return Ok(None),
        }))
    }

    fn len(&self) -> R<Option<usize>> {
        Ok(Some(usize::try_from(self.0.length()?).unwrap_or(0)))
    }

    fn iter(&self, me: &Obj) -> R<Option<Obj>> {
        let (it, me) = (self.0.clone(), me.clone());
        Ok(Some(Obj::Iter(Iter::new("LoopContext", move || {
            Ok(it.next()?.map(|item| Obj::tuple(vec![item, me.clone()])))
        }))))
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        let given = args.bind("LoopContext.__call__", &["iterable"], 1)?;
        let Some(recurse) = &self.0.recurse else {
            return Err(PyErr::ty("The loop must have the 'recursive' marker to be called recursively."));
        };
        let items = given.into_iter().flatten().next().unwrap_or_default();
        recurse(&items, self.0.depth0 + 1).map(Some)
    }
}
