//! `salt-minion`: from the command line to the last goodbye.

pub mod attached;
mod beacons;
mod bus;
mod cut_off;
pub mod deliver;
pub mod exit;
mod failover;
mod give_back;
mod master;
mod mine;
mod netwatch;
mod periodic;
mod publish;
mod schedule;
mod signals;
mod startup_job;
pub mod state;
mod wait;

use crate::chance;
use crate::cmdline::{self, Parsed};
use crate::connect::address::{self, Masters};
use crate::connect::link::MasterLink;
use crate::connect::settings::{LinkSettings, seconds};
use crate::identity::pki::Pki;
use crate::jobs::proc_files::ProcDir;
use crate::jobs::recent::Recent;
use crate::jobs::runner::Runner;
use crate::jobs::table::JobTable;
use crate::modules_in_force::registry;
use crate::spool::Spool;
use crate::startup::config::{Settled, given, settle};
use crate::startup::options::PROGRAM;
use crate::startup::pidfile::PidFile;
use crate::startup::{self, directories, log, notify};
use attached::Attached;
use brine_core::user;
use brine_core::{Map, Opts};
use brine_protocol::ids::MinionId;
use brine_render::saltfile::{self, SaltfileError};
use deliver::{Deliverer, DeliverySettings};
use exit::Exit;
use parking_lot::{Mutex, RwLock};
use state::Minion;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Why the daemon does not start, with its exit code.
struct Failed(String, u8);

impl<E: std::error::Error> From<E> for Failed {
    fn from(e: E) -> Self {
        Failed(e.to_string(), 1)
    }
}

/// Runs the program on these words (without its own name). Returns the exit code.
pub fn main(words: impl IntoIterator<Item = String>) -> u8 {
    let mut line = match cmdline::parse(&PROGRAM, words) {
        Ok(line) => line,
        Err(message) => {
            eprint!("{}", PROGRAM.usage_error(&message));
            return cmdline::EX_USAGE;
        }
    };
    if let Some(text) = PROGRAM.page(&line, &startup::version_text()) {
        let _ = io::stdout().write_all(text.as_bytes());
        return 0;
    }
    let more = match saltfile::fill(&PROGRAM, &mut line) {
        Ok(more) => more,
        Err(SaltfileError::Wrong(text)) => {
            eprint!("{}", PROGRAM.usage_error(&text));
            return cmdline::EX_USAGE;
        }
        Err(e) => {
            eprintln!("{e}");
            return 1;
        }
    };
    match start(&line, more) {
        Ok(exit) => exit.code(),
        Err(Failed(text, code)) => {
            // Before there is a log, stderr is all there is.
            if tracing::dispatcher::has_been_set() {
                tracing::error!("{text}");
            } else {
                eprintln!("{text}");
            }
            code
        }
    }
}

/// `more` are options of the Saltfile, above the files and below the command line.
fn start(line: &Parsed, more: Map) -> Result<Exit, Failed> {
    let mut over = more;
    over.update(given(line, &["log_file", "log_level", "log_level_logfile", "pidfile", "user"], &["daemon"]));
    over.insert("__cli", "salt-minion");
    let Settled { opts, id, findings } = settle(line, over, true)?;
    if opts.get("verify_env").is_none_or(brine_core::Value::truthy) {
        directories::prepare(&opts, &directories::of_daemon(&opts))?;
        directories::prepare_log_file(&opts);
    }
    let masters = address::masters(&opts).map_err(|e| Failed(e.to_string(), 42))?;
    let pidfile = PidFile::claim(&opts.path("pidfile"))?;
    if line.has("daemon") {
        // Before there is any thread: only this one goes on in the child.
        nix::unistd::daemon(false, false).map_err(io::Error::from)?;
        pidfile.write();
    }
    user::become_user(opts.str("user")).map_err(|e| Failed(e.to_string(), user::EX_NOUSER))?;
    log::start(&opts, !line.has("daemon"));
    findings.log();
    tracing::info!("Setting up the Salt Minion \"{id}\"");
    let pki = Pki::open(&opts)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let exit = runtime.block_on(run(opts, id, pki, masters))?;
    // Threads of jobs that do not end are left behind; their programs are dead by now.
    runtime.shutdown_timeout(Duration::from_millis(200));
    drop(pidfile);
    Ok(exit)
}

