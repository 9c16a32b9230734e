//! Our sockets against libzmq's, which is what stock Salt runs, with heartbeats on both sides.
//!
//! Needs a Python with pyzmq: `BRINE_PYZMQ_PYTHON` names its interpreter. Without it these tests fail, because a test
//! that quietly does nothing proves nothing.

#![allow(clippy::unwrap_used, reason = "a test may stop at anything unexpected")]

mod common;

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use brine_net::{
    Disconnect, PeerEvent, PubOptions, PubServer, PublishServer, ReqClient, ReqOptions, ReqServer,
    ReqServerOptions, RequestClient, RequestServer, SubClient, SubEvent,
};
use bytes::Bytes;
use common::{
    HEARTBEAT, LONG, again, any_port, bytes, connected, endpoint, event, message, req_options, soon,
    sub_options,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const PRELUDE: &str = "
import sys, time, zmq
context = zmq.Context()
def socket(kind, **options):
    s = context.socket(kind)
    s.linger = 0
    s.heartbeat_ivl, s.heartbeat_timeout, s.heartbeat_ttl = 100, 1000, 2000
    s.rcvtimeo = s.sndtimeo = 20000
    s.reconnect_ivl = 20
    for name, value in options.items():
        setattr(s, name, value)
    return s
def say(*words):
    print(*words, flush=True)
def wait():
    return sys.stdin.readline().strip()
";

/// A Python program with a pyzmq socket; ends with this value.
struct Python {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Python {
    fn start(program: &str, args: &[&str]) -> Self {
        let python = std::env::var_os("BRINE_PYZMQ_PYTHON").expect(
            "BRINE_PYZMQ_PYTHON must name a Python interpreter that can import zmq (`cargo xtask test` sets it)",
        );
        let mut child = Command::new(python)
            .arg("-c")
            .arg(format!("{PRELUDE}{program}"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdin, lines }
    }

    async fn line(&mut self) -> String {
        soon(self.lines.next_line()).await.unwrap().expect("the Python program has ended")
    }

    async fn expect(&mut self, line: &str) {
        assert_eq!(self.line().await, line);
    }

    async fn go_on(&mut self) {
        self.stdin.write_all(b"\n").await.unwrap();
    }

    async fn address(&mut self) -> SocketAddr {
        self.line().await.strip_prefix("tcp://").unwrap().parse().unwrap()
    }

    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    async fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().await.unwrap().success());
    }
}

fn tcp(addr: SocketAddr) -> String {
    format!("tcp://{addr}")
}

/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(3);

/// Longer than several intervals and timeouts of both sides.
const IDLE: Duration = Duration::from_secs(3);

const SUBSCRIBER: &str = "
s = socket(zmq.SUB, identity=b'minion-2')
s.subscribe(b'aa')
s.subscribe(b'gone')
s.unsubscribe(b'gone')
s.connect(sys.argv[1])
while True:
    frames = s.recv_multipart()
    say(len(frames), frames[0].decode(), len(frames[-1]))
";

async fn subscriber_of(server: &PubServer) -> (Python, brine_net::Peer) {
    let mut events = server.events();
    let mut python = Python::start(SUBSCRIBER, &[&tcp(server.local_addrs()[0])]);
    let PeerEvent::Connected(peer) = soon(events.recv()).await.unwrap() else { panic!("not connected") };
    // The subscription comes after the handshake.
    let start = Instant::now();
    while server.stats().queued == 0 {
        assert!(start.elapsed() < LONG);
        server.publish(vec![bytes("aa-ready")]);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    python.expect("1 aa-ready 8").await;
    (python, peer)
}

#[tokio::test]
async fn our_publisher_and_their_subscriber() {
    let server =
        PubServer::bind(&[any_port()], PubOptions { heartbeat: Some(HEARTBEAT), ..PubOptions::default() })
            .unwrap();
    let (mut python, peer) = subscriber_of(&server).await;
    // libzmq does not tell the identity of a SUB socket.
    assert_eq!(peer.identity, "");
    let mut events = server.events();
    tokio::time::sleep(IDLE).await;
    assert!(events.try_recv().is_err(), "an idle connection was lost");
    server.publish(vec![bytes("gone"), bytes("unsubscribed")]);
    server.publish(vec![bytes("other")]);
    server.publish(vec![bytes("aa-two"), Bytes::from(vec![1; 20 << 20])]);
    python.expect("2 aa-two 20971520").await;
    for n in 0..500 {
        server.publish(vec![bytes(&format!("aa{n}"))]);
    }
    for n in 0..500 {
        python.expect(&format!("1 aa{n} {}", format!("aa{n}").len())).await;
    }
    python.kill().await;
    assert_eq!(soon(events.recv()).await.unwrap(), PeerEvent::Disconnected(peer));
}

#[tokio::test]
async fn their_subscriber_finds_our_publisher_again() {
    let server = PubServer::bind(&[any_port()], PubOptions::default()).unwrap();
    let addr = server.local_addrs()[0];
    let (mut python, _) = subscriber_of(&server).await;
    drop(server);
    let server = again(|| PubServer::bind(&[addr], PubOptions::default())).await;
    let start = Instant::now();
    while server.stats().queued == 0 {
        assert!(start.elapsed() < LONG);
        server.publish(vec![bytes("aa-again")]);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    python.expect("1 aa-again 8").await;
}

#[tokio::test]
async fn our_publisher_notices_their_stopped_subscriber() {
    let server =
        PubServer::bind(&[any_port()], PubOptions { heartbeat: Some(HEARTBEAT), ..PubOptions::default() })
            .unwrap();
    let (python, peer) = subscriber_of(&server).await;
    let mut events = server.events();
    python.signal("STOP").await;
    let start = Instant::now();
    assert_eq!(soon(events.recv()).await.unwrap(), PeerEvent::Disconnected(peer));
    assert!(start.elapsed() < HEARTBEAT.ivl + HEARTBEAT.timeout + SLACK, "{:?}", start.elapsed());
}

const PUBLISHER: &str = "
s = socket(zmq.PUB)
if len(sys.argv) > 1:
    s.bind(sys.argv[1])
else:
    s.bind('tcp://127.0.0.1:0')
say(s.last_endpoint.decode())
while True:
    wait()
    s.send(b'no')
    s.send_multipart([b'aa1', b'x' * (20 << 20)])
    s.send(b'aa2')
";

#[tokio::test]
async fn our_subscriber_and_their_publisher() {
    let mut python = Python::start(PUBLISHER, &[]);
    let addr = python.address().await;
    let mut client = SubClient::connect(endpoint(addr), sub_options(&["aa"]));
    connected(&mut client).await;
    let quiet = tokio::time::timeout(IDLE, brine_net::SubscribeClient::recv(&mut client)).await;
    assert!(quiet.is_err(), "{quiet:?}");
    python.go_on().await;
    let frames = message(&mut client).await;
    assert_eq!((frames.len(), &frames[0][..], frames[1].len()), (2, &b"aa1"[..], 20 << 20));
    assert_eq!(message(&mut client).await, [bytes("aa2")]);
    python.kill().await;
    assert!(matches!(event(&mut client).await, SubEvent::Disconnected { .. }));
    let mut python = Python::start(PUBLISHER, &[&tcp(addr)]);
    python.address().await;
    connected(&mut client).await;
    // The subscription travels on its own, so the first messages may pass unseen.
    let second = async {
        loop {
            python.go_on().await;
            if let Ok(frames) = tokio::time::timeout(Duration::from_secs(1), message(&mut client)).await {
                break frames;
            }
        }
    };
    assert_eq!(soon(second).await[0], "aa1");
}

#[tokio::test]
async fn our_subscriber_notices_their_stopped_publisher() {
    let mut python = Python::start(PUBLISHER, &[]);
    let addr = python.address().await;
    let mut client = SubClient::connect(endpoint(addr), sub_options(&["aa"]));
    connected(&mut client).await;
    python.signal("STOP").await;
    let start = Instant::now();
    let SubEvent::Disconnected { reason: Disconnect::Heartbeat(_) } = event(&mut client).await else {
        panic!("not by heartbeat")
    };
    assert!(start.elapsed() < HEARTBEAT.ivl + HEARTBEAT.timeout + SLACK, "{:?}", start.elapsed());
    python.signal("CONT").await;
    connected(&mut client).await;
}

const REQUESTER: &str = "
s = socket(zmq.REQ, identity=b'salt-req/minion/m/1/0')
s.connect(sys.argv[1])
for n in range(300):
    s.send(b'%d' % n)
    assert s.recv() == b'%d' % n, n
say('small')
time.sleep(2)
large = b'y' * (30 << 20)
s.send(large)
assert s.recv() == large
say('large')
wait()
s.send(b'again')
say(s.recv().decode())
";

async fn echo_at(addr: SocketAddr) -> (tokio::task::JoinHandle<()>, SocketAddr) {
    let options = ReqServerOptions { heartbeat: Some(HEARTBEAT), ..ReqServerOptions::default() };
    let mut server = again(|| ReqServer::bind(&[addr], options.clone())).await;
    let addr = server.local_addrs()[0];
    let task = tokio::spawn(async move {
        while let Some(request) = server.next().await {
            request.reply.send(request.body);
        }
    });
    (task, addr)
}

#[tokio::test]
async fn our_server_and_their_requester() {
    let (server, addr) = echo_at(any_port()).await;
    let mut python = Python::start(REQUESTER, &[&tcp(addr)]);
    python.expect("small").await;
    python.expect("large").await;
    server.abort();
    assert!(server.await.is_err());
    let (_server, _) = echo_at(addr).await;
    python.go_on().await;
    python.expect("again").await;
}

#[tokio::test]
async fn our_server_and_their_dealer() {
    let (_server, addr) = echo_at(any_port()).await;
    let mut python = Python::start(
        "
s = socket(zmq.DEALER)
s.connect(sys.argv[1])
for n in range(10):
    s.send_multipart([b'route', b'', b'%d' % n])
for n in range(10):
    assert s.recv_multipart() == [b'route', b'', b'%d' % n]
say('done')
",
        &[&tcp(addr)],
    );
    python.expect("done").await;
}

const ROUTER: &str = "
s = socket(zmq.ROUTER, router_handover=1)
s.bind(sys.argv[1] if len(sys.argv) > 1 else 'tcp://127.0.0.1:0')
say(s.last_endpoint.decode())
while True:
    if s.poll(1000):
        peer, empty, body = s.recv_multipart()
        if body != b'hush':
            s.send_multipart([peer, empty, body])
";

#[tokio::test]
async fn our_requester_and_their_router() {
    let mut python = Python::start(ROUTER, &[]);
    let addr = python.address().await;
    let client = ReqClient::new(endpoint(addr), ReqOptions { max_connections: 1, ..req_options() });
    for n in 0..300 {
        let body = bytes(&n.to_string());
        assert_eq!(client.request(body.clone(), LONG).await.unwrap(), body);
    }
    tokio::time::sleep(IDLE).await;
    assert_eq!(client.idle_connections(), 1);
    let large = Bytes::from(vec![5; 30 << 20]);
    assert!(client.request(large.clone(), LONG).await.unwrap() == large);
    client.request(bytes("hush"), Duration::from_millis(100)).await.unwrap_err();
    assert_eq!(client.request(bytes("next"), LONG).await.unwrap(), "next");
    python.signal("STOP").await;
    let start = Instant::now();
    let error = client.request(bytes("into the void"), LONG).await.unwrap_err();
    assert!(error.maybe_delivered(), "{error:?}");
    assert!(start.elapsed() < HEARTBEAT.ivl + HEARTBEAT.timeout + SLACK, "{:?}", start.elapsed());
    python.kill().await;
    let mut python = Python::start(ROUTER, &[&tcp(addr)]);
    python.address().await;
    assert_eq!(client.request(bytes("back"), LONG).await.unwrap(), "back");
}

#[tokio::test]
async fn our_requester_and_their_rep() {
    let mut python = Python::start(
        "
s = socket(zmq.REP)
s.bind('tcp://127.0.0.1:0')
say(s.last_endpoint.decode())
while True:
    s.send(b're: ' + s.recv())
",
        &[],
    );
    let client = ReqClient::new(endpoint(python.address().await), req_options());
    let (a, b) = tokio::join!(client.request(bytes("a"), LONG), client.request(bytes("b"), LONG));
    assert_eq!((a.unwrap(), b.unwrap()), (bytes("re: a"), bytes("re: b")));
}

#[tokio::test]
async fn an_address_with_brackets_reaches_them() {
    let mut python = Python::start(
        "
s = socket(zmq.REP, ipv6=1)
s.bind('tcp://[::1]:0')
say(s.last_endpoint.decode())
s.send(s.recv())
wait()
",
        &[],
    );
    let endpoint: brine_net::Endpoint = python.line().await.parse().unwrap();
    let source = endpoint.from_source(Some("::1".parse().unwrap()), 0);
    let client = ReqClient::new(source, req_options());
    assert_eq!(client.request(bytes("six"), LONG).await.unwrap(), "six");
}
