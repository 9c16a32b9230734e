//! Requests from port 4506: taken apart, proved, dispatched and answered.
//!
//! Three ways in, by level of trust, and no other: `_auth` (anyone), clear commands (a local user's key), and encrypted
//! commands (a proved minion). Which handlers a request can reach follows from the type it was proved to be.

mod auth;
mod clear;
mod events;
mod files;
pub(crate) mod job;
mod mine;
mod minion;
mod peer;
mod pillar;
mod receive;
mod returns;
mod run;
mod tops;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use brine_net::{ReqServer, Request, RequestServer};
use brine_protocol::Value;
use brine_protocol::envelope::Envelope;
use brine_protocol::msgpack::{Dialect, encode};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::master::Master;
use crate::metrics::Asks;

pub use job::ping_all;
pub(crate) use tops::check as check_tops;

/// Bodies up to this, which all but a few are, are taken apart at once.
const FREE: usize = 8 << 10;
/// Bodies above this are taken apart and decrypted aside, so that they do not hold up others.
const LARGE: usize = 256 << 10;

/// Serves requests until told to stop, then answers what is still in work.
pub async fn serve(master: Arc<Master>, mut server: ReqServer, mut stop: watch::Receiver<bool>) {
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = stop.changed() => break,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            request = server.next() => match request {
                Some(request) => { tasks.spawn(handle(master.clone(), request)); }
                None => break,
            },
        }
    }
    let rest = async { while tasks.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(std::time::Duration::from_secs(5), rest).await;
    server.shutdown(std::time::Duration::from_secs(1)).await;
}

async fn handle(master: Arc<Master>, request: Request) {
    let Request { peer, body, reply } = request;
    let len = body.len();
    if len > FREE && !master.vouch.knows(peer.ip()) {
        // Taking apart what a stranger sends costs more than receiving it.
        let wait = auth::wait_for(master.gate.admit_refused(peer.ip(), len, Instant::now())).await;
        if wait.is_none() || reply.is_closed() {
            return;
        }
    }
    let begun = Instant::now();
    let (asks, answer) = answer(&master, peer, &body, &reply).await;
    drop(body);
    if let Some(asks) = asks {
        master.metrics.request(asks, begun.elapsed());
    }
    let answer = match answer {
        // Refusals are cheap, but not for nothing; whoever lives on them has to wait for each.
        Some(Answer::Refused(value)) => {
            auth::wait_for(master.gate.admit_refused(peer.ip(), len, Instant::now())).await.map(|()| value)
        }
        Some(Answer::Served(value)) => Some(value),
        None => None,
    };
    match answer {
        Some(value) => reply.send(encode(&value, Dialect::Old).into()),
        // No answer closes the connection.
        None => drop(reply),
    }
}

/// A reply, and whether the request was worth it.
enum Answer {
    Served(Value),
    Refused(Value),
}

/// The reply to one request, None for those that are better not answered at all; and who asked, if that can be told.
async fn answer(
    master: &Arc<Master>,
    peer: SocketAddr,
    body: &[u8],
    reply: &brine_net::Responder,
) -> (Option<Asks>, Option<Answer>) {
    let parse = || Envelope::from_bytes(body, master.config.auth.minimum_version);
    match if body.len() > LARGE { tokio::task::block_in_place(parse) } else { parse() } {
        Err(e) => {
            tracing::debug!(%peer, "bad request: {e}");
            (None, Some(Answer::Refused(e.reply())))
        }
        Ok(Envelope::Clear { load, .. }) if load.get_str("cmd") == Some("_auth") => {
            // It may have to wait; what it waits with is the body, not the much larger values it holds.
            drop(load);
            (Some(Asks::Auth), auth::answer(master, peer, body, reply).await.map(Answer::Served))
        }
        Ok(Envelope::Clear { load, .. }) => {
            let value = clear::answer(master, peer, load).await;
            // Whoever may ask for nothing gets an empty value, which is a refusal too.
            let refused = !value.truthy() || value.get("error").is_some();
            (Some(Asks::Client), Some(if refused { Answer::Refused(value) } else { Answer::Served(value) }))
        }
        Ok(Envelope::Aes(envelope)) => match minion::answer(master, peer, &envelope).await {
            Ok(value) => (Some(Asks::Minion), value.map(Answer::Served)),
            // Who it was is not known.
            Err(refusal) => (None, Some(Answer::Refused(refusal))),
        },
    }
}

/// Seconds since the epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
