//! A conversation with the master: clear requests to the request port, and the events that they lead to.

use crate::{Error, Event, Listener, Result, Who};
use brine_core::Opts;
use brine_core::text::python_str;
use brine_net::{Endpoint, ReqClient, ReqOptions, RequestClient};
use brine_protocol::envelope::Envelope;
use brine_protocol::msgpack::{self, Dialect};
use brine_protocol::{Map, Value, map};
use std::time::{Duration, Instant};

/// What the master has made of a job.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The job's id.
    pub jid: String,
    /// The minions that are expected to return.
    pub minions: Vec<String>,
    /// Of a list target: names that have no key.
    pub missing: Vec<String>,
    /// Of the expected minions: those without a connection now. None: the master is stock's, which does not say.
    pub not_connected: Option<Vec<String>>,
}

/// A connection to the master.
pub struct Link {
    requests: ReqClient,
    events: Option<Listener>,
    who: Who,
    /// `publish_timeout`: how long the master may take to answer a request.
    patience: Duration,
    /// Proofs for external authentication, which go along with every job.
    proofs: Map,
    jid: Option<String>,
    /// How the tags of the events begin that this conversation is about: no others are decoded.
    about: Vec<String>,
}

impl Link {
    /// Connects; with `listen`, to the event bus first, so that no event of a job is missed.
    ///
    /// # Errors
    /// When nobody is there. Without `listen` that is only seen when something is asked.
    pub async fn connect(opts: &Opts, who: Who, listen: bool) -> Result<Self> {
        let events = match listen {
            true => Some(Listener::connect(opts).await.map_err(|_| Error::Unreachable)?),
            false => None,
        };
        let host = match opts.str("interface") {
            "" | "0.0.0.0" => "127.0.0.1",
            "::" => "::1",
            other => other,
        };
        let port = opts.int("ret_port").and_then(|p| u16::try_from(p).ok()).unwrap_or(4506);
        let seconds = opts.float("publish_timeout").filter(|n| *n > 0.0).unwrap_or(30.0);
        let options = ReqOptions { keep_warm: false, ..ReqOptions::default() };
        Ok(Self {
            requests: ReqClient::new(Endpoint::new(host, port), options),
            events,
            who,
            patience: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
            proofs: Map::new(),
            jid: None,
            about: Vec::new(),
        })
    }

    /// Uses these proofs (`eauth`, `username`, `password`, or `token`) from now on.
    pub fn prove(&mut self, proofs: Map) {
        self.proofs = proofs;
    }

    /// Whether the key file of a local user could be read: then no token is needed.
    pub fn has_key(&self) -> bool {
        !self.who.key.is_empty()
    }

    /// The id of the job that was published, for those who interrupt it.
    pub fn jid(&self) -> Option<&str> {
        self.jid.as_deref()
    }

    /// Publishes a job. None: no minion matches, and nothing was sent.
    ///
    /// # Errors
    /// When the master does not answer, or refuses.
    pub async fn publish(&mut self, load: Map) -> Result<Option<Published>> {
        let published = self.ask(load).await?;
        self.jid = published.as_ref().map(|p| p.jid.clone());
        Ok(published)
    }

    /// Publishes a job beside the one that is waited for.
    ///
    /// # Errors
    /// When the master does not answer, or refuses.
    pub async fn ask(&mut self, mut load: Map) -> Result<Option<Published>> {
        load.insert("cmd", "publish");
        self.sign(&mut load);
        if let Some(Value::Map(kwargs)) = load.get_mut("kwargs") {
            kwargs.update(self.proofs.clone());
        }
        let published = read_reply(&self.request(load).await?)?;
        if let Some(job) = &published {
            self.about.push(format!("salt/job/{}/", job.jid));
        }
        Ok(published)
    }

