//! Our request server and our request client with each other, and with rude peers, on loopback.

#![allow(clippy::unwrap_used, reason = "a test may stop at anything unexpected")]

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use brine_net::{
    Disconnect, Heartbeat, Limits, ReqClient, ReqError, ReqOptions, ReqServer, ReqServerOptions, Request,
    RequestClient, RequestServer,
};
use bytes::Bytes;
use common::{
    LONG, again, any_port, bytes, endpoint, read_frame, req_options, shake_hands, shake_hands_as, soon,
    until, write,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn server(limits: Limits) -> (ReqServer, SocketAddr) {
    let server =
        ReqServer::bind(&[any_port()], ReqServerOptions { limits, ..ReqServerOptions::default() }).unwrap();
    let addr = server.local_addrs()[0];
    (server, addr)
}

/// Answers every request with itself.
fn echo() -> SocketAddr {
    let (mut server, addr) = server(Limits::default());
    tokio::spawn(async move {
        while let Some(Request { body, reply, .. }) = server.next().await {
            reply.send(body);
        }
    });
    addr
}

#[tokio::test]
async fn many_callers_get_their_own_replies() {
    let client = std::sync::Arc::new(ReqClient::new(endpoint(echo()), req_options()));
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..50 {
        let client = client.clone();
        callers.spawn(async move {
            let body = bytes(&format!("request {n}"));
            assert_eq!(client.request(body.clone(), LONG).await.unwrap(), body);
        });
    }
    while let Some(done) = soon(callers.join_next()).await {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_large_body_goes_both_ways() {
    let client = ReqClient::new(endpoint(echo()), req_options());
    let body = Bytes::from(vec![9; 40 << 20]);
    assert!(client.request(body.clone(), LONG).await.unwrap() == body);
}

#[tokio::test]
async fn one_connection_serves_requests_in_a_row() {
    let (mut server, addr) = server(Limits::default());
    let client = ReqClient::new(endpoint(addr), req_options());
    until("the warm connection is there", || client.idle_connections() == 1).await;
    let mut peers = Vec::new();
    for _ in 0..5 {
        let (answer, request) = tokio::join!(client.request(bytes("x"), LONG), async {
            let request = soon(server.next()).await.unwrap();
            let peer = request.peer;
            request.reply.send(request.body);
            peer
        });
        answer.unwrap();
        peers.push(request);
    }
    peers.dedup();
    assert_eq!(peers.len(), 1, "{peers:?}");
}

#[tokio::test]
async fn a_late_reply_reaches_nobody() {
    let (mut server, addr) = server(Limits::default());
    let client = ReqClient::new(endpoint(addr), req_options());
    let late = client.request(bytes("first"), Duration::from_millis(200));
    let (outcome, first) = tokio::join!(late, soon(server.next()));
    assert_eq!(outcome, Err(ReqError::Timeout));
    let first = first.unwrap();
    let (outcome, ()) = tokio::join!(client.request(bytes("second"), LONG), async {
        let second = soon(server.next()).await.unwrap();
        assert_ne!(first.peer, second.peer, "the connection in doubt was used again");
        first.reply.send(bytes("for first"));
        second.reply.send(bytes("for second"));
    });
    assert_eq!(outcome.unwrap(), "for second");
}

#[tokio::test]
async fn a_cancelled_request_takes_its_connection_along() {
    let (mut server, addr) = server(Limits::default());
    let client = ReqClient::new(endpoint(addr), req_options());
    let request = tokio::select! {
        _ = client.request(bytes("given up"), LONG) => panic!("nobody answered"),
        request = soon(server.next()) => request.unwrap(),
    };
    until("the connection is gone", || request.reply.is_closed()).await;
}

#[tokio::test]
async fn a_dropped_responder_fails_the_request_at_once() {
    let (mut server, addr) = server(Limits::default());
    let client = ReqClient::new(endpoint(addr), req_options());
    let (outcome, ()) = tokio::join!(client.request(bytes("x"), LONG), async {
        drop(soon(server.next()).await.unwrap());
    });
    let error = outcome.unwrap_err();
    assert_eq!(error, ReqError::Disconnected(Disconnect::Closed));
    assert!(error.maybe_delivered());
}

#[tokio::test]
async fn odd_replies_fail_the_request() {
    for odd in [
        &b"\0\x01x"[..],
        b"\x01\0\x01\x01a\0\x01b",
        b"\x01\x01x\0\x01b",
        b"\x80\0",
        b"\x02\x7f\0\0\0\0\0\0\0",
    ] {
        let listener = TcpListener::bind(any_port()).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let client = ReqClient::new(endpoint(addr), ReqOptions { keep_warm: false, ..req_options() });
        let (outcome, ()) = tokio::join!(client.request(bytes("x"), LONG), async {
            let (mut stream, _) = soon(listener.accept()).await.unwrap();
            shake_hands(&mut stream, "ROUTER").await;
            assert_eq!(read_frame(&mut stream).await, (1, vec![]));
            assert_eq!(read_frame(&mut stream).await, (0, b"x".to_vec()));
            write(&mut stream, odd).await;
            let mut rest = Vec::new();
            let _ = soon(stream.read_to_end(&mut rest)).await;
            assert!(rest.is_empty(), "the connection is used on");
        });
        assert!(outcome.is_err(), "{odd:?}");
    }
}

#[tokio::test]
async fn an_unasked_reply_is_never_taken_for_an_answer() {
    let listener = TcpListener::bind(any_port()).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let client = ReqClient::new(endpoint(addr), req_options());
    let (mut stream, _) = soon(listener.accept()).await.unwrap();
    shake_hands(&mut stream, "ROUTER").await;
    until("it is idle", || client.idle_connections() == 1).await;
    write(&mut stream, b"\x01\0\0\x05wrong").await;
    // From here on an honest server, on as many connections as the client likes.
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                shake_hands(&mut stream, "ROUTER").await;
                while read_frame(&mut stream).await.1 != b"x" {}
                write(&mut stream, b"\x01\0\0\x05right").await;
                read_frame(&mut stream).await;
            });
        }
    });
    let outcome = client.request(bytes("x"), LONG).await;
    assert_eq!(outcome.unwrap(), "right");
}

