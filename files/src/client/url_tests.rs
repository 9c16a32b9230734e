//! URLs against servers of the test's own.

use super::url::{Dest, Got, Order, get_url};
use brine_core::call::Cx;
use brine_core::host::NoHost;
use brine_core::{Map, Opts, map};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

/// An HTTP server that gives these answers in turn, and tells the heads of the requests.
fn server(answers: Vec<String>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap_or(0);
            let _nobody = tell.send(String::from_utf8_lossy(&head[..read]).into_owned());
            let _gone = stream.write_all(answer.as_bytes());
        }
    });
    (address, told)
}

fn answer(status: &str, head: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn cx(dir: &Path, more: Map) -> Cx {
    let mut opts = map! {"cachedir" => dir.to_string_lossy().into_owned()};
    opts.update(more);
    Cx::new(Arc::new(Opts::new(opts)), Arc::default(), Arc::new(NoHost))
}

#[test]
fn a_file_over_http_is_whole_or_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let cx = cx(dir.path(), Map::new());
    let short = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhalf".to_owned();
    let (host, told) = server(vec![
        answer("200 OK", "", "one"),
        short,
        answer("404 Not Found", "", ""),
        answer("200 OK", "", "two"),
    ]);
    let url = format!("http://u:secret@{host}/a/b?c=d#e");
    let at = dir.path().join("extrn_files/base").join(host.replace(':', "")).join("a/b-c=d");
    assert_eq!(get_url(&cx, &Order::new(&url, "base")).unwrap(), Got::At(at.clone()));
    assert_eq!(fs::read_to_string(&at).unwrap(), "one");
    assert_eq!(fs::metadata(&at).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(told.recv().unwrap().to_lowercase().contains("authorization: basic dtpzzwnyzxq="));
    // The copy is good: nobody is asked.
    let hash = crate::sum::of_file(&at, "sha256").unwrap().unwrap();
    let known = Order { source_hash: Some(&hash), ..Order::new(&url, "base") };
    assert_eq!(get_url(&cx, &known).unwrap(), Got::At(at.clone()));
    let error = |order: &Order<'_>| get_url(&cx, order).unwrap_err().to_string();
    let truncated = error(&Order::new(&url, "base"));
    assert!(truncated.contains("truncated download") && !truncated.contains("secret"), "{truncated}");
    assert_eq!(fs::read_to_string(&at).unwrap(), "one");
    assert!(error(&Order::new(&url, "base")).contains("HTTP 404: Not Found reading /a/b"));
    // Another checksum: it is asked for again.
    let other = Order { source_hash: Some("sha256=0000"), ..Order::new(&url, "base") };
    get_url(&cx, &other).unwrap();
    assert_eq!(fs::read_to_string(&at).unwrap(), "two");
    assert_eq!(fs::read_dir(at.parent().unwrap()).unwrap().count(), 1);
    assert!(error(&Order::new("http://h/../../../x", "base")).contains("Invalid path"));
    assert!(error(&Order::new("s3://bucket/x", "base")).contains("s3:// is not supported"));
}

#[test]
fn a_tag_spares_what_has_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    let cx = cx(dir.path(), Map::new());
    let (host, told) = server(vec![
        answer("200 OK", "ETag: \"t\"\r\n", "one"),
        answer("304 Not Modified", "", ""),
        answer("200 OK", "ETag: \"u\"\r\n", "two"),
    ]);
    let url = format!("http://{host}/f");
    let order = Order { use_etag: true, ..Order::new(&url, "base") };
    let mut seen = Vec::new();
    for _ in 0..3 {
        let Got::At(at) = get_url(&cx, &order).unwrap() else { panic!("nothing") };
        let head = told.recv().unwrap().to_lowercase();
        seen.push((fs::read_to_string(at).unwrap(), head.contains("if-none-match: \"t\"")));
    }
    assert_eq!(seen, [("one".into(), false), ("one".into(), true), ("two".into(), true)]);
}

#[test]
fn a_proxy_is_asked_as_the_options_say() {
    let dir = tempfile::tempdir().unwrap();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = proxy.local_addr().unwrap().port();
    let told = std::thread::spawn(move || {
        let mut stream = proxy.accept().unwrap().0;
        let mut told = String::new();
        for answer in ["HTTP/1.1 200 OK\r\n\r\n".to_owned(), answer("200 OK", "", "proxied")] {
            let from = told.len();
            while !told[from..].ends_with("\r\n\r\n") {
                let mut head = [0; 4096];
                let read = stream.read(&mut head).unwrap();
                assert!(read > 0, "{told}");
                told.push_str(&String::from_utf8_lossy(&head[..read]));
            }
            stream.write_all(answer.as_bytes()).unwrap();
        }
        told
    });
    let cx = cx(dir.path(), map! {"proxy_host" => "127.0.0.1", "proxy_port" => port});
    let order = Order { dest: Dest::Memory, ..Order::new("http://nowhere.invalid/f", "base") };
    assert_eq!(get_url(&cx, &order).unwrap(), Got::Bytes(b"proxied".to_vec()));
    let told = told.join().unwrap();
    assert!(told.starts_with("CONNECT nowhere.invalid:80 ") && told.contains("GET /f "), "{told}");
}

#[test]
fn files_of_this_machine_are_where_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let cx = cx(dir.path(), Map::new());
    fs::write(dir.path().join("f"), "here").unwrap();
    let path = dir.path().join("f").to_string_lossy().into_owned();
    assert_eq!(
        get_url(&cx, &Order::new(&format!("file://{path}"), "base")).unwrap(),
        Got::At(path.clone().into())
    );
    let memory = Order { dest: Dest::Memory, ..Order::new(&path, "base") };
    assert_eq!(get_url(&cx, &memory).unwrap(), Got::Bytes(b"here".to_vec()));
    let error = get_url(&cx, &Order::new("some/path", "base")).unwrap_err().to_string();
    assert_eq!(error, "Path 'some/path' is not absolute");
    let error = get_url(&cx, &Order::new("gopher://h/x", "base")).unwrap_err().to_string();
    assert!(error.contains("Unsupported url scheme"), "{error}");
}
