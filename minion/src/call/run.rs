//! The call itself: context, function, proc file, result, return.

use super::display;
use super::failure::Failure;
use super::host::CallHost;
use super::remote::Remote;
use crate::cmdline::Parsed;
use crate::jobs::proc_files::ProcDir;
use crate::jobs::{arguments, outcome, reply, rules};
use crate::local_tree;
use crate::modules_in_force::registry;
use crate::startup::config::Settled;
use crate::startup::{directories, log};
use brine_core::call::{Cx, JobContext};
use brine_core::log::{Level, LogConfig};
use brine_core::progress::{self, Shown};
use brine_core::user;
use brine_core::{Map, Opts, Value, map};
use brine_render::args::{parse_input, yamlify_arg};
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::SystemTime;

pub(super) fn run(line: &Parsed, settled: Settled) -> Result<u8, Failure> {
    let Settled { opts, id, findings } = settled;
    log::start(&opts, true);
    findings.log();
    if opts.get("verify_env").is_none_or(Value::truthy) {
        directories::prepare(&opts, &directories::of_call(&opts)).map_err(Failure::text)?;
    }
    user::become_user(opts.str("user")).map_err(|e| Failure::new(format!("{e}\n"), user::EX_NOUSER))?;
    let is_local =
        opts.flag("local") || opts.str("file_client") == "local" || opts.str("master_type") == "disable";
    let registry = Arc::new(registry(&opts));
    let fun = line.args.first().map_or("", String::as_str);

    let wants_grains = !is_local || line.has("grains_run") || needs_grains(&line.args);
    let grains = if wants_grains { Arc::new(brine_modules::grains(&opts)) } else { Arc::default() };
    let (mut opts, mut pillar, mut remote) = (opts, None, None);
    if !is_local {
        let connected = Arc::new(Remote::connect(&opts, &id, &grains)?);
        opts.map_mut().insert("master", connected.master());
        pillar = Some(connected.pillar(&opts, &grains, None)?);
        remote = Some(connected);
    }
    let trees = local_tree::Trees::new(&opts);
    let files = match &remote {
        Some(remote) => trees.through(|| remote.clone()),
        None => trees.alone(),
    };
    let opts = Arc::new(opts);
    let host = CallHost { remote: remote.clone(), opts, registry, grains, pillar: Arc::default(), files };
    if is_local && needs_grains(&line.args) && !line.has("doc") && !line.has("grains_run") {
        pillar = Some(local_pillar(&host)?);
    }
    if let Some(pillar) = pillar {
        // It is set here alone.
        let _ = host.pillar.set(Arc::new(pillar));
    }
    let cx = host.cx();

    if line.has("doc") {
        return Ok(display::docs(&cx, fun));
    }
    if line.has("grains_run") {
        display::result(&map! {"local" => cx.grains.as_ref().clone()}.into(), "grains", &cx.opts, 0)?;
        return Ok(0);
    }
    let ret = call(line, cx.clone(), fun)?;
    if let Some(remote) = remote.filter(|_| !cx.opts.flag("no_return_event")) {
        let mut sent = ret.clone();
        sent.insert("jid", "req");
        remote.give_back(&reply::load(id.as_str(), sent));
    } else if cx.opts.flag("cache_jobs") {
        crate::jobs::job_cache::store(&cx.opts, &ret);
    }
    show(&cx.opts, ret)
}

/// The pillar of this machine's own roots.
fn local_pillar(host: &CallHost) -> Result<Map, Failure> {
    let env = |key: &str| host.opts.get(key).and_then(Value::as_str).filter(|env| !env.is_empty());
    local_tree::compile_pillar(&host.cx(), env("saltenv"), env("pillarenv"), None, None)
        .map_err(|e| Failure::new(e.traceback(), 1))
}

/// What a local call with these options sees, for programs that make many calls in one process.
pub(super) fn local_context(settled: Settled) -> Result<Cx, Failure> {
    let opts = settled.opts;
    let registry = Arc::new(registry(&opts));
    let grains = Arc::new(brine_modules::grains(&opts));
    let files = local_tree::Trees::new(&opts).alone();
    let opts = Arc::new(opts);
    let host = CallHost { remote: None, opts, registry, grains, pillar: Arc::default(), files };
    let pillar = local_pillar(&host)?;
    // It is set here alone.
    let _ = host.pillar.set(Arc::new(pillar));
    Ok(host.cx())
}

/// Functions that surely look at no grains, so that a local call of them need not collect any.
fn needs_grains(words: &[String]) -> bool {
    let templates = words.iter().any(|word| word.starts_with("template="));
    templates
        || !matches!(
            words.first().map_or("", String::as_str),
            "test.ping"
                | "test.echo"
                | "test.sleep"
                | "test.version"
                | "test.true"
                | "test.false"
                | "cmd.run"
                | "cmd.run_all"
                | "cmd.run_stdout"
                | "cmd.run_stderr"
                | "cmd.retcode"
                | "cmd.shell"
                | "cmd.has_exec"
                | "cmd.which"
        )
}

