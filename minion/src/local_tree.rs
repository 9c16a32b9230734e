//! Where states come from, this machine or a master, and pillar from folders on this machine.

use brine_core::call::{CallError, Cx, Result};
use brine_core::files::Files;
use brine_core::{Map, Opts, Value};
use brine_files::{Cache, Channel, Client, PillarRoots};
use brine_pillar::{Settled, Wish};
use std::cell::Cell;
use std::sync::Arc;

/// How often templates of pillar may ask for pillar to be compiled while it is.
const DEPTH: u8 = 8;

/// The state trees of a program: folders on this machine with `file_client: local`, else a master's. What is known of copies is
/// shared by all its calls.
pub(crate) struct Trees {
    local: Option<Arc<dyn Files>>,
    cache: Arc<Cache>,
}

impl Trees {
    /// As the options say.
    pub(crate) fn new(opts: &Opts) -> Self {
        let cache = Arc::new(Cache::new(&opts.path("cachedir")));
        let local: Option<Arc<dyn Files>> = match opts.str("file_client") {
            "local" => Some(Arc::new(Client::of_this_machine(opts))),
            _ => None,
        };
        Self { local, cache }
    }

    /// The tree for a call with this way to its master.
    pub(crate) fn through<C: Channel + 'static>(&self, channel: impl FnOnce() -> C) -> Arc<dyn Files> {
        match &self.local {
            Some(local) => local.clone(),
            None => Arc::new(Client::new(channel(), self.cache.clone())),
        }
    }

    /// The tree for a call without a master.
    pub(crate) fn alone(&self) -> Arc<dyn Files> {
        self.through(|| NoMaster)
    }
}

/// Whether pillar comes from folders on this machine, although there may be a master.
pub(crate) fn has_pillar(opts: &Opts) -> bool {
    opts.str("file_client") == "local" && !opts.flag("use_master_when_local")
}

/// Compiles pillar from this machine's `pillar_roots`. `kept` is the pillar in force, if there is one yet.
///
/// # Errors
/// What stock does not catch either, see [`brine_pillar::compile`].
pub(crate) fn compile_pillar(
    cx: &Cx,
    saltenv: Option<&str>,
    pillarenv: Option<&str>,
    over: Option<Map>,
    kept: Option<&Map>,
) -> Result<Map> {
    let wish = Wish {
        id: cx.opts.str("id").to_owned(),
        saltenv: saltenv.map(str::to_owned),
        pillarenv: pillarenv.map(str::to_owned),
        over,
        kept: kept.cloned(),
        ..Wish::default()
    };
    compile(cx, wish)
}

/// As [`compile_pillar`], with one more source of external pillar.
///
/// # Errors
/// As [`compile_pillar`].
pub(crate) fn compile_external(
    cx: &Cx,
    external: Value,
    over: Option<Map>,
    kept: Option<&Map>,
) -> Result<Map> {
    let id = cx.opts.str("id").to_owned();
    compile(cx, Wish { id, over, kept: kept.cloned(), ext: Some(external), ..Wish::default() })
}

fn compile(cx: &Cx, wish: Wish) -> Result<Map> {
    thread_local! {
        static DEEP: Cell<u8> = const { Cell::new(0) };
    }
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            DEEP.set(DEEP.get() - 1);
        }
    }
    if DEEP.get() >= DEPTH {
        return Err(CallError::exception("RecursionError", "maximum recursion depth exceeded"));
    }
    DEEP.set(DEEP.get() + 1);
    let _leave = Leave;
    let settled = Settled::new(&cx.opts, wish);
    let roots = Arc::new(PillarRoots::new(&settled.roots, &settled.opts));
    brine_pillar::compile(cx, settled, roots)
}

/// A minion without a master cannot ask for files.
struct NoMaster;

impl Channel for NoMaster {
    fn ask(&self, _: Map) -> Result<Value> {
        Err(CallError::Client("there is no master to ask for files".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::host::NoHost;
    use brine_core::map;
    use std::fs;

    #[test]
    fn pillar_comes_from_this_machines_folders() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("top.sls"), "base:\n  'm*':\n    - one\n").unwrap();
        fs::write(dir.path().join("one.sls"), "a: {{ grains['os'] }}\n").unwrap();
        let root = dir.path().to_string_lossy().into_owned();
        let opts = Opts::new(map! {
            "id" => "m1", "state_top" => "top.sls", "renderer" => "jinja|yaml",
            "pillar_roots" => map! {"base" => vec![root]},
        });
        let mut cx = Cx::new(Arc::new(opts), Arc::default(), Arc::new(NoHost));
        cx.grains = Arc::new(map! {"os" => "Debian"});
        let over = map! {"b" => 1};
        assert_eq!(
            compile_pillar(&cx, None, None, Some(over), None).unwrap(),
            map! {"b" => 1, "a" => "Debian"}
        );
        assert!(Trees::new(&Opts::default()).alone().envs().is_err());
        assert!(Trees::new(&Opts::new(map! {"file_client" => "local"})).alone().envs().is_ok());
    }

    #[test]
    fn the_option_says_whose_files_and_no_name_leads_out() {
        let dir = tempfile::tempdir().unwrap();
        for sub in ["a", "b", "envs/dev"] {
            fs::create_dir_all(dir.path().join(sub)).unwrap();
        }
        for file in ["a/one", "b/one", "b/two", "envs/dev/three", "secret"] {
            fs::write(dir.path().join(file), file).unwrap();
        }
        let root = |sub: &str| Value::from(dir.path().join(sub).to_string_lossy().into_owned());
        let roots = map! { "base" => vec![root("a"), root("b")], "__env__" => vec![root("envs/__env__")] };
        let opts = |client: &str| {
            let cachedir = dir.path().join("cache").to_string_lossy().into_owned();
            Opts::new(map! {
                "file_client" => client, "file_roots" => roots.clone(), "cachedir" => cachedir,
                "fileserver_backend" => vec![Value::from("roots")]
            })
        };
        let local = Trees::new(&opts("local")).alone();
        let found = |path: &str, env: &str| {
            local.cache_file(path, env).unwrap().map(|file| fs::read_to_string(file).unwrap())
        };
        assert_eq!(found("one", "base").as_deref(), Some("a/one"));
        assert_eq!(found("two", "base").as_deref(), Some("b/two"));
        assert_eq!(found("three", "dev").as_deref(), Some("envs/dev/three"));
        for (path, env) in
            [("../secret", "base"), ("x/../one", "base"), ("three", "base"), ("secret", ".."), ("", "base")]
        {
            assert_eq!(found(path, env), None, "{path} {env}");
        }
        assert!(Trees::new(&opts("remote")).alone().cache_file("one", "base").is_err());
    }
}
