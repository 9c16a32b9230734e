//! The compilation as a whole: top files, matching, SLS files, and what goes over them.

use crate::settle::Settled;
use crate::share::{Frozen, Look, Shared};
use brine_core::call::{Cx, Result};
use brine_core::files::{Files, Listing};
use brine_core::target::{Subject, fnmatch};
use brine_core::{Map, Value};
use brine_python::{Dict, Obj, PyErr, R, to_value};
use brine_render::live::dictupdate;
use brine_render::renderer::{Request, Template, compile_template};
use brine_render::sls::{self, Source};
use brine_render::template::{Session, call_error};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// Compiles one minion's pillar. The context's grains are the minion's; its pillar is what templates see as pillar meanwhile.
///
/// # Errors
/// What stock does not catch: top files that are no dicts, matchers that do not exist, includes that are no names.
pub fn compile(cx: &Cx, settled: Settled, files: Arc<dyn Files>) -> Result<Map> {
    compile_sharing(cx, settled, files, None)
}

/// As [`compile`], with renderings that are shared with other compilations of the same options.
///
/// # Errors
/// As [`compile`].
pub fn compile_sharing(
    cx: &Cx,
    settled: Settled,
    files: Arc<dyn Files>,
    shared: Option<Arc<Shared>>,
) -> Result<Map> {
    let mut compiler = Compiler::new(cx, settled, files);
    compiler.shared = shared;
    compiler.session.clone().enter(|| compiler.all()).map_err(call_error)
}

/// The merged top files, and what is wrong with them.
pub(crate) fn top(cx: &Cx, settled: Settled, files: Arc<dyn Files>) -> Result<(Map, Vec<String>)> {
    let compiler = Compiler::new(cx, settled, files);
    let found = compiler.session.clone().enter(|| {
        let (top, errors) = compiler.top()?;
        let mut all = Map::new();
        for (saltenv, targets) in &top {
            let mut of_env = Map::new();
            for (target, data) in targets {
                of_env.insert(to_value(target)?, data.iter().map(to_value).collect::<R<Vec<_>>>()?);
            }
            all.insert(to_value(saltenv)?, of_env);
        }
        Ok((all, errors))
    });
    found.map_err(call_error)
}

/// A pillar with other data merged over it, as the options say.
pub(crate) fn merged(
    cx: &Cx,
    settled: Settled,
    files: Arc<dyn Files>,
    pillar: &Map,
    over: &Map,
) -> Result<Map> {
    let compiler = Compiler::new(cx, settled, files);
    let merged = compiler.merge(&Dict::from(pillar).into(), &Dict::from(over).into());
    match merged.and_then(|merged| to_value(&merged)).map_err(call_error)? {
        Value::Map(map) => Ok(map),
        _ => Err(call_error(PyErr::ty("pillar is no dict"))),
    }
}

/// Everything a compilation knows.
pub(crate) struct Compiler {
    pub(crate) cx: Cx,
    pub(crate) settled: Settled,
    pub(crate) session: Rc<Session>,
    strategy: Obj,
    renderer: Obj,
    /// The pipeline of files that name none.
    default: String,
    merge_lists: bool,
    /// The SLS files that may be missing, by environment.
    pub(crate) ignored: RefCell<BTreeMap<String, Vec<String>>>,
    /// The names of all SLS files, by environment, as far as anything asked.
    available: RefCell<BTreeMap<String, Rc<[String]>>>,
    /// What other minions' files rendered to.
    shared: Option<Arc<Shared>>,
}

