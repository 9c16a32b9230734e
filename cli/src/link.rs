//! The connection of a command to the master on this host: clear requests to the request port, events from the bus.

use crate::bus::{Event, Listener};
use crate::exit::{CliError, Result};
use brine_core::Opts;
use brine_net::{Endpoint, ReqClient, ReqOptions, RequestClient};
use brine_protocol::envelope::Envelope;
use brine_protocol::msgpack::{self, Dialect};
use brine_protocol::{Map, Value, map};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long the master may take to answer a request, by default stock's `publish_timeout`.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(30);

/// What the master has made of a job.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Published {
    /// The job's id.
    pub(crate) jid: String,
    /// The minions that are expected to return.
    pub(crate) minions: Vec<String>,
    /// Of a list target: names that have no key.
    pub(crate) missing: Vec<String>,
    /// Of the expected minions: those without a connection now. None: the master is stock's, which does not say.
    pub(crate) not_connected: Option<Vec<String>>,
}

/// A connection to the master.
pub(crate) struct Link {
    requests: ReqClient,
    events: Option<Listener>,
    user: String,
    key: Zeroizing<String>,
    /// Proofs for external authentication, which go along with every job.
    proofs: Map,
    jid: Option<String>,
    /// How the tags of the events begin that this conversation is about: no others are decoded.
    about: Vec<String>,
}

impl Link {
    /// Connects; with `listen`, to the event bus first, so that no event of a job is missed.
    pub(crate) async fn connect(opts: &Opts, listen: bool) -> Result<Self> {
        let events =
            if listen { Some(Listener::connect(opts).await.map_err(|_| unreachable())?) } else { None };
        let host = match opts.str("interface") {
            "" | "0.0.0.0" => "127.0.0.1",
            "::" => "::1",
            other => other,
        };
        let port = opts.int("ret_port").and_then(|p| u16::try_from(p).ok()).unwrap_or(4506);
        let (user, key) = credentials(opts);
        let options = ReqOptions { keep_warm: false, ..ReqOptions::default() };
        let requests = ReqClient::new(Endpoint::new(host, port), options);
        Ok(Self { requests, events, user, key, proofs: Map::new(), jid: None, about: Vec::new() })
    }

    /// Uses these proofs (`eauth`, `username`, `password`, or `token`) from now on.
    pub(crate) fn prove(&mut self, proofs: Map) {
        self.proofs = proofs;
    }

    /// Whether the key file of a local user could be read: then no token is needed.
    pub(crate) fn has_key(&self) -> bool {
        !self.key.is_empty()
    }

    /// The id of the job that was published, for those who interrupt it.
    pub(crate) fn jid(&self) -> Option<&str> {
        self.jid.as_deref()
    }

    /// Publishes a job. None: no minion matches, and nothing was sent.
    pub(crate) async fn publish(&mut self, load: Map) -> Result<Option<Published>> {
        let published = self.ask(load).await?;
        self.jid = published.as_ref().map(|p| p.jid.clone());
        Ok(published)
    }

    /// Publishes a job beside the one that is waited for.
    pub(crate) async fn ask(&mut self, mut load: Map) -> Result<Option<Published>> {
        load.insert("cmd", "publish");
        load.insert("user", self.user.as_str());
        load.insert("key", self.key.as_str());
        if let Some(Value::Map(kwargs)) = load.get_mut("kwargs") {
            kwargs.update(self.proofs.clone());
        }
        let published = read_reply(&self.request(load).await?)?;
        if let Some(job) = &published {
            self.about.push(format!("salt/job/{}/", job.jid));
        }
        Ok(published)
    }

    /// Asks the master to run a function of its own: `kind` is `wheel` or `runner`.
    pub(crate) async fn on_master(&mut self, kind: &str, fun: &str, kwarg: Map) -> Result<Value> {
        let mut load = map! {"cmd" => kind, "fun" => fun, "kwarg" => kwarg};
        if self.proofs.is_empty() {
            load.insert("user", self.user.as_str());
            load.insert("key", self.key.as_str());
        }
        load.update(self.proofs.clone());
        self.request(load).await
    }

    /// Asks the master which minions have a live connection: id to address. Only our master knows the question.
    pub(crate) async fn connected(&mut self) -> Result<Value> {
        let load =
            map! {"cmd" => "brine_connected", "user" => self.user.as_str(), "key" => self.key.as_str()};
        self.request(load).await
    }

    /// Waits for the end of the run that the master began with this reply.
    pub(crate) async fn result(&mut self, reply: &Value, wait: Duration) -> Result<Map> {
        let Some(tag) = reply.get("tag").and_then(Value::as_str) else {
            return Err(CliError::Client(brine_core::text::python_str(reply.get("error").unwrap_or(reply))));
        };
        let end = format!("{tag}/ret");
        self.about.push(end.clone());
        let until = Instant::now() + wait;
        while let Some(event) = self.event_until(until).await? {
            if event.tag == end {
                return Ok(event.data);
            }
        }
        let jid = tag.rsplit('/').next().unwrap_or_default();
        Err(CliError::Client(format!("RunnerClient job '{jid}' timed out")))
    }

