//! The few requests that are needed of Elasticsearch, as its Python client of version 7 makes them.

use brine_dial::http::{Http, Reply, Way, basic};
use brine_dial::{Check, Fault};
use brine_core::call::{CallError, Cx, Result};
use brine_core::config_option::option;
use brine_core::text::python_str;
use brine_core::url::unquote_to_bytes;
use brine_core::{Map, Value};
use std::time::Duration;

/// How often a request goes to another host, or to the same again.
const TRIES: usize = 4;
/// Answers of servers that are not themselves today.
const AGAIN: [u16; 3] = [502, 503, 504];

/// A client with its servers.
pub(super) struct Client {
    http: Http,
    /// `http://host:9200`
    hosts: Vec<String>,
    login: Option<String>,
}

impl Client {
    /// By the options below `elasticsearch`; without any, on this host.
    pub(super) fn new(cx: &Cx) -> Result<Self> {
        let own = match option(cx, "elasticsearch") {
            Some(Value::Map(own)) => own,
            _ => Map::new(),
        };
        let text = |key: &str| own.get(key).filter(|v| v.truthy()).map(python_str);
        let ssl = own.get("use_ssl").is_some_and(Value::truthy);
        let named = ["host", "hosts"].iter().find_map(|key| own.get(key).filter(|v| v.truthy()));
        let listed = match named {
            Some(Value::List(list)) => list.clone(),
            Some(one) => vec![one.clone()],
            None => vec!["127.0.0.1:9200".into()],
        };
        let mut login = text("username").zip(text("password")).map(|(user, password)| basic(&user, &password));
        let mut hosts = Vec::new();
        for one in &listed {
            let (host, own_login) = host(one, ssl);
            login = login.or(own_login);
            hosts.push(host);
        }
        let mut way = Way::default();
        let timeout = own.get("timeout").and_then(Value::as_float).filter(|s| *s > 0.0 && *s < 1e6).unwrap_or(10.0);
        let whole = Duration::from_secs_f64(timeout);
        way.whole = Some(whole);
        way.connect = way.connect.min(whole);
        way.tls.ca = text("ca_certs").map(Into::into);
        if own.get("verify_certs") == Some(&Value::Bool(false)) {
            way.tls.check = Check::Nothing;
        }
        way.proxy = own.get("proxies").and_then(|proxies| proxy(proxies, ssl));
        Ok(Self { http: Http::new(&way, "Salt elasticsearch")?, hosts, login })
    }