impl Compiler {
    fn new(cx: &Cx, settled: Settled, files: Arc<dyn Files>) -> Self {
        let mut cx = cx.clone();
        let mut opts = (*settled.opts).clone();
        opts.map_mut().insert("grains", cx.grains.as_ref().clone());
        cx.opts = Arc::new(opts);
        if settled.opts.flag("ext_pillar_first") {
            cx.pillar = Arc::new(settled.wish.over.clone().unwrap_or_default());
        }
        let session = Session::of_pillar(&cx, files, Obj::from(Dict::from(&*cx.pillar)));
        Compiler {
            strategy: Obj::str(match cx.opts.str("pillar_source_merging_strategy") {
                "" => "smart",
                given => given,
            }),
            renderer: cx.opts.get("renderer").map_or_else(|| Obj::str("yaml"), Obj::from),
            default: cx.opts.get("renderer").and_then(Value::as_str).unwrap_or("jinja|yaml").to_owned(),
            merge_lists: cx.opts.flag("pillar_merge_lists"),
            cx,
            settled,
            session,
            ignored: RefCell::default(),
            available: RefCell::default(),
            shared: None,
        }
    }

    fn all(&mut self) -> R<Map> {
        let mut pillar = Obj::from(self.over());
        let mut errors = Vec::new();
        let (top, top_errors) = self.top()?;
        let first = self.cx.opts.flag("ext_pillar_first");
        if first {
            pillar = self.external(pillar, &mut errors)?;
            self.seen(&pillar)?;
        }
        let matches = self.matches(&top)?;
        let compiled = self.session.clone().enter(|| self.render(&matches, &mut errors))?;
        pillar = if first { self.merge(&pillar, &compiled)? } else { self.external(compiled, &mut errors)? };
        errors.extend(top_errors);
        if self.cx.opts.flag("pillar_opts") {
            let mut opts = self.cx.opts.map().clone();
            opts.remove("grains");
            opts.insert("saltversion", brine_core::COMPAT_VERSION);
            brine_python::setitem(&pillar, &Obj::str("master"), Obj::from(&Value::Map(opts)))?;
        }
        let kept = if first { Some(&*self.cx.pillar) } else { self.settled.wish.kept.as_ref() };
        if let Some(kept) = kept.filter(|_| self.cx.opts.flag("ssh_merge_pillar")) {
            pillar = self.merge(&Dict::from(kept).into(), &pillar)?;
        }
        if !errors.is_empty() {
            for error in &errors {
                tracing::error!("Pillar render error: {error}");
            }
            let errors = errors.into_iter().map(Obj::from).collect();
            brine_python::setitem(&pillar, &Obj::str("_errors"), Obj::list(errors))?;
        }
        if self.settled.wish.over.as_ref().is_some_and(|over| !over.is_empty()) {
            pillar = self.merge(&pillar, &self.over().into())?;
        }
        let errors = self.decrypt(&pillar);
        if !errors.is_empty() {
            let told = match &pillar {
                Obj::Dict(dict) => dict.get_str("_errors"),
                _ => None,
            };
            let mut all = told.map(|told| told.items()).transpose()?.unwrap_or_default();
            all.extend(errors.into_iter().map(Obj::from));
            brine_python::setitem(&pillar, &Obj::str("_errors"), Obj::list(all))?;
        }
        match to_value(&pillar)? {
            Value::Map(map) => Ok(map),
            _ => Err(PyErr::ty("pillar is no dict")),
        }
    }

    /// From now on, this is the pillar that targets and templates see.
    fn seen(&mut self, pillar: &Obj) -> R<()> {
        if let Value::Map(map) = to_value(pillar)? {
            self.cx.pillar = Arc::new(map);
        }
        self.session = Session::of_pillar(&self.cx, self.session.files.clone(), pillar.clone());
        Ok(())
    }

    pub(crate) fn over(&self) -> Dict {
        Dict::from(self.settled.wish.over.as_ref().unwrap_or(&Map::new()))
    }

    /// Merges as the options say.
    pub(crate) fn merge(&self, a: &Obj, b: &Obj) -> R {
        dictupdate::merge(a, b, &self.strategy, &self.renderer, self.merge_lists)
    }

    /// As [`Compiler::merge`], into a pillar that nobody else holds. Salt copies the pillar so far for each file; where it is merged in
    /// depth, a copy of the file's data does as well, and is the smaller one.
    pub(crate) fn add(&self, pillar: Obj, state: &Obj) -> R {
        let in_depth = match self.strategy.as_str() {
            Some("recurse") => true,
            Some("smart") => self.renderer.as_str() == Some("jinja|yaml"),
            _ => false,
        };
        if !in_depth {
            return self.merge(&pillar, state);
        }
        dictupdate::update(&pillar, &dictupdate::deepcopy(state)?, true, self.merge_lists)
    }

