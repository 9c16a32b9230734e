//! `salt`: publishes a job through the master and shows what comes back.

mod args;
mod batch;
pub mod options;
mod preview;
mod progress;
mod show;

pub(crate) use args::target_type;

use crate::client::Part;
use crate::client::present::Present;
use crate::exit::{CliError, GENERIC, NO_RETURN, Result};
use crate::interrupt;
use crate::output::Output;
use crate::startup::{Command, MasterId, Start, masters_own, read_line, start};
use args::Job as Wanted;
use batch::Batch;
use brine_client::{Job, Link, Patience, Who, wait};
use brine_protocol::Value;
use options::PROGRAM;
use progress::Bar;
use show::{How, Show};

/// What stock prints when a target means nobody.
pub(crate) const NO_MATCH: &str = "No minions matched the target. No command was sent, no jid was assigned.";

/// The whole program. `args` starts with the program's name.
pub fn run(args: impl Iterator<Item = std::ffi::OsString>) -> Result {
    let line = read_line(&PROGRAM, args)?;
    let command = start(&PROGRAM, line, &Start { id: MasterId::Unused, log_file: "log_file" })?;
    if command.on("config_dump") {
        return preview::config_dump(&masters_own(&command)?);
    }
    let wanted = Wanted::of(&command)?;
    let out = Output::new(&command.opts)?;
    if command.on("preview_target") {
        return preview::target(&command, &wanted, &out);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::Client(e.to_string()))?;
    let run = Run { command: &command, wanted: &wanted, out: &out, patience: patience(&command) };
    let result = runtime.block_on(async {
        let mut link = Link::connect(&command.opts, Who::caller(&command.opts), run.listens()).await?;
        tokio::select! {
            result = run.everything(&mut link) => result,
            signal = interrupt::wait() => Err(signal.end(&command, link.jid())),
        }
    });
    match result {
        // What went wrong between command and master is shown where returns are.
        Err(CliError::Client(text)) => {
            out.show_text(&text)?;
            Err(CliError::Code(GENERIC))
        }
        other => other,
    }
}

/// How long to wait for minions.
pub(crate) fn patience(command: &Command) -> Patience {
    Patience {
        timeout: command.seconds("timeout", 5.0),
        gather_timeout: command.seconds("gather_job_timeout", 10.0),
    }
}

/// One job from command line to exit code.
struct Run<'a> {
    command: &'a Command,
    wanted: &'a Wanted,
    out: &'a Output,
    patience: Patience,
}

