//! A master on the same machine, asked as its own commands ask it: with its user's key, over its request port and its
//! event bus. What `saltutil.runner`, `saltutil.wheel` and `saltutil.cmd` stand on. Blocking, on the thread of a job.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use brine_core::call::{CallError, Cancel, Result};
use brine_core::gather::{Gather, Heard, Next, Watch};
use brine_core::host::MasterClient;
use brine_core::options::Daemon;
use brine_core::text::python_str;
use brine_core::{Map, Opts, Value, map};
use brine_net::ipc::EventSubscriber;
use brine_net::{Endpoint, ReqClient, ReqOptions, RequestClient};
use brine_protocol::envelope::Envelope;
use brine_protocol::message::events::{Event, split};
use brine_protocol::msgpack::{self, Dialect};
use brine_render::args::parse_input;
use brine_render::config::{FoundId, client_config, config_file, process_env};
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// How long the master may take to answer one request.
const REQUEST: Duration = Duration::from_secs(60);

fn not_here() -> CallError {
    CallError::execution("This command can only be executed on a minion that is located on the master.")
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
    requests: ReqClient,
    events: EventSubscriber,
    user: String,
    key: Zeroizing<String>,
}

impl LocalMaster {
    async fn connect(minion: &Opts) -> Result<Self> {
        let dir: PathBuf = minion.path("conf_file").parent().map(Path::to_owned).unwrap_or_default();
        let file = config_file(Daemon::Master, Some(&dir));
        if !file.is_file() {
            return Err(not_here());
        }
        let id = || FoundId { id: minion.str("id").to_owned(), is_address: false };
        let loaded = client_config(&file, &process_env, &|_| Ok(id()));
        let opts = loaded.map_err(|e| CallError::execution(e.to_string()))?.opts;
        let user = Some(opts.str("user")).filter(|u| !u.is_empty()).unwrap_or("root").to_owned();
        let key = std::fs::read_to_string(opts.path("cachedir").join(format!(".{user}_key")));
        let key = Zeroizing::new(key.map_err(|_| not_here())?.trim_end().to_owned());
        let bus = opts.path("sock_dir").join("master_event_pub.ipc");
        let events = EventSubscriber::connect(&bus).await.map_err(|_| not_here())?;
        let host = match opts.str("interface") {
            "" | "0.0.0.0" => "127.0.0.1",
            "::" => "::1",
            other => other,
        };
        let port = opts.int("ret_port").and_then(|p| u16::try_from(p).ok()).unwrap_or(4506);
        let options = ReqOptions { keep_warm: false, ..ReqOptions::default() };
        let requests = ReqClient::new(Endpoint::new(host, port), options);
        Ok(Self { opts, requests, events, user, key })
    }

    async fn request(&self, mut load: Map) -> Result {
        load.insert("user", self.user.as_str());
        load.insert("key", self.key.as_str());
        let body = msgpack::encode_map(&Envelope::clear(load), Dialect::Old);
        let failed = |e: String| CallError::Client(format!("the master on this machine: {e}"));
        let reply = self.requests.request(body.into(), REQUEST).await.map_err(|e| failed(e.to_string()))?;
        let reply = msgpack::decode(&reply).map_err(|e| failed(e.to_string()))?;
        match reply.get("error") {
            Some(error) => Err(CallError::execution(python_str(error.get("message").unwrap_or(error)))),
            None => Ok(reply),
        }
    }

    /// The next event with a tag that is wanted, or None at `until`.
    async fn next(&mut self, wanted: impl Fn(&str) -> bool, until: Option<Instant>) -> Result<Option<Event>> {
        let gone = || CallError::Client("the event bus of the master on this machine has ended".into());
        loop {
            let body = match until {
                None => self.events.recv().await,
                Some(until) => match tokio::time::timeout_at(until.into(), self.events.recv()).await {
                    Ok(body) => body,
                    Err(_) => return Ok(None),
                },
            };
            let body = body.map_err(|_| gone())?.ok_or_else(gone)?;
            if split(&body).is_ok_and(|(tag, _)| wanted(tag))
                && let Ok(event) = Event::from_body(&body)
            {
                return Ok(Some(event));
            }
        }
    }

    /// A runner or wheel function: what it returned, or with `full_return` the whole data of its event.
    async fn run(&mut self, kind: &str, order: &Map) -> Result {
        let get = |key: &str| order.get(key).cloned().unwrap_or_default();
        let mut load = map! {"cmd" => kind, "fun" => get("fun")};
        let args = map! {"arg" => get("arg"), "kwarg" => get("kwarg")};
        // Stock takes a runner's arguments in a bundle, and a wheel function's as they are.
        if kind == "runner" {
            load.insert("kwarg", args);
        } else {
            load.update(args);
        }
        let reply = self.request(load).await?;
        let Some(tag) = reply.get("tag").and_then(Value::as_str) else {
            return Err(CallError::execution(python_str(&reply)));
        };
        let mut data = match reply.get("data").and_then(Value::as_map) {
            Some(data) => data.clone(),
            None => {
                let end = format!("{tag}/ret");
                self.next(|tag| tag.starts_with(&end), None)
                    .await?
                    .map(|event| event.data)
                    .unwrap_or_default()
            }
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
        for name in ["batch", "subset"] {
            if order.get(name).is_some_and(Value::truthy) {
                return Err(CallError::execution(format!("saltutil.cmd: {name} is not there yet")));
            }
        }
        let get = |key: &str| order.get(key).cloned().unwrap_or_default();
        let load = map! {
            "cmd" => "publish", "fun" => get("fun"), "arg" => arguments(get("arg"), &get("kwarg")), "tgt" => get("tgt"),
            "tgt_type" => get("tgt_type"), "ret" => get("ret"), "jid" => "", "kwargs" => Map::new(),
        };
        let reply = self.request(load).await?;
        let names = |key: &str| -> Vec<String> {
            let list =
                reply.get("load").and_then(|l| l.get(key)).and_then(Value::as_list).unwrap_or_default();
            list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
        };
        let jid = reply
            .get("load")
            .and_then(|l| l.get("jid"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let seconds = |given: Option<f64>, key: &str, default: f64| {
            let n = given.filter(|n| *n > 0.0).or_else(|| self.opts.float(key)).unwrap_or(default);
            Duration::try_from_secs_f64(n).unwrap_or(Duration::from_secs(5))
        };
        let timeout = seconds(get("timeout").as_float(), "timeout", 5.0);
        let asking = seconds(None, "gather_job_timeout", 10.0);
        let now = Instant::now();
        let gather = Gather::new(names("minions"), timeout, asking, now);
        let mut watch = Watch::new(&jid, gather);
        watch.not_connected(&names("not_connected"), now);
        let mut all = Map::new();
        loop {
            let until = match watch.next(Instant::now()) {
                Next::Done => return Ok(all.into()),
                Next::Wait(until) => until,
                Next::Ask(ids) => {
                    let mut load = watch.question(ids);
                    load.insert("cmd", "publish");
                    let reply = self.request(load).await?;
                    watch.asked(reply.get("load").and_then(|l| l.get("jid")).and_then(Value::as_str));
                    continue;
                }
            };
            let Some(event) = self.next(|tag| watch.concerns(tag), Some(until)).await? else { continue };
            if let Heard::Return(id) = watch.event(&event.tag, &event.data, Instant::now()) {
                all.insert(id, part(event.data));
            }
        }
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