    fn ask(&self, method: &str, path: &str, body: Option<&str>) -> std::result::Result<Reply, Fault> {
        let mut headers = Vec::new();
        if body.is_some() {
            headers.push(("Content-Type", "application/json"));
        }
        if let Some(login) = &self.login {
            headers.push(("Authorization", login.as_str()));
        }
        let mut last = Fault::Nonsense("no host");
        for (tried, host) in self.hosts.iter().cycle().take(TRIES).enumerate() {
            match self.http.send(method, &format!("{host}{path}"), &headers, body) {
                Ok(reply) if AGAIN.contains(&reply.status) && tried + 1 < TRIES => {}
                Ok(reply) => return Ok(reply),
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    /// Whether there is an index, or an alias, of that name.
    pub(super) fn exists(&self, index: &str) -> Result<bool> {
        let reply = self.said(self.ask("HEAD", &format!("/{}", quote(index)), None))?;
        match reply.status {
            200..=299 => Ok(true),
            404 => Ok(false),
            _ => Err(refused(&format!("Cannot retrieve index {index}"), &reply)),
        }
    }

    /// Makes an index. One that has come about meanwhile is as good.
    pub(super) fn create(&self, index: &str, shape: &str) -> Result<()> {
        let reply = self.said(self.ask("PUT", &format!("/{}", quote(index)), Some(shape)))?;
        if reply.status == 400 && reply.body.contains("already_exists") {
            return Ok(());
        }
        good(&format!("Cannot create index {index}"), reply).map(drop)
    }

    /// Gives an index another name.
    pub(super) fn alias(&self, index: &str, alias: &str) -> Result<()> {
        let reply = self.said(self.ask("PUT", &format!("/{}/_alias/{}", quote(index), quote(alias)), None))?;
        good(&format!("Cannot create alias {alias} in index {index}"), reply).map(drop)
    }

    /// Adds a document.
    pub(super) fn index(&self, index: &str, kind: &str, id: Option<&str>, body: &str) -> Result<()> {
        let (index_path, kind) = (quote(index), quote(kind));
        let reply = match id {
            Some(id) => self.ask("PUT", &format!("/{index_path}/{kind}/{}", quote(id)), Some(body)),
            None => self.ask("POST", &format!("/{index_path}/{kind}"), Some(body)),
        };
        good(&format!("Cannot create document in index {index}"), self.said(reply)?).map(drop)
    }

    /// The answer about a document; none if there is none.
    pub(super) fn get(&self, index: &str, kind: &str, id: &str) -> Result<Option<String>> {
        let path = format!("/{}/{}/{}", quote(index), quote(kind), quote(id));
        let reply = self.said(self.ask("GET", &path, None))?;
        if reply.status == 404 {
            return Ok(None);
        }
        good(&format!("Cannot retrieve document {id} from index {index}"), reply).map(|reply| Some(reply.body))
    }

    fn said(&self, reply: std::result::Result<Reply, Fault>) -> Result<Reply> {
        reply.map_err(|e| {
            let hosts = self.hosts.join(", ");
            CallError::execution(format!("Could not connect to Elasticsearch host/ cluster {hosts} due to {e}"))
        })
    }
}

fn good(what: &str, reply: Reply) -> Result<Reply> {
    if (200..300).contains(&reply.status) { Ok(reply) } else { Err(refused(what, &reply)) }
}

fn refused(what: &str, reply: &Reply) -> CallError {
    let body: String = reply.body.chars().take(500).collect();
    CallError::execution(format!("{what}, server returned code {} with message {body}", reply.status))
}

/// The address of a host, and the login that may stand in it: `h`, `h:9200`, `https://user:pw@h/path`, or a map.
fn host(one: &Value, ssl: bool) -> (String, Option<String>) {
    if let Value::Map(parts) = one {
        let part = |key: &str| parts.get(key).map(python_str);
        let secure = ssl || parts.get("use_ssl").is_some_and(Value::truthy) || part("scheme").as_deref() == Some("https");
        let name = part("host").unwrap_or_else(|| "localhost".into());
        let name = if name.contains(':') && !name.starts_with('[') { format!("[{name}]") } else { name };
        let port = part("port").unwrap_or_else(|| "9200".into());
        let prefix = part("url_prefix").map(|p| format!("/{}", p.trim_matches('/'))).unwrap_or_default();
        let login = parts.get("http_auth").and_then(|auth| match auth {
            Value::List(pair) => Some(basic(&python_str(pair.first()?), &python_str(pair.get(1)?))),
            other => python_str(other).split_once(':').map(|(user, password)| basic(user, password)),
        });
        return (format!("{}://{name}:{port}{prefix}", if secure { "https" } else { "http" }), login);
    }
    let text = python_str(one);
    let (scheme, rest) = text.split_once("://").unwrap_or((if ssl { "https" } else { "http" }, &text));
    let (at, prefix) = rest.split_once('/').map_or((rest, ""), |(at, prefix)| (at, prefix.trim_end_matches('/')));
    let (login, at) = at.rsplit_once('@').map_or((None, at), |(login, at)| (Some(login), at));
    let login = login.and_then(|login| login.split_once(':')).map(|(u, p)| basic(&unquote(u), &unquote(p)));
    let port = at.rsplit(':').next().is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    let scheme = if ssl { "https" } else { scheme };
    let named = at.contains(':') && port && !at.ends_with(']');
    // An address that says https means its usual port.
    let default = if text.starts_with("https://") { 443 } else { 9200 };
    let at = if named { at.to_owned() } else { format!("{at}:{default}") };
    let prefix = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
    (format!("{scheme}://{at}{prefix}"), login)
}

/// The proxy for a scheme, from a map or from a list of maps, as stock's documentation has it.
fn proxy(proxies: &Value, ssl: bool) -> Option<String> {
    let scheme = if ssl { "https" } else { "http" };
    match proxies {
        Value::List(list) => list.iter().find_map(|one| one.get(scheme)).map(python_str),
        other => other.get(scheme).map(python_str),
    }
}

/// A part of a path.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' | b',' | b'*' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn unquote(text: &str) -> String {
    String::from_utf8_lossy(&unquote_to_bytes(text)).into_owned()
}

/// A random id in the form of a UUID of version 4.
pub(super) fn uuid() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| CallError::execution(e.to_string()))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn hosts_come_in_many_forms() {
        let of = |text: &str, ssl| host(&text.into(), ssl).0;
        assert_eq!(of("h", false), "http://h:9200");
        assert_eq!(of("10.0.0.1:1", true), "https://10.0.0.1:1");
        assert_eq!(of("https://h", false), "https://h:443");
        assert_eq!(of("http://h/es/", false), "http://h:9200/es");
        let (at, login) = host(&"https://u:p%40@h:5".into(), false);
        assert_eq!((at.as_str(), login), ("https://h:5", Some(basic("u", "p@"))));
        let map = map! {"host" => "h", "port" => 7, "use_ssl" => true, "http_auth" => "u:p"};
        assert_eq!(host(&map.into(), false), ("https://h:7".into(), Some(basic("u", "p"))));
    }

    #[test]
    fn an_id_is_a_uuid() {
        let id = uuid().unwrap();
        assert_eq!((id.len(), &id[14..15], id.matches('-').count()), (36, "4", 4));
        assert_eq!(proxy(&vec![Value::Map(map! {"http" => "http://p:1"})].into(), false).unwrap(), "http://p:1");
    }
}
