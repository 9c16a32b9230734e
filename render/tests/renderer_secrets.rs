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
use std::sync::Arc;

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