async fn run(opts: Opts, id: MinionId, pki: Pki, masters: Masters) -> Result<Exit, Failed> {
    let mut signals = signals::Signals::new()?;
    let cachedir = opts.path("cachedir");
    let proc = ProcDir::open(&cachedir)?;
    let spool = Spool::open(&cachedir.join("spool"), &pki.dir().join("minion_spool.key"), spool_size(&opts))?;
    cut_off::note(&opts, id.as_str(), &proc, &spool);
    let table = JobTable::new(proc);
    let at_once = match &masters {
        Masters::Hot(list) => list.clone(),
        Masters::Failover(_) | Masters::Disabled => Vec::new(),
    };
    let (exit, mut exits) = mpsc::unbounded_channel();
    let most_jids = opts.int("minion_jid_queue_hwm").and_then(|n| usize::try_from(n).ok()).unwrap_or(100);
    let opts = Arc::new(opts);
    // Grains cost some time, and nothing else needs to wait for them but what a link is made with.
    let for_grains = opts.clone();
    let grains = tokio::task::spawn_blocking(move || brine_modules::grains(&for_grains)).await?;
    let minion = Arc::new(Minion {
        runner: Runner::new(table.clone(), opts.int("process_count_max")),
        registry: RwLock::new(Arc::new(registry(&opts))),
        trees: crate::local_tree::Trees::new(&opts),
        deliverer: Deliverer::start(Arc::new(spool), DeliverySettings::new(&opts, at_once)),
        grains: RwLock::new(Arc::new(grains)),
        startup_jobs: Mutex::default(),
        schedule: schedule::Scheduler::new(&opts),
        beacons: beacons::Watcher::new(&opts),
        recent: Mutex::new(Recent::new(most_jids)),
        handle: tokio::runtime::Handle::current(),
        pki: Arc::new(pki),
        attached: Mutex::default(),
        bus: Mutex::default(),
        table,
        exit,
        opts,
        id,
    });
    if let Err(e) = bus::open(&minion) {
        // Programs beside the minion cannot reach it then; its masters can.
        tracing::error!("the local event bus cannot be opened: {e}");
    }
    refuse_what_is_missing(&minion.opts);
    let delay = chance::between(Duration::ZERO, seconds(&minion.opts, "random_startup_delay", 0.0));
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        asked = signals.end() => return Ok(asked),
    }
    // Otherwise the schedule begins when the first master is ready.
    if minion.opts.flag("scheduler_before_connect") || matches!(masters, Masters::Disabled) {
        minion.schedule.begin();
    }
    tokio::spawn(schedule::serve(minion.clone()));
    if minion.opts.flag("beacons_before_connect") || matches!(masters, Masters::Disabled) {
        minion.beacons.begin();
    }
    tokio::spawn(beacons::serve(minion.clone()));
    match masters {
        Masters::Hot(list) => {
            for name in list {
                let attached = attach(&minion, &name)?;
                minion.attached.lock().push(attached.clone());
                tokio::spawn(master::serve(attached));
            }
        }
        Masters::Failover(list) => drop(tokio::spawn(failover::serve(minion.clone(), list))),
        Masters::Disabled => tracing::warn!("Master is set to disable, skipping connection"),
    }
    netwatch::start(&minion);
    periodic::start(&minion);
    give_back::start(&minion);
    notify::ready();
    let exit = loop {
        tokio::select! {
            signal = signals.next() => match signal {
                signals::Asked::End => break Exit::Asked,
                signals::Asked::Nothing => {}
            },
            Some(exit) = exits.recv() => break exit,
        }
    };
    end(&minion).await;
    Ok(exit)
}

/// Options that ask for what this minion cannot do are not passed over in silence.
fn refuse_what_is_missing(opts: &Opts) {
    if opts.flag("engines") {
        tracing::error!("option engines has no effect: engines run on masters only");
    }
}

fn attach(minion: &Arc<Minion>, master: &str) -> Result<Arc<Attached>, Failed> {
    let settings = LinkSettings::new(master, &minion.id, &minion.opts, &minion.grains())?;
    let link = Arc::new(MasterLink::new(settings, minion.pki.clone()));
    Ok(Arc::new(Attached::new(minion.clone(), link)))
}

/// `spool_max_size` in bytes.
fn spool_size(opts: &Opts) -> u64 {
    opts.int("spool_max_size").and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0).unwrap_or(256 << 20)
}

/// An orderly end: no new jobs, running ones and their programs stopped.
async fn end(minion: &Arc<Minion>) {
    tracing::info!("The Salt Minion is shutting down");
    minion.runner.clear_queue();
    for signal in [nix::sys::signal::SIGTERM, nix::sys::signal::SIGKILL] {
        minion.table.signal_all(signal);
        let deadline = tokio::time::Instant::now() + Duration::from_millis(500);
        while minion.table.owes() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    // Returns that just came in get a moment; the others are in the spool.
    let deadline = tokio::time::Instant::now() + Duration::from_millis(500);
    while minion.deliverer.pending() > 0 && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn the_spool_is_bounded_by_its_option() {
        assert_eq!(spool_size(&Opts::new(map! {"spool_max_size" => 1000})), 1000);
        assert_eq!(spool_size(&Opts::default()), 256 << 20);
    }
}
