//! Runs loops.

use super::activation::Activation;
use super::code::{For, LoopFilter, Recursive, To};
use super::exec::{Exec, Flow};
use super::loops::{LoopContext, LoopObject, Recurse};
use brine_python::{Iter, Obj, R};
use std::rc::Rc;
use std::sync::Arc;

/// What a loop walks through: as it is, or with what tells of it as `loop`, and that variable's place.
enum Items {
    Plain(Iter),
    Told(u16, Obj, Rc<LoopContext>),
}

impl Items {
    fn next(&self) -> R<Option<Obj>> {
        match self {
            Items::Plain(iter) => iter.next(),
            Items::Told(_, _, context) => context.next(),
        }
    }
}

impl Exec {
    pub(super) fn for_(&self, for_: &For, out: &mut String) -> R<Flow> {
        self.at(for_.line);
        let iterable = self.eval(&for_.iter, Some(out))?;
        let Some(recursive) = &for_.recursive else {
            return self.each(for_, &iterable, None, 0, out);
        };
        self.state.env.keep_ring(&self.act, &self.state.context);
        let recurse = self.recurse(recursive);
        let value = recurse(&iterable, 0)?;
        Self::write(out, value.as_str().unwrap_or_default())?;
        Ok(Flow::Next)
    }

    /// The body of a recursive loop as a function.
    fn recurse(&self, code: &Arc<Recursive>) -> Recurse {
        let (outer, code) = (self.clone(), code.clone());
        Rc::new(move |items, depth| {
            outer.state.env.deeper(|| {
                let act = Activation::new(code.slots, Some(outer.act.clone()))?;
                let exec = Exec { act, ..outer.clone() };
                exec.at(code.inner.line);
                let mut text = String::new();
                let again = outer.recurse(&code);
                exec.traced(|| exec.each(&code.inner, items, Some(again), depth, &mut text))?;
                Ok(exec.printed(&text))
            })
        })
    }

    fn each(
        &self,
        for_: &For,
        iterable: &Obj,
        recurse: Option<Recurse>,
        depth: usize,
        out: &mut String,
    ) -> R<Flow> {
        let filtered;
        let iterable = match &for_.test {
            Some(test) => {
                filtered = self.filtered(test, iterable)?;
                &filtered
            }
            None => iterable,
        };
        let items = match for_.loop_ {
            Some(slot) => {
                let context = LoopContext::new(iterable, &self.state, recurse, depth)?;
                Items::Told(slot, Obj::other(LoopObject(context.clone())), context)
            }
            None => Items::Plain(iterable.iter()?),
        };
        let mut none = true;
        loop {
            self.at(for_.line);
            let Some(item) = items.next()? else { break };
            self.assign(&for_.target, item)?;
            if let Items::Told(slot, object, _) = &items {
                self.act.set(*slot, Some(object.clone()));
            }
            match self.round(for_, out)? {
                Flow::Stop => return Ok(Flow::Stop),
                // As in Python, `break` and `continue` skip what would note that there was a round.
                Flow::Break => break,
                Flow::Next => none = false,
                Flow::Continue => {}
            }
        }
        self.leave(&for_.scope);
        self.otherwise(for_, none, out)
    }

    fn round(&self, for_: &For, out: &mut String) -> R<Flow> {
        self.enter(&for_.scope)?;
        self.act.loop_vars.borrow_mut().clear();
        self.run(&for_.body, out)
    }

    fn otherwise(&self, for_: &For, none: bool, out: &mut String) -> R<Flow> {
        if !none || for_.else_.is_empty() {
            return Ok(Flow::Next);
        }
        self.enter(&for_.else_scope)?;
        let flow = self.run(&for_.else_, out)?;
        if flow == Flow::Next {
            self.leave(&for_.else_scope);
        }
        Ok(flow)
    }

    /// The items for which a loop's condition holds, one by one.
    fn filtered(&self, code: &Arc<LoopFilter>, items: &Obj) -> R<Obj> {
        let around = if code.recursive { self.act.around() } else { Some(self.act.clone()) };
        let act = Activation::new(code.slots, around)?;
        let exec = Exec { act, ..self.clone() };
        let (code, items) = (code.clone(), items.clone());
        let mut iter: Option<Iter> = None;
        Ok(Obj::Iter(Iter::generator("t_1", move || {
            exec.traced(|| {
                exec.at(code.line);
                if iter.is_none() {
                    exec.enter(&code.scope)?;
                    iter = Some(items.iter()?);
                }
                let Some(iter) = &iter else { return Ok(None) };
                while let Some(item) = iter.next()? {
                    exec.assign(&code.target, item)?;
                    if brine_python::truth(&exec.eval(&code.test, None)?)? {
                        return Ok(Some(exec.target_value(&code.target)));
                    }
                }
                Ok(None)
            })
        })))
    }

    fn target_value(&self, to: &To) -> Obj {
        match to {
            To::Place(slot) => self.act.get(super::code::Place { up: 0, slot: *slot }).unwrap_or_default(),
            To::Attr(..) => Obj::None,
            To::Tuple(items) => Obj::tuple(items.iter().map(|t| self.target_value(t)).collect()),
        }
    }
}
