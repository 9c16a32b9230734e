//! Sources that ask web servers: `http_json`, `http_yaml`, `netbox`, `vault`. There is no package of Vault for the tests' system, nor
//! one of NetBox, so that theirs are small doubles.

use crate::stock::{Case, compare, ours, settled};
use crate::web::{Answer, Asked, serve};
use serde_json::{Value as Json, json};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn page(asked: &Asked) -> Answer {
    let echo = json!({
        "path": asked.path, "auth": asked.header("authorization"), "own": asked.header("x-own"), "list": [1, 1.5, null, "é"],
    });
    match asked.path.split('?').next().unwrap_or("") {
        "/yaml" => (200, "text/plain", "a: [1, 2020-01-02]\nb: é\nc: 0x10\n".into()),
        "/bad" => (200, "application/json", "{nope: [".into()),
        "/empty" => (200, "application/json", String::new()),
        "/text" => (200, "application/json", "\"just text\"".into()),
        "/null" => (200, "application/json", "null".into()),
        "/404" => (404, "application/json", echo.to_string()),
        "/500" => (500, "text/plain", "broken".into()),
        _ => (200, "application/json", echo.to_string()),
    }
}

#[test]
fn pages() {
    let dir = tempfile::tempdir().unwrap();
    let url = serve(page);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let at = |path: &str| format!("{url}{path}");
    let mut cases = Vec::new();
    for name in ["http_json", "http_yaml"] {
        for args in [
            json!(at("/x/%s")),
            json!([at("/x")]),
            json!({"url": at("/x?id=%s&n=<n:x>&os=<os>&num=<num>&again=<os>"), "with_grains": true}),
            json!({"url": at("/<nope>"), "with_grains": true}),
            json!({"url": at("/<n:zero>"), "with_grains": true}),
            json!({"url": at("/<roles>"), "with_grains": true}),
            json!({"url": at("/x"), "username": "u", "password": "p:w"}),
            json!({"url": at("/x"), "username": "u"}),
            json!({"url": at("/x"), "header_dict": {"X-Own": "a b", "Accept": "x"}}),
            json!({"url": at("/x"), "namespace": "ns"}),
            json!({"url": at("/yaml")}),
            json!({"url": at("/text")}),
            json!({"url": at("/null")}),
            json!({"url": at("/404")}),
            json!({"url": at("/500"), "namespace": "ns"}),
            json!({"url": format!("http://{nobody}/")}),
            json!({"odd": 1}),
            json!({}),
        ] {
            cases.push(Case::source(name, args));
        }
        let mut id = Case::source(name, json!(at("/x/%s?%s")));
        id.id = "a b&ü";
        cases.push(id);
    }
    for path in ["/bad", "/empty"] {
        cases.push(Case::source("http_json", json!(at(path))));
    }
    compare(dir.path(), &cases);
}

#[test]
fn an_address_is_not_in_the_error() {
    let dir = tempfile::tempdir().unwrap();
    let case = Case::source("http_json", json!("http://user:a_secret@127.0.0.1:bad/?key=a_secret"));
    let told = ours(&case, &settled(&case, dir.path()));
    assert!(!told.contains("a_secret"), "{told}");
}

/// A store of each version, and whose token it is.
fn vault(asked: &Asked) -> Answer {
    let answer = |status, json: Json| (status, "application/json", json.to_string());
    let denied = || answer(403, json!({"errors": ["permission denied"]}));
    if asked.path == "/v1/auth/approle/login" {
        let sent: Json = serde_json::from_str(&asked.body).unwrap();
        if sent != json!({"role_id": "r", "secret_id": "s"}) {
            return denied();
        }
        return answer(
            200,
            json!({"auth": {"client_token": "own-token", "lease_duration": 3600, "renewable": true}}),
        );
    }
    let token = asked.header("x-vault-token").unwrap_or("");
    if asked.path == "/v1/auth/token/create" && token == "own-token" {
        let sent: Json = serde_json::from_str(&asked.body).unwrap();
        let allowed = sent["policies"] == json!(["saltstack/minion/web1", "saltstack/os/debian"])
            && sent["num_uses"] == json!(2);
        let made = if allowed { "minions-token" } else { "nobodys-token" };
        return answer(200, json!({"auth": {"client_token": made, "lease_duration": 60, "renewable": true}}));
    }
    if token != "own-token" && token != "minions-token" {
        return denied();
    }
    match asked.path.as_str() {
        path if path.starts_with("/v1/sys/internal/ui/mounts/secret/") => {
            answer(200, json!({"data": {"type": "kv", "options": {"version": "2"}, "path": "secret/"}}))
        }
        path if path.starts_with("/v1/sys/internal/ui/mounts/old/") => {
            answer(200, json!({"data": {"type": "kv", "options": null, "path": "old/"}}))
        }
        "/v1/secret/data/app" => {
            answer(200, json!({"data": {"data": {"k": "v2", "l": [1]}, "metadata": {}}}))
        }
        "/v1/secret/data/role/a" => {
            answer(200, json!({"data": {"data": {"k": "of a", "d": {"x": 1}, "l": [1]}}}))
        }
        "/v1/secret/data/role/b" => answer(200, json!({"data": {"data": {"d": {"y": 2}, "l": [2]}}})),
        "/v1/secret/data/minions/web1" => answer(200, json!({"data": {"data": {"own": true}}})),
        "/v1/old/app" => answer(200, json!({"data": {"k": "v1", "n": 7}})),
        "/v1/old/empty" => answer(200, json!({"data": {}})),
        "/v1/old/denied" => denied(),
        _ => answer(404, json!({"errors": []})),
    }
}

