//! The backend `ldap` against a real directory server: who gets in, which groups he is in, and whose certificate is
//! believed.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests")]

mod slapd;

use brine_core::Opts;
use brine_master::eauth::{BACKENDS, Backend, Failure, Login, Secret, Settings};
use brine_protocol::{Map, Value, map};
use slapd::Slapd;

fn ldap() -> &'static Backend {
    BACKENDS.iter().find(|b| b.name == "ldap").unwrap()
}

fn login(username: &str, password: &str) -> Login {
    Login { eauth: "ldap".into(), username: username.into(), password: Secret::new(password.into()) }
}

fn settings(port: u16, more: Map) -> Settings {
    let mut auth = map! {"server" => "127.0.0.1", "port" => port, "basedn" => "dc=x"};
    auth.update(more);
    // By way of options, as from a file.
    let named = |(k, v): (Value, Value)| (format!("auth.ldap.{}", k.as_str().unwrap()), v);
    let opts = Opts::new(auth.into_iter().map(named).collect());
    let plain =
        |(k, v): (&Value, &Value)| Some((k.as_str()?.strip_prefix("auth.ldap.")?.to_owned(), v.clone()));
    Settings { own: Map::new(), auth: opts.map().iter().filter_map(plain).collect() }
}

/// By searching for the user with an account of the master's.
fn by_search() -> Map {
    map! {"binddn" => "cn=root,dc=x", "bindpw" => "master", "filter" => "uid={{ username }}"}
}

/// By binding as the user at once.
fn by_name() -> Map {
    map! {"binddn" => "uid={{ username }},ou=People,dc=x"}
}

fn may(settings: &Settings, username: &str, password: &str) -> bool {
    match (ldap().auth)(settings, &login(username, password)) {
        Ok(()) => true,
        Err(Failure::Refused { .. }) => false,
        Err(Failure::Broken(e)) => panic!("{e}"),
    }
}

fn groups(settings: &Settings, username: &str, password: &str) -> Vec<String> {
    let mut groups = (ldap().groups)(settings, &login(username, password)).unwrap();
    groups.sort();
    groups
}

#[test]
fn a_directory_says_who_somebody_is_and_where_he_belongs() {
    let server = Slapd::start(false);
    let with = |more: Map| settings(server.port, more);
    let mut anonymous = map! {"anonymous" => true};
    anonymous.insert("filter", "(uid={{ username }})");
    for options in [by_search(), by_name(), anonymous] {
        let settings = with(options);
        assert!(may(&settings, "fred", "right") && may(&settings, "eve", "evil"));
        for (user, password) in [
            ("fred", "wrong"),
            ("fred", ""),
            ("nobody", "right"),
            // What a filter or a name would be if it were not escaped.
            ("*", "right"),
            ("f*", "right"),
            ("fred)(uid=*", "right"),
            ("fred,ou=People,dc=x", "right"),
        ] {
            assert!(!may(&settings, user, password), "{user} {password}");
        }
    }
    // Two people of that name: neither.
    assert!(!may(&with(by_search()), "twin", "right"));
    assert!(matches!((ldap().auth)(&with(Map::new()), &login("fred", "right")), Err(Failure::Broken(_))));
    let mut wrong = by_search();
    wrong.insert("bindpw", "x");
    assert!(matches!((ldap().auth)(&with(wrong), &login("fred", "right")), Err(Failure::Broken(_))));

    // Groups that name their members, and members that name their groups.
    assert_eq!(groups(&with(by_search()), "fred", "right"), ["ops"]);
    assert_eq!(groups(&with(by_name()), "eve", "evil"), ["others"]);
    assert!(groups(&with(by_search()), "*", "x").is_empty());
    let mut by_member = by_search();
    by_member.update(map! {
        "groupou" => "", "accountattributename" => "uid", "groupclass" => "inetOrgPerson",
    });
    assert_eq!(groups(&with(by_member), "fred", "right"), ["writers"]);
    let mut active = by_search();
    active.update(map! {
        "activedirectory" => true, "accountattributename" => "uid", "groupclass" => "groupOfNames",
    });
    assert_eq!(groups(&with(active), "fred", "right"), ["admins"]);
    let mut ipa = by_search();
    ipa.update(map! {
        "freeipa" => true, "group_basedn" => "ou=Groups,dc=x", "accountattributename" => "memberUid",
        "groupattribute" => "member", "group_filter" =>
            "(|(memberUid={{ username }})(member=uid={{ username }},ou=People,dc=x))",
    });
    assert_eq!(groups(&with(ipa), "fred", "right"), ["admins", "ops"]);

    // Rules that name a part of the directory.
    let mut computers = by_search();
    computers.insert("minion_stripdomains", vec![".int.x"]);
    let rules: Vec<Value> = vec![
        "test.ping".into(),
        map! {"ldap(OU=Web,dc=x)" => vec!["cmd.run"]}.into(),
        map! {"ldap(OU=None,dc=x)" => vec![".*"]}.into(),
    ];
    let expanded = (ldap().expand)(&with(computers), rules).unwrap();
    assert_eq!(expanded, ["test.ping".into(), Value::from(map! {"L@web1,web2" => vec!["cmd.run"]})]);
}

#[test]
fn a_server_is_believed_by_its_certificate() {
    const INNER: &str = "BRINE_LDAP_PORTS";
    if let Ok(ports) = std::env::var(INNER) {
        let (plain, tls) = ports.split_once(' ').unwrap();
        let uri = |uri: String| {
            let mut options = by_name();
            options.insert("uri", uri);
            options
        };
        let ldaps = settings(0, uri(format!("ldaps://localhost:{tls}")));
        let mut starttls = uri(format!("ldap://127.0.0.1:{plain}"));
        starttls.insert("starttls", true);
        let starttls = settings(0, starttls);
        let known = std::env::var_os("SSL_CERT_FILE").is_some_and(|f| f != "/dev/null");
        for settings in [&ldaps, &starttls] {
            if known {
                assert!(may(settings, "fred", "right") && !may(settings, "fred", "wrong"));
            } else {
                assert!(matches!((ldap().auth)(settings, &login("fred", "right")), Err(Failure::Broken(_))));
            }
        }
        let mut lax = uri(format!("ldaps://localhost:{tls}"));
        lax.insert("no_verify", true);
        assert!(may(&settings(0, lax), "fred", "right"));
        return;
    }
    let server = Slapd::start(true);
    // The system's authorities are read once in a process, so each answer needs one of its own.
    for authorities in [server.authority().as_path(), "/dev/null".as_ref()] {
        let ran = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_server_is_believed_by_its_certificate", "--nocapture"])
            .env(INNER, format!("{} {}", server.port, server.tls_port))
            .env("SSL_CERT_FILE", authorities)
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success() && said.contains("1 passed"), "{}: {said}", authorities.display());
    }
}
