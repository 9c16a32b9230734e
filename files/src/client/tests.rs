//! The client against a file server of the test's own.

use super::*;
use crate::sum::Digest;
use std::collections::VecDeque;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A server with one file `f`, whose answers the test decides.
#[derive(Default)]
struct Server {
    contents: Mutex<Vec<u8>>,
    /// What the contents become after each chunk.
    next: Mutex<VecDeque<Vec<u8>>>,
    /// After how many chunks the connection breaks.
    breaks: AtomicUsize,
    served: AtomicUsize,
    asked: Mutex<Vec<Map>>,
    wrong: bool,
    chunk: usize,
}

impl Server {
    fn new(contents: &[u8]) -> Self {
        let breaks = AtomicUsize::new(usize::MAX);
        Self { contents: contents.to_vec().into(), chunk: 4, breaks, ..Self::default() }
    }

    fn cmds(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.iter().map(|load| load.get_str("cmd").unwrap().trim_start_matches('_').to_owned()).collect()
    }
}

impl Channel for &Server {
    fn ask(&self, load: Map) -> Result<Value> {
        self.asked.lock().unwrap().push(load.clone());
        let mut contents = self.contents.lock().unwrap();
        if load.get_str("path") != Some("f") {
            return Ok(if load.get_str("cmd") == Some("_serve_file") {
                map! {"data" => "", "dest" => ""}.into()
            } else {
                vec![Value::from(""), Value::Nil].into()
            });
        }
        if load.get_str("cmd") == Some("_file_hash_and_stat") {
            let mut digest = Digest::new("sha256").unwrap();
            digest.update(if self.wrong { b"else" } else { &contents });
            let mut stat = vec![Value::Int(0); 10];
            stat[6] = Value::Int(contents.len() as i128);
            let hash = map! {"hsum" => digest.hex(), "hash_type" => "sha256"};
            return Ok(vec![hash.into(), Value::from(stat)].into());
        }
        if self.served.fetch_add(1, Ordering::SeqCst) >= self.breaks.load(Ordering::SeqCst) {
            return Err(CallError::Client("gone".into()));
        }
        let from = (load.get("loc").and_then(Value::as_int).unwrap() as usize).min(contents.len());
        let mut data = contents[from..contents.len().min(from + self.chunk)].to_vec();
        // Hostile: the place that the server names is nobody's business.
        let mut answer = map! {"dest" => "../../etc/f"};
        if load.get("gzip").is_some() && !data.is_empty() {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gz.write_all(&data).unwrap();
            data = gz.finish().unwrap();
            answer.insert("gzip", 5);
        }
        answer.insert("data", Value::Bytes(data));
        if let Some(next) = self.next.lock().unwrap().pop_front() {
            *contents = next;
        }
        Ok(answer.into())
    }
}

fn client<'a>(server: &'a Server, dir: &Path) -> Client<&'a Server> {
    Client::new(server, Arc::new(Cache::new(dir)))
}

#[test]
fn a_file_comes_in_chunks_and_stays_until_it_differs() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::new(b"0123456789");
    let client = client(&server, dir.path());
    let get = || client.cache_file("f", "base").unwrap().map(|at| fs::read(at).unwrap());
    assert_eq!(get().as_deref(), Some(&b"0123456789"[..]));
    assert_eq!(server.cmds(), ["file_hash_and_stat", "serve_file", "serve_file", "serve_file"]);
    assert_eq!(get().as_deref(), Some(&b"0123456789"[..]));
    assert_eq!(server.cmds(), ["file_hash_and_stat"]);
    assert!(dir.path().join("files/base/f").is_file());
    *server.contents.lock().unwrap() = Vec::new();
    assert_eq!(get().as_deref(), Some(&b""[..]));
    assert_eq!(client.cache_file("none", "base").unwrap(), None);
    assert_eq!(client.cache_file("../f", "base").unwrap(), None);
    assert_eq!(fs::read_dir(dir.path().join("file_parts")).unwrap().count(), 0);
    fs::write(dir.path().join("files/base/f"), "spoilt").unwrap();
    assert_eq!(get().as_deref(), Some(&b""[..]));
}

#[test]
fn a_file_that_changes_is_never_a_mix() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::new(b"aaaaaaaaaa");
    // It changes, then shrinks, then grows, each time in the middle.
    *server.next.lock().unwrap() =
        [&b"aaaaaaaaaa"[..], b"bbbbbbbbbb", b"bbbbbbbbbb", b"cc", b"cc", b"dddddddddddddd"]
            .map(<[u8]>::to_vec)
            .into();
    let at = client(&server, dir.path()).cache_file("f", "base").unwrap().unwrap();
    assert_eq!(fs::read(at).unwrap(), b"dddddddddddddd");

    let server = Server { wrong: true, ..Server::new(b"aaaa") };
    let client = client(&server, dir.path());
    let error = client.cache_file("f", "base").unwrap_err().to_string();
    assert!(error.contains("arrives damaged"), "{error}");
    assert_eq!(fs::read(dir.path().join("files/base/f")).unwrap(), b"dddddddddddddd");
}

