//! Top files, rendered environment by environment. Those they include are in `include.rs`.

use crate::highstate::Highstate;
use brine_python::{Dict, Obj, PyErr, R};
use std::rc::Rc;

/// Rendered top files by environment, in the order of the environments.
pub(crate) type Tops = Vec<(String, Vec<Obj>)>;

/// `SaltRenderError`, as the merging raises it.
pub(crate) fn render_error(text: &str) -> PyErr {
    PyErr::new(brine_python::Kind::Other("salt.exceptions.SaltRenderError"), text)
}

pub(crate) fn is_render_error(e: &PyErr) -> bool {
    matches!(e.kind(), brine_python::Kind::Other(name) if name.ends_with("SaltRenderError"))
}

impl Highstate {
    /// All top files, merged.
    pub(crate) fn merged(&self) -> R<Rc<Dict>> {
        match self.tops() {
            Ok(tops) => self.merge(tops),
            Err(e) if is_render_error(&e) => {
                tracing::error!("Unable to render top file: {e}");
                Ok(Rc::new(Dict::new()))
            }
            Err(e) => Err(e),
        }
    }

    fn tops(&self) -> R<Tops> {
        let strategy = self.option("top_file_merging_strategy");
        let own = self.option("saltenv");
        if strategy.as_deref() == Some("same") && own.is_none() && self.option("default_top").is_none() {
            return Err(render_error(
                "top_file_merging_strategy set to 'same', but no default_top configuration option was set",
            ));
        }
        let envs: Vec<String> = match own.clone().or_else(|| self.option("state_top_saltenv")) {
            Some(env) => vec![env],
            None => self.envs()?.to_vec(),
        };
        let name = self.option("state_top").unwrap_or_else(|| "salt://top.sls".into());
        let (mut tops, mut found) = (Tops::new(), 0);
        for env in envs {
            let file =
                self.session.files.cache_file(&name, &env).map_err(brine_render::template::py_error)?;
            let top = match file {
                Some(path) => {
                    found += 1;
                    self.template(&path, &env)?
                }
                None => {
                    tracing::debug!("No contents loaded for saltenv '{env}'");
                    Dict::new().into()
                }
            };
            tops.push((env, vec![top]));
        }
        if found > 1
            && strategy.as_deref() == Some("merge")
            && own.is_none()
            && self.option("env_order").is_none()
        {
            tracing::warn!(
                "top_file_merging_strategy is 'merge' and {found} top files were found: in which order they are merged is said \
                 by env_order; with 'same' only the one of each environment counts"
            );
        }
        self.includes(&mut tops)?;
        Ok(tops)
    }
}
