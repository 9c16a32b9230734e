//! The program `salt-master` from its first argument to its exit code.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use brine_core::Opts;
use brine_core::cmdline::EX_USAGE;
use brine_core::debug_dump::write_debug_dump;
use brine_core::log::LogConfig;
use brine_core::options::Daemon;
use brine_render::config::{Findings, Names, config_file, master_config, process_env};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Args, Early};
use crate::config::Config;
use crate::daemon::{Running, StartError, prepare};
use crate::start::{Background, detach_if_child, notify_ready};

/// Runs the program.
pub fn main(args: impl IntoIterator<Item = std::ffi::OsString>) -> ExitCode {
    let words = args.into_iter().skip(1).map(|word| word.to_string_lossy().into_owned());
    let args = match Args::parse(words) {
        Ok(args) => args,
        Err(Early::Text(text)) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(Early::Wrong(text)) => {
            let _ = std::io::stderr().write_all(text.as_bytes());
            return ExitCode::from(EX_USAGE);
        }
    };
    let background = detach_if_child();
    if args.daemon && background == Background::No {
        return match Background::start() {
            Ok(code) => ExitCode::from(code),
            Err(e) => fail(&format!("cannot start in the background: {e}"), 1),
        };
    }
    let (opts, findings) = match read_options(&args) {
        Ok(read) => read,
        Err(e) => return fail(&e, 1),
    };
    let log = LogConfig::from_opts(&opts, "log_file", background == Background::No);
    if let Err(e) = log.init() {
        return fail(&e.to_string(), 1);
    }
    findings.log();
    let log_file = log.file.map(|(path, _)| path);
    let config = match Config::from_opts(opts) {
        Ok(config) => config,
        Err(e) => return fail(&e.to_string(), 1),
    };
    match run(config, log_file, background) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&format!("The Salt Master does not start: {e}"), e.exit_code()),
    }
}

fn fail(message: &str, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{message}");
    ExitCode::from(code)
}

/// The options of the file, with those of the command line over them.
fn read_options(args: &Args) -> Result<(Opts, Findings), String> {
    let path = config_file(Daemon::Master, args.config_dir.as_deref());
    let host = |_: &Opts| Ok(Names::of_this_machine().id());
    let (mut opts, findings) = master_config(&path, &process_env, &host).map_err(|e| e.to_string())?.split();
    opts.map_mut().update(args.more.clone());
    let given = [
        ("user", &args.user),
        ("pidfile", &args.pid_file),
        ("log_level", &args.log_level),
        ("log_file", &args.log_file),
        ("log_level_logfile", &args.log_file_level),
    ];
    for (key, value) in given {
        if let Some(value) = value {
            opts.map_mut().insert(key, value.as_str());
        }
    }
    Ok((opts, findings))
}

fn run(config: Config, log_file: Option<PathBuf>, background: Background) -> Result<(), StartError> {
    tracing::info!("Setting up the Salt Master");
    if let Some(file) = log_file {
        // The log is opened as root and opened again, after it was rotated, as the user.
        crate::start::give_file(&file, &config.user);
    }
    prepare(&config)?;
    let pidfile = config.paths.pidfile.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| StartError::Io { path: "tokio".into(), source })?;
    let result = runtime.block_on(async {
        let io = |source| StartError::Io { path: "signals".into(), source };
        let mut term = signal(SignalKind::terminate()).map_err(io)?;
        let mut int = signal(SignalKind::interrupt()).map_err(io)?;
        let mut hup = signal(SignalKind::hangup()).map_err(io)?;
        let mut usr1 = signal(SignalKind::user_defined1()).map_err(io)?;
        // Switches a profiler in stock's master; there is none to switch.
        let mut usr2 = signal(SignalKind::user_defined2()).map_err(io)?;
        let running = Running::start(config)?;
        tracing::info!("The Salt Master serves on {} and {}", running.publish_addr, running.request_addr);
        background.ready().map_err(io)?;
        notify_ready();
        loop {
            tokio::select! {
                _ = term.recv() => break,
                _ = int.recv() => break,
                // The log notices by itself that its file was moved away; nothing else is read anew.
                _ = hup.recv() => tracing::info!("SIGHUP"),
                _ = usr1.recv() => write_debug_dump(),
                _ = usr2.recv() => {}
            }
        }
        tracing::warn!("The Salt Master is shutting down");
        running.stop().await;
        Ok(())
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    if std::fs::read_to_string(&pidfile).is_ok_and(|pid| pid == std::process::id().to_string()) {
        let _ = std::fs::remove_file(pidfile);
    }
    result
}
