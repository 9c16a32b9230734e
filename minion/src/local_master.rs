//! A master on the same machine, asked as its own commands ask it: with its user's key, over its request port and its
//! event bus. What `saltutil.runner`, `saltutil.wheel` and `saltutil.cmd` stand on. Blocking, on the thread of a job.

use std::sync::Arc;
use std::time::SystemTime;

use brine_client::order::Client;
use brine_client::{Link, Who, who};
use brine_core::call::{CallError, Cancel, Result};
use brine_core::host::MasterClient;
use brine_core::text::python_str;
use brine_core::{Map, Opts, Value, map};
use tokio::sync::Notify;

fn not_here() -> CallError {
    CallError::execution("This command can only be executed on a minion that is located on the master.")
}

fn failed(e: brine_client::Error) -> CallError {
    match e {
        brine_client::Error::Refused(text) => CallError::execution(text),
        brine_client::Error::Invalid(text) => CallError::invocation(text),
        other => CallError::Client(format!("the master on this machine: {other}")),
    }
}

/// Asks the master whose configuration stands beside the minion's, until the job is to stop.
///
/// # Errors
/// When there is no such master, or it refuses.
pub(crate) fn ask(opts: &Opts, cancel: &Cancel, client: MasterClient, order: Map) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = Arc::new(Notify::new());
    let hook = stop.clone();
    let _hook = cancel.on_cancel(move || hook.notify_one());
    runtime.block_on(async {
        tokio::select! {
            result = asked(opts, client, order) => result,
            () = stop.notified() => Err(CallError::Cancelled),
        }
    })
}

async fn asked(opts: &Opts, client: MasterClient, order: Map) -> Result {
    let mut master = LocalMaster::connect(opts).await?;
    match client {
        MasterClient::Runner => master.run("runner", &order).await,
        MasterClient::Wheel => master.run("wheel", &order).await,
        MasterClient::Local => {
            // Nobody reads what is said to whoever waits: the result says it too.
            let mut client = Client { link: &mut master.link, opts: &master.opts, say: &|_| {} };
            client.job(&order).await.map(Value::from).map_err(failed)
        }
    }
}

/// A conversation with it.
struct LocalMaster {
    opts: Opts,
    link: Link,
}

impl LocalMaster {
    async fn connect(minion: &Opts) -> Result<Self> {
        let opts = who::master_beside(minion).map_err(failed)?.ok_or_else(not_here)?;
        let who = Who::owner(&opts).ok_or_else(not_here)?;
        let link = Link::connect(&opts, who, true).await.map_err(|_| not_here())?;
        Ok(Self { opts, link })
    }

    /// A runner or wheel function: what it returned, or with `full_return` the whole data of its event.
    async fn run(&mut self, kind: &str, order: &Map) -> Result {
        let get = |key: &str| order.get(key).cloned().unwrap_or_default();
        let args = map! {"arg" => get("arg"), "kwarg" => get("kwarg")};
        // Stock takes a runner's arguments in a bundle, and a wheel function's as they are.
        let args = if kind == "runner" {
            map! {"kwarg" => args}
        } else {
            args
        };
        let reply = self.link.on_master(kind, &python_str(&get("fun")), args).await.map_err(failed)?;
        let mut data = match reply.get("data").and_then(Value::as_map) {
            Some(data) => data.clone(),
            None => self.link.result(&reply, None).await.map_err(failed)?,
        };
        if !get("full_return").truthy() {
            return Ok(data.remove("return").unwrap_or_default());
        }
        data.remove("tag");
        data.entry_or("_stamp", || brine_core::jid::stamp(SystemTime::now()).into());
        Ok(data.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_masters_configuration_there_is_no_master_here() {
        let dir = tempfile::tempdir().unwrap();
        let conf = dir.path().join("minion").display().to_string();
        let opts = Opts::new(map! {"conf_file" => conf, "id" => "m"});
        let order = map! {"fun" => "test.ping"};
        let error = ask(&opts, &Cancel::default(), MasterClient::Runner, order).unwrap_err();
        assert_eq!(error.to_string(), not_here().to_string());
    }
}