#[test]
fn vaults() {
    let dir = tempfile::tempdir().unwrap();
    let url = serve(vault);
    let token = json!({"method": "token", "token": "own-token"});
    let approle = json!({"method": "approle", "role_id": "r", "secret_id": "s"});
    let mut cases = Vec::new();
    for (n, (args, auth)) in [
        (json!("path=secret/app"), &token),
        (json!("path=secret/app"), &approle),
        (json!("other words path=old/app path=secret/app"), &token),
        (json!({"conf": "path=old/app", "nesting_key": "nest"}), &token),
        (json!("path=secret/minions/{minion}"), &token),
        (json!("path=secret/role/{pillar[roles]}"), &token),
        (json!({"conf": "path=secret/role/{pillar[roles]}", "merge_lists": true}), &token),
        (json!({"conf": "path=secret/role/{pillar[roles]}", "merge_strategy": "overwrite"}), &token),
        (json!("path=secret/role/{pillar[nope]}"), &token),
        (json!("path=secret/role/{pillar[role]}"), &token),
        (json!("path=secret/{pillar[deep][x]}"), &token),
        (json!("path=secret/{nope}"), &token),
        (json!("path=secret/{{minion}}"), &token),
        (json!("path=old/empty"), &token),
        (json!("path=old/missing"), &token),
        (json!("path=elsewhere/x"), &token),
        (json!("no path"), &token),
        (json!({}), &token),
        (json!({"conf": "path=secret/app", "odd": 1}), &token),
    ]
    .into_iter()
    .enumerate()
    {
        let vault = json!({"url": url, "auth": auth, "config_location": "local"});
        let cache = dir.path().join(format!("cache{n}"));
        let mut case = Case::source("vault", args).with(json!({"vault": vault, "cachedir": cache}));
        case.over = json!({"roles": ["a", "b"], "role": "a", "deep": {"x": "app"}});
        cases.push(case);
    }
    compare(dir.path(), &cases);
}

/// A master reads for a minion with a token that may do what the policies say of that minion, and makes one when it is used up.
#[test]
fn a_master_asks_vault_as_the_minion() {
    let dir = tempfile::tempdir().unwrap();
    let made = Arc::new(AtomicUsize::new(0));
    let count = made.clone();
    let url = serve(move |asked| {
        if asked.path == "/v1/auth/token/create" {
            count.fetch_add(1, Ordering::Relaxed);
        } else if asked.method == "GET" {
            assert_ne!(asked.header("x-vault-token"), Some("own-token"), "{}", asked.path);
        }
        vault(asked)
    });
    let auth = json!({"method": "token", "token": "own-token", "uses": 2});
    let options = |policies: Json| json!({"vault": {"url": url, "auth": auth, "policies": policies}});
    let policies =
        json!(["saltstack/minion/{minion}", "saltstack/os/{grains[os]}", "saltstack/{grains[nope]}"]);
    let case = Case::new(json!({"ext_pillar": [{"vault": "path=secret/app"}, {"vault": "path=old/app"}]}))
        .with(options(policies));
    assert_eq!(ours(&case, &settled(&case, dir.path())), "{'k': 'v1', 'l': [1], 'n': 7}");
    assert_eq!(made.load(Ordering::Relaxed), 2);
    let case = Case::source("vault", json!("path=secret/app")).with(options(json!(["saltstack/all"])));
    assert_eq!(ours(&case, &settled(&case, dir.path())), "{}");
    let mut out =
        Case::source("vault", json!("path=secret/{minion}/x")).with(options(json!(["saltstack/minions"])));
    out.id = "..";
    let told = "{'_errors': ['Failed to load ext_pillar vault: The path of a secret cannot be used']}";
    assert_eq!(ours(&out, &settled(&out, dir.path())), told);
}

