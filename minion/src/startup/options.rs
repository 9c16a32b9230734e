//! The options of `salt-minion`: stock's names, our words.

use crate::cmdline::{LOGGING, Opt, PAGES, Program, Section, flag, value};

/// The command line of `salt-minion`.
pub const PROGRAM: Program = Program {
    name: "salt-minion",
    usage: "[options]",
    about: "The Salt minion: obeys a master from afar.",
    sections: &[PAGES, Section { title: "Options", options: OPTIONS }, LOGGING],
    exits: &[
        (0, "Ended in order."),
        (1, "Cannot run."),
        (64, "The command line is wrong."),
        (77, "The master has rejected the key."),
    ],
};

#[rustfmt::skip]
const OPTIONS: &[Opt] = &[
    value(&["--saltfile"], "saltfile", "FILE", "Take options that are not given from this YAML file; default: SALT_SALTFILE, ./Saltfile, ~/.salt/Saltfile."),
    value(&["-c", "--config-dir"], "config_dir", "DIR", "Read the configuration from this directory (/etc/salt)."),
    value(&["-u", "--user"], "user", "USER", "Run as this user."),
    flag(&["-d", "--daemon"], "daemon", "Run in the background."),
    value(&["--pid-file"], "pidfile", "FILE", "Write the process id to this file."),
    flag(&["--disable-keepalive"], "disable_keepalive", "Accepted for compatibility; there is no parent that restarts the minion."),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_sound() {
        assert_eq!(super::PROGRAM.faults(), Vec::<String>::new());
    }
}
