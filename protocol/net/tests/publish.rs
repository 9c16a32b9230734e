//! Our publisher and our subscriber with each other, on loopback.

#![allow(clippy::unwrap_used, reason = "a test may stop at anything unexpected")]

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use brine_net::{
    Disconnect, Heartbeat, PeerEvent, PubOptions, PubServer, PublishServer, SubClient, SubEvent,
    SubscribeClient,
};
use bytes::Bytes;
use common::{
    HEARTBEAT, again, any_port, bytes, connected, endpoint, event, message, soon, sub_options, until,
};
use tokio::net::TcpListener;

fn server() -> (PubServer, SocketAddr) {
    let server =
        PubServer::bind(&[any_port()], PubOptions { heartbeat: Some(HEARTBEAT), ..PubOptions::default() })
            .unwrap();
    let addr = server.local_addrs()[0];
    (server, addr)
}

/// Publishes until the subscription, which travels on its own, has arrived.
async fn until_subscribed(server: &PubServer, frames: &[Bytes]) {
    let before = server.stats().queued;
    until("the subscription has arrived", || {
        server.publish(frames.to_vec());
        server.stats().queued > before
    })
    .await;
}

#[tokio::test]
async fn messages_reach_those_who_asked_for_their_prefix() {
    let (server, addr) = server();
    let mut all = SubClient::connect(endpoint(addr), sub_options(&[""]));
    let mut some = SubClient::connect(endpoint(addr), sub_options(&["broadcast", "aa"]));
    connected(&mut all).await;
    connected(&mut some).await;
    until_subscribed(&server, &[bytes("broadcast"), bytes("ready")]).await;
    until("both have subscribed", || {
        let before = server.stats().queued;
        server.publish(vec![bytes("broadcast"), bytes("ready")]);
        server.stats().queued == before + 2
    })
    .await;
    let large = Bytes::from(vec![7; 3 << 20]);
    server.publish(vec![bytes("bb"), bytes("not for some")]);
    server.publish(vec![bytes("aa1"), large.clone()]);
    server.publish(vec![]);
    let mut seen = vec![message(&mut some).await];
    while seen.last().unwrap()[0] == "broadcast" {
        seen.push(message(&mut some).await);
    }
    assert_eq!(seen.last().unwrap(), &[bytes("aa1"), large]);
    let mut frames = message(&mut all).await;
    while frames[0] == "broadcast" {
        frames = message(&mut all).await;
    }
    assert_eq!(frames, [bytes("bb"), bytes("not for some")]);
    assert_eq!(message(&mut all).await[0], "aa1");
}

#[tokio::test]
async fn connections_are_announced_with_their_identity() {
    let (server, addr) = server();
    let mut events = server.events();
    let mut client = SubClient::connect(endpoint(addr), sub_options(&[""]));
    connected(&mut client).await;
    let PeerEvent::Connected(peer) = soon(events.recv()).await.unwrap() else { panic!("not connected") };
    assert_eq!(peer.identity, "minion-1");
    assert_eq!(server.peers(), vec![peer.clone()]);
    drop(client);
    assert_eq!(soon(events.recv()).await.unwrap(), PeerEvent::Disconnected(peer));
    assert!(server.peers().is_empty());
}

#[tokio::test]
async fn a_subscriber_outlives_its_server_and_a_kick() {
    let (server, addr) = server();
    let mut client = SubClient::connect(endpoint(addr), sub_options(&[""]));
    connected(&mut client).await;
    client.kick();
    assert_eq!(event(&mut client).await, SubEvent::Disconnected { reason: Disconnect::Kicked });
    connected(&mut client).await;
    drop(server);
    assert_eq!(event(&mut client).await, SubEvent::Disconnected { reason: Disconnect::Closed });
    let server = again(|| PubServer::bind(&[addr], PubOptions::default())).await;
    connected(&mut client).await;
    until_subscribed(&server, &[bytes("again")]).await;
    assert_eq!(message(&mut client).await, [bytes("again")]);
}