    /// Asks the master to run a function of its own: `kind` is `wheel` or `runner`; `args` holds `arg` and `kwarg`.
    ///
    /// # Errors
    /// When the master does not answer. That it refuses is in the reply.
    pub async fn on_master(&mut self, kind: &str, fun: &str, args: Map) -> Result<Value> {
        let mut load = map! {"cmd" => kind, "fun" => fun};
        load.update(args);
        if self.proofs.is_empty() {
            self.sign(&mut load);
        }
        load.update(self.proofs.clone());
        self.request(load).await
    }

    /// Asks the master which minions have a live connection: id to address. Only our master knows the question.
    ///
    /// # Errors
    /// When the master does not answer. That it refuses is in the reply.
    pub async fn connected(&mut self) -> Result<Value> {
        let mut load = map! {"cmd" => "brine_connected"};
        self.sign(&mut load);
        self.request(load).await
    }

    /// Waits for the end of the run that the master began with this reply, at most so long: the data of its event.
    ///
    /// # Errors
    /// When the master refused, has gone, or does not end it in time.
    pub async fn result(&mut self, reply: &Value, wait: Option<Duration>) -> Result<Map> {
        let Some(tag) = reply.get("tag").and_then(Value::as_str) else {
            return Err(Error::Refused(error_text(reply).unwrap_or_else(|| python_str(reply))));
        };
        let end = format!("{tag}/ret");
        self.about.push(end.clone());
        let until = wait.map(|wait| Instant::now() + wait);
        while let Some(event) = self.event(until).await? {
            if event.tag == end {
                return Ok(event.data);
            }
        }
        let jid = tag.rsplit('/').next().unwrap_or_default();
        Err(Error::Refused(format!("RunnerClient job '{jid}' timed out")))
    }

    /// Asks the master for anything: a clear request and its answer.
    ///
    /// # Errors
    /// When there is no answer that can be read.
    pub async fn request(&mut self, load: Map) -> Result<Value> {
        let body = msgpack::encode_map(&Envelope::clear(load), Dialect::Old);
        let reply =
            self.requests.request(body.into(), self.patience).await.map_err(|_| Error::Unreachable)?;
        msgpack::decode(&reply).map_err(|e| Error::Refused(format!("the master's answer: {e}")))
    }

    /// The next event of the jobs that were published and the runs that are waited for, or None at `until`.
    ///
    /// # Errors
    /// When the master has gone.
    pub async fn event_until(&mut self, until: Instant) -> Result<Option<Event>> {
        self.event(Some(until)).await
    }

    async fn event(&mut self, until: Option<Instant>) -> Result<Option<Event>> {
        let Some(events) = &mut self.events else { return Ok(None) };
        let about = &self.about;
        let next = events.next_of(|tag| about.iter().any(|beginning| tag.starts_with(beginning.as_str())));
        let came = match until {
            None => next.await,
            Some(until) => match tokio::time::timeout_at(until.into(), next).await {
                Err(_) => return Ok(None),
                Ok(came) => came,
            },
        };
        came.map(Some).map_err(Error::BusEnded)
    }

    fn sign(&self, load: &mut Map) {
        load.insert("user", self.who.name.as_str());
        load.insert("key", self.who.key.as_str());
    }
}

/// What the master says of a request that it refuses.
fn error_text(reply: &Value) -> Option<String> {
    reply.get("error").map(|error| python_str(error.get("message").unwrap_or(error)))
}

/// Reads the master's answer to a publish.
fn read_reply(reply: &Value) -> Result<Option<Published>> {
    if let Some(text) = error_text(reply) {
        return Err(Error::Refused(text));
    }
    let load = match (reply.get("load"), reply) {
        (Some(load), _) => load,
        (None, Value::Str(text)) if text.is_empty() => {
            return Err(Error::Refused(
                "Failed to authenticate! This is most likely because this user is not permitted to execute commands, but \
                 there is a small possibility that a disk error occurred (check disk/inode usage)."
                    .into(),
            ));
        }
        (None, other) => {
            return Err(Error::Refused(format!("the master answers {}", python_str(other))));
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
