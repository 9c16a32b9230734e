//! Documents for Elasticsearch.

use super::common::Stock;
use super::listeners::{Http, Request};
use super::{JID, both, cx, ours, ret, states};
use brine_core::{Map, Value, map};
use std::collections::BTreeSet;

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
