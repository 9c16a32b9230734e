//! Moves protocol bytes over ZeroMQ and IPC sockets with tokio.
//!
//! What a message means is not this crate's business: bodies are opaque [`bytes::Bytes`] here, peers are addresses and
//! unproven claims. The ZMTP state machine itself does no IO and lives in `brine_protocol::zmtp`.
//!
//! | role | trait | over ZeroMQ, its options |
//! |---|---|---|
//! | master, port 4505 | [`PublishServer`] | `PubServer::bind(&[SocketAddr], PubOptions) -> Result<PubServer, NetError>` |
//! | master, port 4506 | [`RequestServer`] | `ReqServer::bind(&[SocketAddr], ReqServerOptions) -> Result<ReqServer, NetError>` |
//! | minion, port 4505 | [`SubscribeClient`] | `SubClient::connect(Endpoint, SubOptions) -> SubClient` |
//! | minion and command line, port 4506 | [`RequestClient`] | `ReqClient::new(Endpoint, ReqOptions) -> ReqClient` |
//!
//! All constructors are called inside a tokio runtime, since every socket has a task of its own. Dropping the value
//! stops its tasks and closes its connections.

mod accept;
mod backoff;
mod endpoint;
mod error;
mod guard;
pub mod ipc;
mod options;
mod socket;
mod transport;
mod wall_timer;
mod zmq;

pub use endpoint::Endpoint;
pub use error::{Disconnect, NetError, ReqError};
pub use guard::Vouch;
pub use options::{Backoff, Heartbeat, Limits, TcpOptions};
pub use transport::{
    Peer, PeerEvent, PeerId, PubStats, PublishServer, Request, RequestClient, RequestServer, Responder,
    SubEvent, SubscribeClient,
};
pub use wall_timer::WallTimer;
pub use zmq::{
    PubOptions, PubServer, ReqClient, ReqOptions, ReqServer, ReqServerOptions, SubClient, SubOptions,
};
