//! The command line of `salt-master`: stock's options, and nothing that happens after they are read.

use std::path::PathBuf;

use brine_core::Map;
use brine_core::cmdline::{LOGGING, Opt, PAGES, Parsed, Program, Section, flag, parse, value};
use brine_render::saltfile;

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
    /// Further options of the Saltfile.
    pub more: Map,
}

/// A command line that ends the program at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Early {
    /// Help or version, for stdout.
    Text(String),
    /// What is wrong with it, for stderr.
    Wrong(String),
}

const PROGRAM: Program = Program {
    name: "salt-master",
    usage: "[options]",
    about: "The Salt master: commands minions.",
    sections: &[PAGES, Section { title: "Options", options: OPTIONS }, LOGGING],
    exits: &[
        (0, "Ended in order, or serves in the background."),
        (1, "Cannot run."),
        (64, "The command line is wrong."),
    ],
};

#[rustfmt::skip]
const OPTIONS: &[Opt] = &[
    value(&["--saltfile"], "saltfile", "FILE", "Take options that are not given from this YAML file; default: SALT_SALTFILE, ./Saltfile, ~/.salt/Saltfile."),
    value(&["-c", "--config-dir"], "config_dir", "DIR", "Read the configuration from this directory (/etc/salt)."),
    value(&["-u", "--user"], "user", "USER", "Run as this user."),
    flag(&["-d", "--daemon"], "daemon", "Run in the background; returns when the master serves."),
    value(&["--pid-file"], "pidfile", "FILE", "Write the process id to this file (/var/run/salt-master.pid)."),
    flag(&["--disable-keepalive"], "disable_keepalive", "Accepted for compatibility; there is no parent that restarts the master."),
];

impl Args {
    /// Reads the arguments, without the program's name.
    ///
    /// # Errors
    /// What to print instead of starting.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, Early> {
        let mut line: Parsed =
            parse(&PROGRAM, words).map_err(|said| Early::Wrong(PROGRAM.usage_error(&said)))?;
        if let Some(text) = PROGRAM.page(&line, brine_core::COMPAT_VERSION_LINE) {
            return Err(Early::Text(text));
        }
        let more = saltfile::fill(&PROGRAM, &mut line)
            .map_err(|e| Early::Wrong(PROGRAM.usage_error(&e.to_string())))?;
        let get = |dest: &str| line.get(dest).map(str::to_owned);
        Ok(Self {
            config_dir: get("config_dir").map(PathBuf::from),
            user: get("user"),
            daemon: line.has("daemon"),
            pid_file: get("pidfile"),
            log_level: get("log_level"),
            log_file: get("log_file"),
            log_file_level: get("log_level_logfile"),
            more,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Args, Early> {
        Args::parse(args.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn the_table_is_sound() {
        assert_eq!(PROGRAM.faults(), Vec::<String>::new());
    }

    #[test]
    fn options_are_stocks() {
        let args = read(&["-c", "/c", "-u", "salt", "-d", "-l", "debug", "--pid-file=/p"]).unwrap();
        assert_eq!(args.config_dir, Some("/c".into()));
        assert_eq!((args.user.as_deref(), args.log_level.as_deref()), (Some("salt"), Some("debug")));
        assert!(args.daemon && args.pid_file.as_deref() == Some("/p"));
        assert!(matches!(read(&["-l", "loud"]), Err(Early::Wrong(_))));
        let usage = "Usage: salt-master [options]\n\nsalt-master: error: no such option: --no-such\n";
        assert_eq!(read(&["--no-such"]), Err(Early::Wrong(usage.into())));
        let version = format!("salt-master {}\n", brine_core::COMPAT_VERSION_LINE);
        assert_eq!(read(&["--version"]), Err(Early::Text(version)));
    }
}
