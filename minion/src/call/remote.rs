//! `salt-call`'s own connection to the master: it signs in as the minion, gets pillar, and gives the result back.

use super::failure::Failure;
use crate::connect::address::{self, Masters};
use crate::connect::link::{AuthError, MasterLink};
use crate::connect::pillar::{self, PillarWish};
use crate::connect::settings::{LinkSettings, tries};
use crate::identity::pki::Pki;
use brine_core::call::{CallError, Result as CallResult};
use brine_core::{Map, Opts};
use brine_files::{Channel, Coming};
use brine_protocol::ids::MinionId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// What a minion sends before it has been accepted gets this, on stdout as in stock.
const NOT_ACCEPTED: &str =
    "Minion failed to authenticate with the master, has the minion key been accepted?\n";

/// A connection to one master, with a small runtime of its own.
pub(super) struct Remote {
    runtime: Arc<Mutex<Runtime>>,
    link: Arc<MasterLink>,
    request_timeout: Duration,
    request_tries: u32,
    grains: Arc<Map>,
    opts: Opts,
}

impl Remote {
    /// Signs in to the first master that lets us.
    pub(super) fn connect(opts: &Opts, id: &MinionId, grains: &Arc<Map>) -> Result<Self, Failure> {
        let masters = match address::masters(opts).map_err(|e| Failure::new(format!("{e}\n"), 42))? {
            Masters::Hot(list) | Masters::Failover(list) => list,
            Masters::Disabled => Vec::new(),
        };
        let pki = Arc::new(Pki::open(opts).map_err(Failure::text)?);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::text)?;
        let mut last = Failure::text("No master could be resolved");
        for master in &masters {
            let mut settings = LinkSettings::new(master, id, opts, grains).map_err(Failure::text)?;
            settings.req_options.keep_warm = false;
            let link = {
                let _inside = runtime.enter();
                MasterLink::new(settings, pki.clone())
            };
            match runtime.block_on(link.sign_in(0)) {
                Ok(_) => {
                    let request_timeout =
                        crate::connect::settings::seconds(opts, "request_channel_timeout", 60.0);
                    return Ok(Self {
                        runtime: Arc::new(Mutex::new(runtime)),
                        link: Arc::new(link),
                        request_timeout,
                        request_tries: tries(opts, "request_channel_tries", 3),
                        grains: grains.clone(),
                        opts: opts.clone(),
                    });
                }
                Err(e) => last = auth_failure(&e, masters.len() > 1),
            }
        }
        Err(last)
    }

    /// The master that let us in.
    pub(super) fn master(&self) -> &str {
        self.link.name()
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        lock(&self.runtime).block_on(future)
    }

    /// This minion's pillar.
    pub(super) fn pillar(&self, opts: &Opts, grains: &Map, over: Option<Map>) -> Result<Map, Failure> {
        let load = pillar::load(opts, grains, PillarWish { over, ..PillarWish::default() });
        self.wait(pillar::compile(&self.link, &load, self.request_timeout, 3)).map_err(Failure::text)
    }

    /// Gives a return to the master. That it cannot be given is no failure of the call, as in stock.
    pub(super) fn give_back(&self, load: &Map) {
        if let Err(e) = self.wait(self.link.request(load, self.request_timeout, 3)) {
            tracing::error!("the result could not be given to the master: {e}");
        }
    }
}

fn auth_failure(error: &AuthError, several: bool) -> Failure {
    match error {
        AuthError::Pending if !several => {
            super::print(NOT_ACCEPTED);
            Failure::new(String::new(), 2)
        }
        AuthError::Pending => Failure::text(NOT_ACCEPTED.trim_end()),
        // Stock's EX_NOPERM.
        AuthError::Rejected { .. } => Failure::new(format!("{error}\n"), 77),
        AuthError::MasterKey(_) => Failure::new(format!("{error}\n"), 42),
        AuthError::NoAnswer(_) => {
            tracing::debug!("{error}");
            Failure::text("Attempt to authenticate with the salt master failed with timeout error")
        }
        _ => Failure::text(error),
    }
}

impl Remote {
    /// Sends a command for a running call.
    pub(super) fn request(&self, load: &Map, timeout: Duration) -> CallResult {
        self.wait(self.link.request(load, timeout, 1)).map_err(|e| CallError::Client(e.to_string()))
    }

    /// Pillar for a running call.
    pub(super) fn compile(&self, wish: PillarWish) -> CallResult<Map> {
        let load = pillar::load(&self.opts, &self.grains, wish);
        self.wait(pillar::compile(&self.link, &load, self.request_timeout, 3))
            .map_err(|e| CallError::Client(e.to_string()))
    }
}

fn lock(runtime: &Mutex<Runtime>) -> MutexGuard<'_, Runtime> {
    runtime.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Channel for Remote {
    fn ask(&self, load: Map) -> CallResult {
        self.wait(self.link.request(&load, self.request_timeout, self.request_tries))
            .map_err(|e| CallError::Client(e.to_string()))
    }

    /// It is sent, and answered, while another answer is waited for.
    fn begin(&self, load: Map) -> Option<Coming> {
        let (link, timeout, tries) = (self.link.clone(), self.request_timeout, self.request_tries);
        let told = lock(&self.runtime).spawn(async move {
            let answer = link.request(&load, timeout, tries).await;
            (Instant::now(), answer.map_err(|e| CallError::Client(e.to_string())))
        });
        let runtime = self.runtime.clone();
        Some(Box::new(move || {
            let failed = |e: tokio::task::JoinError| (Instant::now(), Err(CallError::Client(e.to_string())));
            lock(&runtime).block_on(told).unwrap_or_else(failed)
        }))
    }
}
