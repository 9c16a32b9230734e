//! The options of `salt-run`.

use crate::options::{CONFIG, EAUTH, OUTPUT};
use brine_core::cmdline::{LOGGING, Opt, PAGES, Program, Section, flag, int_value, value};

/// The command line of `salt-run`.
pub const PROGRAM: Program = Program {
    name: "salt-run",
    usage: "[options] <function> [arguments]",
    about: "Runs functions of the master itself: looks at jobs, asks who is there, watches events.",
    sections: &[
        PAGES,
        CONFIG,
        Section { title: "Running", options: RUNNING },
        EAUTH,
        OUTPUT,
        Section { title: "More output", options: MORE_OUTPUT },
        LOGGING,
    ],
    exits: &[
        (0, "The function has run, whatever it returned; also if there is no such function, as in stock."),
        (1, "The function failed, or the master could not be asked."),
        (64, "The command line is wrong."),
        (67, "The configured user is another one, and cannot be switched to."),
    ],
};

#[rustfmt::skip]
const RUNNING: &[Opt] = &[
    flag(&["-d", "--doc", "--documentation"], "doc", "Print the documentation of a function or of all functions of a module; default: of all."),
    flag(&["--async"], "async", "Have the master run the function, and do not wait for the result."),
    int_value(&["-t", "--timeout"], "timeout", "SECONDS", "How long functions wait for minions before they ask who still works; default: 5."),
    value(&["--jid"], "jid", "JID", "Use this id for the run."),
    value(&["--no-parse"], "no_parse", "NAMES", "Take the values of these keyword arguments, separated by commas, as text."),
    flag(&["--args-stdin"], "args_stdin", "Read further arguments from standard input, one a line."),
    flag(&["--skip-grains"], "skip_grains", "Collect no grains for salt.cmd."),
    flag(&["--enable-profiling"], "profiling_enabled", "Accepted for compatibility: it is a tool for Python programs."),
    value(&["--profiling-path"], "profiling_path", "DIR", "Accepted for compatibility: it is a tool for Python programs."),
];

#[rustfmt::skip]
const MORE_OUTPUT: &[Opt] = &[
    flag(&["--quiet"], "quiet", "Do not print the result."),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_sound() {
        assert_eq!(super::PROGRAM.faults(), Vec::<String>::new());
    }
}
