//! The returners of databases against real ones, beside stock Salt 3006.28's own modules: what one writes, the other reads,
//! and both leave the same rows.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;
mod servers;
mod subject;

use brine_core::{Map, Opts, Value, map};
use brine_returners::find;
use common::Stock;
use servers::Server;
use subject::{JIDS, Side, Subject, cx, ret};

/// Fails as it does for a server that says no, or that is not there.
fn error(subject: &Subject, more: Map) -> String {
    let mut opts = subject.opts.clone();
    opts.update(more);
    subject.ours().get_load.unwrap()(&cx(&opts), "x").unwrap_err().to_string()
}

#[test]
fn postgresql() {
    let server = Server::postgres();
    let mut stock = Stock::start(None);
    for (name, db, pass) in [("pgjsonb", "salt", "pass"), ("postgres", "salt_text", "passwd")] {
        let settings = map! {
            "host" => "127.0.0.1", "port" => server.port.to_string(), pass => "pass 'word", "db" => db,
        };
        let opts = map! {format!("returner.{name}") => settings, "id" => "master_x"};
        let subject = Subject { name, module: name, opts };
        let tables = "jids, salt_returns, salt_events";
        let empty = || {
            let archives =
                ["jids", "salt_returns", "salt_events"].map(|t| format!("DROP TABLE IF EXISTS {t}_archive;"));
            server.psql(db, &format!("TRUNCATE {tables}; {}", archives.concat()));
        };
        let dump = || {
            let rows = "SELECT fun, jid, return, id, success, full_ret FROM salt_returns ORDER BY jid, id;";
            let events = "SELECT tag, data, master_id FROM salt_events ORDER BY id;";
            let mut out = server.psql(db, &format!("SELECT * FROM jids ORDER BY jid; {rows} {events}"));
            for table in ["jids", "salt_returns", "salt_events"] {
                if server.psql(db, &format!("SELECT to_regclass('{table}_archive')")).trim().is_empty() {
                    continue;
                }
                let count = format!(
                    "SELECT '{table}', count(*), min(a::text) FILTER (WHERE '{table}' = 'jids') FROM {table}_archive a"
                );
                out += &server.psql(db, &count);
            }
            out
        };
        subject.compare(&mut stock, empty, dump);
        let written_now = "SELECT count(*) FROM salt_returns WHERE alter_time > now() - interval '1 minute'";
        assert_eq!(server.psql(db, written_now), "4\n");
        if name == "pgjsonb" {
            // The first job is old as a whole, the second in part: one event and two jobs.
            let old = "alter_time = now() - interval '2 hours'";
            let (first, second) = (JIDS[0], JIDS[2]);
            let age = || {
                server.psql(
                    db,
                    &format!(
                        "UPDATE salt_returns SET {old} WHERE jid IN ('{first}', '{second}');
                     INSERT INTO salt_returns SELECT * FROM salt_returns WHERE jid = '{second}';
                     UPDATE salt_returns SET alter_time = now() WHERE ctid IN
                         (SELECT ctid FROM salt_returns WHERE jid = '{second}' LIMIT 1);
                     UPDATE salt_events SET {old} WHERE tag = 'salt/auth'"
                    ),
                );
            };
            subject.compare_cleaning(&mut stock, age, empty, dump);
        }
        let key = |option: &str, value: Value| {
            map! {format!("returner.{name}") => map! {
                "host" => "127.0.0.1", "port" => server.port, pass => "pass 'word", "db" => db, option => value,
            }}
        };
        let refused = error(&subject, key(pass, "wrong".into()));
        let start =
            format!("salt.exceptions.SaltMasterError: {name} returner could not connect to database: ");
        assert!(
            refused.starts_with(&start) && refused.contains("password authentication failed"),
            "{refused}"
        );
        assert!(error(&subject, key("port", 1.into())).contains("refused"));
        if name == "pgjsonb" {
            // Somebody who takes calls and says nothing.
            let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let mut opts = key("port", silent.local_addr().unwrap().port().into());
            opts.insert("returner.pgjsonb.connect_timeout", "1");
            let began = std::time::Instant::now();
            assert!(error(&subject, opts).contains("timeout expired"));
            assert!(began.elapsed() < std::time::Duration::from_secs(8));
        }
        // A return is lost, and that is no error: all a minion could do is to log it.
        let lost = Subject { opts: key("port", 1.into()), ..subject };
        lost.ours().returner.unwrap()(&cx(&lost.opts), &ret(JIDS[0], "m", "f", 1)).unwrap();
        // By the socket, where no password is asked for.
        let local = Subject { opts: key("host", server.file("").into()), ..lost };
        assert!(!local.ours().get_jids.unwrap()(&cx(&local.opts)).unwrap().is_empty());
    }
    tls_of_postgresql(&server);
}

