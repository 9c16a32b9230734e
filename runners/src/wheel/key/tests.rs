//! Keys through the wheel.

use std::path::Path;

use brine_core::call::{Args, Cx};
use brine_core::{Map, Value, map};

use crate::fake::{Fake, call, list};
use crate::run::Kind;

/// A public key; of no use to anybody.
fn pem() -> &'static str {
    static PEM: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    PEM.get_or_init(|| brine_protocol::crypt::PrivateKey::generate(2048).unwrap().public().to_pem().unwrap())
}

fn keys(dir: &Path) {
    for (path, text) in [
        ("minions/b", pem()),
        ("minions/A", pem()),
        ("minions_pre/web1", pem()),
        ("minions_pre/web2", "no key"),
        ("minions_rejected/web3", pem()),
        ("minions_denied/web1", pem()),
        ("master.pem", "-----BEGIN X-----\nabc\n-----END X-----\n"),
        ("master.pub", pem()),
        ("other.txt", ""),
    ] {
        std::fs::write(dir.join("pki").join(path), text).unwrap();
    }
}

fn with_keys(test: impl FnOnce(&Fake, &Cx, &Path)) {
    let tmp = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let cx = fake.cx(Kind::Wheel, tmp.path(), Map::new());
    keys(tmp.path());
    test(&fake, &cx, tmp.path());
}

fn order(value: &Value) -> Vec<&str> {
    value.as_map().unwrap().keys().filter_map(Value::as_str).collect()
}

#[test]
fn listings_are_stocks() {
    with_keys(|_, cx, _| {
        let get = |fun: &str, arg: &str| call(cx, fun, Args::positional([arg])).unwrap();
        let all = call(cx, "key.list_all", Args::none()).unwrap();
        assert_eq!(order(&all), ["minions", "minions_pre", "minions_rejected", "minions_denied", "local"]);
        assert_eq!(all.get("minions"), Some(&list(["A", "b"])));
        assert_eq!(all.get("local"), Some(&list(["master.pem", "master.pub"])));
        assert_eq!(get("key.list", "all"), all);
        assert_eq!(get("key.list", "un"), map! {"minions_pre" => list(["web1", "web2"])}.into());
        assert_eq!(get("key.list", "accepted"), map! {"minions" => list(["A", "b"])}.into());
        assert_eq!(get("key.list", "x"), Map::new().into());
        let web1 = map! {"minions_pre" => list(["web1"]), "minions_denied" => list(["web1"])};
        assert_eq!(get("key.name_match", "web1,none"), web1.clone().into());
        assert_eq!(get("key.glob_match", "web1,none"), web1.clone().into());
        let several = Args { positional: vec![list(["web1", "x"])], ..Args::none() };
        assert_eq!(call(cx, "key.name_match", several).unwrap(), web1.into());
        assert_eq!(get("key.print", "A"), map! {"minions" => map! {"A" => pem()}}.into());
        let finger = get("key.finger", "*");
        assert_eq!(order(&finger)[4], "local");
        let own = call(cx, "key.finger_master", Args::none()).unwrap();
        assert_eq!(
            own.get("local").unwrap().get("master.pub"),
            finger.get("local").unwrap().get("master.pub")
        );
        assert!(call(cx, "key.finger", Args::positional(["*", "md99"])).is_err());
        let text = call(cx, "key.master_key_str", Args::none()).unwrap();
        assert_eq!(text, map! {"local" => map! {"master.pub" => pem()}}.into());
    });
}

#[test]
fn keys_move_and_the_answer_says_where_they_are() {
    with_keys(|fake, cx, dir| {
        let run = |fun: &str, args| call(cx, fun, args).unwrap();
        let got = run("key.accept", Args::positional(["web*"]).with("include_rejected", true));
        let want = map! {
            "minions" => list(["web1", "web3"]), "minions_pre" => list(["web2"]), "minions_denied" => list(["web1"]),
        };
        assert_eq!(got, want.into());
        assert_eq!(fake.record.lock().fired[0].1, map! {"result" => true, "act" => "accept", "id" => "web1"});
        assert_eq!(fake.record.lock().printed, ["Unable to accept invalid key for web2."]);
        let got = run("key.reject", Args::positional(["b"]).with("include_accepted", true));
        assert_eq!(got, map! {"minions_rejected" => list(["b"])}.into());
        assert_eq!(run("key.delete", Args::positional(["web*"])), Map::new().into());
        assert!(!dir.join("pki/minions/web1").exists());
        assert_eq!(fake.record.lock().rotated, 2);
    });
}

