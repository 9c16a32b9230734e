//! The options of `salt`.

use crate::options::{CONFIG, DELIMITER, EAUTH, EXITS, MORE_TARGETS, OUTPUT, TARGET};
use brine_core::cmdline::{LOGGING, Opt, PAGES, Program, Section, flag, float_value, int_value, off, value};

/// The command line of `salt`.
pub const PROGRAM: Program = Program {
    name: "salt",
    usage: "[options] '<target>' <function> [arguments]",
    about: "Runs a function on minions and shows what they return.",
    sections: &[
        PAGES,
        CONFIG,
        TARGET,
        MORE_TARGETS,
        DELIMITER,
        Section { title: "The job", options: JOB },
        Section { title: "Waiting and showing", options: WAITING },
        Section { title: "Batches", options: BATCHES },
        EAUTH,
        OUTPUT,
        LOGGING,
    ],
    exits: EXITS,
};

#[rustfmt::skip]
const JOB: &[Opt] = &[
    flag(&["-d", "--doc", "--documentation"], "doc", "Show the documentation of a function or a module; default: of all."),
    flag(&["--args-stdin"], "args_stdin", "Read more options and arguments from standard input, one a line."),
    value(&["--args-separator"], "args_separator", "TEXT", "What separates the arguments of compound commands; default: a comma."),
    value(&["--no-parse"], "no_parse", "NAMES", "Arguments NAME=VALUE whose value stays text, separated by commas."),
    value(&["--return"], "return", "RETURNER", "Returners that the minions use beside the master."),
    value(&["--return_config"], "return_config", "NAME", "Which configuration of the returners to use."),
    value(&["--return_kwargs"], "return_kwargs", "DATA", "Options of the returners, as YAML."),
    value(&["--metadata"], "metadata", "DATA", "Data that is kept with the job, as YAML."),
    value(&["--module-executors"], "module_executors", "LIST", "Executors instead of the configured ones, as YAML."),
    value(&["--executor-opts"], "executor_opts", "DATA", "Options of the executors, as YAML."),
    int_value(&["--subset"], "subset", "N", "Run on so many of the minions that have the function, chosen by chance."),
    flag(&["--preview-target"], "preview_target", "Show which minions the target means; nothing is sent."),
    flag(&["--config-dump"], "config_dump", "Print the master's configuration."),
];

#[rustfmt::skip]
const WAITING: &[Opt] = &[
    int_value(&["-t", "--timeout"], "timeout", "SECONDS", "How long to wait before asking who still works on the job; default: 5."),
    int_value(&["--gather-job-timeout"], "gather_job_timeout", "SECONDS", "How long minions have to say whether they still work on the job; default: 10.").whole(),
    flag(&["--async"], "async", "Send the job, print its id, and do not wait."),
    flag(&["--start-event"], "start_event", "Have the minions tell the event bus when they begin the job.").whole(),
    flag(&["-s", "--static"], "static", "Print all returns as one group at the end."),
    flag(&["-p", "--progress"], "progress", "Show a bar of how many have returned."),
    flag(&["--show-jid"], "show_jid", "Print the id of the job first."),
    flag(&["-v", "--verbose"], "verbose", "Print the id of the job and what happens."),
    flag(&["--show-timeout"], "show_timeout", "Show minions that do not answer (the default).").whole(),
    off(&["--hide-timeout"], "show_timeout", "Do not show minions that do not answer."),
    flag(&["--summary"], "cli_summary", "Print a summary at the end."),
    flag(&["--output-diff"], "state_output_diff", "Print only states that changed something."),
];

#[rustfmt::skip]
const BATCHES: &[Opt] = &[
    value(&["-b", "--batch", "--batch-size"], "batch", "N", "Run on so many minions at a time: a number, or a part as 10%."),
    float_value(&["--batch-wait"], "batch_wait", "SECONDS", "Wait so long after a minion's return before the next one takes its place."),
    int_value(&["--batch-safe-limit"], "batch_safe_limit", "N", "Run in batches if the target means so many minions or more."),
    value(&["--batch-safe-size"], "batch_safe_size", "N", "The size of those batches; default: 8."),
    flag(&["--failhard"], "failhard", "End a batch run at the first failure."),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_sound() {
        assert_eq!(super::PROGRAM.faults(), Vec::<String>::new());
    }
}
