//! The job that a command line of `salt` describes.

use crate::exit::{CliError, INCOMPLETE, Result};
use crate::options::TARGET_TYPES;
use crate::startup::Command;
use brine_core::target::{nodegroup, nodegroup_comp};
use brine_protocol::{Map, Value, map};
use brine_render::args::{parse_input, yamlify_arg};

/// What a command line asks for.
#[derive(Clone, Debug)]
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

/// The one kind of target that the command line names, or `glob`.
pub(crate) fn target_type(command: &Command) -> Result<&'static str> {
    let chosen: Vec<_> = TARGET_TYPES.iter().filter(|(dest, _)| command.line.has(dest)).collect();
    match chosen.as_slice() {
        [] => Ok("glob"),
        [(_, kind)] => Ok(kind),
        several => {
            let long = |dest: &str| {
                let option = command.program.options().find(|o| o.dest == dest);
                option.and_then(|o| o.names.iter().find(|n| n.starts_with("--"))).copied().unwrap_or_default()
            };
            // In the table's order, as stock has it.
            let names: Vec<&str> = several.iter().map(|(dest, _)| long(dest)).collect();
            Err(command.usage(&format!(
                "The options {} are mutually exclusive. Please only choose one of them",
                names.join("/")
            )))
        }
    }
}

impl Job {
    /// Reads the job from a command line.
    pub(crate) fn of(command: &Command) -> Result<Self> {
        let kind = target_type(command)?;
        let mut words = command.line.args.clone();
        if command.on("preview_target") {
            // Stands in for the function, which nobody needs.
            words.push("not_a_valid_command".into());
        }
        if command.on("doc") {
            if words.is_empty() {
                words.push("*".into());
            }
            if words.get(1).is_none_or(|w| w != "sys.doc") {
                words.insert(1, "sys.doc".into());
            }
            if words.len() > 3 {
                return Err(command.usage("You can only get documentation for one method at one time."));
            }
        }
        let [target, fun, rest @ ..] = words.as_slice() else {
            return Err(command.incomplete(match words.as_slice() {
                [] => "\nCannot execute command without defining a target.\n\n",
                _ => "\nIncomplete options passed.\n\n",
            }));
        };
        let no_parse: Vec<String> =
            match command.some("no_parse").map(str::to_owned).or(no_parse_of_environment()) {
                Some(names) => names.split(',').map(|n| n.trim().to_owned()).collect(),
                None => Vec::new(),
            };
        let (fun, arg) = if fun.contains(',') {
            let separator = command.some("args_separator").unwrap_or(",");
            compound(fun, rest, separator, &no_parse)?
        } else {
            (fun.as_str().into(), parse_input(rest, &no_parse))
        };
        Ok(Self {
            target: if kind == "list" { split_list(target) } else { target.as_str().into() },
            target_type: kind,
            fun,
            arg,
            kwargs: kwargs(command),
            ret: command.text("return").to_owned(),
        })
    }

    /// The request to the master, with node groups resolved as stock's clients do. `kwargs` goes along with the job.
    pub(crate) fn load(&self, command: &Command, kwargs: Map) -> Result<Map> {
        let (target, kind) = self.resolved(command)?;
        let mut ret = self.ret.clone();
        if let Some(more) = command.some("ext_job_cache") {
            ret = if ret.is_empty() { more.to_owned() } else { format!("{ret},{more}") };
        }
        Ok(map! {
            "fun" => self.fun.clone(),
            "arg" => self.arg.clone(),
            "tgt" => target,
            "tgt_type" => kind,
            "ret" => ret,
            "jid" => "",
            "kwargs" => kwargs,
        })
    }

