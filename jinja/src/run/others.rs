//! Runs what reaches for other templates: `include`, `import`, blocks.

use super::code::Names;
use super::exec::Exec;
use super::module::Module;
use crate::context::Context;
use crate::env::State;
use crate::undefined::{RUNTIME_ERROR, Undefined};
use brine_python::{Dict, Kind, Obj, PyErr, R, need_bytes, repr};
use std::rc::Rc;
use std::sync::Arc;

impl Exec {
    /// The names that a template included here sees beside the context.
    fn locals(&self, names: &Names) -> Vec<(Arc<str>, Obj)> {
        names.iter().filter_map(|(name, place)| Some((name.clone(), self.act.get(*place)?))).collect()
    }

    /// A context for another template, of everything that is seen here.
    fn shared_context(&self, names: &Names) -> R<Rc<Dict>> {
        let all = self.state.context.all();
        let locals = self.locals(names);
        if locals.is_empty() {
            return Ok(all);
        }
        need_bytes(all.len() * 64)?;
        let dict = Dict::new();
        *dict.borrow_mut() = all.borrow().clone();
        for (name, value) in locals {
            dict.set_str(&name, value);
        }
        Ok(Rc::new(dict))
    }

    pub(super) fn include(
        &self,
        name: &Obj,
        select: bool,
        ignore_missing: bool,
        names: Option<&Names>,
        out: &mut String,
    ) -> R<()> {
        let env = &self.state.env;
        let template = if select { env.select_template(name) } else { env.get_or_select_template(name) };
        let template = match template {
            Err(e) if ignore_missing && is_not_found(&e) => {
                env.trace.borrow_mut().take();
                return Ok(());
            }
            other => other?,
        };
        match names {
            Some(names) => {
                let parent = self.shared_context(names)?;
                let context = Context::new(parent, template.name.clone(), env.autoescape);
                context.add_blocks(&template);
                template.run_root(
                    &State { context: Rc::new(context), autoescape: env.autoescape, env: env.clone() },
                    out,
                )
            }
            None => {
                let module = template.default_module(env, None)?;
                Self::write(out, Module::find(&module).map_or("", |m| &m.body))
            }
        }
    }

    pub(super) fn import(&self, name: &Obj, names: Option<&Names>) -> R {
        let env = &self.state.env;
        let template = env.get_template(name)?;
        match names {
            Some(names) => template.module(env, self.shared_context(names)?),
            None => template.default_module(env, Some(&self.state.context)),
        }
    }

    pub(super) fn not_exported(&self, module: &Obj, name: &Arc<str>, line: u32) -> Obj {
        let of = Module::find(module).and_then(|m| m.name.clone());
        let shown = repr(&of.map_or(Obj::None, |n| Obj::str(&*n))).unwrap_or_default();
        let position = self.template.position(line);
        let wanted = repr(&Obj::str(&**name)).unwrap_or_default();
        let hint = format!(
            "the template {shown} (imported on {position}) does not export the requested name {wanted}"
        );
        Undefined::hint(self.state.env.undefined, hint, Some(name))
    }

    pub(super) fn block(
        &self,
        name: &Arc<str>,
        required: bool,
        scoped: Option<&Names>,
        out: &mut String,
    ) -> R<()> {
        let context = match scoped {
            Some(names) => Rc::new(self.state.context.derived(self.locals(names))?),
            None => self.state.context.clone(),
        };
        let stack = self.state.context.blocks.borrow().get(name).cloned().unwrap_or_default();
        if required && stack.len() <= 1 {
            let shown = repr(&Obj::str(&**name))?;
            return Err(PyErr::new(RUNTIME_ERROR, format!("Required block {shown} not found")));
        }
        let Some(block) = stack.first() else { return Ok(()) };
        // What is escaped in a block is decided where it stands, not from where it is called.
        let env = self.state.env.clone();
        block.run(&State { context, autoescape: env.autoescape, env }, out)
    }
}

fn is_not_found(e: &PyErr) -> bool {
    matches!(e.kind(), Kind::Other("TemplateNotFound" | "TemplatesNotFound"))
}
