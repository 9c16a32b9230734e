//! `salt-run`: runs a function of the master in this process, beside the master and over its sockets and files; or, for
//! those who prove themselves by external authentication, in the master.

pub mod options;
mod show;
mod side;

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use brine_client::who::caller_name;
use brine_client::{Link, Who};
use brine_core::call::{Args, CallError, Registry};
use brine_core::text::python_str;
use brine_core::user::become_user;
use brine_core::{Map, Value, map};
use brine_render::args::{load_args_and_kwargs, parse_input};
use brine_runners::{Execution, Kind, MasterHost, Run};

use crate::exit::{CliError, GENERIC, NO_RETURN, NO_USER, Result};
use crate::startup::{Command, MasterId, Start, read_line, start};
use options::PROGRAM;
use side::SocketSide;

/// The return code of the event of a run that could not begin; stock's.
const NOT_RUN: i64 = 254;

/// The whole program. `args` starts with the program's name.
pub fn run(args: impl Iterator<Item = std::ffi::OsString>) -> Result {
    let line = read_line(&PROGRAM, args)?;
    let command = start(&PROGRAM, line, &Start { id: MasterId::Needed, log_file: "log_file" })?;
    let (fun, words) = match command.line.args.as_slice() {
        [] => ("", &[][..]),
        [fun, words @ ..] => (fun.as_str(), words),
    };
    let registry = Arc::new(Kind::Runner.registry());
    if command.on("doc") {
        if !words.is_empty() {
            return Err(command.usage("You can only get documentation for one method at one time"));
        }
        return document(&command, &registry, fun);
    }
    become_user(command.text("user")).map_err(|e| {
        tracing::error!(critical = true, "{e}");
        CliError::Code(NO_USER)
    })?;
    let no_parse: Vec<String> = command.text("no_parse").split(',').map(|n| n.trim().to_owned()).collect();
    let args = load_args_and_kwargs(&parse_input(words, &no_parse));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::Client(e.to_string()))?;
    let jid = command.some("jid").map_or_else(|| brine_core::jid::gen_jid(SystemTime::now()), str::to_owned);
    let order = Order { command: &command, registry, fun, args, jid };
    if let Some(error) = order.impossible() {
        return order.refuse(&error);
    }
    let order = order.of_orchestration();
    if command.some("eauth").is_some() || command.on("async") {
        return runtime.block_on(order.in_the_master());
    }
    order.here(runtime)
}

/// What runs on the master as on a minion.
fn execution() -> Registry {
    let mut registry = Registry::new(brine_modules::ALL.iter().copied())
        .with_states(brine_state_modules::ALL.iter().copied());
    brine_state_modules::note_absent(&mut registry);
    brine_modules::note_absent(&mut registry);
    registry
}

/// Prints documentation as stock does: a line with the name, then the text.
fn document(command: &Command, registry: &Registry, wanted: &str) -> Result {
    let out = crate::output::Output::new(&command.opts)?;
    for (name, doc) in documented(registry, wanted) {
        out.show(&format!("{name}:").into(), "nested")?;
        out.line(doc)?;
    }
    Ok(())
}

/// The functions that a word means: a module, a function, or a shell pattern.
fn documented<'r>(registry: &'r Registry, wanted: &str) -> Vec<(&'r str, &'r str)> {
    let module = format!("{}.", wanted.trim_end_matches('.'));
    let meant = |name: &str| match wanted {
        "" => true,
        glob if glob.contains('*') => brine_core::target::fnmatch(name, glob),
        _ => name == wanted || name.starts_with(&module),
    };
    registry.iter().filter(|(name, _)| meant(name)).map(|(name, f)| (name, f.doc)).collect()
}

/// What is to be run.
struct Order<'a> {
    command: &'a Command,
    registry: Arc<Registry>,
    fun: &'a str,
    args: Args,
    jid: String,
}