    fn resolved(&self, command: &Command) -> Result<(Value, &'static str)> {
        let empty = Map::new();
        let groups = command.opts.get("nodegroups").and_then(Value::as_map).unwrap_or(&empty);
        let expand = |group: &str| {
            if nodegroup(group, groups).is_none() {
                let file = command.some("conf_file").unwrap_or("the master config file");
                return Err(CliError::Client(format!("Node group {group} unavailable in {file}")));
            }
            Ok(nodegroup_comp(group, groups))
        };
        let text = self.target.as_str().unwrap_or_default();
        match self.target_type {
            "nodegroup" => Ok((expand(text)?.join(" ").into(), "compound")),
            "compound" => {
                let mut words = Vec::new();
                for word in text.split_whitespace() {
                    match word.strip_prefix("N@").filter(|group| !group.is_empty()) {
                        Some(group) => words.extend(expand(group)?),
                        None => words.push(word.to_owned()),
                    }
                }
                Ok((words.join(" ").into(), "compound"))
            }
            kind => Ok((self.target.clone(), kind)),
        }
    }
}

fn no_parse_of_environment() -> Option<String> {
    std::env::var("SALT_NO_PARSE").ok().filter(|t| !t.is_empty())
}

/// A list target: commas, or else blanks.
fn split_list(text: &str) -> Value {
    let parts: Vec<String> = if text.contains(',') {
        text.replace(' ', "").split(',').map(str::to_owned).collect()
    } else {
        text.split_whitespace().map(str::to_owned).collect()
    };
    parts.into()
}

/// `test.ping,test.echo , hello`: several functions, and their arguments in groups. The separator stands alone, once
/// between two functions; or else it may stand within words.
fn compound(
    funs: &str,
    words: &[String],
    separator: &str,
    no_parse: &[String],
) -> Result<(Value, Vec<Value>)> {
    let funs: Vec<&str> = funs.split(',').collect();
    let mut groups: Vec<Vec<String>> = vec![Vec::new()];
    let alone = words.iter().filter(|w| *w == separator).count() == funs.len() - 1;
    for word in words {
        let parts: Vec<&str> = match word.as_str() {
            word if alone && word != separator => vec![word],
            word => word.split(separator).collect(),
        };
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                groups.push(Vec::new());
            }
            // A word without a separator counts even if it is empty.
            if let (Some(group), true) = (groups.last_mut(), !part.is_empty() || parts.len() == 1) {
                group.push((*part).to_owned());
            }
        }
    }
    let problem = match funs.len().cmp(&groups.len()) {
        std::cmp::Ordering::Greater => "Cannot execute compound command without defining all arguments.\n",
        std::cmp::Ordering::Less => "Cannot execute compound command with more arguments than commands.\n",
        std::cmp::Ordering::Equal => "",
    };
    if !problem.is_empty() {
        eprint!("{problem}");
        return Err(CliError::Code(INCOMPLETE));
    }
    let args = groups.iter().map(|g| Value::List(parse_input(g, no_parse))).collect();
    Ok((funs.into(), args))
}

fn kwargs(command: &Command) -> Map {
    let mut map = Map::new();
    map.insert("delimiter", command.some("delimiter").unwrap_or(":"));
    map.insert("show_timeout", command.shows_timeout());
    map.insert("show_jid", command.on("show_jid"));
    if let Some(name) = command.some("return_config") {
        map.insert("ret_config", name);
    }
    for (key, name) in [
        ("return_kwargs", "ret_kwargs"),
        ("module_executors", "module_executors"),
        ("executor_opts", "executor_opts"),
        ("metadata", "metadata"),
    ] {
        // Text of a command line is YAML; from a configuration file it is data already.
        match command.opts.get(key) {
            Some(Value::Str(text)) if !text.is_empty() => map.insert(name, yamlify_arg(text)),
            Some(data) if command.line.has(key) || data.truthy() && name != "module_executors" => {
                map.insert(name, data.clone())
            }
            _ => None,
        };
    }
    if command.line.has("start_event") {
        map.insert("start_event", true);
    }
    map
}

#[cfg(test)]
mod tests {
    use super::super::options::PROGRAM;
    use super::*;
    use brine_core::Opts;

