//! Accepts TCP connections within the limits and gives each a task. What is spoken on them is the caller's business.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::error::NetError;
use crate::guard::{Admission, Guard, Vouch};
use crate::options::{Limits, TcpOptions};
use crate::socket;

/// Pause after an accept error such as a full file table, which would otherwise repeat at once and for ever.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The listening sockets of one server. Dropped, they and all their connections are closed.
#[derive(Debug)]
pub(crate) struct Acceptor {
    local_addrs: Vec<SocketAddr>,
    vouch: Vouch,
    stop: watch::Sender<bool>,
    // Dropping the set stops the accept loops, and those own the tasks of their connections.
    loops: JoinSet<()>,
}

impl Acceptor {
    pub(crate) fn local_addrs(&self) -> &[SocketAddr] {
        &self.local_addrs
    }

    pub(crate) fn vouching(&self) -> Vouch {
        self.vouch.clone()
    }

    /// Accepts no more and waits for the connections' tasks to end by themselves, for at most `limit`.
    pub(crate) async fn drain(mut self, limit: Duration) {
        self.stop.send_replace(true);
        let ended = async { while self.loops.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(limit, ended).await;
    }
}

/// Listens, and runs `serve` for every connection that is let in.
pub(crate) fn start<S, F>(
    addrs: &[SocketAddr],
    tcp: TcpOptions,
    limits: Limits,
    serve: S,
) -> Result<Acceptor, NetError>
where
    S: Fn(TcpStream, SocketAddr, Admission) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listeners = socket::listen(addrs, &tcp)?;
    let local_addrs = listeners.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?;
    let guard = Guard::new(limits);
    let vouch = guard.vouching();
    let mut loops = JoinSet::new();
    let (stop, stopped) = watch::channel(false);
    for listener in listeners {
        let (guard, tcp, serve, mut stopped) = (guard.clone(), tcp.clone(), serve.clone(), stopped.clone());
        loops.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    _ = stopped.changed() => break,
                    accepted = listener.accept() => match accepted {
                        Ok((stream, addr)) => {
                            let addr = SocketAddr::new(addr.ip().to_canonical(), addr.port());
                            match guard.admit(addr.ip(), Instant::now()) {
                                Ok(admission) => {
                                    if let Err(error) = socket::apply(SockRef::from(&stream), &tcp) {
                                        tracing::debug!(%addr, %error, "socket options");
                                        continue;
                                    }
                                    connections.spawn(serve(stream, addr, admission));
                                }
                                Err(why) => tracing::debug!(%addr, why, "connection refused"),
                            }
                        }
                        Err(error) => {
                            tracing::warn!(%error, "accept");
                            tokio::time::sleep(ACCEPT_PAUSE).await;
                        }
                    },
                    Some(ended) = connections.join_next() => {
                        if let Err(error) = ended {
                            tracing::error!(%error, "a connection's task failed");
                        }
                    }
                }
            }
            drop(listener);
            while connections.join_next().await.is_some() {}
        });
    }
    Ok(Acceptor { local_addrs, vouch, stop, loops })
}