fn call(line: &Parsed, mut cx: Cx, fun: &str) -> Result<Map, Failure> {
    let jid = brine_core::jid::gen_jid(SystemTime::now());
    let mut ret = map! {"jid" => &jid};
    let Some(function) = cx.registry.get(fun).copied() else {
        let error = cx.registry.missing(fun);
        let mut docs = outcome::docs_like(&cx, fun);
        if docs.is_empty() {
            return Err(Failure::missing(&error));
        }
        docs.insert(fun, error.to_string());
        ret.insert("out", "nested");
        ret.insert("return", docs);
        return Ok(ret);
    };
    let metadata = cx.opts.get("metadata").and_then(Value::as_str).map(yamlify_arg);
    let mut load = map! {"fun" => fun, "pid" => std::process::id(), "jid" => &jid, "tgt" => "salt-call"};
    if let Some(metadata) = &metadata {
        load.insert("metadata", metadata.clone());
    }
    let no_parse: Vec<String> =
        line.get("no_parse").unwrap_or("").split(',').map(|n| n.trim().to_owned()).collect();
    let words = &line.args[1..];
    let args = arguments::from_job(&function, &parse_input(words, &no_parse), &load);
    cx.job = Arc::new(JobContext::new(load.clone()));
    let proc = ProcDir::open(&cx.opts.path("cachedir"));
    match proc.as_ref().map(|proc| (proc.write(&jid, &load, None), proc.display(&jid))) {
        Ok((Ok(()), _)) => {}
        Ok((Err(_), path)) => cannot_write_proc(&path),
        Err(_) => cannot_write_proc(&cx.opts.path("cachedir").join("proc").join(&jid).display().to_string()),
    }
    let shown = progress(line, &cx.opts);
    let result = rules::check_executors(&cx).and_then(|()| outcome::call(&cx, fun, args));
    drop(shown);
    if let Ok(proc) = proc {
        proc.remove(&jid);
    }
    let value = result.map_err(|e| {
        let failure = Failure::call(fun, &e, function.takes_kwargs());
        if failure.shows_usage {
            // Stock writes the text to stderr and the function's own documentation to stdout.
            eprint!("{}", failure.stderr);
            super::print(&format!("{}\n", function.doc));
            return Failure { stderr: String::new(), ..failure };
        }
        failure
    })?;
    let retcode = outcome::retcode(&cx, &value);
    ret.insert("return", value);
    ret.insert("retcode", retcode);
    if let Some(out) = reply::outputter(fun) {
        ret.insert("out", out);
    }
    ret.insert("id", cx.opts.str("id"));
    ret.insert("fun", fun);
    ret.insert("fun_args", words.to_vec());
    if let Some(metadata) = metadata {
        ret.insert("metadata", metadata);
    }
    let returners = cx.opts.get("return").map(brine_returners::names_in).unwrap_or_default();
    if !returners.is_empty() {
        ret.insert("success", true);
        brine_returners::give(&cx, &returners, &ret);
    }
    Ok(ret)
}

/// What is done now is shown to a person before a terminal, unless the log says it already.
fn progress(line: &Parsed, opts: &Opts) -> Option<Shown> {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    let is_logged =
        LogConfig::from_opts(opts, "log_file", true).console.is_some_and(|log| log.level <= Level::Info);
    let is_wanted = std::io::stderr().is_terminal() && !is_dumb && !is_logged && !line.has("no_progress");
    is_wanted.then(|| progress::show(columns))
}

/// Columns of the terminal that standard error is; some do not say it.
fn columns() -> usize {
    let said = rustix::termios::tcgetwinsize(std::io::stderr()).map_or(0, |size| size.ws_col.into());
    if said == 0 { 80 } else { said }
}

fn cannot_write_proc(path: &str) {
    eprintln!("Cannot write to process directory. Do you have permissions to write to {path} ?");
}

fn show(opts: &Opts, mut ret: Map) -> Result<u8, Failure> {
    let retcode = ret.get("retcode").and_then(Value::as_int);
    let (shown, out) = if opts.flag("print_metadata") {
        (Value::Map(ret), Value::Nil)
    } else {
        (ret.remove("return").unwrap_or_default(), ret.remove("out").unwrap_or_default())
    };
    let out = out.as_str().unwrap_or("nested");
    display::result(&map! {"local" => shown}.into(), out, opts, retcode.unwrap_or(0))?;
    Ok(match retcode {
        Some(0) => 0,
        // What a shell sees of an exit code is its low byte.
        Some(code) if opts.flag("retcode_passthrough") => code as u8,
        _ => 1,
    })
}
