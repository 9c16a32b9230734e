//! How every command begins: command line, page or configuration, Saltfile, log. What it then works with is one map of
//! options, in which the command line stands above the Saltfile, and that above the configuration files.

use crate::exit::{CliError, Result};
use brine_core::Opts;
use brine_core::cmdline::{Parsed, Program, parse, parse_more};
use brine_core::log::LogConfig;
use brine_core::options::Daemon;
use brine_protocol::{Map, Value};
use brine_render::config::{FoundId, Names, client_config, config_file, master_config, process_env};
use brine_render::saltfile::{self, SaltfileError};
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A command and what it was told.
pub(crate) struct Command {
    /// Its table.
    pub(crate) program: &'static Program,
    /// Its command line.
    pub(crate) line: Parsed,
    /// The options of all sources.
    pub(crate) opts: Opts,
    /// The directory of the configuration, if one was named.
    pub(crate) dir: Option<PathBuf>,
}

/// Whether a command needs the master's own id, which may take a look at name services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MasterId {
    /// It does.
    Needed,
    /// It does not.
    Unused,
}

/// What differs between the commands' starts.
pub(crate) struct Start {
    /// Whether the master's id is needed.
    pub(crate) id: MasterId,
    /// The key of the log file: `log_file` or `key_logfile`.
    pub(crate) log_file: &'static str,
}

/// Reads the command line. `words` starts with the program's name. Pages are printed and end the command with success.
pub(crate) fn read_line(program: &'static Program, words: impl Iterator<Item = OsString>) -> Result<Parsed> {
    let wrong = |e: String| CliError::Usage(program.usage_error(&e));
    let words = words.skip(1).map(|w| w.to_string_lossy().into_owned());
    let mut line = parse(program, words).map_err(wrong)?;
    if line.has("args_stdin") {
        let more =
            std::io::read_to_string(std::io::stdin()).map_err(|e| CliError::io("standard input", e))?;
        parse_more(program, more.lines().map(str::to_owned), &mut line).map_err(wrong)?;
    }
    match program.page(&line, brine_core::COMPAT_VERSION_LINE) {
        None => Ok(line),
        Some(page) => {
            let mut out = std::io::stdout().lock();
            // A reader that has gone has read enough.
            let _ = out.write_all(page.as_bytes()).and_then(|()| out.flush());
            Err(CliError::Code(0))
        }
    }
}

/// Reads the configuration that the command line points to, and sets up the log.
pub(crate) fn start(program: &'static Program, line: Parsed, how: &Start) -> Result<Command> {
    let saltfile = saltfile::read(program, &line).map_err(|e| match e {
        SaltfileError::Wrong(text) => CliError::Usage(program.usage_error(&text)),
        SaltfileError::Io { path, source } => CliError::io(path, source),
    })?;
    let dir = config_dir(&line, &saltfile);
    // Keys can be generated where there is no master.
    if let Some(dir) = dir.as_deref().filter(|d| !d.is_dir() && !line.has("gen_keys")) {
        eprintln!("WARNING: CONFIG '{}' directory does not exist.", dir.display());
    }
    let path = config_file(Daemon::Master, dir.as_deref());
    let loaded = client_config(&path, &process_env, &|_| Ok(own_id(how.id)));
    let (mut opts, findings) = loaded.map_err(|e| CliError::Config(e.to_string()))?.split();
    let map = opts.map_mut();
    map.update(saltfile);
    map.update(program.given(&line));
    let verbose = match map.get_str("state_verbose") {
        Some("True" | "true") => Some(true),
        Some("False" | "false") => Some(false),
        _ => None,
    };
    if let Some(verbose) = verbose {
        map.insert("state_verbose", verbose);
    }
    // A file without a directory is one in the working directory, for stock's writers of log files too.
    let file = line.get(how.log_file).filter(|f| !f.is_empty() && !f.contains('/')).map(|f| format!("./{f}"));
    if let Some(file) = file {
        map.insert(how.log_file, file);
    }
    start_log(&opts, how.log_file, line.has(how.log_file))?;
    findings.log();
    Ok(Command { program, line, opts, dir })
}

/// The options of the master alone, as `--config-dump` prints them.
pub(crate) fn masters_own(command: &Command) -> Result<Opts> {
    let path = config_file(Daemon::Master, command.dir.as_deref());
    let loaded = master_config(&path, &process_env, &|_| Ok(own_id(MasterId::Needed)));
    loaded.map(|l| l.opts).map_err(|e| CliError::Config(e.to_string()))
}

fn config_dir(line: &Parsed, saltfile: &Map) -> Option<PathBuf> {
    let given = line.get("config_dir").or(saltfile.get_str("config_dir"))?;
    let dir = match given.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            Path::new(&process_env("HOME").unwrap_or_default()).join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(given),
    };
    Some(std::path::absolute(&dir).unwrap_or(dir))
}

fn own_id(id: MasterId) -> FoundId {
    match id {
        MasterId::Needed => Names::of_this_machine().id(),
        MasterId::Unused => FoundId { id: "localhost".into(), is_address: false },
    }
}

/// A log file that was asked for must be there; one of the configuration may be the master's own, which users cannot
/// write: they have the console.
fn start_log(opts: &Opts, file_key: &str, asked_for: bool) -> Result {
    let mut opts = opts.clone();
    if opts.str("output") == "yaml" {
        // Log lines are comments for whoever reads both streams.
        let format = match opts.str("log_fmt_console") {
            "" => "[%(levelname)-8s] %(message)s",
            own => own,
        };
        let format = format!("# {format}");
        opts.map_mut().insert("log_fmt_console", format);
    }
    let mut log = LogConfig::from_opts(&opts, file_key, true);
    if let (Some((path, _)), false) = (&log.file, asked_for)
        && brine_core::log::LogFile::open(path).is_err()
    {
        log.file = None;
    }
    match log.init() {
        // One process runs one command; tests run several.
        Ok(()) | Err(brine_core::log::LogError::Twice) => Ok(()),
        Err(e) => Err(CliError::Config(e.to_string())),
    }
}

impl Command {
    /// Whether an option is on, wherever it comes from.
    pub(crate) fn on(&self, key: &str) -> bool {
        self.opts.flag(key)
    }

    /// The text of an option; empty if there is none.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.opts.str(key)
    }

    /// The text of an option, unless it is empty.
    pub(crate) fn some(&self, key: &str) -> Option<&str> {
        Some(self.opts.str(key)).filter(|t| !t.is_empty())
    }

    /// Whether minions that do not answer are shown.
    pub(crate) fn shows_timeout(&self) -> bool {
        self.opts.get("show_timeout").is_none_or(Value::truthy)
    }

    /// A number of seconds; `otherwise` if the option is absent or not positive.
    pub(crate) fn seconds(&self, key: &str, otherwise: f64) -> std::time::Duration {
        let n = self.opts.float(key).filter(|n| *n > 0.0).unwrap_or(otherwise);
        std::time::Duration::try_from_secs_f64(n).unwrap_or(std::time::Duration::MAX)
    }

    /// The error of a wrong command line, with usage.
    pub(crate) fn usage(&self, message: &str) -> CliError {
        CliError::Usage(self.program.usage_error(message))
    }

    /// The error of a command line that ends too early: stock prints its help first.
    pub(crate) fn incomplete(&self, message: &str) -> CliError {
        CliError::Incomplete { help: self.program.help(), message: message.to_owned() }
    }
}