#[test]
fn cve_2020_11652_dicts_name_keys_and_never_paths() {
    with_keys(|_, cx, dir| {
        let run = |fun: &str, given: Map| {
            call(cx, fun, Args { positional: vec![given.into()], ..Args::none() }).unwrap()
        };
        let outside = dir.join("pki/master.pem");
        let evil = map! {
            "minions" => list(["../master.pem", "/etc/passwd"]), "../pki" => list(["master.pem"]), "." => list(["master.pub"]),
        };
        run("key.delete_dict", evil.clone());
        run("key.accept_dict", evil.clone());
        run("key.reject_dict", evil);
        assert!(outside.exists() && dir.join("pki/master.pub").exists());
        let accepted = run("key.accept_dict", map! {"minions_pre" => list(["web1"])});
        assert_eq!(accepted, map! {"minions" => list(["web1"]), "minions_denied" => list(["web1"])}.into());
        let args = Args { positional: vec![map! {"minions_pre" => list(["web1"])}.into()], ..Args::none() };
        let gone = call(cx, "key.accept_dict", args).unwrap_err().to_string();
        assert!(
            gone.starts_with("FileNotFoundError: [Errno 2]") && gone.ends_with("pki/minions_pre/web1'"),
            "{gone}"
        );
        let deleted =
            run("key.delete_dict", map! {"minions" => list(["web1"]), "minions_denied" => list(["web1"])});
        assert_eq!(deleted, Map::new().into());
        assert!(call(cx, "key.delete_dict", Args::positional(["x"])).unwrap() == Map::new().into());
    });
}

#[test]
fn pairs_are_made_and_nothing_is_replaced() {
    with_keys(|fake, cx, dir| {
        let run = |fun: &str, args| call(cx, fun, args);
        let pair = run("key.gen", Args::none()).unwrap();
        assert!(pair.get("priv").unwrap().as_str().unwrap().starts_with("-----BEGIN RSA PRIVATE KEY-----"));
        let taken = run("key.gen_accept", Args::positional(["A"])).unwrap();
        assert_eq!(taken, Map::new().into());
        let pair = run("key.gen_accept", Args::positional(["../n_e w"])).unwrap();
        let stored = std::fs::read_to_string(dir.join("pki/minions/new")).unwrap();
        assert_eq!(pair.get("pub").unwrap().as_str(), Some(stored.as_str()));
        let finger = run("key.gen_keys", Args::none().with("keyname", "x")).unwrap();
        assert!(dir.join("pki/x.pem").exists());
        assert_eq!(run("key.gen_keys", Args::none().with("keyname", "x")).unwrap(), finger);
        for args in [
            Args::none().with("keyname", "../x"),
            Args::none().with("keydir", "/tmp"),
            Args::none().with("user", "root"),
            Args::none().with("keyname", "y").with("keysize", 65_536),
        ] {
            assert!(run("key.gen_keys", args.clone()).is_err(), "{args:?}");
        }
        assert!(run("key.gen_accept", Args::positional([" "])).is_err());
        let sign = |auto: bool| {
            run("key.gen_signature", Args::positional(["", "", ""]).with("auto_create", auto)).unwrap()
        };
        assert_eq!(sign(false), "No usable private-key found".into());
        assert_eq!(sign(true), true.into());
        assert_eq!(sign(true), false.into());
        assert!(dir.join("pki/master_pubkey_signature").exists());
        let afar = Args::positional(["/x", "", ""]);
        assert!(run("key.gen_signature", afar).unwrap_err().to_string().contains("'priv'"));
        assert!(fake.record.lock().gone.contains(&"new".to_owned()));
    });
}

#[test]
fn what_is_cached_of_a_minion_goes_with_its_key_unless_it_is_to_stay() {
    for keep in [true, false] {
        let tmp = tempfile::tempdir().unwrap();
        let cx = Fake::default().cx(Kind::Wheel, tmp.path(), map! {"preserve_minion_cache" => keep});
        let cached = tmp.path().join("cache/minions/db1");
        std::fs::create_dir_all(&cached).unwrap();
        std::fs::write(cached.join("data.p"), b"\x80").unwrap();
        std::fs::write(tmp.path().join("pki/minions/db1"), pem()).unwrap();
        call(&cx, "key.delete", Args::positional(["db1"])).unwrap();
        assert_eq!(cached.join("data.p").exists(), keep);
    }
}
