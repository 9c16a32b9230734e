//! Requests from port 4506: taken apart, proved, dispatched and answered.
//!
//! Three ways in, by level of trust, and no other: `_auth` (anyone), clear commands (a local user's key), and encrypted
//! commands (a proved minion). Which handlers a request can reach follows from the type it was proved to be.

mod auth;
mod clear;
mod events;
mod files;
mod job;
mod mine;
mod minion;
mod peer;
mod pillar;
mod returns;
mod wheel;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use brine_net::{ReqServer, Request, RequestServer};
use brine_protocol::Value;
use brine_protocol::envelope::Envelope;
use brine_protocol::msgpack::{Dialect, encode};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::master::Master;

pub use job::ping_all;

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
    let answer = answer(&master, peer, &body, &reply).await;
    drop(body);
    match answer {
        Some(value) => reply.send(encode(&value, Dialect::Old).into()),
        // No answer closes the connection.
        None => drop(reply),
    }
}

/// The reply to one request; None for those that are better not answered at all.
async fn answer(
    master: &Arc<Master>,
    peer: SocketAddr,
    body: &[u8],
    reply: &brine_net::Responder,
) -> Option<Value> {
    match Envelope::from_bytes(body, master.config.auth.minimum_version) {
        Err(e) => {
            tracing::debug!(%peer, "bad request: {e}");
            Some(e.reply())
        }
        Ok(Envelope::Clear { load, version }) => {
            if load.get_str("cmd") == Some("_auth") {
                auth::answer(master, peer, &load, version, reply).await
            } else {
                Some(clear::answer(master, peer, load).await)
            }
        }
        Ok(Envelope::Aes(envelope)) => minion::answer(master, peer, &envelope).await,
    }
}

/// Seconds since the epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
