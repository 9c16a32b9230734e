//! Runs loops.

use super::activation::Activation;
use super::code::{For, LoopFilter, Recursive, To};
use super::exec::{Exec, Flow};
use super::loops::{LoopContext, LoopObject, Recurse};
use brine_python::{Iter, Obj, PyErr, R, take_steps};
use std::rc::Rc;
use std::sync::Arc;

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
            let env = &outer.state.env;
            let level = env.depth.get();
            if level >= 200 {
                return Err(PyErr::recursion(""));
            }
            env.depth.set(level + 1);
            let done = stacker::maybe_grow(256 << 10, 2 << 20, || {
                let act = Activation::new(code.slots, Some(outer.act.clone()))?;
                let exec = Exec { act, ..outer.clone() };
                exec.at(code.inner.line);
                let mut text = String::new();
                let again = outer.recurse(&code);
                exec.traced(|| exec.each(&code.inner, items, Some(again), depth, &mut text))?;
                Ok(exec.printed(&text))
            });
            env.depth.set(level);
            done
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
        let mut none = true;
        if let Some(slot) = for_.loop_ {
            let context = LoopContext::new(iterable, &self.state, recurse, depth)?;
            let object = Obj::other(LoopObject(context.clone()));
            loop {
                self.at(for_.line);
                let Some(item) = context.next()? else { break };
                take_steps(1)?;
                self.assign(&for_.target, item)?;
                self.act.set(slot, Some(object.clone()));
                match self.round(for_, out)? {
                    Flow::Stop => return Ok(Flow::Stop),
                    Flow::Break => {
                        // As in Python, `break` skips what would note that there was a round, unless one went before.
                        self.leave(&for_.scope);
                        return self.otherwise(for_, none, out);
                    }
                    Flow::Next => none = false,
                    Flow::Continue => {}
                }
            }
        } else {
            let iter = iterable.iter()?;
            loop {
                self.at(for_.line);
                let Some(item) = iter.next()? else { break };
                self.assign(&for_.target, item)?;
                match self.round(for_, out)? {
                    Flow::Stop => return Ok(Flow::Stop),
                    Flow::Break => {
                        self.leave(&for_.scope);
                        return self.otherwise(for_, none, out);
                    }
                    Flow::Next => none = false,
                    Flow::Continue => {}
                }
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
