//! The returners of mail, Slack and Elasticsearch beside stock Salt 3006.28's own modules: both talk to a listener of the
//! test's, and say the same. Debian has no Elasticsearch, and Slack is not ours to write to.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;
mod listeners;

use brine_core::call::Cx;
use brine_core::host::NoHost;
use brine_core::{Map, Opts, Registry, Value, map};
use brine_returners::{Returner, find};
use common::Stock;
use listeners::{Http, Mail, Request};
use std::collections::BTreeSet;
use std::sync::Arc;

const JID: &str = "20261125120000000001";

fn cx(opts: &Map, grains: &Map) -> Cx {
    let mut cx = Cx::new(Arc::new(Opts::new(opts.clone())), Arc::new(Registry::default()), Arc::new(NoHost));
    cx.grains = Arc::new(grains.clone());
    cx
}

fn ours(name: &str) -> &'static Returner {
    find(&Opts::default(), name, "").unwrap()
}

fn ret(fun: &str, value: impl Into<Value>) -> Map {
    map! {
        "success" => true, "return" => value.into(), "retcode" => 0, "jid" => JID, "fun" => fun,
        "fun_args" => vec![Value::from("a'b"), 1.into(), map! {"k" => Value::Nil}.into()], "id" => "m1",
    }
}

/// A state run with two that changed something and one that failed.
fn states() -> Map {
    let state = |number: i64, result: Option<bool>, changes: Map| {
        map! {
            "__id__" => "x", "__run_num__" => number, "__sls__" => "web.conf", "result" => result, "changes" => changes,
            "comment" => "c.d", "duration" => 1234.5, "name.with.dots" => 1,
        }
    };
    map! {
        "file_|-/etc/b.conf_|-/etc/b.conf_|-managed" => state(1, Some(true), map! {"diff" => "New"}),
        "cmd_|-run it_|-true_|-run" => state(0, Some(false), map! {"pid" => 1}),
        "pkg_|-ä_|-ä_|-installed" => state(2, None, Map::new()),
        "test_|-t_|-t_|-nop" => state(3, Some(true), Map::new()),
    }
}

/// Lets stock and us do the same work; answers what each said to the listener.
fn both<T>(
    stock: &mut Stock,
    (name, module, fun): (&str, &str, &str),
    opts: &Map,
    args: &[Value],
    take: impl Fn() -> Vec<T>,
) -> (Vec<T>, Vec<T>) {
    let grains = map! {"id" => "grain_m1", "localhost" => "host", "os" => "Debian"};
    let question = map! {
        "module" => module, "fun" => fun, "args" => args.to_vec(), "opts" => opts.clone(), "grains" => grains.clone(),
    };
    let answer = stock.ask(&[question]).remove(0);
    assert!(answer.get("error").is_none(), "{module} {fun}: {answer:?}");
    let theirs = take();
    let (ours, cx) = (ours(name), cx(opts, &grains));
    match (fun, args) {
        ("returner", [Value::Map(ret)]) => ours.returner.unwrap()(&cx, ret).unwrap(),
        ("event_return", [Value::List(events)]) => ours.event_return.unwrap()(&cx, events).unwrap(),
        ("save_load", [Value::Str(jid), Value::Map(load)]) => {
            ours.save_load.unwrap()(&cx, jid, load, None).unwrap();
        }
        other => panic!("{other:?}"),
    }
    (theirs, take())
}

