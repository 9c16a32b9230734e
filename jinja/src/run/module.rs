//! What `import` gives: a template that has run, with what it set.

use crate::globals::Method;
use crate::markup::Markup;
use brine_python::{Obj, Object, R, repr};
use std::rc::Rc;

/// `TemplateModule`: what a template printed, and the names it exports.
pub(crate) struct Module {
    pub(super) name: Option<Rc<str>>,
    pub(super) exported: Vec<(Rc<str>, Obj)>,
    pub(super) body: String,
}

impl Module {
    pub(super) fn find(obj: &Obj) -> Option<&Module> {
        match obj {
            Obj::Other(o) => o.downcast(),
            _ => None,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<Obj> {
        self.exported.iter().find(|(n, _)| &**n == name).map(|(_, value)| value.clone())
    }
}

impl Object for Module {
    fn type_name(&self) -> &str {
        "TemplateModule"
    }

    fn module(&self) -> &str {
        "jinja2.environment"
    }

    fn str(&self) -> R<Option<String>> {
        Ok(Some(self.body.clone()))
    }

    fn repr(&self) -> R<Option<String>> {
        Ok(Some(match &self.name {
            Some(name) => format!("<TemplateModule {}>", repr(&Obj::str(&**name))?),
            None => format!("<TemplateModule memory:{:x}>", std::ptr::from_ref(self).addr()),
        }))
    }

    fn getattr(&self, me: &Obj, name: &str) -> R<Option<Obj>> {
        Ok(match name {
            "__name__" => Some(self.name.as_ref().map_or(Obj::None, |n| Obj::str(&**n))),
            "__html__" => Some(Obj::other(Method {
                name: "TemplateModule.__html__",
                me: me.clone(),
                own: Rc::new(self.body.clone()),
                run: |body, _| Ok(Markup::new(&**body)),
            })),
            _ => self.get(name),
        })
    }
}
