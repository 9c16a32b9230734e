//! The text of `/metrics`.

use std::time::{Instant, SystemTime};

use brine_alerts::queue::SinkReport;

use super::text::{Labels, Of, Text};
use super::{Asks, Metrics, STATES, Signed, kinds, system};
use crate::keys::KeyState;
use crate::master::Master;

/// What is counted of alerts.
#[derive(Debug, Default)]
pub struct Beside {
    /// The sinks, and their counts.
    pub sinks: Vec<SinkReport>,
    /// Alerts by name and state, if anybody could tell in time.
    pub alerts: Vec<((String, &'static str), usize)>,
    /// Silences that stand, by kind.
    pub silences: Vec<(&'static str, usize)>,
}

const STATES_OF_KEYS: [(KeyState, &str); 4] = [
    (KeyState::Accepted, "accepted"),
    (KeyState::Pending, "pending"),
    (KeyState::Rejected, "rejected"),
    (KeyState::Denied, "denied"),
];

/// Names of alerts that have a row of their own; the others are one.
const ALERTS: usize = 200;

/// The text, as of now; `readers` is how many read events along.
pub fn page(master: &Master, readers: usize) -> String {
    let beside = master.alerts.numbers();
    let mut text = Text::default();
    text.all(
        Of::Gauge,
        "brine_build_info",
        "Which master this is.",
        [([("version", env!("CARGO_PKG_VERSION"))], 1)],
    );
    fleet(&mut text, master);
    work(&mut text, &master.metrics);
    sinks(&mut text, &beside.sinks);
    alerts(&mut text, &beside);
    text.one(Of::Gauge, "brine_event_readers", "Who reads events along over HTTP.", readers);
    disks(&mut text, master);
    text.done()
}

fn fleet(text: &mut Text, master: &Master) {
    let keys = STATES_OF_KEYS.map(|(state, name)| (name, master.keys.count(state).unwrap_or(0)));
    let up = master.presence.up();
    let accepted = keys[0].1;
    let rows = keys.map(|(name, count)| ([("state", name)], count));
    text.all(Of::Gauge, "brine_keys", "Keys of minions.", rows);
    text.one(Of::Gauge, "brine_minions_up", "Minions that are connected and have proved who they are.", up);
    text.one(
        Of::Gauge,
        "brine_minions_down",
        "Minions with an accepted key that are not connected, or have not proved who they are since the master's start.",
        accepted.saturating_sub(up),
    );
    let connections = master.presence.connections();
    text.one(Of::Gauge, "brine_connections", "Connections that wait for jobs.", connections);
}

fn work(text: &mut Text, metrics: &Metrics) {
    let rows = kinds::KINDS.iter().zip(&metrics.events).map(|(name, count)| ([("kind", *name)], count.get()));
    text.all(Of::Counter, "brine_events_total", "Events of the bus.", rows);

    let rows = Asks::NAMES.into_iter().zip(&metrics.requests).map(|(name, one)| ([("kind", name)], one));
    text.histograms("brine_request_seconds", "From a request at port 4506 to its answer.", rows);

    let rows = Signed::NAMES.into_iter().zip(&metrics.signed);
    let rows = rows.map(|(name, one)| ([("verdict", name)], one.get()));
    text.all(Of::Counter, "brine_auth_total", "Authentications, by what came of them.", rows);

    text.one(Of::Counter, "brine_jobs_total", "Jobs that were published.", metrics.jobs.get());
    text.one(Of::Counter, "brine_job_targets_total", "Minions that jobs were for.", metrics.targets.get());
    let rows = [("success", metrics.good.get()), ("failure", metrics.failed.get())];
    let rows = rows.map(|(name, count)| ([("result", name)], count));
    text.all(Of::Counter, "brine_job_returns_total", "Returns of minions.", rows);
    let (running, waits) = metrics.running.count(Instant::now());
    text.one(
        Of::Gauge,
        "brine_jobs_running",
        "Jobs of the last hour that have not been answered by all.",
        running,
    );
    text.one(Of::Gauge, "brine_job_returns_awaited", "Answers that these jobs wait for.", waits);
    text.histograms(
        "brine_job_return_seconds",
        "From a job's publication to a minion's return.",
        [(&[] as Labels<'_>, &metrics.answers)],
    );
    let rows = ["success", "failure"].into_iter().zip(&metrics.runs);
    let rows = rows.map(|(name, one)| ([("result", name)], one.get()));
    text.all(Of::Counter, "brine_state_runs_total", "Runs of states.", rows);
    let rows = STATES.into_iter().zip(&metrics.states).map(|(name, one)| ([("result", name)], one.get()));
    text.all(Of::Counter, "brine_states_total", "States in returns, by what became of them.", rows);
}

fn sinks(text: &mut Text, sinks: &[SinkReport]) {
    let mut each = |of, name: &str, help: &str, value: fn(&SinkReport) -> u64| {
        let rows = sinks.iter().map(|one| ([("sink", one.sink.as_str())], value(one)));
        text.all(of, name, help, rows);
    };
    each(Of::Counter, "brine_sink_put_total", "Notices that a sink was to tell.", |one| one.put);
    each(Of::Counter, "brine_sink_delivered_total", "Notices that its receiver has.", |one| one.delivered);
    each(Of::Gauge, "brine_sink_queued", "Notices that wait.", |one| one.queued);
    each(Of::Gauge, "brine_sink_dead", "Notices that were given up.", |one| one.dead);
    each(Of::Gauge, "brine_sink_oldest_seconds", "For how long the oldest has waited.", |one| {
        let since = one.oldest.and_then(|at| SystemTime::now().duration_since(at).ok());
        since.map_or(0, |since| since.as_secs())
    });
}

fn alerts(text: &mut Text, beside: &Beside) {
    let mut shown: Vec<_> =
        beside.alerts.iter().take(ALERTS).map(|((n, s), c)| (n.as_str(), *s, *c)).collect();
    let more: usize = beside.alerts.iter().skip(ALERTS).map(|(_, count)| count).sum();
    if more > 0 {
        shown.push(("other", "other", more));
    }
    let rows = shown.iter().map(|(name, state, count)| ([("alertname", *name), ("state", *state)], *count));
    text.all(Of::Gauge, "brine_alerts", "Alerts, by name: firing, pending or suppressed.", rows);
    let of = |name: &str| {
        let named = beside.alerts.iter().filter(|((alert, _), _)| alert == name);
        named.map(|(_, count)| count).sum::<usize>()
    };
    text.one(
        Of::Gauge,
        "brine_minions_drifted",
        "Minions whose last scheduled test of states would change something.",
        of("Drift"),
    );
    text.one(
        Of::Gauge,
        "brine_minions_spooling",
        "Minions that hold more returns than they should.",
        of("SpoolGrowing"),
    );
    let rows = beside.silences.iter().map(|(kind, count)| ([("kind", *kind)], *count));
    text.all(Of::Gauge, "brine_silences", "Silences that stand.", rows);
}

fn disks(text: &mut Text, master: &Master) {
    let cachedir = &master.config.paths.cachedir;
    let stores = [
        ("jobs", cachedir.join("job_store/returns.sqlite")),
        ("alerts", cachedir.join("alerts/alerts_queue.db")),
    ];
    let rows = stores.map(|(name, path)| ([("store", name)], system::database(&path)));
    text.all(Of::Gauge, "brine_store_bytes", "What is kept on disk.", rows);
    if let Some((size, free)) = system::disk(cachedir) {
        text.one(Of::Gauge, "brine_disk_size_bytes", "The disk of the cache.", size);
        text.one(Of::Gauge, "brine_disk_free_bytes", "What is free of it.", free);
    }
    let (memory, files) = system::process();
    if let Some(memory) = memory {
        text.one(Of::Gauge, "brine_process_memory_bytes", "Memory that the master has.", memory);
    }
    if let Some(files) = files {
        text.one(Of::Gauge, "brine_process_open_files", "Files that it has open.", files);
    }
    let up = master.metrics.started.elapsed().as_secs();
    text.one(Of::Gauge, "brine_process_uptime_seconds", "For how long it has run.", up);
}