    fn command(args: &[&str], opts: Map) -> Command {
        let line = brine_core::cmdline::parse(&PROGRAM, args.iter().map(|a| (*a).to_owned())).unwrap();
        let mut opts = opts;
        opts.update(PROGRAM.given(&line));
        Command { program: &PROGRAM, line, opts: Opts::new(opts), dir: None }
    }

    fn job(args: &[&str]) -> Result<Job> {
        Job::of(&command(args, Map::new()))
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
        let j = job(&["-d"]).unwrap();
        assert_eq!((j.target, j.fun), ("*".into(), "sys.doc".into()));
        let j = job(&["*", "-d", "test.ping"]).unwrap();
        assert_eq!((j.fun, j.arg), ("sys.doc".into(), vec!["test.ping".into()]));
    }

    #[test]
    fn compound_commands_split_their_arguments() {
        let list = |v: Vec<Value>| Value::List(v);
        let j = job(&["*", "test.ping,test.arg,test.echo", ",1", "2", ",", "x"]).unwrap();
        assert_eq!(j.fun, vec!["test.ping", "test.arg", "test.echo"].into());
        assert_eq!(j.arg, vec![list(vec![]), list(vec![1.into(), 2.into()]), list(vec!["x".into()])]);
        let j = job(&["*", "test.ping,test.echo", ",", "a,b"]).unwrap();
        assert_eq!(j.arg, vec![list(vec![]), list(vec!["a,b".into()])]);
        assert!(matches!(job(&["*", "test.ping,test.echo", "x"]), Err(CliError::Code(INCOMPLETE))));
        assert!(matches!(job(&["*", "test.ping,test.echo", ",", ",", "x"]), Err(CliError::Code(INCOMPLETE))));
    }

    #[test]
    fn wrong_command_lines_are_refused() {
        assert!(matches!(job(&[]), Err(CliError::Incomplete { .. })));
        assert!(matches!(job(&["*"]), Err(CliError::Incomplete { .. })));
        let Err(CliError::Usage(text)) = job(&["-L", "-G", "x", "test.ping"]) else {
            panic!("two kinds of target")
        };
        assert!(text.ends_with(
            "The options --list/--grain are mutually exclusive. Please only choose one of them\n"
        ));
        assert!(matches!(job(&["*", "-d", "a", "b", "c"]), Err(CliError::Usage(_))));
    }

    #[test]
    fn node_groups_are_resolved_before_they_are_sent() {
        let opts = map! {"nodegroups" => map! {"web" => "w* or x*"}, "conf_file" => "/etc/salt/master"};
        let load = |args: &[&str]| {
            let c = command(args, opts.clone());
            Job::of(&c).unwrap().load(&c, Map::new())
        };
        let of = |load: Map| {
            (load.get_str("tgt").unwrap().to_owned(), load.get_str("tgt_type").unwrap().to_owned())
        };
        assert_eq!(of(load(&["-N", "web", "test.ping"]).unwrap()), ("w* or x*".into(), "compound".into()));
        assert_eq!(of(load(&["-C", "N@web and y", "test.ping"]).unwrap()).0, "w* or x* and y");
        let of_inventory = |args: &[&str]| {
            let (key, word) = brine_core::target::INVENTORY;
            let c = command(args, map! {"nodegroups" => map! {key => word}});
            of(Job::of(&c).unwrap().load(&c, Map::new()).unwrap()).0
        };
        assert_eq!(of_inventory(&["-N", "rack/r1", "test.ping"]), "I@palletjack:nodegroups:rack/r1");
        assert_eq!(
            of_inventory(&["-C", "N@room/a and m*", "test.ping"]),
            "I@palletjack:nodegroups:room/a and m*"
        );
        let missing = load(&["-N", "none", "test.ping"]).unwrap_err();
        assert_eq!(missing.to_string(), "Node group none unavailable in /etc/salt/master");
    }
}
