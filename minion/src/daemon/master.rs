//! The life with one master: sign in, read pillar, listen, obey; and again when it is lost.

use super::attached::{Attached, Path, event};
use super::exit::Exit;
use super::{netwatch, publish, wait};
use crate::chance;
use crate::connect::address::publish_endpoint;
use crate::connect::link::{AuthError, Session};
use crate::connect::settings::{acceptance_waits, sub_options};
use brine_core::{Map, Opts, Value};
use brine_net::{SubClient, SubEvent, SubscribeClient};
use brine_protocol::crypt::CryptError;
use brine_protocol::message::publish::{PublishError, PublishReceiver};
use brine_protocol::msgpack;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// Publishes that fail to decrypt cause at most one sign-in in this time: anybody can send such.
const BETWEEN_SIGN_INS: Duration = Duration::from_secs(1);

/// Serves one master for ever. Ends only with the task.
pub(super) async fn serve(attached: Arc<Attached>) {
    let session = sign_in(&attached, 0).await;
    listen(attached, session).await;
}

/// Serves a master that let us in, for ever.
pub(super) async fn listen(attached: Arc<Attached>, session: Arc<Session>) {
    attached.minion.deliverer.master_up(&attached.link);
    read_pillar(&attached).await;
    let mut ears = Ears::new(&attached, &session);
    loop {
        let event = tokio::select! {
            event = ears.sub.recv() => event,
            () = attached.kick_ears.notified() => {
                ears.sub.kick();
                continue;
            }
        };
        match event {
            SubEvent::Connected { addr } => {
                tracing::debug!("listening to {addr}");
                attached.up(Path { to: addr, from: netwatch::source_towards(addr) });
                attached.minion.deliverer.master_up(&attached.link);
                if !std::mem::replace(&mut ears.greeted, true) {
                    greet(&attached);
                }
            }
            SubEvent::Disconnected { reason } => {
                attached.down();
                tracing::info!("Connection to master {} lost: {reason}", attached.link.name());
            }
            SubEvent::ConnectFailed { reason } => {
                tracing::debug!("cannot connect to master {}: {reason}", attached.link.name());
            }
            SubEvent::Message(frames) => {
                // With zmq_filtering the first of two frames is the topic.
                if let Some(body) = frames.last()
                    && let Some(load) = ears.open(&attached, body).await
                {
                    publish::handle(&attached, load);
                }
            }
        }
    }
}

/// The publish connection and the keys to understand it.
struct Ears {
    sub: SubClient,
    receiver: PublishReceiver,
    generation: u64,
    signed_in: Instant,
    port: u16,
    greeted: bool,
}

impl Ears {
    fn new(attached: &Attached, session: &Session) -> Self {
        let opts = &attached.opts;
        let endpoint = publish_endpoint(attached.link.name(), opts, session.publish_port);
        let receiver =
            PublishReceiver::new(session.aes.clone(), session.master.clone(), opts.flag("sign_pub_messages"));
        Self {
            sub: SubClient::connect(endpoint, sub_options(&attached.minion.id, opts)),
            receiver,
            generation: session.generation,
            signed_in: Instant::now(),
            port: session.publish_port,
            greeted: false,
        }
    }

    /// Takes the keys of a later sign-in.
    fn take(&mut self, attached: &Attached, session: &Session) {
        self.receiver.rekey(session.aes.clone(), session.master.clone());
        self.generation = session.generation;
        self.signed_in = Instant::now();
        if session.publish_port != self.port {
            self.port = session.publish_port;
            let endpoint = publish_endpoint(attached.link.name(), &attached.opts, self.port);
            self.sub = SubClient::connect(endpoint, sub_options(&attached.minion.id, &attached.opts));
        }
    }

