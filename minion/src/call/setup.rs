//! `salt-call`'s command line made into options: checks, arguments from stdin, overrides.

use super::failure::Failure;
use crate::cmdline::{self, Parsed};
use crate::startup::config::{Settled, given, settle};
use brine_core::{Map, Value, map};
use brine_render::args::yamlify_arg;
use std::io;
use std::path::Path;

/// With `--args-stdin`, reads further options and arguments from stdin, one a line.
pub(super) fn read_stdin(line: &mut Parsed) -> Result<(), Failure> {
    if line.has("args_stdin") {
        let text = io::read_to_string(io::stdin()).map_err(Failure::text)?;
        cmdline::parse_more(&super::options::PROGRAM, text.lines().map(str::to_owned), line)
            .map_err(|message| Failure::usage(&message))?;
    }
    Ok(())
}

/// What optparse cannot see; the error is stock's message.
pub(super) fn check(line: &Parsed) -> Result<(), String> {
    if line.args.is_empty() && !line.has("grains_run") && !line.has("doc") {
        return Err("Requires function, --grains or --doc".into());
    }
    if !line.args.is_empty() && line.has("grains_run") {
        return Err("-g/--grains does not accept any arguments".into());
    }
    if line.args.len() > 1 && line.has("doc") {
        return Err("You can only get documentation for one method at one time".into());
    }
    if line.has("proxyid") {
        return Err("--proxyid: proxy minions are not supported".into());
    }
    if ["resources", "resources_tgt", "resources_tgt_type"].iter().any(|o| line.has(o)) {
        return Err("--resources: resources of Salt 3008 are not supported".into());
    }
    Ok(())
}

const TEXTS: &[&str] = &[
    "cachedir",
    "log_file",
    "log_level",
    "log_level_logfile",
    "master",
    "metadata",
    "output",
    "output_file",
    "return",
    "state_output",
    "user",
];

const FLAGS: &[&str] = &[
    "force_color",
    "local",
    "no_color",
    "no_return_event",
    "output_file_append",
    "print_metadata",
    "refresh_grains_cache",
    "retcode_passthrough",
    "skip_grains",
    "state_output_diff",
];

/// The options in force for this call: the command line stands above `more`, and that above the files.
pub(super) fn options(line: &Parsed, more: Map) -> Result<Settled, Failure> {
    let mut over = more;
    over.update(given(line, TEXTS, FLAGS));
    over.insert("__cli", "salt-call");
    over.insert("caller", true);
    for (name, default) in [("local", Value::Bool(false)), ("return", "".into())] {
        over.entry_or(name, || default);
    }
    for name in ["module_executors", "executor_opts", "state_verbose", "output_indent", "auth_timeout"] {
        if let Some(text) = line.get(name) {
            over.insert(name, yamlify_arg(text));
        }
    }
    if let Some(id) = line.get("id").filter(|id| !id.is_empty()) {
        over.insert("id", id);
    }
    if let Some(fun) = line.args.first() {
        over.insert("fun", fun);
        over.insert("arg", line.args[1..].to_vec());
    }
    if line.has("local") {
        over.insert("file_client", "local");
    }
    roots(line, &mut over);
    let cache_id = !over.contains("id");
    settle(line, over, cache_id).map_err(Failure::text)
}

fn roots(line: &Parsed, over: &mut Map) {
    let mut ignored = Vec::new();
    for (option, shown, key) in
        [("file_root", "--file-root", "file_roots"), ("pillar_root", "--pillar-root", "pillar_roots")]
    {
        if let Some(dir) = line.get(option) {
            let dir = std::path::absolute(dir).unwrap_or_else(|_| Path::new(dir).to_owned());
            over.insert(key, map! {"base" => vec![dir.to_string_lossy().into_owned()]});
            ignored.push(shown);
        }
    }
    if !line.has("local") && !ignored.is_empty() {
        let verb = if ignored.len() == 1 { "is" } else { "are" };
        eprintln!(
            "Warning: {} {verb} ignored because --local was not specified; the master's are used.",
            ignored.join(", ")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &str) -> Parsed {
        cmdline::parse(&super::super::options::PROGRAM, words.split_whitespace().map(str::to_owned)).unwrap()
    }

    #[test]
    fn impossible_command_lines_are_refused() {
        assert!(check(&line("test.ping")).is_ok());
        assert!(check(&line("-d")).is_ok());
        assert_eq!(check(&line("--local")).unwrap_err(), "Requires function, --grains or --doc");
        assert_eq!(check(&line("-g x")).unwrap_err(), "-g/--grains does not accept any arguments");
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("minion"), "id: one\nmaster: a\n").unwrap();
        let words =
            format!("-c {} --local --id two --out json --out-indent 0 f.g a b=c", dir.path().display());
        let settled = options(&line(&words), map! {"retry_dns" => 5}).unwrap();
        assert_eq!(settled.id.as_str(), "two");
        assert_eq!(settled.opts.str("file_client"), "local");
        assert_eq!(settled.opts.get("output_indent"), Some(&Value::Int(0)));
        assert_eq!(settled.opts.get("arg"), Some(&vec!["a", "b=c"].into()));
        assert_eq!(settled.opts.str("master"), "a");
        assert_eq!(settled.opts.int("retry_dns"), Some(5));
    }
}
