//! `include:` in top files: patterns of SLS names, which are top files of the same environment.

use crate::highstate::Highstate;
use crate::tops::Tops;
use brine_python::{Args, Obj, PyErr, R, call_method, contains, getitem};
use brine_render::sls;

impl Highstate {
    /// Adds what top files include. What those include in turn is not read, as in stock.
    pub(crate) fn includes(&self, tops: &mut Tops) -> R<()> {
        let include = Obj::str("include");
        for (saltenv, tops) in tops {
            let mut patterns = Vec::new();
            for top in tops.iter().filter(|top| !matches!(top, Obj::None)) {
                if contains(top, &include)? {
                    patterns.extend(getitem(top, &include)?.items()?);
                    call_method(top, "pop", &Args::of([include.clone()]))?;
                }
            }
            let mut done: Vec<String> = Vec::new();
            for pattern in patterns {
                let Some(pattern) = pattern.as_str() else {
                    return Err(PyErr::ty(format!(
                        "expected str, bytes or os.PathLike object, not {}",
                        pattern.type_name()
                    )));
                };
                for name in self.available(saltenv, pattern)? {
                    if done.contains(&name) {
                        continue;
                    }
                    if let Some(source) = sls::find(&*self.session.files, &name, saltenv)? {
                        tops.push(self.template(&source.path, saltenv)?);
                    }
                    done.push(name);
                }
            }
        }
        Ok(())
    }
}