/// Each `sslmode` checks what libpq checks.
fn tls_of_postgresql(server: &Server) {
    server.psql("postgres", "CREATE DATABASE salt_plain OWNER salt");
    server.psql("salt_plain", &format!("SET ROLE salt; {}", servers::schema("pgjsonb")));
    let ours = find(&Opts::default(), "pgjsonb", "").unwrap();
    let good = |host: &str, more: Map| {
        let mut settings =
            map! {"host" => host, "port" => server.port, "pass" => "pass 'word", "db" => "salt_plain"};
        settings.update(more);
        let opts = map! {"returner.pgjsonb" => settings};
        ours.get_load.unwrap()(&cx(&opts), "x").is_ok()
    };
    let (ca, other) = (server.file("ca.pem"), server.file("cert.pem"));
    // This database is for those who come in TLS; without a word about it we try that first.
    for mode in ["None", "allow", "prefer", "require"] {
        assert!(good("127.0.0.1", map! {"sslmode" => mode}), "{mode}");
    }
    assert!(!good("127.0.0.1", map! {"sslmode" => "disable"}));
    assert!(!good("127.0.0.1", map! {"sslmode" => "sometimes"}));
    for mode in ["require", "verify-ca", "verify-full"] {
        assert!(good("localhost", map! {"sslmode" => mode, "sslrootcert" => ca.as_str()}), "{mode}");
        assert!(!good("localhost", map! {"sslmode" => mode, "sslrootcert" => "/nonexistent"}), "{mode}");
        // Whoever signed it is not among those.
        let stranger = map! {"sslmode" => mode, "sslrootcert" => other.as_str()};
        assert!(!good("localhost", stranger), "{mode}");
    }
    assert!(!good("localhost", map! {"sslmode" => "verify-full"}));
    // The certificate does not have this address: one mode alone looks at it.
    let by_other = |mode: &str| good("127.0.0.2", map! {"sslmode" => mode, "sslrootcert" => ca.as_str()});
    assert!(by_other("verify-ca") && !by_other("verify-full"));
    // A client's certificate is shown where one is named.
    let identity =
        map! {"sslcert" => other.as_str(), "sslkey" => server.file("key.pem"), "sslmode" => "require"};
    assert!(good("127.0.0.1", identity));
}

