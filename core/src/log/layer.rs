//! From `tracing` events to lines.

use super::file::LogFile;
use super::format::Record;
use super::syslog::{Syslog, SyslogSender};
use super::{Level, Sink};
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// Writes events to the console and to a file or syslog.
#[derive(Debug)]
pub struct SaltLayer {
    console: Option<Sink>,
    file: Option<(Mutex<LogFile>, Sink)>,
    syslog: Option<(Mutex<SyslogSender>, Sink)>,
    /// Longest name first, so that the first hit is the nearest.
    granular: Vec<(String, Level)>,
}

/// The `jid` of a span, kept in its extensions.
struct Jid(String);

/// The `minion_id` of a span, likewise.
struct MinionId(String);

impl SaltLayer {
    pub(super) fn new(
        console: Option<Sink>,
        file: Option<(LogFile, Sink)>,
        syslog: Option<(Syslog, Sink)>,
        mut granular: Vec<(String, Level)>,
    ) -> Self {
        granular.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Self {
            console,
            file: file.map(|(file, sink)| (Mutex::new(file), sink)),
            syslog: syslog.map(|(to, sink)| (Mutex::new(SyslogSender::new(to)), sink)),
            granular,
        }
    }

    fn sinks(&self) -> impl Iterator<Item = &Sink> {
        let more = self.file.iter().map(|(_, sink)| sink).chain(self.syslog.iter().map(|(_, sink)| sink));
        self.console.iter().chain(more)
    }

    /// The level of a logger's own, if it has one.
    fn granular(&self, name: &str) -> Option<Level> {
        let within = |logger: &str| {
            name.strip_prefix(logger).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.granular.iter().find(|(logger, _)| within(logger)).map(|(_, level)| *level)
    }
}

/// Salt's name for a module of ours.
fn logger(target: &str) -> String {
    target.replacen("brine_", "salt.", 1).replace("::", ".")
}

/// The most verbose of tracing's levels that a threshold needs.
fn filter(level: Level) -> LevelFilter {
    match level {
        Level::All | Level::Garbage | Level::Trace => LevelFilter::TRACE,
        Level::Debug => LevelFilter::DEBUG,
        Level::Profile | Level::Info => LevelFilter::INFO,
        Level::Warning => LevelFilter::WARN,
        Level::Error | Level::Critical => LevelFilter::ERROR,
        Level::Quiet => LevelFilter::OFF,
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SaltLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // Spans carry the job id to events of any level.
        if metadata.is_span() {
            return true;
        }
        let own = if self.granular.is_empty() { None } else { self.granular(&logger(metadata.target())) };
        match own {
            Some(level) => *metadata.level() <= filter(level),
            None => self.sinks().any(|sink| *metadata.level() <= filter(sink.level)),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // Spans of jobs are made at level INFO at most; they must not be filtered out.
        let levels = self.sinks().map(|s| s.level).chain(self.granular.iter().map(|(_, level)| *level));
        levels.map(filter).max().map(|level| level.max(LevelFilter::INFO))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let Some(span) = context.span(id) else { return };
        if let Some(jid) = fields.jid {
            span.extensions_mut().insert(Jid(jid));
        }
        if let Some(minion_id) = fields.minion_id {
            span.extensions_mut().insert(MinionId(minion_id));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let level = if fields.critical { Level::Critical } else { Level::from(*metadata.level()) };
        let name = logger(metadata.target());
        let granular = self.granular(&name);
        let jid = fields.jid.or_else(|| {
            let mut scope = context.event_scope(event)?;
            scope.find_map(|span| span.extensions().get::<Jid>().map(|jid| jid.0.clone()))
        });
        let minion_id = fields.minion_id.or_else(|| {
            let mut scope = context.event_scope(event)?;
            scope.find_map(|span| span.extensions().get::<MinionId>().map(|id| id.0.clone()))
        });
        let message = fields.message + &fields.rest;
        let record = Record {
            time: SystemTime::now(),
            level,
            name: &name,
            file: metadata.file().unwrap_or_default(),
            line: metadata.line().unwrap_or_default(),
            message: &message,
            jid: jid.as_deref(),
            minion_id: minion_id.as_deref(),
        };
        let wanted = |sink: &Sink| level >= granular.unwrap_or(sink.level);
        // Where a log cannot be written there is nobody left to tell.
        if let Some(sink) = self.console.as_ref().filter(|sink| wanted(sink)) {
            let line = sink.format.line(&record);
            let _unwritable = crate::progress::beside(|| writeln!(std::io::stderr().lock(), "{line}"));
        }
        if let Some((file, sink)) = self.file.as_ref().filter(|(_, sink)| wanted(sink)) {
            let line = sink.format.line(&record);
            let _unwritable = file.lock().unwrap_or_else(PoisonError::into_inner).write_line(&line);
        }
        if let Some((syslog, sink)) = self.syslog.as_ref().filter(|(_, sink)| wanted(sink)) {
            let line = sink.format.line(&record);
            syslog.lock().unwrap_or_else(PoisonError::into_inner).send(level, &line);
        }
    }
}

/// The fields of an event or a span.
#[derive(Default)]
struct Fields {
    message: String,
    jid: Option<String>,
    minion_id: Option<String>,
    critical: bool,
    /// Other fields, as ` key=value`.
    rest: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "jid" => self.jid = Some(format!("{value:?}")),
            "minion_id" => self.minion_id = Some(format!("{value:?}")),
            name => {
                // Writing to a String does not fail.
                let _infallible = write!(self.rest, " {name}={value:?}");
            }
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            "jid" => self.jid = Some(value.to_owned()),
            "minion_id" => self.minion_id = Some(value.to_owned()),
            name => {
                let _infallible = write!(self.rest, " {name}={value}");
            }
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "critical" {
            self.critical = value;
        } else {
            self.record_debug(field, &value);
        }
    }
}