#[test]
fn slack_gets_the_same_messages() {
    let listener = Http::start(Box::new(|_| (200, "ok".into())));
    let mut stock = Stock::start(None);
    let hook = format!("http://127.0.0.1:{}/services/T0/B0/x", listener.port);
    let name = ("slack_webhook", "slack_webhook_return", "returner");
    let mut failed = ret("state.apply", states());
    failed.insert("retcode", 2);
    let rets = [
        ret("test.ping", true),
        ret("cmd.run", "line\nä&=+%"),
        ret(
            "grains.items",
            map! {"b" => vec![Value::from(1), 2.into()], "a" => map! {"x" => Value::Nil, "y" => vec![Value::from("z")]}},
        ),
        ret("test.echo", vec![Value::from(1.5), "'".into()]),
        ret("state.apply", states()),
        failed,
        map! {"id" => "m", "fun" => "f", "jid" => "1"},
    ];
    for more in [
        Map::new(),
        map! {"show_tasks" => true, "author_icon" => "http://i", "success_title" => "{os}: {id} {none}!",
        "failure_title" => "no }{"},
    ] {
        let mut settings = map! {"webhook" => hook.as_str()};
        settings.update(more);
        let opts = map! {"slack_webhook" => settings};
        for ret in &rets {
            let (theirs, own) = both(&mut stock, name, &opts, &[ret.clone().into()], || listener.take());
            assert_eq!(theirs.len(), 1);
            assert_eq!(theirs, own, "{ret:?}");
        }
        let mut find_job = ret("saltutil.find_job", true);
        find_job.insert("tag", "salt/auth");
        let events: Vec<Value> = vec![
            map! {"tag" => "t", "data" => ret("test.ping", true)}.into(),
            map! {"tag" => "t", "data" => find_job}.into(),
        ];
        let name = (name.0, name.1, "event_return");
        let (theirs, own) = both(&mut stock, name, &opts, &[events.into()], || listener.take());
        assert_eq!((theirs.len(), &theirs), (1, &own));
    }
    // A refusal is logged and no more; without a webhook there is nothing to do.
    let angry = Http::start(Box::new(|_| (404, "no_team".into())));
    for opts in [map! {"slack_webhook.webhook" => format!("http://127.0.0.1:{}/", angry.port)}, Map::new()] {
        ours("slack_webhook").returner.unwrap()(&cx(&opts, &Map::new()), &rets[0]).unwrap();
    }
    assert_eq!(angry.take().len(), 1);
}

