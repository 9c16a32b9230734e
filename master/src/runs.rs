//! What runs of runners and wheel functions have in common: options, tables of functions, execution modules. Each is made
//! once, when the first run needs it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use brine_core::files::Files;
use brine_core::{Opts, Registry};
use brine_files::{Cache, Client};
use brine_pillar::{PillarCache, Pillars, Shared};
use brine_runners::{Execution, Kind, MasterHost, Run};
use tokio::runtime::Handle;

use crate::master::Master;
use crate::side::OwnSide;

/// The common part of all runs.
pub(crate) struct Runs {
    opts: Arc<Opts>,
    runners: OnceLock<Arc<Registry>>,
    wheel: OnceLock<Arc<Registry>>,
    execution: OnceLock<Execution>,
    files: OnceLock<Arc<dyn Files>>,
    pillar_cache: OnceLock<Option<Arc<PillarCache>>>,
    shared: OnceLock<Option<Arc<Shared>>>,
}

impl fmt::Debug for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runs")
    }
}

impl Runs {
    /// With the options of this master.
    pub(crate) fn new(opts: Arc<Opts>) -> Self {
        Self {
            opts,
            runners: OnceLock::new(),
            wheel: OnceLock::new(),
            execution: OnceLock::new(),
            files: OnceLock::new(),
            pillar_cache: OnceLock::new(),
            shared: OnceLock::new(),
        }
    }

    /// The options.
    pub(crate) fn opts(&self) -> &Arc<Opts> {
        &self.opts
    }

    /// The functions of a kind.
    pub(crate) fn registry(&self, kind: Kind) -> &Arc<Registry> {
        let table = match kind {
            Kind::Runner => &self.runners,
            Kind::Wheel => &self.wheel,
        };
        table.get_or_init(|| Arc::new(kind.registry()))
    }

    /// What `salt.cmd` and orchestrations call: execution modules and states, with the grains of this host.
    fn execution(&self) -> Execution {
        let made = || {
            let registry = Registry::new(brine_modules::ALL.iter().copied());
            let mut registry = registry.with_states(brine_state_modules::ALL.iter().copied());
            brine_state_modules::note_absent(&mut registry);
            brine_modules::note_absent(&mut registry);
            Execution { registry: Arc::new(registry), grains: Arc::new(brine_modules::grains) }
        };
        self.execution.get_or_init(made).clone()
    }
}

/// The host of a run on behalf of `user`, whose events and jobs go through `runtime`.
pub(crate) fn host(master: &Arc<Master>, runtime: Handle, user: String) -> Arc<MasterHost> {
    let side = OwnSide { master: master.clone(), runtime, user };
    MasterHost::with_execution(&master.runs.opts, Box::new(side), master.runs.execution())
}

/// What compiles pillar for this master's minions.
pub(crate) fn pillars(master: &Arc<Master>, runtime: Handle) -> Pillars {
    let runs = &master.runs;
    let host = host(master, runtime, master.config.user.clone());
    let cache = || Arc::new(Cache::new(&runs.opts.path("cachedir")));
    let files = runs.files.get_or_init(|| Arc::new(Client::new(master.files.clone(), cache()))).clone();
    let pillars = Pillars::new(runs.opts.clone(), runs.execution().registry, host, files);
    let shared = runs.shared.get_or_init(|| Shared::of(&runs.opts).map(Arc::new)).clone();
    pillars
        .sharing(shared)
        .with_cache(runs.pillar_cache.get_or_init(|| PillarCache::of(&runs.opts).map(Arc::new)).clone())
}

/// A run on behalf of `user`. To be called within the runtime.
pub(crate) fn prepare(master: &Arc<Master>, kind: Kind, user: &str) -> Run {
    Run {
        kind,
        jid: master.new_jid().as_str().to_owned(),
        user: user.to_owned(),
        opts: master.runs.opts.clone(),
        registry: master.runs.registry(kind).clone(),
        host: host(master, Handle::current(), user.to_owned()),
        quiet: false,
    }
}