    /// Asks the master for anything: a clear request and its answer.
    pub(crate) async fn request(&mut self, load: Map) -> Result<Value> {
        let body = msgpack::encode_map(&Envelope::clear(load), Dialect::Old);
        let reply = self.requests.request(body.into(), PUBLISH_TIMEOUT).await.map_err(|_| unreachable())?;
        msgpack::decode(&reply).map_err(|e| CliError::Client(format!("the master's answer: {e}")))
    }

    /// The next event of the jobs that were published and the runs that are waited for, or None at `until`.
    pub(crate) async fn event_until(&mut self, until: Instant) -> Result<Option<Event>> {
        let Some(events) = &mut self.events else { return Ok(None) };
        let about = &self.about;
        let wanted = |tag: &str| about.iter().any(|beginning| tag.starts_with(beginning.as_str()));
        match tokio::time::timeout_at(until.into(), events.next_of(wanted)).await {
            Err(_) => Ok(None),
            Ok(Ok(event)) => Ok(Some(event)),
            Ok(Err(e)) => Err(CliError::Client(format!("the master's event bus has ended: {e}"))),
        }
    }
}

fn unreachable() -> CliError {
    CliError::Client("The salt master could not be contacted. Is master running?".into())
}

/// Reads the master's answer to a publish.
fn read_reply(reply: &Value) -> Result<Option<Published>> {
    if let Some(error) = reply.get("error") {
        let text = error.get("message").unwrap_or(error);
        return Err(CliError::Client(brine_core::text::python_str(text)));
    }
    let load = match (reply.get("load"), reply) {
        (Some(load), _) => load,
        (None, Value::Str(text)) if text.is_empty() => {
            return Err(CliError::Client(
                "Failed to authenticate! This is most likely because this user is not permitted to execute commands, but \
                 there is a small possibility that a disk error occurred (check disk/inode usage)."
                    .into(),
            ));
        }
        (None, other) => {
            return Err(CliError::Client(format!(
                "the master answers {}",
                brine_core::text::python_str(other)
            )));
        }
    };
    let names = |key: &str| -> Vec<String> {
        let list = load.get(key).and_then(Value::as_list).unwrap_or_default();
        list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    };
    let minions = names("minions");
    match load.get("jid").and_then(Value::as_str) {
        Some(jid) if !minions.is_empty() => Ok(Some(Published {
            jid: jid.to_owned(),
            minions,
            missing: names("missing"),
            not_connected: load.get("not_connected").map(|_| names("not_connected")),
        })),
        _ => Ok(None),
    }
}

/// The name to act under: that of whoever called sudo counts.
pub(crate) fn user() -> String {
    let own = own_name();
    let sudo = std::env::var("SUDO_USER").ok().filter(|u| own == "root" && !u.is_empty() && u != "root");
    sudo.map_or(own, |u| format!("sudo_{u}"))
}

fn own_name() -> String {
    nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map_or(String::new(), |u| u.name)
}

/// The name to act under and its key: the file that the master has written for that user. Unreadable means no key,
/// and the master will say so.
fn credentials(opts: &Opts) -> (String, Zeroizing<String>) {
    let (own, user) = (own_name(), user());
    // Root and those who came through sudo use the key of the user that the master runs as.
    let owner = match opts.str("user") {
        "" => "root",
        configured => configured,
    };
    let owner = if own == "root" { owner } else { &own };
    let path = opts.path("cachedir").join(format!(".{owner}_key"));
    let key = Zeroizing::new(std::fs::read_to_string(path).unwrap_or_default());
    let key = Zeroizing::new(key.trim_end().to_owned());
    (user, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_a_master_are_understood() {
        let load = map! {"jid" => "1", "minions" => vec!["a"], "missing" => vec!["b"]};
        let ok = map! {"enc" => "clear", "load" => load};
        let want = Published {
            jid: "1".into(),
            minions: vec!["a".into()],
            missing: vec!["b".into()],
            ..Published::default()
        };
        assert_eq!(read_reply(&ok.into()).unwrap(), Some(want));
        let none = map! {"enc" => "clear", "load" => map! {"jid" => Value::Nil, "minions" => Value::List(vec![]), "error" => "x"}};
        assert_eq!(read_reply(&none.into()).unwrap(), None);
        let denied = map! {"error" => map! {"name" => "AuthenticationError", "message" => "no"}};
        assert_eq!(read_reply(&denied.into()).unwrap_err().to_string(), "no");
        assert!(read_reply(&"".into()).unwrap_err().to_string().starts_with("Failed to authenticate!"));
        assert!(read_reply(&"bad load".into()).is_err());
    }
}
