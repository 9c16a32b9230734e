//! The options of `salt`, as one table, and the job they describe.

use crate::args::{common, output_options};
use crate::exit::{CliError, Result};
use brine_core::Opts;
use brine_protocol::{Map, Value};
use brine_render::args::{parse_input, yamlify_arg};
use clap::{Arg, ArgAction, ArgMatches, Command};

/// Target options: long name, short name, Salt's name of the target type, help.
const TARGETS: [(&str, char, &str, &str); 9] = [
    ("pcre", 'E', "pcre", "The target is a regular expression"),
    ("list", 'L', "list", "The target is a list of minion ids, separated by commas or blanks"),
    ("grain", 'G', "grain", "The target is a grain and a glob: os:Arch*"),
    ("grain-pcre", 'P', "grain_pcre", "The target is a grain and a regular expression: os:Arch.*"),
    ("nodegroup", 'N', "nodegroup", "The target is a node group of the master's configuration"),
    ("compound", 'C', "compound", "The target combines kinds: 'G@os:Debian and web* or E@db.*'"),
    ("pillar", 'I', "pillar", "The target is a pillar value and a glob: role:production*"),
    ("pillar-pcre", 'J', "pillar_pcre", "The target is a pillar value and a regular expression"),
    ("ipcidr", 'S', "ipcidr", "The target is an address or a network: 10.1.0.0/24"),
];

/// The command line of `salt`.
pub(crate) fn command() -> Command {
    let flag =
        |id: &'static str, help: &'static str| Arg::new(id).long(id).action(ArgAction::SetTrue).help(help);
    let text = |id: &'static str, name: &'static str, help: &'static str| {
        Arg::new(id).long(id).value_name(name).help(help)
    };
    let mut cmd =
        common(Command::new("salt").about("Run a function on minions and show what they return"), Some('l'))
            .override_usage("salt [options] '<target>' <function> [arguments]")
            .arg(Arg::new("words").num_args(0..).trailing_var_arg(false).hide(true))
            .arg(
                text(
                    "timeout",
                    "SECONDS",
                    "How long to wait before asking who still works on the job; default: 5",
                )
                .short('t')
                .value_parser(clap::value_parser!(u32)),
            )
            .arg(
                text(
                    "gather-job-timeout",
                    "SECONDS",
                    "How long minions have to say whether they still work on the job",
                )
                .value_parser(clap::value_parser!(u32)),
            )
            .arg(flag("async", "Send the job, print its id, and do not wait"))
            .arg(flag("static", "Print all returns as one group at the end").short('s'))
            .arg(flag("show-jid", "Print the id of the job first"))
            .arg(flag("verbose", "Print the id of the job and what happens").short('v'))
            .arg(flag("show-timeout", "Show minions that do not answer (the default)"))
            .arg(flag("hide-timeout", "Do not show minions that do not answer"))
            .arg(flag("summary", "Print a summary at the end"))
            .arg(
                flag("doc", "Show the documentation of a function or a module; default: of all")
                    .short('d')
                    .visible_alias("documentation"),
            )
            .arg(text(
                "args-separator",
                "TEXT",
                "What separates the arguments of compound commands; default: a comma",
            ))
            .arg(text(
                "no-parse",
                "NAMES",
                "Arguments NAME=VALUE whose value stays text, separated by commas",
            ))
            .arg(flag("args-stdin", "Read more arguments from standard input, one a line"))
            .arg(text("metadata", "DATA", "Data that is kept with the job, as YAML"))
            .arg(text("return", "RETURNER", "Returners that the minions use beside the master"))
            .arg(text("return_config", "NAME", "Which configuration of the returners to use"))
            .arg(text("return_kwargs", "DATA", "Options of the returners, as YAML"))
            .arg(text("module-executors", "LIST", "Executors instead of the configured ones, as YAML"))
            .arg(text("executor-opts", "DATA", "Options of the executors, as YAML"))
            .arg(
                text(
                    "delimiter",
                    "CHAR",
                    "What separates the levels in grain and pillar targets; default: a colon",
                )
                .help_heading("Target"),
            );
    for (long, short, _, help) in TARGETS {
        cmd = cmd.arg(flag(long, help).short(short).help_heading("Target"));
    }
    output_options(cmd)
}

/// What a command line asks for.
#[derive(Debug)]
pub(crate) struct Job {
    /// The target expression.
    pub(crate) target: Value,
    /// Salt's name of the target's type.
    pub(crate) target_type: &'static str,
    /// One function, or several of a compound command.
    pub(crate) fun: Value,
    /// The arguments; a list for each function of a compound command.
    pub(crate) arg: Vec<Value>,
    /// What goes along with the job: delimiter, metadata and the like.
    pub(crate) kwargs: Map,
    /// Returners.
    pub(crate) ret: String,
}