/// An Elasticsearch that knows which indexes it was given.
fn elasticsearch() -> Http {
    let mut names = BTreeSet::new();
    Http::start(Box::new(move |request: &Request| {
        let parts: Vec<_> = request.path.trim_matches('/').split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", [""]) => {
                let version = r#""version": {"number": "7.17.13", "build_flavor": "default"}"#;
                (200, format!("{{{version}, \"tagline\": \"You Know, for Search\"}}"))
            }
            ("HEAD", [index]) => (if names.contains(*index) { 200 } else { 404 }, String::new()),
            ("PUT", [index]) => {
                names.insert((*index).to_owned());
                (200, r#"{"acknowledged": true}"#.into())
            }
            ("PUT", [_, "_alias", alias]) => {
                names.insert((*alias).to_owned());
                (200, r#"{"acknowledged": true}"#.into())
            }
            ("GET", [_, _, "known"]) => {
                (200, r#"{"found": true, "_source": {"jid": "1", "load": {"fun": "f"}}}"#.into())
            }
            ("GET", _) => (404, r#"{"found": false}"#.into()),
            ("DELETE", _) => {
                names.clear();
                (200, "{}".into())
            }
            _ => (201, r#"{"result": "created"}"#.into()),
        }
    }))
}

/// Requests without those that only ask whether somebody is there, and without times and random ids.
fn told(requests: Vec<Request>) -> Vec<Request> {
    let told = requests.into_iter().filter(|request| request.path != "/");
    told.map(|mut request| {
        if request.body.starts_with("{\"settings") {
            // The library writes this one itself, without blanks.
            request.body = request.body.replace(' ', "");
        }
        if request.body.is_empty() {
            request.content_type = None;
        }
        if let Some((before, rest)) = request.body.split_once("\"@timestamp\": \"") {
            let (time, after) = rest.split_once('"').unwrap();
            assert!(time.len() == 32 && time.ends_with("+00:00"), "{time}");
            request.body = format!("{before}{after}");
        }
        if let Some(at) = request.path.find("/events/") {
            let id = request.path.split_off(at + "/events/".len());
            assert_eq!((id.len(), &id[14..15]), (36, "4"), "{id}");
        }
        request
    })
    .collect()
}

#[test]
fn elasticsearch_gets_the_same_documents() {
    let listener = elasticsearch();
    let mut stock = Stock::start(None);
    let forget = || {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", listener.port)).unwrap();
        stream.write_all(b"DELETE / HTTP/1.1\r\n\r\n").unwrap();
        let _end = stream.read_to_end(&mut Vec::new());
        listener.take();
    };
    let host: Value = format!("127.0.0.1:{}", listener.port).into();
    let mut failed = ret("state.sls", "it went wrong");
    failed.insert("retcode", 1);
    let rets = [
        ret("test.ping", true),
        ret("grains.items", map! {"a.b" => vec![Value::from(map! {"c.d" => "ä"})], "a" => Value::Nil}),
        ret("state.apply", states()),
        failed,
        ret("no.push", true),
        ret("test.nil", Value::Nil),
    ];
    for more in [
        map! {"host" => host.clone()},
        map! {"hosts" => vec![host.clone()], "index_date" => true, "states_count" => true, "states_single_index" => true,
        "doc_type" => "_doc", "number_of_shards" => 5, "functions_blacklist" => vec!["no.push"],
        "username" => "u", "password" => "p w", "debug_returner_payload" => true},
    ] {
        let count = more.contains("states_count");
        let opts = map! {"elasticsearch" => more};
        for ret in &rets {
            if count && ret.get_str("fun") == Some("state.sls") {
                // Stock looks for the result in text, and fails.
                continue;
            }
            forget();
            let name = ("elasticsearch", "elasticsearch_return", "returner");
            let (theirs, _) = both(&mut stock, name, &opts, &[ret.clone().into()], || told(listener.take()));
            forget();
            let cx = cx(&opts, &Map::new());
            ours("elasticsearch").returner.unwrap()(&cx, ret).unwrap();
            let own = told(listener.take());
            assert_eq!(theirs, own, "{ret:?}");
            assert_eq!(
                own.is_empty(),
                ret.get("return") == Some(&Value::Nil) || (count && ret.get_str("fun") == Some("no.push"))
            );
        }
    }
    let opts = map! {"elasticsearch" => map! {"hosts" => host.clone(), "master_event_doc_type" => "events"}};
    let events: Value = vec![Value::from(map! {"tag" => "salt/auth", "data" => map! {"id" => "m1"}})].into();
    let load = map! {"fun" => "test.ping", "tgt" => "*", "jid" => JID};
    for (fun, args) in [("event_return", vec![events]), ("save_load", vec![JID.into(), load.into()])] {
        // The second time the index is there.
        for _ in 0..2 {
            let name = ("elasticsearch", "elasticsearch_return", fun);
            let (theirs, own) = both(&mut stock, name, &opts, &args, || told(listener.take()));
            assert_eq!(theirs.last(), own.last());
            assert!(theirs.len() >= 2 && own.len() == 2, "{theirs:?} {own:?}");
        }
    }
    let context = cx(&opts, &Map::new());
    let get_load = ours("elasticsearch").get_load.unwrap();
    assert_eq!(get_load(&context, "known").unwrap(), map! {"fun" => "f"});
    assert_eq!(get_load(&context, "unknown").unwrap(), Map::new());
    in_order_and_by_another_host(&listener, &host);
}

/// What stock's module means to do, and fails at.
fn in_order_and_by_another_host(listener: &Http, host: &Value) {
    let settings = map! {"hosts" => vec!["127.0.0.1:1".into(), host.clone()], "states_order_output" => true, "states_count" => true};
    let opts = map! {"elasticsearch" => settings};
    listener.take();
    ours("elasticsearch").returner.unwrap()(&cx(&opts, &Map::new()), &ret("state.apply", states())).unwrap();
    let document = listener.take().pop().unwrap();
    assert_eq!(document.path, "/salt-state_apply-ordered/default");
    let body: serde_json::Value = serde_json::from_str(&document.body).unwrap();
    assert_eq!(body["counts"], serde_json::json!({"succeeded": 3, "failed": 1}));
    assert_eq!(body["data"]["0_|-cmd_|-run it_|-true_|-run"]["_func"], "cmd.run");
    let nobody = map! {"elasticsearch" => map! {"hosts" => "127.0.0.1:1"}};
    let error =
        ours("elasticsearch").get_load.unwrap()(&cx(&nobody, &Map::new()), "x").unwrap_err().to_string();
    assert!(error.contains("Could not connect to Elasticsearch host/ cluster http://127.0.0.1:1"), "{error}");
}

#[test]
fn mails_are_the_same() {
    let mut stock = Stock::start(None);
    let rets = [
        ret("test.ping", true),
        ret("cmd.run", "one\n.two\r\nthree\n"),
        ret("test.echo", map! {"a" => vec![Value::from(1.5), Value::Nil], "<b>" => "it's {{ id }}"}),
    ];
    let without_date = |lines: Vec<String>| -> Vec<String> {
        let dated = lines.iter().filter(|line| line.starts_with("Date: ")).count();
        assert_eq!(dated, 1, "{lines:?}");
        lines.into_iter().filter(|line| !line.starts_with("Date: ")).collect()
    };
    for can in [
        &["SIZE 1000000", "8BITMIME", "AUTH LOGIN PLAIN CRAM-MD5"][..],
        &["AUTH PLAIN LOGIN"],
        &["AUTH LOGIN"],
    ] {
        let listener = Mail::start(can, "gone@x");
        for more in [
            Map::new(),
            map! {"username" => "ü", "password" => "pass word"},
            map! {"fields" => "id,fun,none", "subject" => "Done:", "to" => "a@x, B <b@x>,gone@x", "tls" => "yes"},
        ] {
            let mut settings = map! {
                "from" => "Salt Bot <salt@x>", "to" => "a@x", "host" => "127.0.0.1", "port" => listener.port,
            };
            settings.update(more);
            if settings.get("password").is_some() {
                settings.insert("username", "fred");
            }
            let opts = map! {"smtp" => settings};
            for ret in &rets {
                let name = ("smtp", "smtp_return", "returner");
                let (theirs, own) =
                    both(&mut stock, name, &opts, &[ret.clone().into()], || without_date(listener.take()));
                assert!(theirs.len() > 10, "{theirs:?}");
                assert_eq!(theirs, own);
            }
            let event: Value = map! {"tag" => "t", "data" => rets[0].clone()}.into();
            let name = ("smtp", "smtp_return", "event_return");
            let (theirs, own) =
                both(&mut stock, name, &opts, &[vec![event].into()], || without_date(listener.take()));
            assert_eq!(theirs, own);
        }
    }
}

/// What is not there yet, or is refused, sends no mail in its place.
#[test]
fn no_mail_is_sent_that_is_not_as_asked_for() {
    let listener = Mail::start(&[], "gone@x");
    let settings = map! {"from" => "s@x", "to" => "a@x", "host" => "127.0.0.1", "port" => listener.port};
    let error = |more: Map| {
        let mut settings = settings.clone();
        settings.update(more);
        let opts = map! {"smtp" => settings};
        ours("smtp").returner.unwrap()(&cx(&opts, &Map::new()), &ret("test.ping", true))
            .unwrap_err()
            .to_string()
    };
    for (more, why) in [
        (map! {"template" => "/srv/mail.j2"}, "smtp.template"),
        (map! {"gpgowner" => "fred"}, "smtp.gpgowner"),
        (map! {"renderer" => "mako"}, "smtp.renderer"),
        (map! {"subject" => "{{ id }}"}, "smtp.subject"),
        (map! {"from" => Value::Nil}, "smtp.from"),
        (map! {"tls" => true}, "STARTTLS extension not supported by server."),
        (map! {"username" => "u", "password" => "p"}, "SMTP AUTH extension not supported by server."),
        (map! {"to" => "gone@x"}, "550"),
        (map! {"to" => "a@x\r\nDATA"}, "not a mail address"),
    ] {
        let text = error(more);
        assert!(text.contains(why), "{text}");
    }
    assert!(!listener.take().iter().any(|line| line.to_uppercase().starts_with("DATA")));
    // Stock fails at anything that is not ASCII.
    let opts = map! {"smtp" => settings};
    ours("smtp").returner.unwrap()(&cx(&opts, &Map::new()), &ret("test.echo", "ä")).unwrap();
    let said = listener.take();
    assert!(
        said.contains(&"return: ä".into()) && said.contains(&"Content-Transfer-Encoding: 8bit".into()),
        "{said:?}"
    );
}
