//! The real gpg, nacl and the Salt DB: what was encrypted comes out, marked, and is in no error.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::call::Registry;
use brine_core::files::NoFiles;
use brine_core::host::NoHost;
use brine_core::{Cx, Map, Opts, Value, map};
use brine_python::repr;
use brine_render::renderer::{Data, Rendered, Request, Template, compile_template};
use brine_render::sdb;
use brine_render::template::Session;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

fn cx(opts: Map) -> Cx {
    Cx::new(Arc::new(Opts::new(opts)), Arc::new(Registry::new([])), Arc::new(NoHost))
}

fn render(opts: &Map, pipe: &str, text: &str) -> Result<Rendered, String> {
    let session = Session::new(&cx(opts.clone()), Arc::new(NoFiles));
    compile_template(&session, &Request::new(Template::Text(text), pipe))
        .map_err(|e| format!("{}: {e}", e.kind().name()))
}

fn shown(rendered: Rendered) -> String {
    match rendered.data {
        Data::Stream(text) => text.to_string(),
        Data::Value(value) => repr(&value).unwrap(),
    }
}

/// A directory of keys with one secret key and no passphrase. Its path is short, as sockets are made in it.
struct Gpg {
    dir: tempfile::TempDir,
}

impl Gpg {
    fn new() -> Self {
        let gpg = Self { dir: tempfile::Builder::new().prefix("bg").tempdir_in("/tmp").unwrap() };
        std::fs::set_permissions(gpg.dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .unwrap();
        let made = gpg.run(
            &["--quick-generate-key", "--passphrase", "", "brine test", "future-default", "default", "never"],
            b"",
        );
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        gpg
    }

    fn run(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new("gpg")
            .args(["--homedir", self.dir.path().to_str().unwrap(), "--batch", "--pinentry-mode", "loopback"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    fn encrypt(&self, text: &[u8]) -> String {
        let out = self.run(&["--armor", "--trust-model", "always", "--encrypt", "-r", "brine test"], text);
        assert!(out.status.success());
        String::from_utf8(out.stdout).unwrap()
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        // The agent it started goes with its directory.
        let _gone = Command::new("gpgconf")
            .args(["--homedir", self.dir.path().to_str().unwrap(), "--kill", "all"])
            .status();
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

#[test]
fn gpg_decrypts_messages_wherever_they_stand() {
    let gpg = Gpg::new();
    let dir = gpg.dir.path().display().to_string();
    let opts = map! {"gpg_keydir" => dir.clone()};
    let one = gpg.encrypt(b"supersecret\n");
    let two = gpg.encrypt(b"other");
    let text = format!(
        "a: |\n{}b:\n  - c: plain\n  - |\n    x\n{}    y\n{}",
        indented(&one),
        indented(&one),
        indented(&two)
    );
    let out = render(&opts, "yaml|gpg", &text).unwrap();
    assert!(out.secret);
    let debug = format!("{out:?}");
    assert!(!debug.contains("supersecret"), "{debug}");
    let expected = "OrderedDict([('a', 'supersecret'), ('b', [OrderedDict([('c', 'plain')]), 'x\\nsupersecret\\n\\ny\\nother'])])";
    assert_eq!(shown(out), expected);
    // Written on one line with the two characters `\n`, as some tools do.
    let line = format!("a: '{}'", one.trim().replace('\n', "\\n"));
    assert_eq!(shown(render(&opts, "yaml|gpg", &line).unwrap()), "OrderedDict([('a', 'supersecret')])");
    // The whole text, and what comes after it in the pipeline.
    let whole = gpg.encrypt(b"k: [v]\n");
    assert_eq!(shown(render(&opts, "gpg|yaml", &whole).unwrap()), "OrderedDict([('k', ['v'])])");
    // Bytes that are no text stay bytes.
    let binary = gpg.encrypt(&[0xff, 0xfe]);
    let out = render(&opts, "yaml|gpg", &format!("a: |\n{}", indented(&binary))).unwrap();
    assert_eq!(shown(out), "OrderedDict([('a', b'\\xff\\xfe')])");
    // Nothing encrypted: nothing secret.
    assert!(!render(&opts, "yaml|gpg", "a: b").unwrap().secret);
    // An error about what was decrypted shows none of it.
    for broken in ["pass: hunter2: x\n", "a: 1\nhunter2: 1\nhunter2: 2\n"] {
        let message = gpg.encrypt(broken.as_bytes());
        let error = render(&opts, "gpg|yaml", &message).unwrap_err();
        assert!(!error.contains("hunter2") && error.contains("not shown"), "{error}");
    }
    let message = gpg.encrypt(b"{{ hunter2 }}");
    let error = render(&opts, "gpg|jinja|yaml", &message).unwrap_err();
    assert!(!error.contains("hunter2") && error.ends_with("line 1"), "{error}");
    gpg_falls_back(&gpg, &one);
    gpg_caches(&gpg, &dir, &two);
    a_yaml_store_is_decrypted(&gpg, &opts, &one);
}

/// What cannot be decrypted stays, or is an error.
fn gpg_falls_back(gpg: &Gpg, message: &str) {
    let empty = tempfile::Builder::new().prefix("bg").tempdir_in("/tmp").unwrap();
    let mut opts = map! {"gpg_keydir" => empty.path().display().to_string()};
    let text = format!("a: |\n{}", indented(message));
    let out = render(&opts, "yaml|gpg", &text).unwrap();
    assert!(!out.secret && shown(out).contains("BEGIN PGP MESSAGE"));
    opts.insert("gpg_decrypt_must_succeed", true);
    let error = render(&opts, "yaml|gpg", &text).unwrap_err();
    assert!(
        error.starts_with("SaltRenderError: Could not decrypt cipher b'-----BEGIN PGP MESSAGE-----\\n"),
        "{error}"
    );
    assert!(error.contains(", received: b") && error.contains("DECRYPTION_FAILED"), "{error}");
    // The default directory is beside the configuration.
    let link = empty.path().join("gpgkeys");
    std::os::unix::fs::symlink(gpg.dir.path(), &link).unwrap();
    for (key, value) in
        [("config_dir", empty.path().to_path_buf()), ("conf_file", empty.path().join("minion"))]
    {
        let opts = map! {key => value.display().to_string()};
        assert_eq!(
            shown(render(&opts, "yaml|gpg", &text).unwrap()),
            "OrderedDict([('a', 'supersecret')])",
            "{key}"
        );
    }
}

/// With `gpg_cache` a message is decrypted once in its time, and never kept on disk.
fn gpg_caches(gpg: &Gpg, dir: &str, message: &str) {
    let cachedir = tempfile::tempdir().unwrap();
    let with = |ttl: i64| {
        map! {"gpg_keydir" => dir, "gpg_cache" => true, "gpg_cache_backend" => "disk", "gpg_cache_ttl" => ttl,
        "gpg_decrypt_must_succeed" => true, "cachedir" => cachedir.path().display().to_string()}
    };
    let text = format!("a: |\n{}", indented(message));
    let answer = |opts: &Map| render(opts, "yaml|gpg", &text).map(shown);
    let secret_keys = gpg.dir.path().join("private-keys-v1.d");
    let aside = gpg.dir.path().join("aside");
    let without_keys = |check: &dyn Fn()| {
        std::fs::rename(&secret_keys, &aside).unwrap();
        let _gone = Command::new("gpgconf").args(["--homedir", dir, "--kill", "all"]).status();
        check();
        std::fs::rename(&aside, &secret_keys).unwrap();
    };
    assert!(answer(&with(0)).is_ok());
    without_keys(&|| assert!(answer(&with(60)).is_err()));
    assert!(answer(&with(60)).is_ok());
    without_keys(&|| {
        assert_eq!(answer(&with(60)).unwrap(), "OrderedDict([('a', 'other')])");
        let mut off = with(60);
        off.insert("gpg_cache", false);
        assert!(answer(&off).is_err());
    });
    assert_eq!(std::fs::read_dir(cachedir.path()).unwrap().count(), 0);
}

/// The driver `yaml` with `gpg: true`.
fn a_yaml_store_is_decrypted(gpg: &Gpg, opts: &Map, message: &str) {
    let file = gpg.dir.path().join("store.yaml");
    std::fs::write(&file, format!("user:\n  password: |\n{}", indented(message))).unwrap();
    let mut opts = opts.clone();
    opts.insert(
        "store",
        map! {"driver" => "yaml", "gpg" => true, "files" => vec![Value::from(file.display().to_string())]},
    );
    let got = sdb::get(&cx(opts), &"sdb://store/user:password".into(), true).unwrap();
    assert_eq!(got, "supersecret".into());
}

const SK: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[test]
fn nacl_opens_what_is_in_brackets() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("key"), format!("{SK}\n")).unwrap();
    let sealed = "NACL[+q6dCrfmkRLbHavSgKxpTuh+VaOe7y0dgDIDwpI3Gz9EYh4M0oGSzIaoSEkKL2Z/jLXRHHaBNnDZ]";
    let secret = "NACL[SaUtZiUVDsOFTBOgvWaOZKY2UPLuUlQ1yjd26E60P9wZCgrYLWUvm1OtLK3YE9fpyA==]";
    let key = dir.path().join("key").display().to_string();
    let sealedbox = map! {"nacl.config" => map! {"sk_file" => key.clone()}};
    let text = format!("a: {sealed}\nb: [\"x {sealed}\", \"{sealed}\\n\", 1]\n");
    let out = render(&sealedbox, "yaml|nacl", &text).unwrap();
    assert!(out.secret);
    assert_eq!(
        shown(out),
        format!("OrderedDict([('a', b'squeamish'), ('b', ['x {sealed}', b'squeamish', 1])])")
    );
    let secretbox = map! {"nacl.config" => map! {"keyfile" => key}};
    assert_eq!(shown(render(&secretbox, "nacl", secret).unwrap()), "b'ossifrage'");
    assert_eq!(
        render(&secretbox, "nacl", "NACL[YWJj]").unwrap_err(),
        "ValueError: The nonce must be exactly 24 bytes long"
    );
    // The key that a master has by default.
    std::fs::create_dir(dir.path().join("master")).unwrap();
    std::fs::rename(dir.path().join("key"), dir.path().join("master/nacl")).unwrap();
    let default = map! {"pki_dir" => dir.path().display().to_string()};
    assert_eq!(shown(render(&default, "nacl", sealed).unwrap()), "b'squeamish'");
}

fn write(dir: &Path, name: &str, text: &str) -> Value {
    std::fs::write(dir.join(name), text).unwrap();
    dir.join(name).display().to_string().into()
}

#[test]
fn options_name_what_lives_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let files = vec![
        write(dir.path(), "a", "x: {y: [1, 2], z: 3}\n"),
        "/nowhere/at/all".into(),
        write(dir.path(), "b", "x: {z: 4}\n"),
    ];
    let mut opts = map! {
        "store" => map! {"driver" => "yaml", "files" => files},
        "ext" => map! {"driver" => "env"},
        "one" => "sdb://store/x:z",
        "nested" => map! {"list" => vec![Value::from("sdb://store/x:y:1"), "sdb://nothing/x".into(), "sdb://store".into()]},
        "path" => "sdb://ext/PATH",
        "absent" => "sdb://ext/BRINE_NO_SUCH_VARIABLE",
    };
    sdb::apply(&mut opts).unwrap();
    assert_eq!(opts.get("one"), Some(&4.into()));
    let list = vec![Value::from(2), "sdb://nothing/x".into(), "sdb://store".into()];
    assert_eq!(opts.get("nested"), Some(&map! {"list" => list}.into()));
    assert_eq!(opts.get("path").and_then(Value::as_str), std::env::var("PATH").ok().as_deref());
    assert_eq!(opts.get("absent"), Some(&Value::Nil));
}

#[test]
fn uris_are_followed_as_in_stock() {
    let cx = cx(
        map! {"ext" => map! {"driver" => "env"}, "odd" => map! {"driver" => "nothing"}, "far" => map! {"driver" => "consul"},
        "y" => map! {"driver" => "yaml"}},
    );
    let get = |uri: &str, strict| sdb::get(&cx, &uri.into(), strict).map_err(|e| e.to_string());
    assert_eq!(get("text", false), Ok("text".into()));
    assert_eq!(get("text", true), Err("SDB uri must start with \"sdb://\"".into()));
    assert_eq!(sdb::get(&cx, &5.into(), false).unwrap(), 5.into());
    let form = "SDB uri must have a profile name as a first part of the uri before the /";
    for uri in ["sdb://ext", "sdb://ext/"] {
        assert_eq!(get(uri, true), Err(form.into()));
        assert_eq!(get(uri, false), Ok(uri.into()));
    }
    assert_eq!(
        get("sdb://no/x", true),
        Err("SDB profile \"no\" wasnt found in the minion configuration".into())
    );
    assert_eq!(get("sdb://odd/x", false), Err("KeyError: 'nothing.get'".into()));
    assert!(get("sdb://far/x", false).unwrap_err().contains("\"consul\" is not supported"));
    let set = |uri: &str, value: &str| sdb::set(&cx, &uri.into(), value.into()).map_err(|e| e.to_string());
    assert_eq!(set("text", "x"), Ok(false.into()));
    assert_eq!(set("sdb://ext/BRINE_SDB_TEST", "one"), Ok("one".into()));
    assert_eq!(set("sdb://ext/BRINE_SDB_TEST", "two"), Ok("one".into()));
    assert_eq!(get("sdb://ext/BRINE_SDB_TEST", false), Ok("one".into()));
    assert!(std::env::var("BRINE_SDB_TEST").is_err(), "the process' own environment stays");
    assert_eq!(get("sdb://ext/a=b", false), Ok(Value::Nil));
    assert!(set("sdb://y/x", "1").unwrap_err().starts_with("NotImplemented: "));
    assert_eq!(sdb::delete(&cx, &"text".into()).unwrap(), false.into());
    assert_eq!(sdb::delete(&cx, &"sdb://ext/x".into()).unwrap_err().to_string(), "KeyError: 'env.delete'");
}

#[test]
fn random_values_are_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let cx = cx(
        map! {"db" => map! {"driver" => "sqlite3", "database" => dir.path().join("db").display().to_string()}},
    );
    let hash = |length| sdb::get_or_set_hash(&cx, &"sdb://db/key".into(), length, "ab").unwrap();
    let first = hash(40);
    let text = first.as_str().unwrap();
    assert!(text.len() == 40 && text.chars().all(|c| "ab".contains(c)), "{text}");
    assert!(text.contains('a') && text.contains('b'));
    assert_eq!(hash(8), first);
    assert_eq!(sdb::get_or_set_hash(&cx, &"x".into(), 8, "ab").unwrap(), false.into());
    assert_eq!(
        sdb::get_or_set_hash(&cx, &"sdb://db/other".into(), 8, "").unwrap_err().to_string(),
        "IndexError: Cannot choose from an empty sequence"
    );
}

/// A server for a few requests: what each asked for, and what it is answered.
fn server(
    answer: impl Fn(&str, &str) -> (u16, &'static str, String) + Send + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    use std::io::{BufRead, BufReader, Read};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                    break;
                }
                if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                    length = n.trim().parse().unwrap();
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let body = String::from_utf8(body).unwrap();
            let (status, kind, text) = answer(&head, &body);
            seen.lock().unwrap().push(format!("{head}{body}"));
            let reply = format!(
                "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
                text.len()
            );
            let _gone = stream.write_all(reply.as_bytes());
        }
    });
    (url, asked)
}

