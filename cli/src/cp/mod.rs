//! `salt-cp`: sends files of this host to minions, as arguments of jobs: small texts whole, anything else in chunks.

mod files;
pub mod options;

use crate::exit::{CliError, Result};
use crate::fleet::DiskFleet;
use crate::interrupt;
use crate::output::Output;
use crate::salt::{NO_MATCH, patience, target_type};
use crate::startup::{Command, MasterId, Start, read_line, start};
use base64::Engine as _;
use brine_client::{Job, Link, Who, wait};
use brine_core::target::check_minions;
use brine_protocol::{Map, Value, map};
use files::{Chunks, Found, remote_path};
use options::PROGRAM;
use std::path::PathBuf;

/// The whole program. `args` starts with the program's name.
pub fn run(args: impl Iterator<Item = std::ffi::OsString>) -> Result {
    let line = read_line(&PROGRAM, args)?;
    let command = start(&PROGRAM, line, &Start { id: MasterId::Unused, log_file: "log_file" })?;
    let target_type = target_type(&command)?;
    let out = Output::new(&command.opts)?;
    let [target, sources @ .., dest] = command.line.args.as_slice() else {
        out.line(PROGRAM.help().trim_end())?;
        return Err(command.usage("Insufficient arguments"));
    };
    let copy = Copy {
        target: if target_type == "list" { split_list(target) } else { target.as_str().into() },
        target_type,
        sources: sources
            .iter()
            .map(|s| {
                std::fs::canonicalize(s).or_else(|_| std::path::absolute(s)).unwrap_or_else(|_| s.into())
            })
            .collect(),
        dest,
        command: &command,
        out: &out,
    };
    // What is wrong with the files is said before anything is sent.
    let plan = copy.plan()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::Client(e.to_string()))?;
    let returns = runtime.block_on(async {
        let mut link = Link::connect(&command.opts, Who::caller(&command.opts), true).await?;
        tokio::select! {
            result = copy.send(&mut link, plan) => result,
            // As in stock, nothing is said of the job: it is one of many.
            signal = interrupt::wait() => Err(signal.end(&command, None)),
        }
    })?;
    out.show(&returns.into(), "nested")
}

fn split_list(text: &str) -> Value {
    let parts: Vec<&str> =
        if text.contains(',') { text.split(',').collect() } else { text.split_whitespace().collect() };
    parts.into()
}

/// What is to be copied.
struct Copy<'a> {
    target: Value,
    target_type: &'static str,
    sources: Vec<PathBuf>,
    dest: &'a str,
    command: &'a Command,
    out: &'a Output,
}

/// What will be sent.
enum Plan {
    /// Texts by path, in one job.
    Whole(Map),
    /// Files and empty directories, each in jobs of its own.
    Chunked(Found),
}