#[tokio::test]
async fn a_server_that_comes_late_or_again_is_found() {
    let listener = TcpListener::bind(any_port()).await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let client = ReqClient::new(endpoint(addr), req_options());
    let refused = client.request(bytes("x"), Duration::from_millis(300)).await.unwrap_err();
    assert!(matches!(refused, ReqError::Unreachable(_)) && !refused.maybe_delivered(), "{refused:?}");
    for _ in 0..2 {
        let mut server = again(|| ReqServer::bind(&[addr], ReqServerOptions::default())).await;
        let (outcome, ()) = tokio::join!(client.request(bytes("x"), LONG), async {
            let request = soon(server.next()).await.unwrap();
            request.reply.send(bytes("y"));
        });
        assert_eq!(outcome.unwrap(), "y");
        drop(server);
        until("the loss is noticed", || client.idle_connections() == 0).await;
    }
}

#[tokio::test]
async fn a_silent_server_is_noticed_while_idle_and_while_waiting() {
    let listener = TcpListener::bind(any_port()).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let heartbeat = Some(Heartbeat::new(Duration::from_millis(100), Duration::from_millis(300)));
    let client = ReqClient::new(endpoint(addr), ReqOptions { heartbeat, ..req_options() });
    let (mut first, _) = soon(listener.accept()).await.unwrap();
    shake_hands(&mut first, "ROUTER").await;
    let start = Instant::now();
    let (mut second, _) = soon(listener.accept()).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "redialled after {:?}", start.elapsed());
    shake_hands(&mut second, "ROUTER").await;
    let error = client.request(bytes("x"), LONG).await.unwrap_err();
    assert!(matches!(error, ReqError::Disconnected(Disconnect::Heartbeat(_))), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_kick_dials_again_at_once() {
    let (_server, addr) = server(Limits::default());
    let client = ReqClient::new(endpoint(addr), req_options());
    until("the warm connection is there", || client.idle_connections() == 1).await;
    client.kick();
    assert_eq!(client.idle_connections(), 0);
    until("there is a new one", || client.idle_connections() == 1).await;
}

#[tokio::test]
async fn a_kick_ends_a_request_in_flight_and_a_redial_does_not() {
    let (mut server, addr) = server(Limits::default());
    // Nothing else ends the wait within the test's time.
    let client = ReqClient::new(endpoint(addr), ReqOptions { heartbeat: None, ..req_options() });
    let (outcome, first) = tokio::join!(client.request(bytes("first"), LONG * 10), async {
        let first = soon(server.next()).await.unwrap();
        client.redial();
        first.reply.send(bytes("answered"));
        first.peer
    });
    assert_eq!(outcome.unwrap(), "answered");
    let (outcome, second) = tokio::join!(soon(client.request(bytes("second"), LONG * 10)), async {
        let second = soon(server.next()).await.unwrap();
        client.kick();
        second
    });
    assert_ne!(first, second.peer, "a connection made before a redial was used again");
    assert_eq!(outcome, Err(ReqError::Disconnected(Disconnect::Kicked)));
    until("the connection is gone", || second.reply.is_closed()).await;
    let (outcome, third) = tokio::join!(client.request(bytes("third"), LONG), async {
        let third = soon(server.next()).await.unwrap();
        third.reply.send(bytes("again"));
        third.peer
    });
    assert_eq!(outcome.unwrap(), "again");
    assert_ne!(second.peer, third);
}

/// A REQ socket by hand, with an identity and one request sent.
async fn named_requester(addr: SocketAddr, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let identity = b"same";
    shake_hands_as(&mut stream, "REQ", identity).await;
    write(&mut stream, &[&[1, 0, 0, u8::try_from(body.len()).unwrap()], body].concat()).await;
    stream
}

#[tokio::test]
async fn replies_go_to_the_connection_that_asked_and_a_new_connection_takes_over() {
    let (mut server, addr) = server(Limits::default());
    let mut old = named_requester(addr, b"old").await;
    let first = soon(server.next()).await.unwrap();
    let mut new = named_requester(addr, b"new").await;
    let second = soon(server.next()).await.unwrap();
    until("the old connection is let go", || first.reply.is_closed()).await;
    first.reply.send(bytes("for old"));
    second.reply.send(bytes("for new"));
    assert_eq!(read_frame(&mut new).await, (1, vec![]));
    assert_eq!(read_frame(&mut new).await, (0, b"for new".to_vec()));
    assert_eq!(soon(old.read(&mut [0; 64])).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_dealer_is_answered_in_order() {
    let addr = echo();
    let mut stream = TcpStream::connect(addr).await.unwrap();
    shake_hands(&mut stream, "DEALER").await;
    write(&mut stream, b"\x01\x02id\x01\0\0\x01a\x01\0\0\x01b").await;
    let mut frames = Vec::new();
    for _ in 0..5 {
        frames.push(read_frame(&mut stream).await);
    }
    let expected: [(u8, &[u8]); 5] = [(1, b"id"), (1, b""), (0, b"a"), (1, b""), (0, b"b")];
    assert_eq!(frames, expected.map(|(flags, body)| (flags, body.to_vec())));
}

async fn closes(mut stream: TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = soon(stream.read_to_end(&mut rest)).await;
    rest
}

#[tokio::test]
async fn a_req_with_two_requests_at_once_is_closed() {
    let (mut server, addr) = server(Limits::default());
    let mut stream = TcpStream::connect(addr).await.unwrap();
    shake_hands(&mut stream, "REQ").await;
    write(&mut stream, b"\x01\0\0\x01a\x01\0\0\x01b").await;
    assert!(closes(stream).await.is_empty());
    let first = soon(server.next()).await.unwrap();
    assert!(first.reply.is_closed());
}

#[tokio::test]
async fn garbage_is_closed_at_its_first_byte_and_then_at_the_door() {
    let limits = Limits { max_failures_per_addr: 3, handshake_timeout: LONG * 10, ..Limits::default() };
    let (_server, addr) = server(limits);
    for _ in 0..3 {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        write(&mut stream, b"GET / HTTP/1.0\r\n\r\n").await;
        closes(stream).await;
    }
    let stream = TcpStream::connect(addr).await.unwrap();
    assert!(closes(stream).await.is_empty(), "not even a greeting now");
}

#[tokio::test]
async fn a_peer_that_never_speaks_is_closed() {
    let limits = Limits { handshake_timeout: Duration::from_millis(100), ..Limits::default() };
    let (_server, addr) = server(limits);
    let stream = TcpStream::connect(addr).await.unwrap();
    let start = Instant::now();
    closes(stream).await;
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_peer_that_trickles_a_message_is_closed_and_one_that_is_idle_is_not() {
    let limits = Limits { stall_timeout: Duration::from_millis(300), ..Limits::default() };
    let (mut server, addr) = server(limits);
    let mut idle = TcpStream::connect(addr).await.unwrap();
    shake_hands(&mut idle, "REQ").await;
    let mut slow = TcpStream::connect(addr).await.unwrap();
    shake_hands(&mut slow, "REQ").await;
    write(&mut slow, b"\x01\0\x02\0\0\0\0\0\x10\0\0").await;
    let start = Instant::now();
    let mut byte = [0];
    loop {
        assert!(start.elapsed() < LONG, "still open");
        let read = tokio::time::timeout(Duration::from_millis(20), slow.read(&mut byte));
        if read.await.is_ok() || slow.write_all(b"x").await.is_err() {
            break;
        }
    }
    assert!(start.elapsed() >= Duration::from_millis(250));
    write(&mut idle, b"\x01\0\0\x01x").await;
    assert_eq!(soon(server.next()).await.unwrap().body, "x");
}

#[tokio::test]
async fn bytes_in_memory_are_bounded_over_all_connections() {
    let limits = Limits { max_buffered: 4 << 20, ..Limits::default() };
    let (mut server, addr) = server(limits);
    let client = ReqClient::new(endpoint(addr), req_options());
    let (outcome, ()) = tokio::join!(client.request(vec![1; 1 << 20].into(), LONG), async {
        let request = soon(server.next()).await.unwrap();
        request.reply.send(bytes("fits"));
    });
    outcome.unwrap();
    let error = client.request(vec![1; 8 << 20].into(), LONG).await.unwrap_err();
    assert!(matches!(error, ReqError::Disconnected(_)), "{error:?}");
}

#[tokio::test]
async fn shutdown_waits_for_answers() {
    let (mut server, addr) = server(Limits::default());
    let client = ReqClient::new(endpoint(addr), req_options());
    let (outcome, ()) = tokio::join!(client.request(bytes("x"), LONG), async {
        let request = soon(server.next()).await.unwrap();
        let closing = tokio::spawn(server.shutdown(LONG));
        request.reply.send(bytes("y"));
        soon(closing).await.unwrap();
    });
    assert_eq!(outcome.unwrap(), "y");
}
