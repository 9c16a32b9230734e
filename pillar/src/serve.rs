//! Pillar as a master has it compiled: for the minion and the grains of a request, with execution modules that run on the master.
//!
//! Used by the master for its minions and by runners. What templates call sees the minion's grains and id, as in stock; the host
//! around them is the master's, but that pillar is compiled for the same minion where a template asks for it.

use crate::cache::PillarCache;
use crate::settle::{Settled, Wish};
use crate::share::Shared;
use brine_core::call::{CallError, Cx, Registry, Result};
use brine_core::files::Files;
use brine_core::host::{Host, JobStore, MasterClient, Refresh};
use brine_core::{Map, Opts, Value};
use brine_files::PillarRoots;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

/// How often templates of pillar may ask for pillar to be compiled while it is.
const DEPTH: u8 = 8;

/// Whose pillar is asked for, and what is known of him.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Id, environments, and what goes over the rest.
    pub wish: Wish,
    /// The minion's grains; its id is put in by whoever has proved it.
    pub grains: Map,
    /// Whether what is cached of this minion's pillar is to be forgotten first.
    pub clean_cache: bool,
}

/// Compiles pillar on a master. Cheap to clone.
#[derive(Clone)]
pub struct Pillars {
    opts: Arc<Opts>,
    registry: Arc<Registry>,
    host: Arc<dyn Host>,
    files: Arc<dyn Files>,
    cache: Option<Arc<PillarCache>>,
    shared: Option<Arc<Shared>>,
}

impl Pillars {
    /// With the master's options, execution modules for templates, the host those run in, and the state tree that they reach.
    pub fn new(opts: Arc<Opts>, registry: Arc<Registry>, host: Arc<dyn Host>, files: Arc<dyn Files>) -> Self {
        Self { opts, registry, host, files, cache: None, shared: None }
    }

    /// The same, with what was compiled before, where that is kept.
    #[must_use]
    pub fn with_cache(self, cache: Option<Arc<PillarCache>>) -> Self {
        Self { cache, ..self }
    }

    /// The same, with what other compilations rendered, which must have had the same options.
    #[must_use]
    pub fn sharing(self, shared: Option<Arc<Shared>>) -> Self {
        Self { shared, ..self }
    }

    /// A minion's pillar: what is cached of it, otherwise compiled now. Data that goes over the rest is never cached, nor is pillar
    /// with a source that the minion asks for.
    ///
    /// # Errors
    /// What stock does not catch either, see [`compile`](crate::compile).
    pub fn compile(&self, ask: &Ask) -> Result<Map> {
        let Some(cache) = self.cache.as_ref().filter(|_| ask.wish.ext.is_none()) else {
            return self.compile_fresh(ask);
        };
        let (id, pillarenv) = (ask.wish.id.as_str(), ask.wish.pillarenv.as_deref());
        if ask.clean_cache {
            cache.clear(id);
        }
        if let Some(over) = ask.wish.over.as_ref().filter(|over| !over.is_empty()) {
            let mut plain = ask.clone();
            plain.wish.over = None;
            plain.clean_cache = false;
            let pillar = self.compile(&plain)?;
            let (cx, settled, files) = self.prepared(&plain);
            return crate::compile::merged(&cx, settled, files, &pillar, over);
        }
        // Asked before it is compiled: what comes into force meanwhile may be in it, or not.
        let mark = crate::ext::palletjack::mark(&self.opts);
        if let Some(pillar) = cache.get(id, pillarenv, &mark) {
            tracing::debug!("Pillar cache hit for minion {id}");
            return Ok(pillar);
        }
        let pillar = self.compile_fresh(ask)?;
        cache.put(id, pillarenv, &mark, &pillar);
        Ok(pillar)
    }

    /// Compiles a minion's pillar, whatever is cached of it.
    ///
    /// # Errors
    /// What stock does not catch either, see [`compile`](crate::compile).
    pub fn compile_fresh(&self, ask: &Ask) -> Result<Map> {
        let _deeper = Deeper::enter()?;
        let (cx, settled, files) = self.prepared(ask);
        crate::compile_sharing(&cx, settled, files, self.shared.clone())
    }

    /// The merged top files for a minion, in the order of their environments and targets, and what is wrong with them.
    ///
    /// # Errors
    /// As [`Pillars::compile_fresh`].
    pub fn top(&self, ask: &Ask) -> Result<(Map, Vec<String>)> {
        let _deeper = Deeper::enter()?;
        let (cx, settled, files) = self.prepared(ask);
        crate::compile::top(&cx, settled, files)
    }

    fn prepared(&self, ask: &Ask) -> (Cx, Settled, Arc<dyn Files>) {
        let mut wish = ask.wish.clone();
        let kept = self.opts.get("pillar").and_then(Value::as_map);
        wish.kept = wish.kept.or_else(|| kept.cloned());
        let settled = Settled::new(&self.opts, wish);
        let around = Around { pillars: self.clone(), ask: ask.clone() };
        // The options as pillar's own modules see them: of this minion, with files from this machine.
        let mut cx = Cx::new(settled.opts.clone(), self.registry.clone(), Arc::new(around));
        cx.grains = Arc::new(ask.grains.clone());
        cx.pillar = Arc::new(kept.cloned().unwrap_or_default());
        let files = Arc::new(PillarRoots::new(&settled.roots, &settled.opts));
        (cx, settled, files)
    }
}

/// One compilation more on this thread.
struct Deeper;

thread_local! {
    static DEEP: Cell<u8> = const { Cell::new(0) };
}