fn netbox(asked: &Asked) -> Answer {
    if asked.header("authorization") != Some("Token abc") {
        return (403, "application/json", json!({"detail": "Invalid token"}).to_string());
    }
    let host = asked.header("host").unwrap();
    let results = |results: Json| json!({"count": 1, "next": null, "results": results});
    let device = |id: i64| {
        json!({
            "id": id, "name": "web1", "site": {"id": 3, "name": "here"}, "platform": {"id": 5, "name": "p"},
            "primary_ip": {"address": "10.1.2.3/24"},
        })
    };
    let own = json!([{"id": 1, "name": "eth0", "device": {"id": 7}, "connected_endpoints": [{"device": {"id": 9}}, {"x": 1}]},
        {"id": 2, "name": "eth1", "device": {"id": 7}, "connected_endpoints": null}]);
    let body = match asked.path.as_str() {
        "/api/dcim/devices?name=web1" | "/api/dcim/devices?name=web1&limit=1" => results(json!([device(7)])),
        "/api/dcim/devices?name=two" => results(json!([device(7), device(8)])),
        "/api/dcim/devices?name=bare" => {
            let mut bare = device(7);
            bare["platform"] = Json::Null;
            results(json!([bare]))
        }
        "/api/dcim/devices?name=away" => {
            json!({"next": "http://127.0.0.2:1/api/dcim/devices?page=2", "results": []})
        }
        "/api/virtualization/virtual-machines?name=vm" => {
            let mut vm = device(4);
            vm["primary_ip"] = Json::Null;
            results(json!([vm]))
        }
        "/api/virtualization/interfaces?virtual_machine_id=4" => {
            results(json!([{"id": 1, "virtual_machine": {"id": 4}}]))
        }
        "/api/dcim/interfaces?device_id=7" => {
            json!({"next": format!("http://{host}/api/more"), "results": [own[0]]})
        }
        "/api/dcim/interfaces?device_id=7&limit=1" => {
            json!({"next": format!("http://{host}/api/more"), "results": [own[0]]})
        }
        "/api/more" => results(json!([own[1]])),
        path if path.starts_with("/api/ipam/ip-addresses?device_id=7") => results(json!([
            {"address": "10.1.2.3/24", "assigned_object_type": "t", "assigned_object_id": 1, "assigned_object": {"id": 1}},
            {"address": "10.1.2.4/24", "assigned_object_type": "t", "assigned_object_id": 2, "assigned_object": {"id": 2}},
            {"address": "10.1.2.5/24"},
        ])),
        "/api/ipam/ip-addresses?virtual_machine_id=4" => results(json!([])),
        "/api/dcim/sites/3/" => json!({"id": 3, "name": "here", "time_zone": "UTC"}),
        path if path.starts_with("/api/ipam/prefixes?site_id=3") => {
            results(json!([{"prefix": "10.1.0.0/16", "site": {"id": 3}, "scope": 1}]))
        }
        "/api/dcim/platforms/5/" => json!({"id": 5, "napalm_driver": "eos"}),
        "/api/dcim/devices/9" => json!({"id": 9, "name": "switch"}),
        path if path.contains("?name=") => results(json!([])),
        _ => return (404, "application/json", json!({"detail": "Not found."}).to_string()),
    };
    (200, "application/json", body.to_string())
}

#[test]
fn netboxes() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("{}/api/", serve(netbox));
    let mut cases = Vec::new();
    for more in [
        json!({}),
        json!({"api_token": "wrong"}),
        json!({"api_token": null}),
        json!({"api_url": "ftp://x"}),
        json!({"api_url": "nothing"}),
        json!({"devices": false}),
        json!({"interface_ips": true}),
        json!({"interfaces": true}),
        json!({"interfaces": true, "interface_ips": true, "proxy_username": "me"}),
        json!({"interfaces": true, "interface_ips": true, "connected_devices": true, "proxy_return": false}),
        json!({"connected_devices": true}),
        json!({"site_details": false, "site_prefixes": false}),
        json!({"site_details": false, "destination_pillar_key": "a:b:c"}),
        json!({"virtual_machines": true}),
        json!({"api_query_result_limit": 1, "interfaces": true, "interface_ips": true}),
        json!({"api_query_result_limit": -1}),
    ] {
        let mut args = json!({"api_url": url, "api_token": "abc"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        cases.push(Case::source("netbox", args));
    }
    for (id, more) in [
        ("two", json!({})),
        ("nobody", json!({})),
        ("bare", json!({})),
        ("bare", json!({"proxy_return": false})),
        (
            "vm",
            json!({"virtual_machines": true, "devices": false, "interfaces": true, "interface_ips": true}),
        ),
        (
            "vm",
            json!({"virtual_machines": true, "proxy_return": false, "interfaces": true, "interface_ips": true}),
        ),
        ("*", json!({})),
    ] {
        let mut args = json!({"api_url": url, "api_token": "abc"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut case = Case::source("netbox", args);
        case.id = id;
        cases.push(case);
    }
    cases.push(Case::source("netbox", json!({"api_token": "abc"})));
    cases.push(Case::source("netbox", json!([url])));
    compare(dir.path(), &cases);
    // The token stays with the server that it is for.
    let mut away = Case::source("netbox", json!({"api_url": url, "api_token": "abc"}));
    away.id = "away";
    let told = "{'_errors': ['Failed to load ext_pillar netbox: the next page is on another server']}";
    assert_eq!(ours(&away, &settled(&away, dir.path())), told);
}
