//! The options of `salt-call`: stock's names, our words.

use crate::cmdline::{LOGGING, Opt, PAGES, Program, Section, flag, int_value, value};

/// The command line of `salt-call`.
pub(super) const PROGRAM: Program = Program {
    name: "salt-call",
    usage: "[options] <function> [arguments]",
    about: "Runs one execution function on this machine, as its Salt minion would.",
    sections: &[PAGES, Section { title: "Options", options: OPTIONS }, LOGGING],
    exits: &[
        (0, "The function has returned; with --retcode-passthrough, the function's own return code instead."),
        (1, "It failed, or the master refuses this minion."),
        (64, "The command line is wrong."),
    ],
};

#[rustfmt::skip]
const OPTIONS: &[Opt] = &[
    value(&["--saltfile"], "saltfile", "FILE", "Take options that are not given from this YAML file; default: SALT_SALTFILE, ./Saltfile, ~/.salt/Saltfile."),
    value(&["-c", "--config-dir"], "config_dir", "DIR", "Read the configuration from this directory (/etc/salt)."),
    value(&["--proxyid"], "proxyid", "ID", "Not supported: there are no proxy minions."),
    flag(&["-r", "--resources"], "resources", "Not supported: 3008's resources.").whole(),
    value(&["--tgt"], "resources_tgt", "TARGET", "Not supported: 3008's resources.").whole(),
    value(&["--tgt-type"], "resources_tgt_type", "TYPE", "Not supported: 3008's resources.").whole(),
    value(&["--module-executors"], "module_executors", "LIST", "Executors to run the function with; direct_call is the only one."),
    value(&["--executor-opts"], "executor_opts", "OPTIONS", "Options of the executor; direct_call has none."),
    value(&["--cachedir"], "cachedir", "DIR", "Use this cache directory."),
    flag(&["--args-stdin"], "args_stdin", "Read further arguments from stdin, one a line."),
    flag(&["--hard-crash"], "hard_crash", "Accepted for compatibility; failures are always told in full."),
    value(&["--no-parse"], "no_parse", "NAMES", "Keyword arguments (with commas between) whose value stays text."),
    flag(&["-g", "--grains"], "grains_run", "Print the grains of this machine."),
    value(&["-m", "--module-dirs"], "module_dirs", "DIR", "Accepted for compatibility; Python modules are not loaded."),
    flag(&["-d", "--doc", "--documentation"], "doc", "Print the documentation of the functions that begin so."),
    value(&["--master"], "master", "HOST", "Use this master instead of the configured one."),
    value(&["--return"], "return", "RETURNERS", "Also give the result to these returners."),
    flag(&["--local"], "local", "Do without a master."),
    value(&["--file-root"], "file_root", "DIR", "Use this directory as file_roots (with --local)."),
    value(&["--pillar-root"], "pillar_root", "DIR", "Use this directory as pillar_roots (with --local)."),
    value(&["--states-dir"], "states_dir", "DIR", "Accepted for compatibility; Python states are not loaded."),
    flag(&["--retcode-passthrough"], "retcode_passthrough", "Exit with the function's return code."),
    flag(&["--metadata"], "print_metadata", "Print job id, return code and the like around the result."),
    value(&["--set-metadata"], "metadata", "DATA", "Attach this to the return."),
    value(&["--id"], "id", "ID", "Use this minion id instead of the configured one."),
    flag(&["--skip-grains"], "skip_grains", "Do not collect grains."),
    flag(&["--refresh-grains-cache"], "refresh_grains_cache", "Accepted for compatibility; grains are always collected afresh."),
    flag(&["--no-return-event"], "no_return_event", "Do not send the result to the master."),
    int_value(&["-t", "--timeout"], "auth_timeout", "SECONDS", "Wait so long for the master (60)."),
    flag(&["--no-progress"], "no_progress", "Own option: do not show on a terminal which state is run now."),
    flag(&["--output-diff"], "state_output_diff", "Report only the states that changed something."),
    value(&["--priv"], "user", "USER", "Run as this user."),
    value(&["--out", "--output"], "output", "OUTPUTTER", "Print with this outputter."),
    value(&["--out-indent", "--output-indent"], "output_indent", "SPACES", "Indent by so many spaces; negative: not at all."),
    value(&["--out-file", "--output-file"], "output_file", "FILE", "Write the output to this file."),
    flag(&["--out-file-append", "--output-file-append"], "output_file_append", "Append to that file."),
    flag(&["--no-color", "--no-colour"], "no_color", "No colours."),
    flag(&["--force-color", "--force-colour"], "force_color", "Colours even where the output is no terminal."),
    value(&["--state-output", "--state_output"], "state_output", "MODE", "full, terse, mixed, changes or filter."),
    value(&["--state-verbose", "--state_verbose"], "state_verbose", "BOOL", "Whether to show states without changes."),
    value(&["--profiling-path"], "profiling_path", "DIR", "Accepted for compatibility; there is no Python profile."),
    flag(&["--enable-profiling"], "profiling_enabled", "Accepted for compatibility; there is no Python profile."),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_sound() {
        assert_eq!(super::PROGRAM.faults(), Vec::<String>::new());
    }
}