impl Run<'_> {
    /// Whether returns are waited for: batches do so whatever else is asked for.
    fn listens(&self) -> bool {
        let batch =
            ["batch", "static"].iter().any(|key| self.command.opts.get(key).is_some_and(Value::truthy));
        batch || !self.command.on("async") || self.command.opts.int("batch_safe_limit").unwrap_or(0) > 1
    }

    async fn everything(&self, link: &mut Link) -> Result {
        let command = self.command;
        crate::auth::prove(command, link).await?;
        let size = command.opts.get("batch").filter(|b| b.truthy()).map(brine_core::text::python_str);
        if command.on("static") {
            return self.together(link, size.as_deref().unwrap_or("100%")).await;
        }
        if let Some(size) = size {
            return self.batch(link, &size).await;
        }
        if let Some(limit) =
            command.opts.int("batch_safe_limit").and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 1)
            && preview::minions(command, self.wanted).len() >= limit
        {
            self.out.line("\nNOTICE: Too many minions targeted, switching to batch execution.")?;
            let size = command.opts.get("batch_safe_size").filter(|s| s.truthy());
            return self.batch(link, &size.map_or("8".to_owned(), brine_core::text::python_str)).await;
        }
        let subset = command.opts.int("subset").and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        if command.on("async") {
            self.send(link).await
        } else if subset > 0 && self.wanted.fun.as_str() != Some("sys.doc") {
            let chosen = self.choose(link, subset).await?;
            self.job(link, &chosen).await
        } else {
            self.job(link, self.wanted).await
        }
    }

    fn new_batch(&self, size: &str, quiet: bool) -> Batch<'_> {
        Batch {
            command: self.command,
            wanted: self.wanted,
            out: self.out,
            patience: self.patience,
            size: size.to_owned(),
            quiet,
        }
    }

    async fn batch(&self, link: &mut Link, size: &str) -> Result {
        batch::outcome(&self.new_batch(size, false).run(link).await?)
    }

    /// `--static`: a batch of everybody, shown at its end.
    async fn together(&self, link: &mut Link, size: &str) -> Result {
        let parts = self.new_batch(size, true).run(link).await?;
        let state = self.wanted.fun.as_str().is_some_and(|f| f.split('.').next() == Some("state"));
        self.out.show_return(&batch::together(&parts), if state { "highstate" } else { "" }, 0)?;
        if parts.is_empty() {
            eprintln!("ERROR: No return received");
            return Err(CliError::Code(NO_RETURN));
        }
        Ok(())
    }

    /// `--async`: the job's id is all there is to say.
    async fn send(&self, link: &mut Link) -> Result {
        let load = self.wanted.load(self.command, self.wanted.kwargs.clone())?;
        let jid = match link.publish(load).await? {
            Some(published) => published.jid,
            None => {
                self.out.line(NO_MATCH)?;
                "0".to_owned()
            }
        };
        self.out.line(&format!("Executed command with job ID: {jid}"))
    }

    /// `--subset`: the job for some of those that have its function.
    async fn choose(&self, link: &mut Link, how_many: usize) -> Result<Wanted> {
        let question = Wanted {
            fun: "sys.list_functions".into(),
            arg: Vec::new(),
            ret: String::new(),
            ..self.wanted.clone()
        };
        let mut able = Vec::new();
        let kwargs = self.wanted.kwargs.clone();
        match link.publish(question.load(self.command, kwargs)?).await? {
            None => self.out.line(NO_MATCH)?,
            Some(published) => {
                self.name(&published.jid, false)?;
                let mut waiting = Job::new(published, self.patience);
                wait(link, &mut waiting, |id, data| {
                    if let Some(Value::List(functions)) = data.get("return")
                        && functions.contains(&self.wanted.fun)
                    {
                        able.push(id.to_owned());
                    }
                    Ok::<_, CliError>(())
                })
                .await?;
            }
        }
        brine_client::batch::shuffle(&mut able);
        able.truncate(how_many);
        Ok(Wanted { target: able.into(), target_type: "list", ..self.wanted.clone() })
    }

    /// Prints the job's id, if that is wanted.
    fn name(&self, jid: &str, verbose: bool) -> Result {
        if verbose {
            let title = format!("Executing job with jid {jid}");
            self.out.line(&format!("{title}\n{}\n", "-".repeat(title.len())))
        } else if self.command.on("show_jid") {
            self.out.line(&format!("jid: {jid}"))
        } else {
            Ok(())
        }
    }

    /// The usual way: returns are shown as they come.
    async fn job(&self, link: &mut Link, wanted: &Wanted) -> Result {
        let command = self.command;
        let docs = wanted.fun.as_str() == Some("sys.doc");
        let progress = command.on("progress");
        let how = How {
            quiet: progress,
            docs,
            summaries: usize::from(progress) + usize::from(command.on("cli_summary") && !self.out.chosen()),
            verbose: command.on("verbose"),
        };
        let load = wanted.load(command, wanted.kwargs.clone())?;
        let Some(published) = link.publish(load).await? else {
            self.out.line(NO_MATCH)?;
            return Show::new(self.out, how, "0").nobody();
        };
        self.name(&published.jid, command.on("verbose") && !progress && !docs)?;
        let mut show = Show::new(self.out, how, &published.jid);
        let mut waiting = Job::new(published, self.patience);
        let mut bar = progress.then(|| Bar::start(waiting.expected));
        let mut returned = 0;
        wait(link, &mut waiting, |id, data| {
            returned += 1;
            if let Some(bar) = &mut bar {
                bar.update(returned);
            }
            show.part(id, Part::of_return(&data))
        })
        .await?;
        if command.shows_timeout() || command.on("verbose") {
            let mut present = None;
            for id in waiting.missing() {
                let connected = waiting.was_connected(&id).unwrap_or_else(|| {
                    !present.get_or_insert_with(|| Present::now(&command.opts)).lacks(&id)
                });
                show.part(&id, if connected { Part::NoResponse } else { Part::NotConnected })?;
            }
        }
        for id in waiting.absent() {
            show.part(id, Part::NoResponse)?;
        }
        show.finish()
    }
}
