//! Templates of a folder as sources of pillar render them: Jinja2's own environment, without the variables, the options and the
//! error texts of Salt's SLS files.

use super::Session;
use super::jinja::LIMITS;
use super::loader::FolderLoader;
use super::salt::Salt;
use brine_jinja::{Environment, Loader, Syntax};
use brine_python::{Dict, Kind, Obj, PyErr, R};
use std::rc::Rc;

/// A folder with templates.
pub struct Folder<'a> {
    session: &'a Rc<Session>,
    folder: String,
    globals: Vec<(&'static str, Obj)>,
    dicts_for_yaml: bool,
}

impl<'a> Folder<'a> {
    /// The templates of a folder. They see `__salt__`, `__grains__` and what `globals` adds. With `dicts_for_yaml` dicts are printed
    /// as YAML reads them, which Salt's own extension does.
    pub fn new(
        session: &'a Rc<Session>,
        folder: &str,
        globals: Vec<(&'static str, Obj)>,
        dicts_for_yaml: bool,
    ) -> Self {
        Self { session, folder: folder.to_owned(), globals, dicts_for_yaml }
    }

    /// Renders the template of a name, which has no `..` in it.
    ///
    /// # Errors
    /// What Jinja2 raises, in its words.
    pub fn render(&self, name: &str, vars: &[(&str, Obj)]) -> R<String> {
        let mut env = Environment::new(Syntax::default());
        (env.filters, env.tests) = crate::filters::tables();
        env.globals.set_str("__salt__", Salt::of(self.session));
        env.globals.set_str("__grains__", self.session.grains().clone());
        for (name, value) in &self.globals {
            env.globals.set_str(name, value.clone());
        }
        if self.dicts_for_yaml {
            env.finalize = Some(crate::filters::finalize);
        }
        env.sandboxed = true;
        env.extra = self.session.clone();
        let loader = FolderLoader { folder: self.folder.clone() };
        let Some(source) = loader.source(&env, name)? else {
            return Err(PyErr::new(Kind::Other("TemplateNotFound"), name));
        };
        env.loader = Some(Rc::new(loader));
        let dict = Dict::new();
        for (name, value) in vars {
            dict.set_str(name, value.clone());
        }
        self.session
            .enter(|| Rc::new(env).render(&source.text, &dict, LIMITS))
            .map_err(|failure| failure.error)
    }
}