impl Job {
    /// Reads the job from a command line; `stdin` gives further words when they are asked for.
    pub(crate) fn of(
        m: &ArgMatches,
        opts: &Opts,
        stdin: impl FnOnce() -> std::io::Result<String>,
    ) -> Result<Self> {
        let mut words: Vec<String> = m.get_many::<String>("words").unwrap_or_default().cloned().collect();
        if m.get_flag("args-stdin") {
            let more = stdin().map_err(|e| CliError::io("standard input", e))?;
            words.extend(more.lines().map(str::to_owned));
        }
        let target_type =
            TARGETS.iter().find(|(long, ..)| m.get_flag(long)).map_or("glob", |(_, _, name, _)| name);
        let mut words = words.into_iter();
        let target =
            words.next().ok_or(CliError::Incomplete("Cannot execute command without defining a target."))?;
        let target = if target_type == "list" { split_list(&target) } else { target.into() };
        let words: Vec<String> = words.collect();
        if m.get_flag("doc") {
            return Ok(Self {
                target,
                target_type,
                fun: "sys.doc".into(),
                arg: words.into_iter().map(Value::from).collect(),
                kwargs: kwargs(m, opts),
                ret: String::new(),
            });
        }
        let (fun, rest) = words.split_first().ok_or(CliError::Incomplete("Incomplete options passed."))?;
        let no_parse: Vec<String> = m
            .get_one::<String>("no-parse")
            .map(|s| s.split(',').map(|n| n.trim().to_owned()).collect())
            .unwrap_or_default();
        let (fun, arg) = if fun.contains(',') {
            let separator = m.get_one::<String>("args-separator").map_or(",", String::as_str);
            compound(fun, rest, separator, &no_parse)
        } else {
            (fun.as_str().into(), parse_input(rest, &no_parse))
        };
        Ok(Self {
            target,
            target_type,
            fun,
            arg,
            kwargs: kwargs(m, opts),
            ret: m.get_one::<String>("return").cloned().unwrap_or_default(),
        })
    }
}

/// A list target: commas or blanks.
fn split_list(text: &str) -> Value {
    let parts: Vec<&str> = if text.contains(',') {
        text.split(',').map(str::trim).collect()
    } else {
        text.split_whitespace().collect()
    };
    parts.into()
}

/// `test.ping,test.echo , hello`: several functions, and their arguments in groups between separators.
fn compound(funs: &str, words: &[String], separator: &str, no_parse: &[String]) -> (Value, Vec<Value>) {
    let funs: Vec<&str> = funs.split(',').map(str::trim).collect();
    let mut groups: Vec<Vec<String>> = vec![Vec::new()];
    for word in words {
        if word.contains(separator) {
            for (i, part) in word.split(separator).enumerate() {
                if i > 0 {
                    groups.push(Vec::new());
                }
                if let (Some(group), false) = (groups.last_mut(), part.is_empty()) {
                    group.push(part.to_owned());
                }
            }
        } else if let Some(group) = groups.last_mut() {
            group.push(word.clone());
        }
    }
    groups.resize(funs.len(), Vec::new());
    let args = groups.iter().map(|g| Value::List(parse_input(g, no_parse))).collect();
    (funs.into(), args)
}

fn kwargs(m: &ArgMatches, opts: &Opts) -> Map {
    let mut map = Map::new();
    let delimiter = m.get_one::<String>("delimiter").map_or(":", String::as_str);
    map.insert("delimiter", delimiter);
    map.insert("show_timeout", shows_timeout(m, opts));
    map.insert("show_jid", m.get_flag("show-jid"));
    if let Some(name) = m.get_one::<String>("return_config") {
        map.insert("ret_config", name.as_str());
    }
    for (id, key) in [
        ("return_kwargs", "ret_kwargs"),
        ("module-executors", "module_executors"),
        ("executor-opts", "executor_opts"),
        ("metadata", "metadata"),
    ] {
        if let Some(text) = m.get_one::<String>(id) {
            map.insert(key, yamlify_arg(text));
        }
    }
    map
}

/// Whether minions that do not answer are shown.
pub(crate) fn shows_timeout(m: &ArgMatches, opts: &Opts) -> bool {
    let configured = opts.get("show_timeout").is_none_or(Value::truthy);
    !m.get_flag("hide-timeout") && (configured || m.get_flag("show-timeout"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    fn job(args: &[&str]) -> Result<Job> {
        let m = command().get_matches_from([&["salt"], args].concat());
        Job::of(&m, &Opts::default(), || Ok("from-stdin\n".into()))
    }

    #[test]
    fn the_table_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn words_become_a_job() {
        let j = job(&["-G", "os:Debian", "test.arg", "1", "a=b", "--metadata", "{x: 1}"]).unwrap();
        assert_eq!((j.target_type, j.target), ("grain", "os:Debian".into()));
        assert_eq!(j.fun, "test.arg".into());
        assert_eq!(j.arg, vec![1.into(), map! {"a" => "b", "__kwarg__" => true}.into()]);
        assert_eq!(j.kwargs.get("metadata"), Some(&map! {"x" => 1}.into()));
        let j = job(&["-L", "a, b", "test.ping"]).unwrap();
        assert_eq!(j.target, vec!["a", "b"].into());
        let j = job(&["*", "test.echo", "--args-stdin"]).unwrap();
        assert_eq!(j.arg, vec!["from-stdin".into()]);
    }

    #[test]
    fn compound_commands_split_their_arguments() {
        let j = job(&["*", "test.ping,test.arg,test.echo", ",1", "2", ",", "x"]).unwrap();
        assert_eq!(j.fun, vec!["test.ping", "test.arg", "test.echo"].into());
        let list = |v: Vec<Value>| Value::List(v);
        assert_eq!(j.arg, vec![list(vec![]), list(vec![1.into(), 2.into()]), list(vec!["x".into()])]);
    }

    #[test]
    fn incomplete_command_lines_are_refused() {
        assert!(matches!(job(&[]), Err(CliError::Incomplete(_))));
        assert!(matches!(job(&["*"]), Err(CliError::Incomplete(_))));
    }
}
