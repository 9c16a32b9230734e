//! What the tests of this crate share: waiting with a deadline, and options with short times.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "each test program includes this file and uses its own part"
)]

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use brine_net::{
    Backoff, Endpoint, Heartbeat, Limits, NetError, ReqOptions, SubClient, SubEvent, SubOptions,
    SubscribeClient,
};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Far beyond what anything here takes, even on a busy machine.
pub const LONG: Duration = Duration::from_secs(20);

pub const HEARTBEAT: Heartbeat = Heartbeat::new(Duration::from_millis(200), Duration::from_millis(500));

pub fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

pub fn endpoint(addr: SocketAddr) -> Endpoint {
    Endpoint::new(addr.ip().to_string(), addr.port())
}

pub fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// Waits for a future that is expected to end.
pub async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LONG, future).await.expect("this should have happened long ago")
}

/// Waits until a condition holds.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LONG, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub fn fast() -> Backoff {
    Backoff { min: Duration::from_millis(10), max: Duration::from_millis(50), random: true }
}

pub fn sub_options(subscriptions: &[&str]) -> SubOptions {
    SubOptions {
        subscriptions: subscriptions.iter().map(|t| bytes(t)).collect(),
        identity: bytes("minion-1"),
        backoff: fast(),
        heartbeat: Some(HEARTBEAT),
        limits: Limits { handshake_timeout: Duration::from_secs(2), ..Limits::default() },
        ..SubOptions::default()
    }
}

pub fn req_options() -> ReqOptions {
    ReqOptions { backoff: fast(), heartbeat: Some(HEARTBEAT), ..ReqOptions::default() }
}

/// The next event that is not a failed attempt.
pub async fn event(client: &mut SubClient) -> SubEvent {
    loop {
        match soon(client.recv()).await {
            SubEvent::ConnectFailed { .. } => {}
            event => return event,
        }
    }
}

pub async fn message(client: &mut SubClient) -> Vec<Bytes> {
    match event(client).await {
        SubEvent::Message(frames) => frames,
        other => panic!("expected a message, not {other:?}"),
    }
}

pub async fn connected(client: &mut SubClient) {
    match event(client).await {
        SubEvent::Connected { .. } => {}
        other => panic!("expected a connection, not {other:?}"),
    }
}

pub async fn write(stream: &mut TcpStream, data: &[u8]) {
    stream.write_all(data).await.unwrap();
}

/// Plays a ZMTP 3.1 peer by hand up to and including READY; reads the other side's part.
pub async fn shake_hands(stream: &mut TcpStream, socket_type: &str) {
    shake_hands_as(stream, socket_type, b"").await;
}

pub async fn shake_hands_as(stream: &mut TcpStream, socket_type: &str, identity: &[u8]) {
    let mut greeting = [0; 64];
    greeting[..16].copy_from_slice(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL");
    write(stream, &greeting).await;
    let mut ready = b"\x05READY\x0bSocket-Type".to_vec();
    ready.extend_from_slice(&u32::try_from(socket_type.len()).unwrap().to_be_bytes());
    ready.extend_from_slice(socket_type.as_bytes());
    ready.extend_from_slice(b"\x08Identity");
    ready.extend_from_slice(&u32::try_from(identity.len()).unwrap().to_be_bytes());
    ready.extend_from_slice(identity);
    write(stream, &[4, u8::try_from(ready.len()).unwrap()]).await;
    write(stream, &ready).await;
    stream.read_exact(&mut greeting).await.unwrap();
    read_frame(stream).await;
}

/// Reads a short frame: flags and body.
pub async fn read_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut header = [0; 2];
    soon(stream.read_exact(&mut header)).await.unwrap();
    let mut body = vec![0; usize::from(header[1])];
    soon(stream.read_exact(&mut body)).await.unwrap();
    (header[0], body)
}

/// Binds to a port that a dropped server may hold for a moment more.
pub async fn again<S>(bind: impl Fn() -> Result<S, NetError>) -> S {
    let start = Instant::now();
    loop {
        match bind() {
            Ok(server) => return server,
            Err(e) => assert!(start.elapsed() < LONG, "{e}"),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