#[tokio::test]
async fn a_silent_server_is_noticed() {
    // Accepts and shakes hands, then never answers anything: what a cut path looks like.
    let listener = TcpListener::bind(any_port()).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let heartbeat = Heartbeat::new(Duration::from_millis(100), Duration::from_millis(300));
    let mut client = SubClient::connect(
        endpoint(addr),
        brine_net::SubOptions { heartbeat: Some(heartbeat), ..sub_options(&[""]) },
    );
    let (mut stream, _) = soon(listener.accept()).await.unwrap();
    common::shake_hands(&mut stream, "PUB").await;
    connected(&mut client).await;
    let start = Instant::now();
    let SubEvent::Disconnected { reason } = event(&mut client).await else { panic!("still connected") };
    assert!(matches!(reason, Disconnect::Heartbeat(_)), "{reason}");
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn an_answer_that_waits_unread_counts_after_a_pause_of_our_own() {
    let heartbeat = Heartbeat::new(Duration::from_millis(100), Duration::from_millis(300));
    let options = PubOptions { heartbeat: Some(heartbeat), ..PubOptions::default() };
    let server = PubServer::bind(&[any_port()], options).unwrap();
    let mut peer = tokio::net::TcpStream::connect(server.local_addrs()[0]).await.unwrap();
    common::shake_hands(&mut peer, "SUB").await;
    common::write(&mut peer, b"\0\x01\x01").await;
    until_subscribed(&server, &[bytes("hi")]).await;
    // The server may look at its queue or at its peer first, so several rounds.
    for _ in 0..6 {
        while common::read_frame(&mut peer).await.1 != b"\x04PING\0\0" {}
        common::write(&mut peer, b"\x04\x05\x04PONG").await;
        server.publish(vec![bytes("hi")]);
        // Nothing of the server runs meanwhile: this runtime has one thread.
        std::thread::sleep(2 * heartbeat.timeout);
    }
    while common::read_frame(&mut peer).await.1 != b"hi" {}
    assert_eq!(server.stats().peers, 1);
}

#[tokio::test]
async fn an_idle_pair_stays_connected() {
    let (server, addr) = server();
    let mut client = SubClient::connect(endpoint(addr), sub_options(&[""]));
    connected(&mut client).await;
    let mut events = server.events();
    // Several times interval and timeout of both sides.
    assert!(tokio::time::timeout(Duration::from_millis(2500), client.recv()).await.is_err());
    // The server may hear of the handshake's end a little later than the client.
    while let Ok(event) = events.try_recv() {
        assert!(matches!(event, PeerEvent::Connected(_)), "{event:?}");
    }
}

#[tokio::test]
async fn a_slow_subscriber_misses_messages_and_holds_up_nobody() {
    let server =
        PubServer::bind(&[any_port()], PubOptions { hwm: 10, heartbeat: None, ..PubOptions::default() });
    let server = server.unwrap();
    let addr = server.local_addrs()[0];
    let mut slow = tokio::net::TcpStream::connect(addr).await.unwrap();
    common::shake_hands(&mut slow, "SUB").await;
    common::write(&mut slow, b"\0\x01\x01").await;
    let payload = Bytes::from(vec![1; 1 << 20]);
    until_subscribed(&server, &[bytes("x")]).await;
    let start = Instant::now();
    for _ in 0..200 {
        server.publish(vec![payload.clone()]);
        tokio::task::yield_now().await;
    }
    assert!(start.elapsed() < Duration::from_secs(5));
    let stats = server.stats();
    assert!(stats.dropped > 50, "{stats:?}");
    assert_eq!(stats.peers, 1);
    let mut quick = SubClient::connect(endpoint(addr), sub_options(&["y"]));
    connected(&mut quick).await;
    until_subscribed(&server, &[bytes("y")]).await;
    assert_eq!(message(&mut quick).await, [bytes("y")]);
}

#[tokio::test]
async fn shutdown_delivers_what_is_queued() {
    let (server, addr) = server();
    let mut client = SubClient::connect(endpoint(addr), sub_options(&[""]));
    connected(&mut client).await;
    until_subscribed(&server, &[bytes("first")]).await;
    server.publish(vec![Bytes::from(vec![2; 5 << 20])]);
    server.publish(vec![bytes("last")]);
    let closing = tokio::spawn(server.shutdown(common::LONG));
    while message(&mut client).await != [bytes("last")] {}
    soon(closing).await.unwrap();
    assert_eq!(event(&mut client).await, SubEvent::Disconnected { reason: Disconnect::Closed });
}