#[test]
fn mariadb() {
    let server = Server::mariadb();
    let mut stock = Stock::start(None);
    let settings = map! {"host" => "127.0.0.1", "port" => server.port.to_string(), "pass" => "pass 'word", "ssl_ca" => "None"};
    let opts = map! {"mysql" => settings.clone(), "id" => "master_x"};
    let subject = Subject { name: "mysql", module: "mysql", opts };
    let tables = ["jids", "salt_returns", "salt_events"];
    let empty = || {
        let sql = tables.map(|t| format!("DELETE FROM {t}; DROP TABLE IF EXISTS {t}_archive;"));
        drop(server.mysql("salt", &sql.concat()));
    };
    let dump = || {
        let rows =
            "SELECT `fun`, `jid`, `return`, `id`, `success`, `full_ret` FROM salt_returns ORDER BY jid, id;";
        let events = "SELECT `tag`, `data`, `master_id` FROM salt_events ORDER BY id;";
        let mut out = server.mysql("salt", &format!("SELECT * FROM jids ORDER BY jid; {rows} {events}"));
        if server.mysql("salt", "SHOW TABLES LIKE 'jids_archive'").contains("archive") {
            for table in tables {
                out += &server.mysql("salt", &format!("SELECT '{table}', count(*) FROM {table}_archive"));
            }
        }
        out
    };
    subject.compare(&mut stock, empty, dump);
    for filter in [false, true] {
        for count in [1, 5] {
            let want = subject.ask(&mut stock, "get_jids_filter", vec![count.into(), filter.into()]);
            let found =
                subject.ours().get_jids_filter.unwrap()(&cx(&subject.opts), count as usize, filter).unwrap();
            assert_eq!(Value::List(found), want);
        }
    }
    let age = || {
        let old = "SET alter_time = date_sub(now(), interval 2 hour)";
        let jid = JIDS[0];
        server.mysql("salt", &format!(
            "UPDATE salt_returns {old} WHERE jid = '{jid}'; UPDATE salt_events {old} WHERE tag = 'salt/auth'"
        ));
    };
    subject.compare_cleaning(&mut stock, age, empty, dump);

    // A return without a job gets one.
    empty();
    let ours = subject.ours();
    ours.returner.unwrap()(&cx(&subject.opts), &ret("req", "m1", "test.ping", true)).unwrap();
    let jid = server.mysql("salt", "SELECT r.jid FROM salt_returns r JOIN jids j ON r.jid = j.jid");
    assert_eq!(jid.trim().len(), 20, "{jid}");
    // A text that is longer than one packet of the protocol.
    server.mysql("salt", "ALTER TABLE salt_returns MODIFY full_ret longtext, MODIFY `return` longtext");
    let long = "x".repeat(17 << 20);
    ours.returner.unwrap()(&cx(&subject.opts), &ret(JIDS[0], "big", "f", long.as_str())).unwrap();
    let back = ours.get_jid.unwrap()(&cx(&subject.opts), JIDS[0]).unwrap();
    assert!(back.get("big").unwrap().get("return") == Some(&long.into()));

    let with = |more: Map| {
        let mut settings = settings.clone();
        settings.update(more);
        map! {"mysql" => settings}
    };
    let refused = error(&subject, with(map! {"pass" => "wrong"}));
    let start = "salt.exceptions.SaltMasterError: MySQL returner could not connect to database: (1045, ";
    assert!(refused.starts_with(start), "{refused}");
    let lost = cx(&with(map! {"port" => 1}));
    ours.returner.unwrap()(&lost, &ret(JIDS[0], "m", "f", 1)).unwrap();
    assert!(ours.event_return.unwrap()(&lost, &[]).is_err());
    // The socket, and TLS: whoever signed the certificate is asked for, and the name.
    let good = |more: Map| ours.get_load.unwrap()(&cx(&with(more)), "x").is_ok();
    assert!(good(map! {"host" => server.file("socket"), "user" => "root", "pass" => "None"}));
    assert!(!good(map! {"user" => "tls"}));
    assert!(good(map! {"user" => "tls", "ssl_ca" => server.file("ca.pem")}));
    assert!(good(
        map! {"user" => "tls", "ssl_ca" => server.file("ca.pem"), "ssl_cert" => server.file("cert.pem"),
        "ssl_key" => server.file("key.pem")}
    ));
    assert!(!good(map! {"user" => "tls", "ssl_ca" => server.file("cert.pem")}));
    assert!(!good(
        map! {"user" => "tls", "ssl_cert" => server.file("cert.pem"), "ssl_key" => server.file("key.pem")}
    ));
}

#[test]
fn redis() {
    let server = Server::redis(false);
    let mut stock = Stock::start(None);
    let opts = map! {
        "redis.host" => "127.0.0.1", "redis.port" => server.port, "redis.password" => "pass word", "redis.db" => "3",
        "keep_jobs_seconds" => 7200, "keep_jobs" => 24,
    };
    let subject = Subject { name: "redis", module: "redis_return", opts };
    let empty = || drop(server.redis_cli(&["FLUSHALL"]));
    let dump = || {
        let keys = server.redis_cli(&["-n", "3", "KEYS", "*"]);
        let mut keys: Vec<_> = keys.lines().collect();
        keys.sort_unstable();
        let mut out = String::new();
        for key in keys {
            let get = match server.redis_cli(&["-n", "3", "TYPE", key]).trim() {
                "hash" => "HGETALL",
                "set" => "SMEMBERS",
                _ => "GET",
            };
            let value = server.redis_cli(&["-n", "3", get, key]);
            let mut value: Vec<_> = value.lines().collect();
            value.sort_unstable();
            let ttl: i64 = server.redis_cli(&["-n", "3", "TTL", key]).trim().parse().unwrap();
            // It has just been set, or never runs out.
            assert!(ttl == -1 || (7100..=7200).contains(&ttl), "{key} {ttl}");
            out += &format!("{key} {} {value:?}\n", ttl == -1);
        }
        out
    };
    subject.compare(&mut stock, empty, dump);
    for ours in [false, true] {
        // A job whose load has run out while a return was late.
        server.redis_cli(&["-n", "3", "HSET", "ret:20260101000000000000", "m1", "{}"]);
        if ours {
            subject.ours().clean_old_jobs.unwrap()(&cx(&subject.opts)).unwrap();
        } else {
            subject.ask(&mut stock, "clean_old_jobs", Vec::new());
        }
        assert_eq!(server.redis_cli(&["-n", "3", "EXISTS", "ret:20260101000000000000"]), "0\n");
    }
    assert!(error(&subject, map! {"redis.password" => "wrong"}).contains("WRONGPASS"));
    assert!(error(&subject, map! {"redis.port" => 1}).contains("could not connect to 127.0.0.1:1"));
    let socket = map! {"redis.unix_socket_path" => server.file("socket"), "redis.password" => "pass word", "redis.db" => 3};
    assert!(!subject.ours().get_load.unwrap()(&cx(&socket), JIDS[0]).unwrap().is_empty());
}