#[test]
fn a_web_service_is_asked_for_values() {
    let (url, asked) = server(|head, _| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        match path {
            "/json/bob?x=1+2" => (200, "application/json; charset=utf-8", "{\"a\": [1, null]}".into()),
            "/yaml/bob" => (200, "text/x-yaml", "a: {b: 1}".into()),
            "/text/bob" => (200, "text/plain", "abc".into()),
            _ => (404, "application/json", "{}".into()),
        }
    });
    let entry = |path: &str| map! {"url" => format!("{url}/{path}/{{{{ user }}}}")};
    let mut json = entry("json");
    json.insert("params", map! {"x" => "1 2"});
    json.insert("header_dict", map! {"X-Own" => "h"});
    json.insert("username", "u");
    json.insert("password", "p");
    let mut odd = entry("json");
    odd.insert("cookies", true);
    let cx = cx(map! {"renderer" => "jinja|yaml",
    "api" => map! {"driver" => "rest", "json" => json, "yaml" => entry("yaml"), "text" => entry("text"), "none" => entry("none"), "odd" => odd}});
    let get = |key: &str| sdb::get(&cx, &format!("sdb://api/{key}").into(), true).map_err(|e| e.to_string());
    assert_eq!(get("json?user=bob"), Ok(map! {"a" => vec![Value::from(1), Value::Nil]}.into()));
    assert_eq!(get("yaml?user=bob"), Ok(map! {"a" => map! {"b" => 1}}.into()));
    for (key, error) in [
        ("text?user=bob", "KeyError: 'dict'"),
        ("none?user=bob", "KeyError: 'dict'"),
        ("missing?user=bob", "KeyError: 'missing'"),
        ("json", "IndexError: list index out of range"),
        ("json?user", "ValueError: not enough values to unpack (expected 2, got 1)"),
        ("json?user=a=b", "ValueError: too many values to unpack (expected 2)"),
    ] {
        assert_eq!(get(key), Err(error.into()), "{key}");
    }
    assert!(get("odd?user=bob").unwrap_err().contains("\"cookies\""));
    let first = asked.lock().unwrap()[0].to_ascii_lowercase();
    assert!(first.contains("x-own: h\r\n") && first.contains("authorization: basic dtpw\r\n"), "{first}");
}

