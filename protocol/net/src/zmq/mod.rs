//! The four roles over ZeroMQ (ZMTP 3.x, NULL mechanism), on TCP.

pub(crate) mod link;
mod publish;
mod request_client;
mod request_server;
mod subscribe;

pub use publish::{PubOptions, PubServer};
pub use request_client::{ReqClient, ReqOptions};
pub use request_server::{ReqServer, ReqServerOptions};
pub use subscribe::{SubClient, SubOptions};
