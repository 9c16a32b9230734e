//! A master on the same machine, asked as its own commands ask it: with its user's key, over its request port and its
//! event bus. What `saltutil.runner`, `saltutil.wheel` and `saltutil.cmd` stand on. Blocking, on the thread of a job.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brine_client::batch::{Batch, Turn, batch_size, shuffle};
use brine_client::{Job, Link, Patience, Who, wait, who};
use brine_core::call::{CallError, Cancel, Result};
use brine_core::host::MasterClient;
use brine_core::text::python_str;
use brine_core::{Map, Opts, Value, map};
use brine_render::args::parse_input;
use tokio::sync::Notify;

fn not_here() -> CallError {
    CallError::execution("This command can only be executed on a minion that is located on the master.")
}

fn failed(e: brine_client::Error) -> CallError {
    match e {
        brine_client::Error::Refused(text) => CallError::execution(text),
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
        MasterClient::Local => master.job(order).await,
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

    /// A job for minions: id to `ret`, and `out`, `retcode` and `jid` as far as they are known.
    async fn job(&mut self, order: Map) -> Result {
        let get = |key: &str| order.get(key).filter(|v| v.truthy());
        let patience = self.patience(&order);
        if let Some(size) = get("batch") {
            return self.batch(&order, &python_str(size)).await.map(Value::from);
        }
        if let Some(subset) = get("subset") {
            let subset = subset.as_int().and_then(|n| usize::try_from(n).ok());
            let subset = subset.ok_or_else(|| CallError::invocation("subset is a number of minions"))?;
            let chosen = self.choose(&order, subset).await?;
            return self.ask(load(&order, chosen.into(), "list"), patience).await.map(Value::from);
        }
        let (tgt, kind) = target(&order);
        self.ask(load(&order, tgt, &kind), patience).await.map(Value::from)
    }

    /// One job and the part of each minion that returns.
    async fn ask(&mut self, load: Map, patience: Patience) -> Result<Map> {
        let mut all = Map::new();
        let Some(published) = self.link.publish(load).await.map_err(failed)? else { return Ok(all) };
        let mut job = Job::new(published, patience);
        let each = |id: &str, data: Map| {
            all.insert(id, part(data));
            Ok(())
        };
        wait(&mut self.link, &mut job, each).await.map_err(failed)?;
        Ok(all)
    }

    /// Some of those that have the function, at random.
    async fn choose(&mut self, order: &Map, how_many: usize) -> Result<Vec<String>> {
        let (tgt, kind) = target(order);
        let (question, patience) = (map! {"fun" => "sys.list_functions"}, self.patience(order));
        let fun = order.get("fun").cloned().unwrap_or_default();
        let answers = self.ask(load(&question, tgt, &kind), patience).await?;
        let has = |answer: &Value| {
            answer.get("ret").and_then(Value::as_list).is_some_and(|functions| functions.contains(&fun))
        };
        let mut able: Vec<String> =
            answers.iter().filter(|(_, answer)| has(answer)).map(|(id, _)| python_str(id)).collect();
        shuffle(&mut able);
        able.truncate(how_many);
        Ok(able)
    }

    /// Some minions at a time, as `salt --batch` does it: first everybody is asked whether he is there.
    async fn batch(&mut self, order: &Map, size: &str) -> Result<Map> {
        let patience = self.patience(order);
        let (tgt, kind) = target(order);
        let there = self.ask(load(&map! {"fun" => "test.ping"}, tgt, &kind), patience).await?;
        let mut there: Vec<String> = there.keys().map(python_str).collect();
        there.sort();
        let mut all = Map::new();
        if there.is_empty() {
            return Ok(all);
        }
        let size = batch_size(size, there.len()).ok_or_else(|| {
            CallError::invocation(format!(
                "Invalid batch data sent: {size}\nData must be in the form of %10, 10% or 3"
            ))
        })?;
        let rest = order.get("batch_wait").and_then(Value::as_float).filter(|n| *n > 0.0).unwrap_or(0.0);
        let rest = Duration::try_from_secs_f64(rest).unwrap_or(Duration::MAX);
        let failhard = order.get("failhard").map_or_else(|| self.opts.flag("failhard"), Value::truthy);
        let mut batch = Batch::new(there, size, rest, patience);
        while let Some(turn) = batch.next(&mut self.link).await.map_err(failed)? {
            let (id, value, bad) = match turn {
                Turn::Go(ids) => {
                    let load = load(order, ids.clone().into(), "list");
                    batch.started(ids, self.link.publish(load).await.map_err(failed)?);
                    continue;
                }
                // As in stock, who is given up counts as an empty return.
                Turn::Lost(id) => (id, Map::new().into(), false),
                Turn::Return(id, mut data) => {
                    let bad = data.get("retcode").is_some_and(Value::truthy);
                    (id, data.remove("return").unwrap_or_default(), bad)
                }
            };
            if !all.contains(&id) {
                let out = value.get("out").cloned().unwrap_or_else(|| "highstate".into());
                all.insert(id, map! {"out" => out, "ret" => value});
            }
            if bad && failhard {
                break;
            }
        }
        Ok(all)
    }

    fn patience(&self, order: &Map) -> Patience {
        let seconds = |given: Option<f64>, key: &str, default: f64| {
            let n = given.filter(|n| *n > 0.0).or_else(|| self.opts.float(key)).unwrap_or(default);
            Duration::try_from_secs_f64(n).unwrap_or(Duration::from_secs(5))
        };
        Patience {
            timeout: seconds(order.get("timeout").and_then(Value::as_float), "timeout", 5.0),
            gather_timeout: seconds(
                order.get("gather_job_timeout").and_then(Value::as_float),
                "gather_job_timeout",
                10.0,
            ),
        }
    }
}

/// Whom an order is for.
fn target(order: &Map) -> (Value, String) {
    let kind = order.get_str("tgt_type").unwrap_or("glob").to_owned();
    (order.get("tgt").cloned().unwrap_or_default(), kind)
}

/// The publish of an order for these minions.
fn load(order: &Map, tgt: Value, tgt_type: &str) -> Map {
    let get = |key: &str| order.get(key).cloned().unwrap_or_default();
    let ret = order.get("ret").cloned().unwrap_or_else(|| "".into());
    map! {
        "fun" => get("fun"), "arg" => arguments(get("arg"), &get("kwarg")), "tgt" => tgt, "tgt_type" => tgt_type,
        "ret" => ret, "jid" => "", "kwargs" => Map::new(),
    }
}

/// The arguments of a job: texts are read as a command line's words, and keyword arguments stand marked at the end.
fn arguments(arg: Value, kwarg: &Value) -> Vec<Value> {
    let words = match arg {
        Value::List(words) => words,
        Value::Nil => Vec::new(),
        one => vec![one],
    };
    let mut arg = Vec::new();
    for word in words {
        match word {
            Value::Str(text) => arg.extend(parse_input(&[text], &[])),
            other => arg.push(other),
        }
    }
    if let Some(kwarg) = kwarg.as_map().filter(|k| !k.is_empty()) {
        let mut marked = kwarg.clone();
        marked.insert("__kwarg__", true);
        arg.push(marked.into());
    }
    arg
}

/// One minion's part of the result.
fn part(mut data: Map) -> Map {
    let mut part = map! {"ret" => data.remove("return").unwrap_or_default()};
    for key in ["out", "retcode", "jid"] {
        if let Some(value) = data.remove(key) {
            part.insert(key, value);
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_a_command_line_s_words() {
        let given = vec![Value::from("5"), "k=v".into(), Value::List(vec![1.into()])];
        let want: Vec<Value> = vec![
            5.into(),
            map! {"__kwarg__" => true, "k" => "v"}.into(),
            Value::List(vec![1.into()]),
            map! {"x" => 1, "__kwarg__" => true}.into(),
        ];
        let arg = arguments(given.into(), &map! {"x" => 1}.into());
        assert_eq!(arg.len(), want.len());
        for (got, want) in arg.iter().zip(&want) {
            assert!(got == want || got.as_map().is_some_and(|m| m.len() == 2), "{got:?} {want:?}");
        }
        assert_eq!(arguments(Value::Nil, &Value::Nil), Vec::<Value>::new());
        assert_eq!(arguments("a".into(), &Value::Nil), vec![Value::from("a")]);
    }

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