/// No Python library for a cluster is in stock's virtualenv: what is written is read by us alone.
#[test]
fn a_redis_cluster() {
    let members = servers::redis_cluster();
    let nodes: Vec<Value> =
        members.iter().map(|m| map! {"host" => "127.0.0.1", "port" => m.port}.into()).collect();
    let dead: Value = map! {"host" => "127.0.0.1", "port" => 1}.into();
    let opts = map! {
        "redis.cluster_mode" => true, "redis.password" => "pass word",
        "redis.cluster.startup_nodes" => [vec![dead.clone()], nodes].concat(),
    };
    let subject = Subject { name: "redis", module: "redis_return", opts: opts.clone() };
    subject.write(&mut Side::Ours);
    for member in &members {
        assert_ne!(member.redis_cli(&["DBSIZE"]).trim(), "0");
    }
    let (ours, context) = (subject.ours(), cx(&opts));
    assert_eq!(ours.get_jids.unwrap()(&context).unwrap().len(), 3);
    assert_eq!(ours.get_jid.unwrap()(&context, JIDS[0]).unwrap().len(), 2);
    assert_eq!(ours.get_fun.unwrap()(&context, "test.echo").unwrap().len(), 2);
    ours.clean_old_jobs.unwrap()(&context).unwrap();
    let none = map! {"redis.cluster.startup_nodes" => vec![dead]};
    assert!(error(&subject, none).contains("could not connect"));
}

/// A master keeps its connections: the server sees one, a statement that failed leaves nothing behind, and one that the
/// server has ended is made anew.
#[test]
fn connections_are_kept_where_that_is_asked_for() {
    brine_returners::keep_connections();
    let server = Server::mariadb();
    let opts = map! {"mysql" => map! {"host" => "127.0.0.1", "port" => server.port, "pass" => "pass 'word"}};
    let subject = Subject { name: "mysql", module: "mysql", opts };
    let (ours, context) = (subject.ours(), cx(&subject.opts));
    let id = || server.mysql("salt", "SELECT id FROM information_schema.processlist WHERE user = 'salt'");
    let write = |id: &str| ours.returner.unwrap()(&context, &ret(JIDS[0], id, "f", 1));
    let count = || ours.get_jid.unwrap()(&context, JIDS[0]).unwrap().len();
    write("m1").unwrap();
    let first = id();
    assert_eq!((first.lines().count(), count()), (1, 1));
    // Longer than its column.
    assert!(write(&"x".repeat(300)).is_err());
    server.mysql("salt", "UPDATE salt_returns SET id = 'm0'");
    write("m2").unwrap();
    assert_eq!((id(), count()), (first.clone(), 2));
    server.mysql("salt", &format!("KILL {first}"));
    write("m3").unwrap();
    assert_eq!(count(), 3);
    assert_ne!(id(), first);

    let server = Server::postgres();
    let opts = map! {"returner.postgres" => map! {
        "host" => "127.0.0.1", "port" => server.port, "passwd" => "pass 'word", "db" => "salt_text",
    }};
    let (ours, context) = (find(&Opts::default(), "postgres", "").unwrap(), cx(&opts));
    let ids = || server.psql("postgres", "SELECT pid FROM pg_stat_activity WHERE usename = 'salt'");
    let event = |tag: &str| ours.event_return.unwrap()(&context, &[map! {"tag" => tag}.into()]);
    let count = || server.psql("salt_text", "SELECT count(*) FROM salt_events");
    event("a").unwrap();
    let first = ids();
    assert!(event(&"x".repeat(300)).is_err());
    event("b").unwrap();
    assert_eq!((ids(), count().as_str(), first.lines().count()), (first, "2\n", 1));
    server.psql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'salt'");
    event("c").unwrap();
    assert_eq!(count(), "3\n");
}
