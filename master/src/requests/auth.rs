//! `_auth`: who knocks, what the key store and the options say, and the reply. Anyone may ask, so everything here is
//! bounded by the gate; the decision itself is made in `brine_protocol::auth::master`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brine_net::Responder;
use brine_protocol::Value;
use brine_protocol::auth::master::{
    AuthRequest, AuthRules, BadAuth, Decision, KeyAction, StoredKeys, Verdict, decide,
};
use brine_protocol::crypt::CryptError;
use brine_protocol::envelope::{Envelope, RequestError};
use brine_protocol::ids::MinionId;
use brine_protocol::message::tags;

use crate::keys::{KeyMark, KeyState};
use crate::master::Master;
use crate::metrics::Signed;

/// Pending keys that are kept at most: strangers may add to that directory.
const MOST_PENDING: usize = 20_000;

/// No true request is larger, with its claims for `autosign_grains`.
const LARGEST: usize = 64 << 10;

pub(super) async fn answer(
    master: &Arc<Master>,
    peer: SocketAddr,
    body: &[u8],
    reply: &Responder,
) -> Option<Value> {
    if body.len() > LARGEST {
        return Some(RequestError::AuthField("load").reply());
    }
    wait_for(master.gate.admit(peer.ip(), Instant::now())).await?;
    let mut request = match parse(master, body) {
        Ok(request) => request,
        Err(BadAuth::Malformed(e)) => {
            tracing::debug!(%peer, "malformed authentication: {e}");
            return Some(e.reply());
        }
        Err(BadAuth::Id(refusal)) => {
            tracing::info!(%peer, "Authentication request from invalid id");
            wait_for(master.gate.admit_refusal(Instant::now())).await?;
            return compute(master, reply, move |master| refusal.reply(&master.credentials.read())).await;
        }
    };
    tracing::info!(%peer, "Authentication request from {}", request.id);
    let decided = decided(master, &request);
    request.autosign_grains = None;
    let decision = match decided {
        Ok(decision) => decision,
        Err(e) => {
            tracing::error!("key store: {}: {e}", request.id);
            return None;
        }
    };
    // Refusals have a rate of their own, and what they write to the key store counts against it.
    if matches!(decision.verdict, Verdict::Refuse(_)) {
        wait_for(master.gate.admit_refusal(Instant::now())).await?;
    }
    if let Err(e) = carry_out(master, &request.id, &decision) {
        tracing::error!("key store: {}: {e}", request.id);
        return None;
    }
    match decision.verdict {
        Verdict::Refuse(refusal) => {
            compute(master, reply, move |master| refusal.reply(&master.credentials.read())).await
        }
        Verdict::Accept(acceptance) => {
            wait_for(master.gate.admit_again(peer.ip(), &request.id, Instant::now())).await?;
            let key = KeyMark::of(&request.pub_pem);
            let fits = master.records.fits(&request.id, key);
            let session = match master.sessions.ensure(&request.id, key, fits) {
                Ok(session) => {
                    master.records.note(&request.id, key, 0);
                    session
                }
                Err(e) => {
                    tracing::error!("cannot write the session key of {}: {e}", request.id);
                    return None;
                }
            };
            // Nothing is proved yet: public keys are public. The first encrypted request proves the minion.
            compute(master, reply, move |master| acceptance.reply(&master.credentials.read(), &session)).await
        }
    }
}

fn parse(master: &Master, body: &[u8]) -> Result<AuthRequest, BadAuth> {
    match Envelope::from_bytes(body, master.config.auth.minimum_version) {
        Ok(Envelope::Clear { load, version }) => AuthRequest::parse(&load, version),
        Ok(Envelope::Aes(_)) => Err(BadAuth::Malformed(RequestError::Enc)),
        Err(e) => Err(BadAuth::Malformed(e)),
    }
}