#[test]
fn vault_is_asked_as_by_stock() {
    let (url, asked) = server(|head, body| {
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let lower = head.to_ascii_lowercase();
        let json = |status, text: &str| (status, "application/json", text.to_owned());
        if path == "/v1/auth/approle/login" {
            return match body {
                "{\"role_id\": \"r\", \"secret_id\": \"s\"}" => {
                    json(200, "{\"auth\": {\"client_token\": \"t0ken\", \"lease_duration\": 600}}")
                }
                _ => json(400, "{}"),
            };
        }
        if !lower.contains("x-vault-token: t0ken\r\n") {
            return json(403, "{\"errors\": [\"permission denied\"]}");
        }
        match (method, path) {
            ("GET", "/v1/sys/internal/ui/mounts/kv/app") => json(
                200,
                "{\"data\": {\"type\": \"kv\", \"path\": \"kv/\", \"options\": {\"version\": \"2\"}}}",
            ),
            ("GET", "/v1/sys/internal/ui/mounts/old/app") => {
                json(200, "{\"data\": {\"type\": \"kv\", \"path\": \"old/\", \"options\": null}}")
            }
            ("GET", "/v1/kv/data/app") => {
                json(200, "{\"data\": {\"data\": {\"password\": \"hunter2\", \"n\": 1}}}")
            }
            ("GET", "/v1/old/app") => json(200, "{\"data\": {\"password\": \"old\"}}"),
            ("POST", "/v1/kv/data/app" | "/v1/old/app") => json(204, ""),
            _ => json(404, "{\"errors\": []}"),
        }
    });
    let opts = |auth: Map| map! {"vault" => map! {"url" => url.clone(), "auth" => auth, "config_location" => "local"}, "v" => map! {"driver" => "vault"}};
    let token = cx(opts(map! {"method" => "token", "token" => "t0ken"}));
    let approle = cx(opts(map! {"method" => "approle", "role_id" => "r", "secret_id" => "s"}));
    let get =
        |cx: &Cx, key: &str| sdb::get(cx, &format!("sdb://v/{key}").into(), true).map_err(|e| e.to_string());
    for cx in [&token, &approle] {
        assert_eq!(get(cx, "kv/app/password"), Ok("hunter2".into()));
        assert_eq!(get(cx, "kv/app?n"), Ok(1.into()));
        assert_eq!(get(cx, "kv/app?other"), Ok(map! {"password" => "hunter2", "n" => 1}.into()));
        assert_eq!(get(cx, "old/app/password"), Ok("old".into()));
        assert_eq!(get(cx, "old/app/other"), Ok(Value::Nil));
        assert_eq!(get(cx, "nothing/at/all"), Ok(Value::Nil));
        assert_eq!(sdb::set(cx, &"sdb://v/kv/app/k".into(), 5.into()).unwrap(), true.into());
        assert_eq!(sdb::set(cx, &"sdb://v/old/app/k".into(), "x".into()).unwrap(), true.into());
    }
    let seen = asked.lock().unwrap().clone();
    let bodies = |path: &str| {
        let head = format!("POST {path} ");
        seen.iter().filter(|r| r.starts_with(&head)).filter_map(|r| r.rsplit('\n').next()).collect::<Vec<_>>()
    };
    assert_eq!(bodies("/v1/kv/data/app"), ["{\"data\": {\"k\": 5}}"; 2]);
    assert_eq!(bodies("/v1/old/app"), ["{\"k\": \"x\"}"; 2]);
    // One login for all.
    assert_eq!(bodies("/v1/auth/approle/login").len(), 1);
    let wrong = cx(opts(map! {"method" => "token", "token" => "wr0ng"}));
    let error = get(&wrong, "old/app/password").unwrap_err();
    assert!(error.contains("403") && !error.contains("wr0ng"), "{error}");
    let failed = cx(opts(map! {"method" => "approle", "role_id" => "no"}));
    assert_eq!(get(&failed, "old/app/x"), Err("An error occurred while getting a token from approle".into()));
    let missing = cx(opts(map! {"method" => "token"}));
    assert_eq!(
        get(&missing, "old/app/x"),
        Err("Minion has \"vault\" config section, but could not find key \"'token'\" within".into())
    );
    let far = cx(map! {"v" => map! {"driver" => "vault"}});
    assert!(get(&far, "old/app/x").unwrap_err().contains("from the master is not supported"));
}

