//! The engine `webhook` beside stock's: the same requests have the same answers and fire the same events.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::{Map, Value, map};
use brine_engines::config::Engine;
use brine_engines::webhook;
use brine_testing::{Stock, json};
use serde_json::{Value as Json, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const REQUESTS: &[&[u8]] = &[
    b"POST /build/done HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{\"a\": \"b\"}\n",
    b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    b"POST /a%20b/%C3%BC?query=1 HTTP/1.1\r\nHost: h\r\nX-a: 1\r\nx-A: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\n\xff\x00z",
    b"POST /chunks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    b"GET /build HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    b"PUT /build HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
    b"POST /%ff HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
];

/// The status of the answer.
fn status(port: u16, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    // A reset is an end, too.
    let _end = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn requests_become_the_events_that_they_become_with_stock() {
    let mut stock = Stock::start(include_str!("data/webhook.py"));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    stock.ask(&json!({"port": free}));
    let fired: Arc<Mutex<Vec<(String, Map)>>> = Arc::default();
    let engine = Engine {
        name: "hook".into(),
        module: "webhook".into(),
        told: map! {"address" => "127.0.0.1", "port" => 0},
    };
    let keep = Arc::clone(&fired);
    let server =
        webhook::start(&engine, 1 << 20, move |tag, data| keep.lock().unwrap().push((tag, data))).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", free)).is_err() {
        assert!(Instant::now() < until, "stock's engine does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut events = 0;
    for request in REQUESTS {
        let shown = String::from_utf8_lossy(request).into_owned();
        assert_eq!(status(server.addr().port(), request), status(free, request), "{shown}");
        let theirs = stock.ask(&json!({}));
        let ours: Vec<Json> =
            fired.lock().unwrap().drain(..).map(|(tag, data)| json!([tag, plain(&data)])).collect();
        assert_eq!(json!(ours), theirs, "{shown}");
        events += ours.len();
    }
    assert_eq!(events, 4);
}

#[test]
fn a_body_has_a_bound() {
    let told = map! {"address" => "127.0.0.1", "port" => 0};
    let engine = Engine { name: "hook".into(), module: "webhook".into(), told };
    let fired = Arc::new(Mutex::new(0));
    let count = Arc::clone(&fired);
    let server = webhook::start(&engine, 10, move |_, _| *count.lock().unwrap() += 1).unwrap();
    for (length, want) in [(10, "200"), (11, "413")] {
        let head = "POST /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
        let request = format!("{head}Content-Length: {length}\r\n\r\n{}", "x".repeat(length));
        assert_eq!(status(server.addr().port(), request.as_bytes()), want);
    }
    assert_eq!(*fired.lock().unwrap(), 1);
}

/// Data as stock's script has them.
fn plain(data: &Map) -> Json {
    let body = match data.get("body") {
        Some(Value::Bytes(bytes)) => bytes.iter().map(|b| format!("{b:02x}")).collect(),
        other => format!("{other:?}"),
    };
    json!({"headers": json(data.get("headers").unwrap()), "body": body})
}
