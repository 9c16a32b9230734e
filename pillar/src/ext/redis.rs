//! `redis`: the value of the key that is the minion's id, as it is (`key_value`), or read as JSON (`key_json`).

use super::{Asked, Source};
use brine_core::{Map, Secret, Value};
use brine_dial::Fault;
use brine_dial::redis::{Place, Reply, Server, Settings};
use brine_python::{Args, Dict, Kind, Obj, PyErr, R, Signature, str, truth};

pub(super) const SOURCE: Source = Source { name: "redis", run };

fn run(asked: &Asked<'_>, args: &Args) -> R {
    const SIGNATURE: Signature =
        Signature::new("ext_pillar", 2, &["minion_id", "pillar", "function"], 3).named();
    const VALUE: Signature = Signature::new("key_value", 2, &["minion_id", "pillar", "pillar_key"], 2);
    const JSON: Signature = Signature::new("key_json", 2, &["minion_id", "pillar", "pillar_key"], 2);
    let a = SIGNATURE.bind(args)?;
    let rest = Args { pos: Vec::new(), kw: a.named.clone() };
    let Some(function) = a.at(0).as_str() else { return Err(PyErr::attribute(a.at(0), "startswith")) };
    match function {
        "key_value" => {
            let key = VALUE.bind(&rest)?.get(0).cloned().unwrap_or_else(|| Obj::str("redis_pillar"));
            value(&mut connect(asked)?, asked.id, key)
        }
        "key_json" => document(&mut connect(asked)?, asked.id, JSON.bind(&rest)?.at(0)),
        _ => Ok(Dict::new().into()),
    }
}

fn failed(e: Fault) -> PyErr {
    match e {
        Fault::Refused { code, text } => {
            let text = if text.starts_with(&code) { text } else { format!("{code} {text}") };
            PyErr::new(Kind::Other("ResponseError"), text)
        }
        e => PyErr::new(Kind::Other("ConnectionError"), e.to_string()),
    }
}

/// The server of the options `redis.host`, `redis.port`, `redis.db` and `redis.password`.
fn connect(asked: &Asked<'_>) -> R<Server> {
    let opts = asked.opts();
    let none = Map::new();
    let nested = opts.get("redis").and_then(Value::as_map).unwrap_or(&none);
    let option =
        |name: &str| opts.get(&format!("redis.{name}")).or_else(|| nested.get(name)).filter(|v| v.truthy());
    let text =
        |name: &str, usual: &str| option(name).map_or_else(|| Ok(usual.to_owned()), |v| str(&Obj::from(v)));
    let port = text("port", "6379")?;
    let port = port.parse().map_err(|_| PyErr::value(format!("redis.port is no port: {port}")))?;
    let password = option("password").map(|v| str(&Obj::from(v))).transpose()?.map(Secret::new);
    let settings = Settings {
        place: Place::Tcp(text("host", "salt")?, port),
        db: text("db", "0")?,
        password,
        cluster: None,
        partial: false,
    };
    Server::connect(settings).map_err(failed)
}

fn one(key: Obj, value: Obj) -> R {
    let out = Dict::new();
    out.set(key, value)?;
    Ok(out.into())
}

fn texts(server: &mut Server, command: &[&str]) -> R<Vec<Obj>> {
    let texts = server.call(command).and_then(Reply::texts).map_err(failed)?;
    Ok(texts.into_iter().map(Obj::from).collect())
}

fn value(server: &mut Server, id: &str, key: Obj) -> R {
    let kind = server.call(&["TYPE", id]).and_then(Reply::text).map_err(failed)?;
    let found = match kind.as_deref() {
        Some("string") => {
            let text = server.call(&["GET", id]).and_then(Reply::text).map_err(failed)?;
            text.map_or(Obj::None, Obj::from)
        }
        Some("hash") => {
            let pairs = texts(server, &["HGETALL", id])?;
            let dict = Dict::new();
            for pair in pairs.chunks_exact(2) {
                dict.set(pair[0].clone(), pair[1].clone())?;
            }
            dict.into()
        }
        Some("list") => Obj::list(texts(server, &["LRANGE", id, "0", "-1"])?),
        Some("set") => Obj::list(texts(server, &["SMEMBERS", id])?),
        Some("zset") => Obj::list(texts(server, &["ZRANGE", id, "0", "-1"])?),
        _ => return Ok(Dict::new().into()),
    };
    one(key, found)
}

fn document(server: &mut Server, id: &str, key: &Obj) -> R {
    let text = server.call(&["GET", id]).and_then(Reply::text).map_err(failed)?;
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Dict::new().into()) };
    let data = brine_render::json::loads(&text)?;
    match (truth(key)?, &data) {
        (true, _) => one(key.clone(), data),
        (false, Obj::Dict(_)) => Ok(data),
        (false, _) => one(Obj::str("redis_pillar"), data),
    }
}
