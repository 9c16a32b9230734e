//! `redis`: a Redis server or cluster, with the keys of stock's module.
//!
//! - `ret:<jid>`: a hash of minion to its return, as JSON
//! - `<minion>:<fun>`: the last job of that function
//! - `minions`: the set of all minions
//! - `load:<jid>`: a job's load, as JSON


use crate::common::{map_of, prep_jid, required};
use crate::describe::describe_jid;
use crate::json;
use crate::loads::loads;
use crate::options::{Spec, options};
use brine_core::Secret;
use crate::Returner;
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use brine_dial::redis::{Place, Server, Settings};
use std::collections::HashSet;

pub(crate) static RETURNER: Returner = Returner {
    name: "redis",
    doc: "Writes to a Redis server. Options, as `redis: {host: ...}` or `redis.host: ...`:\n\n\
          host: salt; port: 6379; unix_socket_path: a socket instead of both; db: '0'; password;\n\
          cluster_mode: False; cluster.startup_nodes: a list of maps with host and port;\n\
          cluster.skip_full_coverage_check: False\n\n\
          Jobs expire after `keep_jobs_seconds`. To use it: salt '*' test.ping --return redis",
    returner: Some(returner),
    prep_jid: Some(prep_jid),
    save_load: Some(save_load),
    save_minions: Some(|_, _, _, _| Ok(())),
    get_load: Some(get_load),
    get_jid: Some(get_jid),
    get_fun: Some(get_fun),
    get_jids: Some(get_jids),
    get_minions: Some(get_minions),
    clean_old_jobs: Some(clean_old_jobs),
    ..Returner::NOTHING
};

/// How many keys one command names.
const MANY: usize = 1000;

fn settings(cx: &Cx, ret: Option<&Map>) -> Result<Settings> {
    let spec = Spec {
        name: "redis",
        attrs: &[
            ("host", "host"),
            ("port", "port"),
            ("unix_socket_path", "unix_socket_path"),
            ("db", "db"),
            ("password", "password"),
            ("cluster_mode", "cluster_mode"),
            ("startup_nodes", "cluster.startup_nodes"),
            ("skip_full_coverage_check", "cluster.skip_full_coverage_check"),
        ],
        defaults: Map::new(),
        profile: None,
    };
    let found = options(cx, ret, &spec)?;
    let text = |key: &str| found.get(key).filter(|v| v.truthy()).map(python_str);
    let port = |value: Option<&Value>| crate::common::port(value, 6379);
    let place = match text("unix_socket_path") {
        Some(path) => Place::Unix(path.into()),
        None => Place::Tcp(text("host").unwrap_or_else(|| "salt".into()), port(found.get("port"))?),
    };
    let cluster = if found.get("cluster_mode").is_some_and(Value::truthy) {
        let nodes = found.get("startup_nodes").and_then(Value::as_list).unwrap_or_default();
        let member = |node: &Value| match node.get("host") {
            Some(host) => Ok(Place::Tcp(python_str(host), port(node.get("port"))?)),
            None => Err(CallError::execution("redis.cluster.startup_nodes: each needs a host")),
        };
        Some(nodes.iter().map(member).collect::<Result<_>>()?)
    } else {
        None
    };
    Ok(Settings {
        place,
        db: text("db").unwrap_or_else(|| "0".into()),
        password: text("password").map(Secret::new),
        cluster,
        partial: found.get("skip_full_coverage_check").is_some_and(Value::truthy),
    })
}

fn connect(cx: &Cx, ret: Option<&Map>) -> Result<Server> {
    Ok(Server::connect(settings(cx, ret)?)?)
}

fn returner(cx: &Cx, ret: &Map) -> Result<()> {
    let mut server = connect(cx, Some(ret))?;
    let text = |key: &str| required(ret, key).map(python_str);
    let (minion, jid, fun) = (text("id")?, text("jid")?, text("fun")?);
    let ttl = cx.opts.keep_jobs_seconds().to_string();
    let (hash, data) = (format!("ret:{jid}"), json(&Value::Map(ret.clone()))?);
    let last = format!("{minion}:{fun}");
    Ok(server.pipeline(&[
        vec!["HSET", &hash, &minion, &data],
        vec!["EXPIRE", &hash, &ttl],
        vec!["SET", &last, &jid, "EX", &ttl],
        vec!["SADD", "minions", &minion],
    ])?)
}

fn save_load(cx: &Cx, jid: &str, load: &Map, _: Option<&[String]>) -> Result<()> {
    let ttl = cx.opts.keep_jobs_seconds().to_string();
    let data = json(&Value::Map(load.clone()))?;
    connect(cx, None)?.call(&["SETEX", &format!("load:{jid}"), &ttl, &data])?;
    Ok(())
}

fn get_load(cx: &Cx, jid: &str) -> Result<Map> {
    let data = connect(cx, None)?.call(&["GET", &format!("load:{jid}")])?.text()?;
    data.map_or(Ok(Map::new()), |data| map_of(&data))
}

fn get_jid(cx: &Cx, jid: &str) -> Result<Map> {
    let all = connect(cx, None)?.call(&["HGETALL", &format!("ret:{jid}")])?.texts()?;
    let mut out = Map::new();
    for pair in all.chunks_exact(2) {
        if !pair[1].is_empty() {
            out.insert(pair[0].as_str(), loads(&pair[1])?);
        }
    }
    Ok(out)
}

fn get_fun(cx: &Cx, fun: &str) -> Result<Map> {
    let mut server = connect(cx, None)?;
    let mut out = Map::new();
    for minion in server.call(&["SMEMBERS", "minions"])?.texts()? {
        let Some(jid) = server.call(&["GET", &format!("{minion}:{fun}")])?.text()? else { continue };
        if let Some(data) = server.call(&["HGET", &format!("ret:{jid}"), &minion])?.text()? {
            out.insert(minion, loads(&data)?);
        }
    }
    Ok(out)
}

fn get_jids(cx: &Cx) -> Result<Map> {
    let mut server = connect(cx, None)?;
    let mut out = Map::new();
    // One by one: in a cluster no other way is open, and each reply has the bound to itself.
    for key in server.scan("load:*")? {
        let Some(data) = server.call(&["GET", &key])?.text()? else { continue };
        let load = map_of(&data)?;
        let jid = load.get("jid").map_or_else(|| key["load:".len()..].to_owned(), python_str);
        out.insert(jid.as_str(), describe_jid(&jid, &load));
    }
    Ok(out)
}

fn get_minions(cx: &Cx) -> Result<Vec<Value>> {
    Ok(connect(cx, None)?.call(&["SMEMBERS", "minions"])?.texts()?.into_iter().map(Value::Str).collect())
}

/// Returns of jobs whose load has expired: a late return makes its hash outlive it.
fn clean_old_jobs(cx: &Cx) -> Result<()> {
    let mut server = connect(cx, None)?;
    let living: HashSet<String> = server.scan("load:*")?.into_iter().collect();
    let mut dead = server.scan("ret:*")?;
    dead.retain(|key| !living.contains(&key.replacen("ret:", "load:", 1)));
    for some in dead.chunks(MANY) {
        let commands: Vec<_> = some.iter().map(|key| vec!["DEL", key.as_str()]).collect();
        server.pipeline(&commands)?;
    }
    if !dead.is_empty() {
        tracing::debug!("clean old jobs: {dead:?}");
    }
    Ok(())
}