#[test]
fn a_broken_connection_is_gone_on_from() {
    let dir = tempfile::tempdir().unwrap();
    let contents: Vec<u8> = (0..3 << 20).map(|n: u32| (n % 251) as u8).collect();
    let server = Server { chunk: 1 << 20, ..Server::new(&contents) };
    server.breaks.store(2, Ordering::SeqCst);
    let client = client(&server, dir.path());
    assert_eq!(client.cache_file("f", "base").unwrap_err().to_string(), "gone");
    server.breaks.store(usize::MAX, Ordering::SeqCst);
    server.cmds();
    let at = client.cache_file("f", "base").unwrap().unwrap();
    assert!(fs::read(at).unwrap() == contents);
    assert_eq!(server.cmds(), ["file_hash_and_stat", "serve_file"]);
}

#[test]
fn a_file_goes_where_it_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::new(b"0123456789");
    let client = client(&server, dir.path());
    let get = |dest: &str, makedirs: bool, gzip: Option<i64>| {
        let dest = dir.path().join(dest);
        client.get_file("f", "base", &Want { dest: Some(&dest), makedirs, gzip, cachedir: None }).unwrap()
    };
    assert_eq!(get("x", false, Some(5)), Some(dir.path().join("x")));
    assert_eq!(fs::read(dir.path().join("x")).unwrap(), b"0123456789");
    server.cmds();
    assert!(get("x", false, None).is_some());
    assert_eq!(server.cmds(), ["file_hash_and_stat"]);
    assert_eq!(get("no/x", false, None), None);
    assert_eq!(get("made/", true, None), Some(dir.path().join("made/f")));
    assert_eq!(get("made", false, None), Some(dir.path().join("made/f")));
    assert!(!dir.path().join("files").exists());
    let own = Want { cachedir: Some("own"), ..Want::default() };
    assert_eq!(client.get_file("f", "base", &own).unwrap(), Some(dir.path().join("own/files/base/f")));
}

#[test]
fn many_at_once_make_one_fetch() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::new(&[1; 4000]);
    let client = client(&server, dir.path());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| client.cache_file("f", "base").unwrap().unwrap());
        }
    });
    assert_eq!(server.served.load(Ordering::SeqCst), 1000);
}

/// A server elsewhere with one file `f`, which notes how it was asked.
#[derive(Clone, Default)]
struct Elsewhere(Arc<Mutex<Vec<String>>>);

impl Elsewhere {
    fn note(&self, how: &str, load: &Map) {
        let text = |key: &str| load.get_str(key).unwrap_or_default().to_owned();
        self.0.lock().unwrap().push(format!("{how} {} {}", text("cmd"), text("path")));
    }

    fn noted(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(", ")
    }

    fn answer(load: &Map) -> Value {
        let hash = map! {"hsum" => "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "hash_type" => "sha256"};
        match (load.get_str("cmd"), load.get_str("path")) {
            (Some("_file_hash"), Some("f")) => hash.into(),
            (Some("_file_hash_and_stat"), Some("f")) => vec![hash.into(), Value::Nil].into(),
            (Some("_serve_file"), Some("f")) if load.get("loc") == Some(&0.into()) => {
                map! {"data" => "abc", "dest" => "f"}.into()
            }
            (Some("_serve_file"), Some("f")) => map! {"data" => "", "dest" => "f"}.into(),
            (Some("_file_hash"), _) => "".into(),
            _ => Map::new().into(),
        }
    }
}

impl Channel for Elsewhere {
    fn ask(&self, load: Map) -> Result<Value> {
        self.note("ask", &load);
        Ok(Self::answer(&load))
    }

    fn begin(&self, load: Map) -> Option<Coming> {
        self.note("begin", &load);
        let this = self.clone();
        Some(Box::new(move || {
            this.note("wait", &load);
            (Instant::now(), Ok(Self::answer(&load)))
        }))
    }
}

#[test]
fn what_is_expected_is_asked_once_and_holds_until_something_changes() {
    let dir = tempfile::tempdir().unwrap();
    let server = Elsewhere::default();
    let client = Client::new(server.clone(), Arc::new(Cache::new(dir.path())));
    let hash = |path: &str| client.hash_file(path, "base").unwrap();
    let sum = hash("salt://f");
    assert_eq!(server.noted(), "ask _file_hash f");
    client.expect("salt://f", "base");
    client.expect("salt://f", "base");
    client.expect("../f", "base");
    assert_eq!(server.noted(), "begin _file_hash_and_stat f");
    assert_eq!(hash("salt://f"), sum);
    assert_eq!(server.noted(), "wait _file_hash_and_stat f");
    // Neither is asked again, and another environment is another file.
    assert_eq!(hash("f"), sum);
    assert!(client.cache_file("f", "base").unwrap().is_some());
    assert_eq!(server.noted(), "ask _serve_file f, ask _serve_file f");
    client.hash_file("f", "dev").unwrap();
    assert_eq!(server.noted(), "ask _file_hash f");
    client.expect_nothing();
    assert_eq!(hash("f"), sum);
    assert_eq!(server.noted(), "ask _file_hash f");
    // What a server says of a file that it has not is heard by asking for it.
    client.expect("g", "base");
    assert_eq!(hash("g"), "".into());
    assert_eq!(server.noted(), "begin _file_hash_and_stat g, wait _file_hash_and_stat g, ask _file_hash g");
    client.expect("f", "base");
    assert_eq!(hash("f"), sum);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(hash("f"), sum);
    assert_eq!(server.noted(), "begin _file_hash_and_stat f, wait _file_hash_and_stat f, ask _file_hash f");
}