impl Copy<'_> {
    fn plan(&self) -> Result<Plan> {
        if self.command.on("chunked") {
            return Ok(Plan::Chunked(files::find(&self.sources)?));
        }
        let mut texts = Map::new();
        for source in &self.sources {
            if source.is_dir() {
                self.out.line(&format!(
                    "{} is a directory, only files are supported in non-chunked mode. Use \"--chunked\" command line \
                     argument.",
                    source.display()
                ))?;
                return Err(CliError::Code(crate::exit::GENERIC));
            }
            if source.is_file() {
                let bytes = std::fs::read(source).map_err(|e| CliError::io(source, e))?;
                let text = String::from_utf8(bytes).map_err(|_| {
                    CliError::Client(format!("{} is no text. Use \"--chunked\".", source.display()))
                })?;
                texts.insert(source.to_string_lossy().into_owned(), text);
            }
        }
        Ok(Plan::Whole(texts))
    }

    async fn send(&self, link: &mut Link, plan: Plan) -> Result<Map> {
        match plan {
            Plan::Whole(texts) => self.job(link, "cp.recv", vec![texts.into(), self.dest.into()]).await,
            Plan::Chunked(found) => self.chunked(link, &found).await,
        }
    }

    async fn chunked(&self, link: &mut Link, found: &Found) -> Result<Map> {
        let gzip = self.command.opts.get("gzip").is_none_or(Value::truthy);
        let size = self
            .command
            .opts
            .int("salt_cp_chunk_size")
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| *n > 0);
        let size = size.unwrap_or(98_304);
        let mut all: Vec<(String, Map)> = Vec::new();
        for file in &found.files {
            let remote = remote_path(&file.path, &self.sources, self.dest, found.dest_is_dir(self.dest));
            let mut failed = Map::new();
            for (at, chunk) in Chunks::open(&file.path, size, gzip)?.enumerate() {
                let chunk = chunk.map_err(|e| CliError::io(&file.path, e))?;
                let encoded = base64::engine::general_purpose::STANDARD.encode(chunk);
                tracing::debug!("Copying {} to target as {remote} (chunk #{})", file.path.display(), at + 1);
                let args = vec![
                    remote.as_str().into(),
                    Value::Bytes(encoded.into_bytes()),
                    (at > 0).into(),
                    gzip.into(),
                    file.mode.into(),
                ];
                let result = self.job(link, "cp.recv_chunked", args).await?;
                if result.is_empty() {
                    let text = format!(
                        "Publish failed.{} It may be necessary to decrease salt_cp_chunk_size (current value: {size})",
                        if at > 0 { " File partially transferred." } else { "" }
                    );
                    for id in self.minions() {
                        note(&mut all, &id, &remote, text.as_str().into());
                    }
                    break;
                }
                for (id, value) in &result {
                    let id = brine_core::text::python_str(id);
                    note(&mut all, &id, &remote, value.clone());
                    // The first failure of a file is what is told of it.
                    if *value != Value::Bool(true) && failed.get(id.as_str()).is_none() {
                        failed.insert(id, value.clone());
                    }
                }
            }
            for (id, value) in failed {
                note(&mut all, &brine_core::text::python_str(&id), &remote, value);
            }
        }
        for dir in &found.empty_dirs {
            let remote = remote_path(dir, &self.sources, self.dest, true);
            let result = self.job(link, "cp.recv_chunked", vec![remote.as_str().into(), Value::Nil]).await?;
            for (id, value) in result {
                note(&mut all, &brine_core::text::python_str(&id), &remote, value);
            }
        }
        Ok(all.into_iter().collect())
    }

    /// One job and every minion's answer; False of those that have not returned. Empty: nobody matched.
    async fn job(&self, link: &mut Link, fun: &str, arg: Vec<Value>) -> Result<Map> {
        let load = map! {
            "fun" => fun, "arg" => arg, "tgt" => self.target.clone(), "tgt_type" => self.target_type, "ret" => "", "jid" => "",
            "kwargs" => Map::new(),
        };
        let Some(published) = link.publish(load).await? else {
            self.out.line(NO_MATCH)?;
            return Ok(Map::new());
        };
        let mut waiting = Job::new(published, patience(self.command));
        let mut returns = Map::new();
        wait(link, &mut waiting, |id, mut data| {
            returns.insert(id, data.remove("return").unwrap_or_default());
            Ok::<_, CliError>(())
        })
        .await?;
        for id in waiting.missing() {
            returns.insert(id, false);
        }
        Ok(returns)
    }

    fn minions(&self) -> Vec<String> {
        check_minions(&DiskFleet::new(&self.command.opts), &self.target, self.target_type, ":", true).minions
    }
}

fn note(all: &mut Vec<(String, Map)>, id: &str, path: &str, value: Value) {
    match all.iter_mut().find(|(known, _)| known == id) {
        Some((_, map)) => {
            map.insert(path, value);
        }
        None => all.push((id.to_owned(), [(path, value)].into_iter().collect())),
    }
}