#[test]
fn configuration_files_name_what_lives_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "store", "x: {z: m7}\n");
    let text = format!(
        "id: sdb://mine/x:z\nmine: {{driver: yaml, files: [{}]}}\nvault: {{url: u}}\ngpg_keydir: /k\ndeep: [{{a: sdb://mine/x}}]\n",
        dir.path().join("store").display()
    );
    write(dir.path(), "minion", &text);
    let find = |_: &Opts| Err("no id".to_owned());
    let loaded = brine_render::config::minion_config(&dir.path().join("minion"), &|_| None, &find).unwrap();
    assert_eq!(loaded.opts.str("id"), "m7");
    let deep = vec![Value::from(map! {"a" => map! {"z" => "m7"}})];
    assert_eq!(loaded.opts.get("deep"), Some(&deep.into()));
    let warned: Vec<&String> = loaded.warnings.iter().filter(|w| !w.contains("'deep'")).collect();
    assert!(warned.is_empty(), "{warned:?}");
    write(dir.path(), "minion", "id: sdb://mine/x\nmine: {driver: consul}\n");
    let error =
        brine_render::config::minion_config(&dir.path().join("minion"), &|_| None, &find).unwrap_err();
    assert!(error.to_string().contains("\"consul\" is not supported"), "{error}");
}
