//! The options that every command shares. The clap tables are the documentation: help comes from them, and man
//! pages and completions will.

use clap::{Arg, ArgAction, ArgMatches, Command};

/// Adds the options every program has: configuration directory, log levels, version. `-l` is the log level where
/// the program has no better use for it.
pub fn common(cmd: Command, log_level: Option<char>) -> Command {
    let log = |arg: Arg| arg.help_heading("Logging");
    cmd.version(brine_core::COMPAT_VERSION_LINE)
        .disable_version_flag(true)
        .arg(Arg::new("version").long("version").action(ArgAction::Version).help("Print the version and exit"))
        .arg(
            Arg::new("config-dir")
                .short('c')
                .long("config-dir")
                .value_name("DIR")
                .help("The directory of the configuration files"),
        )
        .arg(log(Arg::new("log-level")
            .short(log_level)
            .long("log-level")
            .value_name("LEVEL")
            .help("What to log on the console: all, garbage, trace, debug, profile, info, warning, error, critical, quiet")))
        .arg(log(Arg::new("log-file").long("log-file").value_name("FILE").help("Where to log")))
        .arg(log(Arg::new("log-file-level").long("log-file-level").value_name("LEVEL").help("What to log there")))
}

/// Adds the options that choose how data is printed.
pub fn output_options(cmd: Command) -> Command {
    let out = |arg: Arg| arg.help_heading("Output");
    cmd.arg(out(Arg::new("out")
        .long("out")
        .visible_alias("output")
        .value_name("FORMAT")
        .help("How to print data: nested, json, yaml, txt, raw, pprint, key, quiet, ...")))
        .arg(out(Arg::new("out-indent")
            .long("out-indent")
            .visible_alias("output-indent")
            .value_name("N")
            .allow_negative_numbers(true)
            .value_parser(clap::value_parser!(i64))
            .help("Indentation of the output; negative: no line breaks where the format allows it")))
        .arg(out(Arg::new("out-file")
            .long("out-file")
            .visible_alias("output-file")
            .value_name("FILE")
            .help("Write the output to a file")))
        .arg(out(Arg::new("out-file-append")
            .long("out-file-append")
            .visible_alias("output-file-append")
            .action(ArgAction::SetTrue)
            .help("Append to that file")))
        .arg(out(Arg::new("no-color")
            .long("no-color")
            .visible_alias("no-colour")
            .action(ArgAction::SetTrue)
            .help("No colours")))
        .arg(out(Arg::new("force-color")
            .long("force-color")
            .visible_alias("force-colour")
            .action(ArgAction::SetTrue)
            .help("Colours even when the output is no terminal")))
}

/// The configuration directory that the command line names.
pub fn config_dir(m: &ArgMatches) -> Option<std::path::PathBuf> {
    m.get_one::<String>("config-dir").map(std::path::PathBuf::from)
}
