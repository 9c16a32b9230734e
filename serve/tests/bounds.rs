//! What the server answers, and that no peer costs more than it may: real sockets, short patience.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use brine_serve::{Bytes, Config, Fed, Feed, Request, Response, Server};

const PATIENCE: Duration = Duration::from_millis(400);

fn config() -> Config {
    let mut config = Config::new("127.0.0.1:0".parse().unwrap());
    config.patience = PATIENCE;
    config.body = 1000;
    config
}

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Sends bytes, and everything that comes until the end.
fn talk(addr: SocketAddr, text: &str) -> String {
    let mut stream = connect(addr);
    stream.write_all(text.as_bytes()).unwrap();
    let mut all = Vec::new();
    // A reset is an end, too.
    let _end = stream.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

fn echo(request: Request) -> Response {
    match request.path.as_str() {
        "/panic" => panic!("as asked"),
        "/large" => Response::new(200, "text/plain", vec![b'x'; 64 << 20]),
        _ => Response::text(200, &format!("{} {} {}", request.method, request.path, request.body.len())),
    }
}

#[test]
fn requests_are_answered_one_after_the_other() {
    let server = Server::start(config(), echo).unwrap();
    let body = "x".repeat(1000);
    let text = format!(
        "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n{body}\
         GET /panic HTTP/1.1\r\nHost: h\r\n\r\nGET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    );
    let all = talk(server.addr(), &text);
    let (a, b) = (all.find("GET /a 0").unwrap(), all.find("POST /b 1000").unwrap());
    let (panicked, c) = (all.find("HTTP/1.1 500").unwrap(), all.find("GET /c 0").unwrap());
    assert!(a < b && b < panicked && panicked < c, "{all}");
}

#[test]
fn a_body_and_a_head_have_bounds() {
    let server = Server::start(config(), echo).unwrap();
    let length = talk(server.addr(), "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n");
    assert!(!length.contains(" 200 "), "{length}");
    let chunks = format!(
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n",
        "x".repeat(1001)
    );
    assert!(talk(server.addr(), &chunks).starts_with("HTTP/1.1 413 "));
    let head = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(64 << 10));
    assert!(talk(server.addr(), &head).starts_with("HTTP/1.1 431 "));
}

#[test]
fn whoever_is_silent_is_cut_off() {
    let server = Server::start(config(), echo).unwrap();
    let begun = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc";
    for text in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", begun] {
        let start = Instant::now();
        let all = talk(server.addr(), text);
        assert!(start.elapsed() >= PATIENCE / 2, "{text:?} {:?}", start.elapsed());
        assert!(start.elapsed() < Duration::from_secs(10), "{text:?} {all}");
        assert!(text != begun || all.starts_with("HTTP/1.1 408 "), "{all}");
    }
}

#[test]
fn whoever_does_not_read_is_cut_off() {
    let server = Server::start(Config { connections: 1, ..config() }, echo).unwrap();
    let mut slow = connect(server.addr());
    slow.write_all(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut first = [0; 15];
    slow.read_exact(&mut first).unwrap();
    // The only place is taken: others are turned away until the slow one has lost it.
    let start = Instant::now();
    while !talk(server.addr(), "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").contains("GET /a") {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(start.elapsed() >= PATIENCE / 2, "{:?}", start.elapsed());
}

#[test]
fn a_feed_goes_on_until_either_end_is_gone() {
    let (tell, told) = mpsc::channel::<Feed>();
    let config = Config { beat: Some((Duration::from_millis(50), b":\n")), ..config() };
    let server = Server::start(config, move |_: Request| {
        let (answer, feed) = Response::feed(200, "text/event-stream", 2);
        tell.send(feed).unwrap();
        answer
    })
    .unwrap();
    let open = || {
        let mut stream = connect(server.addr());
        stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
        (stream, told.recv_timeout(Duration::from_secs(20)).unwrap())
    };
    let (mut stream, feed) = open();
    assert_eq!(feed.put(Bytes::from_static(b"one")), Fed::Taken);
    // Longer than anybody may be silent, but for the beat.
    std::thread::sleep(PATIENCE * 2);
    assert_eq!(feed.put(Bytes::from_static(b"two")), Fed::Taken);
    drop(feed);
    let mut all = String::new();
    let start = Instant::now();
    while !all.contains("0\r\n\r\n") {
        let mut some = [0; 4096];
        let read = stream.read(&mut some).unwrap();
        all.push_str(std::str::from_utf8(&some[..read]).unwrap());
        assert!(read > 0 && start.elapsed() < Duration::from_secs(20), "{all}");
    }
    let (one, beat, two) = (all.find("one").unwrap(), all.find(":\n").unwrap(), all.find("two").unwrap());
    assert!(one < two && beat < two, "{all}");

    let (stream, feed) = open();
    drop(stream);
    let start = Instant::now();
    while feed.put(Bytes::from_static(b"x")) != Fed::Gone {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(feed.is_gone());
}

#[test]
fn stopping_closes_everything() {
    let server = Server::start(config(), echo).unwrap();
    let addr = server.addr();
    let mut open = connect(addr);
    open.write_all(b"GET / HT").unwrap();
    server.stop();
    let mut rest = Vec::new();
    let _end = open.read_to_end(&mut rest);
    assert!(rest.is_empty());
    assert!(TcpStream::connect(addr).is_err());
}
