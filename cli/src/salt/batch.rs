//! `--batch`: some minions at a time. First everybody is asked whether he is there; then jobs go out to as many minions as
//! may work at once, and a minion that is done, or given up, makes place for the next.

use super::args::Job as Wanted;
use super::show::one;
use crate::client::Part;
use crate::exit::{CliError, GENERIC, NO_RETURN, Result};
use crate::output::Output;
use crate::startup::Command;
use brine_client::batch::{self, Turn, batch_size};
use brine_client::{Job, Link, Patience, Published};
use brine_core::text::python_str;
use brine_protocol::{Map, Value, map};

/// How a batch run goes.
pub(crate) struct Batch<'a> {
    pub(crate) command: &'a Command,
    pub(crate) wanted: &'a Wanted,
    pub(crate) out: &'a Output,
    pub(crate) patience: Patience,
    /// `--batch`: a number, or a part as `10%`.
    pub(crate) size: String,
    /// Nothing is said on the way, as for `--static`.
    pub(crate) quiet: bool,
}

impl Batch<'_> {
    /// Runs it. Gives every minion's part in the order of returns; the error is the command's end.
    pub(crate) async fn run(&self, link: &mut Link) -> Result<Vec<(String, Part)>> {
        let (there, silent) = self.who_is_there(link).await?;
        let size = match batch_size(&self.size, there.len()) {
            Some(size) => size,
            None if there.is_empty() => 0,
            None => {
                self.say(&format!(
                    "Invalid batch data sent: {}\nData must be in the form of %10, 10% or 3",
                    self.size
                ))?;
                return Err(CliError::Code(GENERIC));
            }
        };
        if there.is_empty() {
            return Ok(Vec::new());
        }
        for id in silent {
            self.say(&format!("Minion {id} did not respond. No job will be sent."))?;
        }
        let wait = self.command.seconds("batch_wait", 0.0);
        let mut run = batch::Batch::new(there, size, wait, self.patience);
        let mut parts = Vec::new();
        while let Some(turn) = run.next(link).await? {
            match turn {
                Turn::Go(next) => {
                    self.say(&format!("\nExecuting run on {}\n", python_str(&next.clone().into())))?;
                    let published = self.publish(link, &next).await?;
                    if published.is_none() {
                        self.out.line(super::NO_MATCH)?;
                    }
                    run.started(next, published);
                }
                Turn::Lost(id) => self.done(&mut parts, &id, None)?,
                Turn::Return(id, data) => {
                    let part = Part::of_return(&data);
                    let failed = part.retcode() > 0;
                    self.done(&mut parts, &id, Some(part))?;
                    if failed && self.command.on("failhard") {
                        tracing::error!(
                            "Minion {id} returned with non-zero exit code. Batch run stopped due to failhard"
                        );
                        break;
                    }
                }
            }
        }
        Ok(parts)
    }

    /// A minion is done: with a return, or given up, which counts as an empty one.
    fn done(&self, parts: &mut Vec<(String, Part)>, id: &str, part: Option<Part>) -> Result {
        if parts.iter().any(|(known, _)| known == id) {
            return Ok(());
        }
        let part = part.unwrap_or_else(|| Part::Returned {
            value: Map::new().into(),
            out: String::new(),
            retcode: 0,
            jid: None,
        });
        if !self.quiet
            && let Part::Returned { value, out, retcode, jid } = &part
        {
            // Stock prints what it knows of the return beside the minion's value.
            let shown = match jid {
                Some(jid) => map! {"retcode" => *retcode, "jid" => jid.as_str(), id => value.clone()},
                None => one(id, value.clone()),
            };
            self.out.show_return(&shown, out, 0)?;
        }
        parts.push((id.to_owned(), part));
        Ok(())
    }

    /// The minions that answer a ping, sorted, and those that do not.
    async fn who_is_there(&self, link: &mut Link) -> Result<(Vec<String>, Vec<String>)> {
        let ping =
            Wanted { fun: "test.ping".into(), arg: Vec::new(), ret: String::new(), ..self.wanted.clone() };
        let kwargs = map! {"gather_job_timeout" => self.patience.gather_timeout.as_secs() as i64, "yield_pub_data" => true};
        let Some(published) = link.publish(ping.load(self.command, kwargs)?).await? else {
            self.out.line(super::NO_MATCH)?;
            self.say("No minions matched the target.")?;
            return Ok((Vec::new(), Vec::new()));
        };
        let mut waiting = Job::new(published, self.patience);
        let mut there = Vec::new();
        brine_client::wait(link, &mut waiting, |id, _| {
            there.push(id.to_owned());
            Ok::<_, CliError>(())
        })
        .await?;
        there.sort();
        Ok((there, waiting.missing()))
    }

    async fn publish(&self, link: &mut Link, minions: &[String]) -> Result<Option<Published>> {
        let wanted = Wanted { target: minions.to_vec().into(), target_type: "list", ..self.wanted.clone() };
        let kwargs = map! {
            "gather_job_timeout" => self.patience.gather_timeout.as_secs() as i64,
            "raw" => false,
        };
        Ok(link.publish(wanted.load(self.command, kwargs)?).await?)
    }

    fn say(&self, text: &str) -> Result {
        if self.quiet { Ok(()) } else { self.out.line(text) }
    }
}

/// What a run comes to: the highest return code.
pub(crate) fn outcome(parts: &[(String, Part)]) -> Result {
    if parts.is_empty() {
        eprintln!("ERROR: No return received");
        return Err(CliError::Code(NO_RETURN));
    }
    match parts.iter().map(|(_, p)| p.retcode()).max().unwrap_or(0) {
        worst if worst > 0 => Err(CliError::Code((worst & 0xff) as u8)),
        _ => Ok(()),
    }
}

/// All returns as one map, as `--static` prints them.
pub(crate) fn together(parts: &[(String, Part)]) -> Map {
    let value = |part: &Part| match part {
        Part::Returned { value, .. } => value.clone(),
        _ => Value::Nil,
    };
    parts.iter().map(|(id, part)| (id.as_str(), value(part))).collect()
}
