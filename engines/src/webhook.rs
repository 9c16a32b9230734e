//! The engine `webhook`: what somebody posts becomes an event, `salt/engines/hook/PATH`, with the request's headers and body.
//!
//! Nobody has to prove who he is, as in stock: whoever reaches the port may fire these events, and only these.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use brine_core::text::python_str;
use brine_core::url::unquote_to_bytes;
use brine_core::{Map, Value, map};
use brine_serve::{Config, Request, Response, Server, TlsFiles};

use crate::config::Engine;

/// What the engine may be told.
pub const OPTIONS: [&str; 4] = ["address", "port", "ssl_crt", "ssl_key"];
/// What the events' tags begin with.
const TAG: &str = "salt/engines/hook/";
/// The longest part of a tag that is a path.
const LONGEST: usize = 1000;

/// Listens, and has `fire` called with tag and data for each post. A body may have `most` bytes.
///
/// # Errors
/// Why there is no server, in words.
pub fn start(
    engine: &Engine,
    most: usize,
    fire: impl Fn(String, Map) + Send + Sync + 'static,
) -> Result<Server, String> {
    let told = |key: &str| engine.told.get(key).filter(|value| value.truthy());
    let port = match engine.told.get("port") {
        None => 5000,
        Some(given) => given.as_int().and_then(|port| u16::try_from(port).ok()).ok_or("port is no port")?,
    };
    let tls = match (told("ssl_crt"), told("ssl_key")) {
        (Some(cert), Some(key)) => {
            let path = |value: &Value| PathBuf::from(python_str(value));
            Some(TlsFiles { cert: path(cert), key: Some(path(key)), client_ca: None })
        }
        (None, None) => None,
        // Stock serves without TLS then; whoever names one of them wants it.
        _ => return Err("ssl_crt and ssl_key belong together".into()),
    };
    let handler = move |request: Request| answer(&request, &fire);
    let listen = |addr: SocketAddr, handler| {
        let config = Config { tls: tls.clone(), body: most, ..Config::new(addr) };
        Server::start(config, handler).map_err(|e| e.to_string())
    };
    match told("address").map(python_str) {
        Some(name) => {
            let found = (name.as_str(), port).to_socket_addrs().map_err(|e| format!("{name}: {e}"))?.next();
            listen(found.ok_or_else(|| format!("{name}: no such address"))?, handler)
        }
        // All addresses of both kinds; those of the older one where there is no other.
        None => {
            let both = SocketAddr::from(([0_u16; 8], port));
            let ipv6 = std::net::TcpListener::bind(SocketAddr::from(([0_u16; 8], 0))).is_ok();
            listen(if ipv6 { both } else { SocketAddr::from(([0, 0, 0, 0], port)) }, handler)
        }
    }
}

fn answer(request: &Request, fire: &impl Fn(String, Map)) -> Response {
    if request.method != "POST" {
        return Response::text(405, "405: Method Not Allowed");
    }
    let Some(path) =
        decoded(request.path.strip_prefix('/').unwrap_or(&request.path)).filter(|path| path.len() <= LONGEST)
    else {
        return Response::text(400, "400: Bad Request");
    };
    let mut headers = Map::new();
    for (name, value) in request.headers() {
        let name = title(name);
        let value = match headers.get_str(&name) {
            Some(before) => format!("{before},{value}"),
            None => value.to_owned(),
        };
        headers.insert(name, value);
    }
    let body = Value::Bytes(request.body.to_vec());
    fire(format!("{TAG}{path}"), map! {"headers" => headers, "body" => body});
    Response::new(200, "text/html; charset=UTF-8", "")
}

/// `content-type` as `Content-Type`.
fn title(name: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or(String::new(), |first| first.to_uppercase().collect::<String>() + chars.as_str())
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// A path without its escapes; none where it is no text then, or would end the tag.
fn decoded(path: &str) -> Option<String> {
    let bytes = unquote_to_bytes(path);
    String::from_utf8(bytes).ok().filter(|path| !path.contains(|c: char| c.is_control()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names_are_read_as_stock_reads_them() {
        assert_eq!(decoded("a/b%20c%2Fd%zz%+1"), Some("a/b c/d%zz%+1".to_owned()));
        assert_eq!((decoded("%ff"), decoded("a%0A%0Ab")), (None, None));
        assert_eq!(title("x-github-event"), "X-Github-Event");
    }

    #[test]
    fn a_half_of_tls_is_refused() {
        let engine = |told: Map| Engine { name: "webhook".into(), module: "webhook".into(), told };
        let start = |told: Map| super::start(&engine(told), 10, |_, _| {}).err();
        assert_eq!(start(map! {"ssl_crt" => "/x"}).as_deref(), Some("ssl_crt and ssl_key belong together"));
        assert_eq!(start(map! {"port" => "text"}).as_deref(), Some("port is no port"));
        let missing =
            start(map! {"address" => "127.0.0.1", "port" => 0, "ssl_crt" => "/x", "ssl_key" => "/y"});
        assert!(missing.is_some_and(|text| text.contains("/x") || text.contains("/y")));
    }
}
