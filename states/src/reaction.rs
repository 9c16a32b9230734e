//! Reactions: SLS files rendered with an event's `tag` and `data`, whose high data say what is called because of it.
//!
//! What they mean is not decided here: chunks come out, in stock's order, and what is wrong goes to the log in stock's words.

use crate::high::verify_reactions;
use crate::low;
use brine_core::call::{Args as CallArgs, Cx};
use brine_core::{Map, Value};
use brine_python::{Dict, Kind, Obj, PyErr, R, repr, setitem, to_value, truth};
use brine_render::config::glob;
use brine_render::renderer::{Request, Template, compile_template};
use brine_render::template::{Session, call_error, py_error};
use std::path::Path;
use std::rc::Rc;

/// Names of old for kinds of reactions.
const ALIASES: [(&str, &str); 1] = [("cmd", "local")];

/// What renders the reactions to one event. Of one thread.
pub struct Reactions {
    session: Rc<Session>,
    tag: Obj,
    data: Obj,
}

impl Reactions {
    /// To an event, in the surroundings of a minion's calls.
    pub fn new(cx: &Cx, tag: &str, data: &Map) -> Self {
        Self {
            session: Session::new(cx, cx.host.files()),
            tag: Obj::str(tag),
            data: Obj::from(Dict::from(data)),
        }
    }

    /// The chunks of all these files (paths, patterns, or `salt://` names), in the order in which they are called. None where
    /// something is wrong with what the files say together; a file that cannot be rendered is left out.
    pub fn chunks(&self, files: &[String]) -> Vec<Map> {
        let tag = self.tag.as_str().unwrap_or_default();
        let work = || -> R<Vec<Map>> {
            let high = Dict::ordered();
            for file in files {
                self.render_all(file, &high)?;
            }
            if high.is_empty() {
                return Ok(Vec::new());
            }
            let errors = verify_reactions(&high)?;
            if !errors.is_empty() {
                let list = |texts: &[String]| repr(&Obj::list(texts.iter().map(Obj::str).collect()));
                tracing::error!(
                    "Unable to render reactions for event {tag} due to errors ({}) in one or more of the sls files ({})",
                    list(&errors)?,
                    list(files)?
                );
                return Ok(Vec::new());
            }
            low::reactions(&high)?.iter().map(as_map).collect()
        };
        match self.session.enter(work) {
            Ok(chunks) => chunks,
            Err(e) => {
                let trace = call_error(e).traceback();
                tracing::error!("Exception encountered while compiling reactions to {tag}\n{trace}");
                Vec::new()
            }
        }
    }

    /// Renders what one entry names into `high`.
    fn render_all(&self, name: &str, high: &Dict) -> R<()> {
        let mut pattern = name.to_owned();
        if name.starts_with("salt://") {
            let cached =
                self.session.cx.call("cp.cache_file", CallArgs::positional([name])).map_err(py_error)?;
            pattern = cached.as_str().unwrap_or_default().to_owned();
        }
        let found = if pattern.is_empty() { Vec::new() } else { glob(Path::new(&pattern)) };
        if found.is_empty() {
            let tag = self.tag.as_str().unwrap_or_default();
            tracing::error!("Can not render SLS {pattern} for tag {tag}. File missing or not found.");
        }
        for path in found {
            if let Err(e) = self.render(&path).and_then(|rendered| high.update(&rendered)) {
                tracing::error!("Failed to render \"{}\": {}", path.display(), call_error(e).traceback());
            }
        }
        Ok(())
    }

    /// What one file says, each id with where it stands.
    fn render(&self, path: &Path) -> R {
        let default = self.session.cx.opts.str("renderer");
        let kwargs = vec![("tag".into(), self.tag.clone()), ("data".into(), self.data.clone())];
        let request = Request { kwargs, ..Request::new(Template::File(path), default) };
        let rendered = compile_template(&self.session, &request)?.data.into_value();
        if truth(&rendered)? {
            pad(&rendered)?;
        }
        let sls = Obj::str(path.display().to_string());
        for name in rendered.items()? {
            setitem(&brine_python::getitem(&rendered, &name)?, &Obj::str("__sls__"), sls.clone())?;
        }
        Ok(rendered)
    }
}

/// Gives `kind.function` the form of a list with the function in it. As stock, unlike for states, without a word where two of a
/// kind stand under one id: only the first is taken.
fn pad(high: &Obj) -> R<()> {
    for name in high.items()? {
        let body = brine_python::getitem(high, &name)?;
        let Obj::Dict(body) = &body else {
            if let Some((kind, function)) = body.as_str().and_then(|text| text.split_once('.')) {
                let short = Dict::new();
                short.set_str(kind, Obj::list(vec![Obj::str(function)]));
                setitem(high, &name, short.into())?;
            }
            continue;
        };
        let mut keys = Vec::new();
        for (key, _) in body.pairs() {
            keys.push(key.as_str().map(str::to_owned).ok_or_else(|| no_text(&key))?);
        }
        keys.sort();
        let mut known: Vec<String> = Vec::new();
        for key in keys.into_iter().filter(|key| !key.starts_with('_')) {
            let Some(Obj::List(run)) = body.get_str(&key) else { continue };
            let Some((kind, function)) = key.split_once('.') else {
                known.push(key);
                continue;
            };
            if known.iter().any(|other| other == kind) {
                continue;
            }
            body.remove(&Obj::str(&key))?;
            body.set_str(kind, Obj::List(run.clone()));
            run.borrow_mut().push(Obj::str(function));
            known.push(kind.to_owned());
        }
    }
    Ok(())
}

fn no_text(key: &Obj) -> PyErr {
    let text = format!("'{}' object has no attribute 'startswith'", key.type_name());
    PyErr::new(Kind::AttributeError, text)
}

fn as_map(chunk: &Rc<Dict>) -> R<Map> {
    for (old, new) in ALIASES {
        if chunk.get_str("state").is_some_and(|state| state.as_str() == Some(old)) {
            chunk.set_str("state", Obj::str(new));
        }
    }
    match to_value(&Obj::Dict(chunk.clone()))? {
        Value::Map(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}