impl Deeper {
    fn enter() -> Result<Self> {
        if DEEP.get() >= DEPTH {
            return Err(CallError::exception("RecursionError", "maximum recursion depth exceeded"));
        }
        DEEP.set(DEEP.get() + 1);
        Ok(Self)
    }
}

impl Drop for Deeper {
    fn drop(&mut self) {
        DEEP.set(DEEP.get() - 1);
    }
}

/// The host of what templates call.
struct Around {
    pillars: Pillars,
    ask: Ask,
}

impl Host for Around {
    fn master_request(&self, load: Map, timeout: Duration) -> Result<Value> {
        self.pillars.host.master_request(load, timeout)
    }

    fn fire_local(&self, tag: &str, data: Map) -> Result<()> {
        self.pillars.host.fire_local(tag, data)
    }

    fn refresh(&self, what: Refresh, wait: Option<Duration>) -> Result<()> {
        self.pillars.host.refresh(what, wait)
    }

    fn compile_pillar(
        &self,
        saltenv: Option<&str>,
        pillarenv: Option<&str>,
        over: Option<Map>,
    ) -> Result<Map> {
        let mut ask = self.ask.clone();
        ask.wish.saltenv = saltenv.map(str::to_owned).or(ask.wish.saltenv);
        ask.wish.pillarenv = pillarenv.map(str::to_owned).or(ask.wish.pillarenv);
        ask.wish.over = over;
        self.pillars.compile(&ask)
    }

    fn running(&self) -> Vec<Map> {
        self.pillars.host.running()
    }

    fn signal_job(&self, jid: &str, signal: i32) -> Value {
        self.pillars.host.signal_job(jid, signal)
    }

    fn master(&self) -> Option<String> {
        self.pillars.host.master()
    }

    fn files(&self) -> Arc<dyn Files> {
        self.pillars.files.clone()
    }

    fn job_store(&self) -> Option<&dyn JobStore> {
        self.pillars.host.job_store()
    }

    fn master_client(&self, client: MasterClient, order: Map) -> Result<Value> {
        self.pillars.host.master_client(client, order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::host::NoHost;
    use brine_core::map;
    use std::fs;

    fn pillars(dir: &std::path::Path, more: Map) -> Pillars {
        let root = dir.to_string_lossy().into_owned();
        let mut opts = map! {
            "id" => "master_master", "renderer" => "jinja|yaml", "state_top" => "top.sls", "file_client" => "local",
            "pillar_roots" => map! {"base" => vec![root]}, "who" => "the master",
        };
        opts.update(more);
        let registry = Arc::new(Registry::new(brine_modules::ALL.iter().copied()));
        Pillars::new(
            Arc::new(Opts::new(opts)),
            registry,
            Arc::new(NoHost),
            Arc::new(brine_core::files::NoFiles),
        )
    }

    fn ask(id: &str) -> Ask {
        Ask {
            wish: Wish { id: id.into(), ..Wish::default() },
            grains: map! {"id" => id, "os" => "Debian", "role" => "web"},
            clean_cache: false,
        }
    }

    #[test]
    fn modules_run_on_the_master_for_the_minion() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("top.sls"), "base:\n  'role:web':\n    - match: grain\n    - a\n").unwrap();
        let sls = "a: {{ salt['grains.get']('os') }} {{ opts.id }} {{ opts.who }} {{ salt['config.get']('who') }}\n\
                   b: {{ salt['match.glob']('m*') }} {{ opts.minion_id }}\n";
        fs::write(dir.path().join("a.sls"), sls).unwrap();
        let pillars = pillars(dir.path(), Map::new());
        let want = map! {"a" => "Debian m1 the master the master", "b" => "True m1"};
        assert_eq!(pillars.compile(&ask("m1")).unwrap(), want);
        let (top, errors) = pillars.top(&ask("m1")).unwrap();
        let data = vec![Value::from(map! {"match" => "grain"}), "a".into()];
        assert_eq!((top, errors), (map! {"base" => map! {"role:web" => data}}, Vec::new()));
    }

    #[test]
    fn pillar_that_asks_for_itself_ends() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("top.sls"), "base:\n  '*':\n    - a\n").unwrap();
        fs::write(dir.path().join("a.sls"), "a: {{ salt['pillar.items']() | length }}\n").unwrap();
        let pillar = pillars(dir.path(), map! {"pillar_safe_render_error" => false}).compile(&ask("m1"));
        assert!(pillar.unwrap().contains("a"), "the innermost fails, those around it do not");
    }

    #[test]
    fn options_are_put_into_pillar_where_told() {
        let dir = tempfile::tempdir().unwrap();
        let of = |told: bool| pillars(dir.path(), map! {"pillar_opts" => told}).compile(&ask("m1")).unwrap();
        assert_eq!(of(false), Map::new());
        let pillar = of(true);
        let master = pillar.get("master").unwrap();
        assert_eq!((master.get("who"), master.get("id")), (Some(&"the master".into()), Some(&"m1".into())));
        assert!(master.get("grains").is_none() && master.get("saltversion").is_some());
    }

    #[test]
    fn pillar_of_the_options_is_what_templates_see() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("top.sls"), "base:\n  '*':\n    - a\n").unwrap();
        fs::write(dir.path().join("a.sls"), "a: {{ pillar.get('given', 'none') }}\n").unwrap();
        let of = |more: Map| pillars(dir.path(), more).compile(&ask("m1")).unwrap();
        let given = map! {"given" => 7};
        assert_eq!(of(Map::new()), map! {"a" => "none"});
        assert_eq!(of(map! {"pillar" => given.clone()}), map! {"a" => 7});
        assert_eq!(of(map! {"pillar" => given, "ssh_merge_pillar" => true}), map! {"given" => 7, "a" => 7});
    }
}
