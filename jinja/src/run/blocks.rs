//! Blocks as values: `self.name()`, `super()`.

use super::activation::Activation;
use super::code::Function;
use super::exec::Exec;
use super::template::Template;
use crate::env::State;
use crate::markup::Markup;
use crate::undefined::Undefined;
use brine_python::{Args, Iter, Obj, Object, PyErr, R, repr};
use std::rc::Rc;
use std::sync::Arc;

/// A block of a template.
pub(crate) struct BlockCode {
    pub(super) name: Arc<str>,
    pub(super) template: Rc<Template>,
    pub(super) function: Arc<Function>,
    pub(super) line: u32,
}

impl BlockCode {
    pub(crate) fn name(&self) -> Arc<str> {
        self.name.clone()
    }

    /// Prints it with these variables.
    pub(super) fn run(self: &Rc<Self>, state: &State, out: &mut String) -> R<()> {
        let function = &self.function;
        let act = Activation::new(function.slots, None)?;
        act.line.set(self.line);
        let exec = Exec::new(self.template.clone(), state.clone(), act);
        // Blocks have a name of their own in tracebacks, at which Salt does not look for the line.
        state.env.deeper(|| {
            exec.special(function.me, function.parent.map(|slot| (slot, self)));
            exec.enter(&function.scope)?;
            exec.run(&function.body, out).map(|_| ())
        })
    }
}

/// What `super` is in a block.
pub(super) fn block_of(state: &State, block: &Rc<BlockCode>) -> Obj {
    let stack = state.context.blocks.borrow().get(&block.name).cloned().unwrap_or_default();
    match stack.iter().position(|b| Rc::ptr_eq(b, block)) {
        Some(at) if at + 1 < stack.len() => Obj::other(BlockReference {
            name: block.name.clone(),
            state: state.clone(),
            stack,
            depth: at + 1,
        }),
        _ => no_parent(state, &block.name),
    }
}

fn no_parent(state: &State, name: &str) -> Obj {
    let shown = repr(&Obj::str(name)).unwrap_or_default();
    Undefined::hint(state.env.undefined, format!("there is no parent block called {shown}."), Some("super"))
}

/// `self`.
pub(super) struct TemplateReference(pub(super) State);

impl Object for TemplateReference {
    fn type_name(&self) -> &str {
        "TemplateReference"
    }

    fn module(&self) -> &str {
        "jinja2.runtime"
    }

    fn repr(&self) -> R<Option<String>> {
        let name = self.0.context.name.as_ref().map_or(Obj::None, |n| Obj::str(&**n));
        Ok(Some(format!("<TemplateReference {}>", repr(&name)?)))
    }

    /// Python tries items by number where there is no other way.
    fn iter(&self, _me: &Obj) -> R<Option<Obj>> {
        Ok(Some(Obj::Iter(Iter::new("iterator", || Err(PyErr::key(&Obj::Int(0)))))))
    }

    fn getitem(&self, _me: &Obj, key: &Obj) -> R<Option<Obj>> {
        let stack = key.as_str().and_then(|k| self.0.context.blocks.borrow().get(k).cloned());
        match stack {
            Some(stack) => {
                let name = key.as_str().unwrap_or_default().into();
                Ok(Some(Obj::other(BlockReference { name, state: self.0.clone(), stack, depth: 0 })))
            }
            None => Err(PyErr::key(key)),
        }
    }
}

/// One version of a block.
pub(super) struct BlockReference {
    name: Arc<str>,
    state: State,
    stack: Vec<Rc<BlockCode>>,
    depth: usize,
}

impl Object for BlockReference {
    fn type_name(&self) -> &str {
        "BlockReference"
    }

    fn module(&self) -> &str {
        "jinja2.runtime"
    }

    fn getattr(&self, _me: &Obj, name: &str) -> R<Option<Obj>> {
        Ok(match name {
            "name" => Some(Obj::str(&*self.name)),
            "super" if self.depth + 1 >= self.stack.len() => Some(no_parent(&self.state, &self.name)),
            "super" => Some(Obj::other(BlockReference {
                name: self.name.clone(),
                state: self.state.clone(),
                stack: self.stack.clone(),
                depth: self.depth + 1,
            })),
            _ => None,
        })
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        args.bind("BlockReference.__call__", &[], 0)?;
        let Some(block) = self.stack.get(self.depth) else { return Ok(None) };
        let mut out = String::new();
        block.run(&self.state, &mut out)?;
        Ok(Some(if self.state.context.autoescape.get() { Markup::new(&*out) } else { out.into() }))
    }
}
