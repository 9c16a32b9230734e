//! The command line of `salt-master`: stock's options, and nothing that happens after they are read.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};

/// What the command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// `-c`, `--config-dir`
    pub config_dir: Option<PathBuf>,
    /// `-u`, `--user`
    pub user: Option<String>,
    /// `-d`, `--daemon`
    pub daemon: bool,
    /// `--pid-file`
    pub pid_file: Option<String>,
    /// `-l`, `--log-level`
    pub log_level: Option<String>,
    /// `--log-file`
    pub log_file: Option<String>,
    /// `--log-file-level`
    pub log_file_level: Option<String>,
}

/// The levels stock takes.
const LEVELS: [&str; 9] =
    ["all", "garbage", "trace", "debug", "profile", "info", "warning", "error", "critical"];

fn command() -> Command {
    let text = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help);
    let levels = clap::builder::PossibleValuesParser::new(LEVELS.into_iter().chain(["quiet"]));
    Command::new("salt-master")
        .about("The Salt Master, used to control the Salt Minions")
        .version(brine_core::COMPAT_VERSION_LINE)
        .disable_version_flag(true)
        .arg(Arg::new("version").long("version").action(ArgAction::Version).help("Show the version"))
        .arg(text("config-dir", "Directory of the configuration file [default: /etc/salt]").short('c'))
        .arg(text("user", "User to run as").short('u'))
        .arg(
            Arg::new("daemon")
                .long("daemon")
                .short('d')
                .action(ArgAction::SetTrue)
                .help("Run in the background; returns when the master serves"),
        )
        .arg(text("pid-file", "Where to write the process id [default: /var/run/salt-master.pid]"))
        .arg(text("log-level", "Level of the console log").short('l').value_parser(levels.clone()))
        .arg(text("log-file", "Log file, or an address to log to [default: /var/log/salt/master]"))
        .arg(text("log-file-level", "Level of the log file").value_parser(levels))
}

impl Args {
    /// Reads the arguments, the program's name first.
    ///
    /// # Errors
    /// What to print, and whether it is an error: also for `--help` and `--version`.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let matches = command().try_get_matches_from(args)?;
        let get = |name: &str| matches.get_one::<String>(name).cloned();
        Ok(Self {
            config_dir: get("config-dir").map(PathBuf::from),
            user: get("user"),
            daemon: matches.get_flag("daemon"),
            pid_file: get("pid-file"),
            log_level: get("log-level"),
            log_file: get("log-file"),
            log_file_level: get("log-file-level"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, clap::Error> {
        Args::parse(std::iter::once("salt-master").chain(args.iter().copied()).map(Into::into))
    }

    #[test]
    fn options_are_stocks() {
        let args = parse(&["-c", "/c", "-u", "salt", "-d", "-l", "debug", "--pid-file=/p"]).unwrap();
        assert_eq!(args.config_dir, Some("/c".into()));
        assert_eq!((args.user.as_deref(), args.log_level.as_deref()), (Some("salt"), Some("debug")));
        assert!(args.daemon && args.pid_file.as_deref() == Some("/p"));
        assert!(parse(&["-l", "loud"]).is_err());
        assert!(parse(&["--no-such"]).is_err());
        let version = parse(&["--version"]).unwrap_err();
        assert_eq!(version.kind(), clap::error::ErrorKind::DisplayVersion);
        assert_eq!(version.to_string().trim(), format!("salt-master {}", brine_core::COMPAT_VERSION_LINE));
    }
}
