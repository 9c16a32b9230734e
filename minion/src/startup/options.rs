//! The options of `salt-minion`: stock's names, our words.

use crate::cmdline::{Opt, Program, flag, log_level, value};

/// The command line of `salt-minion`.
pub const PROGRAM: Program = Program {
    name: "salt-minion",
    usage: "[options]",
    about: "The Salt minion: obeys a master from afar.",
    options: OPTIONS,
};

#[rustfmt::skip]
const OPTIONS: &[Opt] = &[
    flag(&["--version"], "version", "Print the version and exit."),
    flag(&["-V", "--versions-report"], "versions_report", "Print this version and the Salt version it is compatible with."),
    flag(&["-h", "--help"], "help", "Print this page and exit."),
    value(&["--saltfile"], "saltfile", "FILE", "Accepted for compatibility; Saltfiles are not read."),
    value(&["-c", "--config-dir"], "config_dir", "DIR", "Read the configuration from this directory (/etc/salt)."),
    value(&["-u", "--user"], "user", "USER", "Run as this user."),
    flag(&["-d", "--daemon"], "daemon", "Run in the background."),
    value(&["--pid-file"], "pidfile", "FILE", "Write the process id to this file."),
    flag(&["--disable-keepalive"], "disable_keepalive", "Accepted for compatibility; there is no parent that restarts the minion."),
    log_level(&["-l", "--log-level"], "log_level", "Log to the terminal from this level on."),
    value(&["--log-file"], "log_file", "FILE", "Log to this file."),
    log_level(&["--log-file-level"], "log_level_logfile", "Log to the file from this level on."),
];