    /// Renders one file; without a file there is nothing in it.
    pub(crate) fn template(&self, path: Option<&Path>, saltenv: &str, sls: &str, defaults: &Obj) -> R {
        let Obj::Dict(defaults) = defaults else {
            let text = format!(
                "salt.template.compile_template() argument after ** must be a mapping, not {}",
                defaults.type_name()
            );
            return Err(PyErr::ty(text));
        };
        let mut kwargs = Vec::new();
        for (name, value) in defaults.pairs() {
            let Some(name) = name.as_str() else { return Err(PyErr::ty("keywords must be strings")) };
            kwargs.push((Rc::from(name), value));
        }
        let Some(path) = path else {
            tracing::error!("Template was specified incorrectly: False");
            return Ok(Dict::new().into());
        };
        let render = || {
            let request =
                Request { saltenv, sls, kwargs, ..Request::new(Template::File(path), &self.default) };
            Ok(compile_template(&self.session, &request)?.data.into_value())
        };
        let Some(shared) = self.shared.as_ref().filter(|_| defaults.is_empty()) else { return render() };
        match shared.look(path, saltenv, sls, |name| self.grain(name)) {
            Look::Own => render(),
            Look::Known(rendered) => Ok(rendered.thaw()),
            Look::New(slot) => {
                let rendered = render()?;
                if let Some(frozen) = Frozen::of(&rendered) {
                    shared.keep(slot, frozen);
                }
                Ok(rendered)
            }
        }
    }

    /// A grain as templates see it now: None where it cannot be told apart from others, `Some(None)` where there is none.
    fn grain(&self, name: &str) -> Option<Option<Frozen>> {
        match self.session.grains() {
            Obj::Dict(grains) => {
                grains.get_str(name).map(|value| Frozen::of(&value)).map_or(Some(None), |v| v.map(Some))
            }
            _ => None,
        }
    }

    /// The file of an SLS name.
    pub(crate) fn state(&self, sls: &str, saltenv: &str) -> R<Option<Source>> {
        sls::find(&*self.session.files, sls, saltenv)
    }

    /// The path of the top file in an environment.
    pub(crate) fn top_file(&self, saltenv: &str) -> R<Option<std::path::PathBuf>> {
        self.session.files.cache_file(self.settled.top(), saltenv).map_err(brine_render::template::py_error)
    }

    /// The SLS names in an environment that match a pattern; none for an environment that does not exist.
    pub(crate) fn available(&self, saltenv: &str, pattern: &str) -> R<Option<Vec<String>>> {
        if !self.settled.envs().iter().any(|env| env == saltenv) {
            return Ok(None);
        }
        let known = self.available.borrow().get(saltenv).cloned();
        let all = match known {
            Some(all) => all,
            None => {
                let files = self
                    .session
                    .files
                    .list(saltenv, Listing::Files)
                    .map_err(brine_render::template::py_error)?;
                let all: Rc<[String]> = sls::names(&files).into();
                self.available.borrow_mut().insert(saltenv.to_owned(), all.clone());
                all
            }
        };
        Ok(Some(all.iter().filter(|name| fnmatch(name, pattern)).cloned().collect()))
    }

