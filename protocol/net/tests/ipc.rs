//! The event bus: our server with our clients, on unix sockets in a scratch directory.

#![allow(clippy::unwrap_used, reason = "a test may stop at anything unexpected")]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use brine_net::NetError;
use brine_net::ipc::{EventBus, EventBusOptions, EventPusher, EventSubscriber, Framing};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

const LONG: Duration = Duration::from_secs(20);

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LONG, future).await.expect("this should have happened long ago")
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LONG, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn options() -> (TempDir, EventBusOptions) {
    let dir = tempfile::tempdir().unwrap();
    let options = EventBusOptions::new(dir.path().join("pub.ipc"), dir.path().join("pull.ipc"));
    (dir, options)
}

fn mode(path: &PathBuf) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn every_reader_gets_every_event_in_either_framing() {
    for framing in [Framing::Prefixed, Framing::Bare] {
        let (_dir, options) = options();
        let (bus, _fired) = EventBus::bind(EventBusOptions { framing, ..options.clone() }).unwrap();
        let mut one = EventSubscriber::connect(&options.pub_path).await.unwrap();
        let mut two = EventSubscriber::connect(&options.pub_path).await.unwrap();
        until("both are there", || bus.readers() == 2).await;
        let large = vec![1; 2 << 20];
        bus.publish(b"tag\n\n\x80");
        bus.publish(&large);
        for reader in [&mut one, &mut two] {
            assert_eq!(soon(reader.recv()).await.unwrap().unwrap(), b"tag\n\n\x80"[..]);
            assert!(soon(reader.recv()).await.unwrap().unwrap() == large);
        }
        drop(one);
        until("one is gone", || bus.readers() == 1).await;
        drop(bus);
        assert_eq!(soon(two.recv()).await.unwrap(), None);
        assert!(!options.pub_path.exists() && !options.pull_path.exists());
    }
}

#[tokio::test]
async fn fired_events_arrive_in_both_framings_and_say_who_fired() {
    let (_dir, options) = options();
    let (_bus, mut fired) = EventBus::bind(options.clone()).unwrap();
    for framing in [Framing::Prefixed, Framing::Bare] {
        let mut pusher = EventPusher::connect(&options.pull_path, framing).await.unwrap();
        let large = vec![0x82; 17 << 20];
        let (_, (first, second)) = tokio::join!(
            async {
                pusher.push(b"small").await.unwrap();
                pusher.push(&large).await.unwrap();
            },
            async { (soon(fired.recv()).await.unwrap(), soon(fired.recv()).await.unwrap()) }
        );
        assert_eq!(first.body, "small");
        assert_eq!(first.sender.pid(), Some(i32::try_from(std::process::id()).unwrap()));
        assert!(second.body == large);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_connects_before_he_fires_sees_what_comes_of_it() {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    let (_dir, options) = options();
    let (bus, mut fired) = EventBus::bind(options.clone()).unwrap();
    let answers = tokio::spawn(async move {
        while let Some(event) = fired.recv().await {
            bus.publish(&event.body);
        }
    });
    // A frame, as clients write it in one piece.
    let frame = b"\0\0\0\x14\x82\xa4head\x80\xa4body\xc4\x06tag\n\n\x80";
    let ask = tokio::task::spawn_blocking(move || {
        for n in 0..2000 {
            let mut push = UnixStream::connect(&options.pull_path).unwrap();
            let mut reader = UnixStream::connect(&options.pub_path).unwrap();
            reader.set_read_timeout(Some(LONG)).unwrap();
            push.write_all(frame).unwrap();
            let mut answer = [0; 10];
            assert!(reader.read(&mut answer).is_ok_and(|read| read > 0), "the answer to {n} is not there");
        }
    });
    ask.await.unwrap();
    answers.abort();
}

#[tokio::test]
async fn a_sender_that_breaks_the_framing_or_the_limit_is_closed() {
    let (_dir, options) = options();
    let (_bus, _fired) = EventBus::bind(EventBusOptions { max_body: 1000, ..options.clone() }).unwrap();
    for bad in
        [&b"\xff\xff\xff\xff"[..], b"\x82\x01", b"\0\0\xff\xff", b"\x82\xa4head\x80\xa4body\xc5\xff\xff"]
    {
        let mut stream = UnixStream::connect(&options.pull_path).await.unwrap();
        stream.write_all(bad).await.unwrap();
        assert_eq!(soon(stream.read(&mut [0; 8])).await.unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_dropped_and_holds_up_nobody() {
    let (_dir, options) = options();
    let (bus, _fired) = EventBus::bind(EventBusOptions { max_behind: 4 << 20, ..options.clone() }).unwrap();
    let mut stuck = UnixStream::connect(&options.pub_path).await.unwrap();
    until("it is there", || bus.readers() == 1).await;
    let body = vec![3; 1 << 20];
    let start = Instant::now();
    for _ in 0..20 {
        bus.publish(&body);
        tokio::task::yield_now().await;
    }
    assert!(start.elapsed() < Duration::from_secs(5));
    until("it is dropped", || bus.readers() == 0).await;
    let mut rest = Vec::new();
    soon(stuck.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.len() < 2 << 20, "what was queued was kept for it: {}", rest.len());
}

#[tokio::test]
async fn sockets_have_their_modes_and_replace_old_ones_only() {
    let (_dir, options) = options();
    let options = EventBusOptions { pub_mode: 0o660, ..options };
    let (bus, _fired) = EventBus::bind(options.clone()).unwrap();
    assert_eq!((mode(&options.pub_path), mode(&options.pull_path)), (0o660, 0o600));
    // As after a crash: the files are there.
    let (new, _fired) = EventBus::bind(options.clone()).unwrap();
    drop(bus);
    assert!(
        options.pub_path.exists() && options.pull_path.exists(),
        "the old bus took the new one's files along"
    );
    drop(new);
    assert!(!options.pub_path.exists() && !options.pull_path.exists());
    std::fs::write(&options.pull_path, "precious").unwrap();
    assert!(matches!(EventBus::bind(options.clone()), Err(NetError::NotASocket(_))));
    assert_eq!(std::fs::read_to_string(&options.pull_path).unwrap(), "precious");
}

/// A socket on which too many wait is waited for, where a missing one is an error at once.
#[tokio::test]
async fn a_crowded_bus_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("crowded");
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    socket.listen(1).unwrap();
    let mut waiting = Vec::new();
    loop {
        match tokio::net::UnixStream::connect(&path).await {
            Ok(stream) => waiting.push(stream),
            Err(e) => {
                assert_eq!(e.kind(), std::io::ErrorKind::WouldBlock);
                break;
            }
        }
    }
    let late = tokio::spawn(async move { EventSubscriber::connect(&path).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!late.is_finished());
    socket.accept().unwrap();
    tokio::time::timeout(Duration::from_secs(5), late).await.unwrap().unwrap().unwrap();
    assert!(EventSubscriber::connect(&dir.path().join("missing")).await.is_err());
}
