//! The stream, read over HTTP as others do.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use brine_core::{Value, map};

use super::*;
use crate::pages::{Pages, PagesConf};

struct Reading(BufReader<TcpStream>);

impl Reading {
    fn open(addr: SocketAddr, path: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: h\r\n{headers}\r\n").unwrap();
        Self(BufReader::new(stream))
    }

    /// The next line with this beginning, without it.
    fn next(&mut self, begins: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the end, and no {begins}");
            if let Some(rest) = line.strip_prefix(begins) {
                return rest.trim_end().to_owned();
            }
        }
    }
}

fn pages(dir: &std::path::Path, token: bool) -> (Pages, Arc<Stream>) {
    let path = dir.join("token");
    std::fs::write(&path, "letmein\n").unwrap();
    let mut conf = map! {"listen" => "127.0.0.1:0"};
    if token {
        conf.insert("listen_token_file", path.display().to_string());
    }
    let conf = PagesConf::read(&Value::Map(conf)).unwrap().unwrap();
    let stream = Stream::new(conf.has_events());
    (Pages::start(conf, &stream, || "brine_x 1\n".into()).unwrap(), stream)
}

const TOKEN: &str = "Authorization: Bearer letmein\r\n";

#[test]
fn events_are_shown_by_tag_and_again_from_the_last_id() {
    let dir = tempfile::tempdir().unwrap();
    let (pages, stream) = pages(dir.path(), true);
    let addr = pages.addr().unwrap();
    let fire =
        |tag: &str, n: i64| stream.pass(tag, &Event::new(tag, map! {"n" => n, "text" => "a\n\nb"}).to_body());
    fire("salt/job/1/new", 0);
    let mut all = Reading::open(addr, "/events", TOKEN);
    assert_eq!(all.next("HTTP/1.1 "), "200 OK");
    let mut some = Reading::open(addr, "/events?tag=salt/auth&tag=salt/job/*/ret/*", TOKEN);
    assert_eq!(some.next("HTTP/1.1 "), "200 OK");
    let start = Instant::now();
    while stream.readers() < 2 {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    fire("salt/job/1/ret/m", 1);
    fire("salt/key", 2);
    fire("salt/auth", 3);
    stream.show("brine/alert/A", map! {"n" => 4});
    let id = all.next("id: ");
    assert_eq!(all.next("data: "), r#"{"tag":"salt/job/1/ret/m","data":{"n":1,"text":"a\n\nb"}}"#);
    let numbers = |reading: &mut Reading, count: usize| -> Vec<i64> {
        let data =
            (0..count).map(|_| serde_json::from_str::<serde_json::Value>(&reading.next("data: ")).unwrap());
        data.map(|data| data["data"]["n"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbers(&mut all, 3), [2, 3, 4]);
    assert_eq!(numbers(&mut some, 2), [1, 3]);
    drop(all);
    // Who comes back gets what came since.
    let mut back = Reading::open(addr, "/events", &format!("{TOKEN}Last-Event-ID: {id}\r\n"));
    assert_eq!(numbers(&mut back, 3), [2, 3, 4]);
    // Who was there before another start is told so, and gets what there is.
    let mut old = Reading::open(addr, "/events?last_event_id=1-77", TOKEN);
    assert_eq!(old.next("event: "), "gap");
    assert_eq!(old.next("data: "), "{}");
    assert_eq!(numbers(&mut old, 5), [0, 1, 2, 3, 4]);
}

#[test]
fn who_has_no_token_reads_nothing_and_without_one_nobody_reads_events() {
    let dir = tempfile::tempdir().unwrap();
    let status = |pages: &Pages, path: &str, headers: &str| {
        Reading::open(pages.addr().unwrap(), path, headers).next("HTTP/1.1 ")
    };
    let (guarded, _) = pages(dir.path(), true);
    assert_eq!(status(&guarded, "/events", ""), "401 Unauthorized");
    assert_eq!(status(&guarded, "/metrics", "Authorization: Bearer letmei\r\n"), "401 Unauthorized");
    assert_eq!(status(&guarded, "/metrics", TOKEN), "200 OK");
    assert_eq!(status(&guarded, "/health", ""), "200 OK");
    let (open, stream) = pages(dir.path(), false);
    assert_eq!(status(&open, "/metrics", ""), "200 OK");
    assert_eq!(status(&open, "/events", ""), "403 Forbidden");
    assert_eq!(status(&open, "/other", ""), "404 Not Found");
    // Nothing is kept for readers that there cannot be.
    stream.pass("a", b"a\n\n\x80");
    assert!(stream.state.lock().kept.is_empty());
}

#[test]
fn what_is_kept_is_bounded() {
    let stream = Stream::new(true);
    for n in 0..KEPT + 10 {
        stream.pass("a", &n.to_be_bytes());
    }
    assert_eq!(stream.state.lock().kept.len(), KEPT);
    let large = vec![0; KEPT_BYTES / 2];
    for _ in 0..4 {
        stream.pass("a", &large);
    }
    let state = stream.state.lock();
    assert_eq!((state.kept.len(), state.bytes), (2, KEPT_BYTES / 2 * 2));
}

#[test]
fn where_it_listens_is_asked_for_by_key() {
    let read = |map| PagesConf::read(&Value::Map(map));
    assert!(read(map! {}).unwrap().is_none());
    assert!(read(map! {"listen" => 9150}).unwrap().is_some());
    for (conf, at) in [
        (map! {"listen" => "here"}, "alerts:listen"),
        (map! {"listen_cert" => "/x"}, "alerts:listen"),
        (map! {"listen" => 1, "listen_key" => "/x"}, "alerts:listen_cert"),
        (map! {"listen" => 1, "listen_token" => "secret"}, "alerts:listen_token"),
    ] {
        assert_eq!(read(conf).unwrap_err().at, at);
    }
}
