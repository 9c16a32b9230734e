//! The program `salt-master` from its first argument to its exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use brine_core::Opts;
use brine_core::options::Daemon;
use brine_render::config::{FoundId, config_file, master_config, process_env};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Args;
use crate::config::Config;
use crate::daemon::{Running, StartError, prepare};
use crate::start::{Background, detach_if_child, notify_ready};

/// Runs the program.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::parse(args) {
        Ok(args) => args,
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2));
        }
    };
    let background = detach_if_child();
    if args.daemon && background == Background::No {
        return match Background::start() {
            Ok(code) => ExitCode::from(code),
            Err(e) => fail(&format!("cannot start in the background: {e}"), 1),
        };
    }
    let (opts, warnings) = match read_options(&args) {
        Ok(read) => read,
        Err(e) => return fail(&e, 1),
    };
    init_log(&opts);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let config = match Config::from_opts(opts) {
        Ok(config) => config,
        Err(e) => return fail(&e.to_string(), 1),
    };
    match run(config, background) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&format!("The Salt Master does not start: {e}"), e.exit_code()),
    }
}

fn fail(message: &str, code: u8) -> ExitCode {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{message}");
    ExitCode::from(code)
}

/// The options of the file, with those of the command line over them.
fn read_options(args: &Args) -> Result<(Opts, Vec<String>), String> {
    let path = config_file(Daemon::Master, args.config_dir.as_deref());
    let host = |_: &Opts| {
        let name = nix::unistd::gethostname().map_err(|e| e.to_string())?;
        let id = name.into_string().map_err(|_| "the host's name is not text".to_owned())?;
        Ok(FoundId { id, is_address: false })
    };
    let loaded = master_config(&path, &process_env, &host).map_err(|e| e.to_string())?;
    let mut opts = loaded.opts;
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
    Ok((opts, loaded.warnings))
}

fn init_log(opts: &Opts) {
    let level = match opts.str("log_level") {
        "quiet" => tracing::level_filters::LevelFilter::OFF,
        "all" | "garbage" | "trace" => tracing::level_filters::LevelFilter::TRACE,
        "debug" | "profile" => tracing::level_filters::LevelFilter::DEBUG,
        "info" => tracing::level_filters::LevelFilter::INFO,
        "error" | "critical" => tracing::level_filters::LevelFilter::ERROR,
        _ => tracing::level_filters::LevelFilter::WARN,
    };
    let _ = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).try_init();
}

fn run(config: Config, background: Background) -> Result<(), StartError> {
    tracing::info!("Setting up the Salt Master");
    prepare(&config)?;
    let pidfile = config.paths.pidfile.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| StartError::Io { path: "tokio".into(), source })?;
    let result = runtime.block_on(async {
        let io = |source| StartError::Io { path: "signals".into(), source };
        let mut term = signal(SignalKind::terminate()).map_err(io)?;
        let mut int = signal(SignalKind::interrupt()).map_err(io)?;
        let mut hup = signal(SignalKind::hangup()).map_err(io)?;
        let running = Running::start(config)?;
        tracing::info!("The Salt Master serves on {} and {}", running.publish_addr, running.request_addr);
        background.ready().map_err(io)?;
        notify_ready();
        loop {
            tokio::select! {
                _ = term.recv() => break,
                _ = int.recv() => break,
                _ = hup.recv() => {}
            }
        }
        tracing::warn!("The Salt Master is shutting down");
        running.stop().await;
        Ok(())
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    let _ = std::fs::remove_file(pidfile);
    result
}