    /// Whether a target of a top file means this minion. `data` holds its SLS names and options.
    pub(crate) fn confirms(&self, target: &Obj, data: &[Obj]) -> R<bool> {
        let none = Map::new();
        let Cx { opts, grains, pillar, .. } = &self.cx;
        let nodegroups = opts.get("nodegroups").and_then(Value::as_map).unwrap_or(&none);
        let subject = Subject { id: &self.settled.wish.id, grains, pillar, nodegroups };
        sls::confirm_top(subject, target, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Wish;
    use brine_core::files::NoFiles;
    use brine_core::host::NoHost;
    use brine_core::{Opts, map};

    fn compiled(opts: Map) -> Map {
        let opts = Arc::new(Opts::new(opts));
        let cx = Cx::new(opts, Arc::default(), Arc::new(NoHost));
        let wish = Wish { id: "m1".into(), over: Some(map! {"a" => map! {"b" => "x"}}), ..Wish::default() };
        let settled = Settled::new(&cx.opts, wish);
        compile(&cx, settled, Arc::new(NoFiles)).unwrap()
    }

    #[test]
    fn what_is_not_supported_is_told_in_the_data() {
        let errors = |opts| compiled(opts).get("_errors").cloned();
        assert_eq!(errors(Map::new()), None);
        assert_eq!(
            errors(
                map! {"decrypt_pillar" => vec![Value::from("a:b"), map! {"nope" => "gpg"}.into()], "decrypt_pillar_default" => "x"}
            ),
            Some(vec!["Failed to decrypt pillar key 'a:b': Decryption renderer 'x' is not available"].into())
        );
        // A name that is nobody's is skipped, as in stock; one that is a Python module's there is not.
        let dir = tempfile::tempdir().unwrap();
        let own = map! {
            "ext_pillar" => vec![Value::from(map! {"own" => "x"})],
            "extension_modules" => dir.path().to_string_lossy().into_owned(),
        };
        assert_eq!(errors(own.clone()), None);
        std::fs::create_dir(dir.path().join("pillar")).unwrap();
        let file = dir.path().join("pillar/own.py");
        std::fs::write(&file, "").unwrap();
        let text =
            format!("Failed to load ext_pillar own: not supported: {} is a Python module", file.display());
        assert_eq!(errors(own), Some(vec![text].into()));
        assert_eq!(
            errors(map! {"ext_pillar" => "git"}),
            Some(vec!["The \"ext_pillar\" option is malformed"].into())
        );
    }

    #[test]
    fn values_are_decrypted_by_path_and_renderer() {
        let of = |decrypt: Value, more: Map| {
            let mut opts = map! {"decrypt_pillar" => decrypt, "decrypt_pillar_default" => "yaml"};
            opts.update(more);
            compiled(opts)
        };
        let list = |item: &str| Value::from(vec![Value::from(item)]);
        let done = map! {"a" => map! {"b" => vec![Value::from(1)]}};
        let over = |text: &str| map! {"a" => map! {"b" => text}};
        assert_eq!(of(list("a:b"), Map::new()), over("x"));
        let with = |opts: Map, text: &str| {
            let mut all = map! {"decrypt_pillar_default" => "yaml"};
            all.update(opts);
            let cx = Cx::new(Arc::new(Opts::new(all)), Arc::default(), Arc::new(NoHost));
            let wish = Wish { id: "m1".into(), over: Some(over(text)), ..Wish::default() };
            compile(&cx, Settled::new(&cx.opts, wish), Arc::new(NoFiles)).unwrap()
        };
        assert_eq!(with(map! {"decrypt_pillar" => list("a:b")}, "[1]"), done);
        assert_eq!(
            with(map! {"decrypt_pillar" => list("a|b"), "decrypt_pillar_delimiter" => "|"}, "[1]"),
            done
        );
        let named =
            map! {"decrypt_pillar" => map! {"a:b" => "json"}, "decrypt_pillar_renderers" => vec!["json"]};
        assert_eq!(with(named, "[1]"), done);
        let refused = with(
            map! {"decrypt_pillar" => list("a:b"), "decrypt_pillar_renderers" => vec!["gpg", "nacl"]},
            "[1]",
        );
        let text = "Failed to decrypt pillar key 'a:b': 'yaml' is not a valid decryption renderer. Valid choices are: gpg, nacl";
        assert_eq!(refused.get("_errors"), Some(&vec![text].into()));
        let malformed = of(vec![Value::Nil].into(), Map::new());
        assert_eq!(malformed.get("_errors"), Some(&vec!["decrypt_pillar config option is malformed"].into()));
    }
}