/// Reads what is stored and what the options say, and decides.
fn decided(master: &Master, request: &AuthRequest) -> io::Result<Decision> {
    let id = &request.id;
    let keys = &master.keys;
    let pending_is_directory = keys.obstructed(KeyState::Pending, id);
    let stored = StoredKeys {
        accepted: keys.read(KeyState::Accepted, id)?,
        pending: if pending_is_directory { None } else { keys.read(KeyState::Pending, id)? },
        rejected: keys.has(KeyState::Rejected, id),
        pending_is_directory,
    };
    let rules = AuthRules {
        full: master.config.auth.max_minions > 0 && is_full(master, id),
        open_mode: master.config.auth.open_mode,
        autoreject: master.auto_key.rejects(id),
        autosign: master.auto_key.accepts(id, request.autosign_grains.as_ref()),
    };
    let mut decision = decide(request, &stored, rules);
    if let Some(event) = &mut decision.event
        && let Some(grains) = request.autosign_grains.as_ref().filter(|grains| !grains.is_empty())
        && event.get_str("act").is_some_and(|act| master.config.auth.events_with_grains.contains(act))
    {
        event.insert("autosign_grains", grains.clone());
    }
    Ok(decision)
}

/// Whether more minions than `max_minions` are connected and this one is not among them. As in stock, the one that fills
/// up the last place is let in and still another one; connections that proved nothing do not count.
fn is_full(master: &Master, id: &MinionId) -> bool {
    let present = master.presence.present();
    present.len() > master.config.auth.max_minions && !present.contains(id)
}

/// Changes the key store as decided, and fires the event.
fn carry_out(master: &Master, id: &MinionId, decision: &Decision) -> io::Result<()> {
    let _span = tracing::info_span!("request", minion_id = %id).entered();
    let keys = &master.keys;
    for action in &decision.actions {
        match action {
            // Whoever brings a key that is new here does not inherit the session of the one before: tools delete keys
            // without a word to us.
            KeyAction::WriteAccepted(key) => {
                master.sessions.end(id);
                keys.write(KeyState::Accepted, id, key)?;
            }
            KeyAction::WritePending(key) => {
                let count = || keys.count(KeyState::Pending);
                if !master.gate.admit_pending(Instant::now(), MOST_PENDING, count)? {
                    return Err(io::Error::other("too many pending keys; nothing more is stored"));
                }
                master.sessions.end(id);
                keys.write(KeyState::Pending, id, key)?;
            }
            KeyAction::WriteRejected(key) => keys.write(KeyState::Rejected, id, key)?,
            KeyAction::WriteDenied(key) => keys.write(KeyState::Denied, id, key)?,
            KeyAction::RemovePending => drop(keys.remove(KeyState::Pending, id)?),
            KeyAction::MovePendingToRejected => keys.shift(id, KeyState::Pending, KeyState::Rejected)?,
        }
    }
    if let Some(event) = &decision.event
        && master.config.auth.events
    {
        master.events.fire(tags::AUTH, event.clone());
    }
    master.metrics.signed(match &decision.verdict {
        Verdict::Accept(_) => Signed::Accepted,
        Verdict::Refuse(refusal) if refusal.is_pending() => Signed::Pending,
        Verdict::Refuse(_) => Signed::Refused,
    });
    log(id, &decision.verdict, !decision.actions.is_empty());
    Ok(())
}

fn log(id: &MinionId, verdict: &Verdict, changed: bool) {
    match verdict {
        Verdict::Accept(_) => tracing::info!("Authentication accepted from {id}"),
        Verdict::Refuse(r) if r.is_pending() && changed => {
            tracing::info!("New public key for {id} placed in pending");
        }
        Verdict::Refuse(r) if r.is_pending() => {
            tracing::info!(
                "Authentication failed from host {id}, the key is in pending and needs to be accepted"
            );
        }
        Verdict::Refuse(_) => tracing::error!("Authentication of {id} refused"),
    }
}

/// Waits as the gate says; None when it turns away.
pub(super) async fn wait_for(wait: Option<Duration>) -> Option<()> {
    let wait = wait?;
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    Some(())
}

/// Computes a reply, a few at a time, on a thread of its own; not at all when the peer has gone meanwhile.
async fn compute(
    master: &Arc<Master>,
    reply: &Responder,
    make: impl FnOnce(&Master) -> Result<Value, CryptError> + Send + 'static,
) -> Option<Value> {
    let _slot = master.gate.slot().await?;
    if reply.is_closed() {
        return None;
    }
    let master = master.clone();
    match tokio::task::spawn_blocking(move || make(&master)).await {
        Ok(Ok(value)) => Some(value),
        Ok(Err(e)) => {
            tracing::error!("cannot answer an authentication: {e}");
            None
        }
        Err(_) => None,
    }
}