    /// Decrypts a publish; when its key is another, signs in again and tries once more.
    async fn open(&mut self, attached: &Arc<Attached>, body: &[u8]) -> Option<Map> {
        let Ok(message) = msgpack::decode(body) else { return None };
        if let Some(session) = attached.link.session().filter(|s| s.generation > self.generation) {
            // A request needed it meanwhile.
            self.take(attached, &session);
        }
        match self.receiver.open(&message) {
            Err(PublishError::Crypt(CryptError::Mac)) => {
                tracing::debug!("a publish is under another key: signing in again");
                tokio::time::sleep_until(self.signed_in + BETWEEN_SIGN_INS).await;
                let (session, port) = (sign_in(attached, self.generation).await, self.port);
                self.take(attached, &session);
                // A sign-in without answers has noted the master as gone.
                if let Some(path) = attached.path().filter(|_| port == self.port) {
                    attached.up(path);
                }
                match self.receiver.open(&message) {
                    Ok(load) => Some(load),
                    Err(e) => {
                        tracing::error!(
                            "Payload decryption failed even after re-authenticating with master {}: {e}",
                            attached.link.name()
                        );
                        None
                    }
                }
            }
            Ok(load) => Some(load),
            Err(PublishError::Shape) => None,
            Err(e) => {
                tracing::error!("a publish is refused: {e}");
                None
            }
        }
    }
}

/// Whether a refusal ends the minion: that of a master that proved itself, unless `rejected_retry` says otherwise.
fn ends(error: &AuthError, opts: &Opts) -> bool {
    matches!(error, AuthError::Rejected { authenticated: true }) && !opts.flag("rejected_retry")
}

/// Signs in, however long it takes. Nothing that anybody on the path could have sent ends the minion or stops it
/// trying; only a master known before, by its signature, may end it.
async fn sign_in(attached: &Arc<Attached>, seen: u64) -> Arc<Session> {
    let opts = &attached.opts;
    let (first, most) = acceptance_waits(opts);
    let mut pause = first;
    let mut said = String::new();
    loop {
        let error = match attached.link.sign_in(seen).await {
            Ok(session) => return session,
            Err(error) => error,
        };
        let text = error.to_string();
        if text != said {
            // Once for each change, not once for each attempt: a minion may wait for weeks.
            tracing::error!("master {}: {text}", attached.link.name());
            said = text;
        }
        match error {
            AuthError::NoAnswer(_) => {
                // Whatever the publish connection looks like: failover must see that this master is not there.
                attached.down();
                // The attempt itself has waited.
                tokio::time::sleep(chance::between(Duration::from_millis(100), Duration::from_secs(1))).await;
                continue;
            }
            ref error if ends(error, opts) => {
                tokio::time::sleep(chance::between(Duration::from_secs(10), Duration::from_secs(20))).await;
                attached.minion.exit(Exit::Rejected);
                return std::future::pending().await;
            }
            AuthError::Pending => {
                tracing::info!("Waiting {} seconds before retry.", pause.as_secs_f64());
            }
            _ => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(most);
    }
}

/// Reads the pillar, however long it takes: jobs must not run without it.
async fn read_pillar(attached: &Arc<Attached>) {
    let mut backoff = wait::Growing::new(Duration::from_secs(1), Duration::from_secs(15));
    while let Err(e) = attached.refresh_pillar(false).await {
        tracing::error!("Pillar data could not be read from master {}: {e}", attached.link.name());
        tokio::time::sleep(backoff.next()).await;
    }
}

/// What a minion says and does when it is ready for the first time.
fn greet(attached: &Arc<Attached>) {
    let this = attached.clone();
    tokio::spawn(async move {
        let text = format!("Minion {} started at {}", this.minion.id, wait::asctime(SystemTime::now()));
        let names = this.opts.get("start_event_grains").and_then(Value::as_list).unwrap_or_default();
        let wanted: Map = {
            let grains = this.minion.grains();
            names.iter().filter_map(Value::as_str).filter_map(|n| Some((n, grains.get(n)?.clone()))).collect()
        };
        let mut tags = vec![format!("salt/minion/{}/start", this.minion.id)];
        if this.opts.get("enable_legacy_startup_events").is_none_or(Value::truthy) {
            tags.insert(0, "minion_start".to_owned());
        }
        for tag in tags {
            let mut load = event(&tag, text.as_str());
            if !names.is_empty() {
                load.insert("grains", wanted.clone());
            }
            this.fire_master(load).await;
        }
        tracing::info!("Minion is ready to receive requests!");
        this.minion.schedule.greet(&this.minion);
        this.minion.beacons.begin();
        super::startup_job::run(&this);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn only_a_master_that_proved_itself_may_end_a_minion() {
        let retry = Opts::new(map! {"rejected_retry" => true});
        let refused = |authenticated| AuthError::Rejected { authenticated };
        assert!(ends(&refused(true), &Opts::default()) && !ends(&refused(false), &Opts::default()));
        assert!(!ends(&refused(true), &retry));
    }
}
