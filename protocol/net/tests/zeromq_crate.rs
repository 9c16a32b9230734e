//! Our sockets with those of the `zeromq` crate: a third implementation as peer, beside libzmq.
//!
//! Without heartbeats of ours: that crate answers a PING with an error, which is why it is a peer here and nothing more.

#![allow(clippy::unwrap_used, reason = "a test may stop at anything unexpected")]

mod common;

use brine_net::{
    PubOptions, PubServer, PublishServer, ReqClient, ReqOptions, ReqServer, ReqServerOptions, RequestClient,
    RequestServer, SubClient, SubOptions,
};
use bytes::Bytes;
use common::{LONG, any_port, bytes, connected, endpoint, message, req_options, soon, sub_options, until};
use std::net::SocketAddr;
use zeromq::{
    Endpoint, PubSocket, RepSocket, ReqSocket, Socket, SocketRecv, SocketSend, SubSocket, ZmqMessage,
};

fn address(bound: Endpoint) -> SocketAddr {
    let text = bound.to_string();
    text.strip_prefix("tcp://").unwrap().parse().unwrap()
}

#[tokio::test]
async fn its_subscriber_reads_our_publisher() {
    let server =
        PubServer::bind(&[any_port()], PubOptions { heartbeat: None, ..PubOptions::default() }).unwrap();
    let mut sub = SubSocket::new();
    soon(sub.connect(&format!("tcp://{}", server.local_addrs()[0]))).await.unwrap();
    soon(sub.subscribe("a")).await.unwrap();
    until("the subscription has arrived", || {
        server.publish(vec![bytes("a"), bytes("body")]);
        server.stats().queued > 0
    })
    .await;
    let got = soon(sub.recv()).await.unwrap();
    assert_eq!(got.into_vec(), [bytes("a"), bytes("body")]);
}

#[tokio::test]
async fn our_subscriber_reads_its_publisher() {
    let mut publisher = PubSocket::new();
    let bound = soon(publisher.bind("tcp://127.0.0.1:0")).await.unwrap();
    let options = SubOptions { heartbeat: None, ..sub_options(&[""]) };
    let mut sub = SubClient::connect(endpoint(address(bound)), options);
    connected(&mut sub).await;
    let sending = tokio::spawn(async move {
        loop {
            publisher.send(ZmqMessage::from("hello")).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
    assert_eq!(message(&mut sub).await, [bytes("hello")]);
    sending.abort();
}

#[tokio::test]
async fn its_client_asks_our_server() {
    let options = ReqServerOptions { heartbeat: None, ..ReqServerOptions::default() };
    let mut server = ReqServer::bind(&[any_port()], options).unwrap();
    let addr = server.local_addrs()[0];
    tokio::spawn(async move {
        while let Some(request) = server.next().await {
            request.reply.send(Bytes::from([b"re: ".as_slice(), &request.body].concat()));
        }
    });
    let mut req = ReqSocket::new();
    soon(req.connect(&format!("tcp://{addr}"))).await.unwrap();
    for n in 0..3 {
        soon(req.send(ZmqMessage::from(format!("{n}")))).await.unwrap();
        let got = soon(req.recv()).await.unwrap();
        assert_eq!(got.into_vec(), [bytes(&format!("re: {n}"))]);
    }
}

#[tokio::test]
async fn our_client_asks_its_server() {
    let mut rep = RepSocket::new();
    let bound = soon(rep.bind("tcp://127.0.0.1:0")).await.unwrap();
    tokio::spawn(async move {
        loop {
            let got = rep.recv().await.unwrap().into_vec().concat();
            rep.send(ZmqMessage::from([b"re: ".as_slice(), &got].concat())).await.unwrap();
        }
    });
    let client = ReqClient::new(endpoint(address(bound)), ReqOptions { heartbeat: None, ..req_options() });
    for n in 0..3 {
        let got = client.request(bytes(&format!("{n}")), LONG).await.unwrap();
        assert_eq!(got, bytes(&format!("re: {n}")));
    }
}