impl Order<'_> {
    /// Why it cannot be called at all.
    fn impossible(&self) -> Option<String> {
        let Some(function) = self.registry.get(self.fun) else {
            return Some(self.registry.missing(self.fun).to_string());
        };
        let unknown = function.unknown_keywords(&self.args.keyword);
        (!unknown.is_empty()).then(|| CallError::unknown_keywords(unknown).to_string())
    }

    /// An orchestration has the id of the run that it is.
    fn of_orchestration(mut self) -> Self {
        if ["state.orchestrate", "state.orch", "state.sls"].contains(&self.fun) {
            self.args.keyword.insert("orchestration_jid", self.jid.as_str());
        }
        self
    }

    /// As stock: the event of a failed run, and the documentation of what was perhaps meant.
    fn refuse(&self, error: &str) -> Result {
        let mut fun_args = self.args.positional.clone();
        if !self.args.keyword.is_empty() {
            let mut keyword = self.args.keyword.clone();
            keyword.insert("__kwarg__", true);
            fun_args.push(keyword.into());
        }
        let data = map! {
            "success" => false, "return" => error, "retcode" => NOT_RUN, "fun" => self.fun, "fun_args" => fun_args,
            "jid" => self.jid.as_str(),
        };
        brine_client::bus::fire(
            &self.command.opts,
            vec![(format!("{}/ret", Kind::Runner.tag(&self.jid)), data)],
        )?;
        if self.command.on("quiet") {
            return Ok(());
        }
        let docs = documented(&self.registry, &format!("{}*", self.fun));
        let shown = if docs.is_empty() { error.into() } else { show::docs(&docs) };
        show::result(&self.command.opts, &shown)
    }

    /// Runs it in this process.
    fn here(self, runtime: tokio::runtime::Runtime) -> Result {
        let opts = Arc::new(self.command.opts.clone());
        let side = SocketSide { opts: opts.clone(), runtime: Arc::new(runtime), pusher: Mutex::default() };
        let execution =
            Execution { registry: Arc::new(execution()), grains: Arc::new(brine_modules::grains) };
        let run = Run {
            kind: Kind::Runner,
            jid: self.jid,
            user: caller_name(),
            host: MasterHost::with_execution(&opts, Box::new(side), execution),
            opts,
            registry: self.registry,
            quiet: false,
        };
        let data = run.call(self.fun, self.args);
        self.command.finish_run(&data)
    }

    /// Has the master run it: for a user whom it knows by external authentication, or without waiting.
    async fn in_the_master(self) -> Result {
        let command = self.command;
        let waits = !command.on("async");
        let mut link = Link::connect(&command.opts, Who::caller(&command.opts), waits).await?;
        match crate::auth::prove(command, &mut link).await {
            // It has been said; stock ends so.
            Err(CliError::Code(NO_RETURN)) => return Ok(()),
            other => other?,
        }
        let kwarg = map! {"kwarg" => map! {"arg" => self.args.positional, "kwarg" => self.args.keyword}};
        let reply = link.on_master("runner", self.fun, kwarg).await?;
        if let Some(error) = reply.get("error") {
            show::result(&command.opts, &python_str(error.get("message").unwrap_or(error)).into())?;
            return Err(CliError::Code(GENERIC));
        }
        if !waits {
            let tag = reply.get("tag").map(python_str).unwrap_or_default();
            tracing::warn!(
                "Running in asynchronous mode. Results of this execution may be collected by attaching to the master event \
                 bus or by examining the master job cache, if configured. This execution is running under tag {tag}"
            );
            return Ok(());
        }
        let data = link.result(&reply, Some(command.seconds("rest_timeout", 300.0))).await?;
        command.finish_run(&data)
    }
}

impl Command {
    /// Prints what a run has returned and ends as stock does: with its own return code, or that of what it returned.
    fn finish_run(&self, data: &Map) -> Result {
        let nil = Value::Nil;
        let returned = data.get("return").unwrap_or(&nil);
        if !self.on("quiet") {
            show::result(&self.opts, returned)?;
        }
        match retcode(data) {
            0 => Ok(()),
            code => Err(CliError::Code(u8::try_from(code).unwrap_or(GENERIC))),
        }
    }
}

fn retcode(data: &Map) -> i64 {
    let code = |value: Option<&Value>| value.and_then(Value::as_int);
    let returned = data.get("return");
    code(data.get("retcode"))
        .or_else(|| code(returned.and_then(|r| r.get("retcode"))))
        .or_else(|| code(returned.and_then(|r| r.get("data")).and_then(|d| d.get("retcode"))))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documentation_is_chosen_by_module_function_or_pattern() {
        let registry = Kind::Runner.registry();
        let names =
            |wanted: &str| documented(&registry, wanted).into_iter().map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(names("error"), ["error.error"]);
        assert_eq!(names("test.arg"), ["test.arg"]);
        assert!(names("jobs.list_*").contains(&"jobs.list_jobs"));
        assert!(names("no.such*").is_empty() && names("").len() > 50);
    }

    #[test]
    fn the_exit_code_is_the_run_s_or_that_of_what_it_returned() {
        assert_eq!(retcode(&map! {"return" => "x", "retcode" => 1}), 1);
        assert_eq!(retcode(&map! {"return" => map! {"retcode" => 3}}), 3);
        assert_eq!(retcode(&map! {"return" => map! {"data" => map! {"retcode" => 2}}}), 2);
        assert_eq!(retcode(&map! {"return" => vec![1]}), 0);
    }

    #[test]
    fn keywords_are_judged_before_the_call() {
        let registry = Kind::Runner.registry();
        let given = map! {"foo" => "bar", "jid" => 1};
        let unknown = |fun: &str| registry.get(fun).unwrap().unknown_keywords(&given);
        assert_eq!(unknown("jobs.lookup_jid"), [(&"foo".into(), &"bar".into())]);
        assert!(unknown("test.arg").is_empty());
    }
}
