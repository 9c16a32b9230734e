//! One HTTP request as stock's `http.query` makes it for sources of pillar, with the options of the master that bear on it.

use brine_core::url::quote;
use brine_core::{Opts, Value};
use brine_dial::Tls;
use brine_dial::http::{Http, Way, basic};
use brine_python::{Obj, PyErr, R, str, truth};
use std::time::Duration;

/// How long a whole answer may take where the options allow more.
const LONGEST: f64 = 300.0;
/// The largest answer.
const MOST: usize = 64 << 20;

/// What is asked for.
pub(super) struct Request<'a> {
    pub(super) url: &'a str,
    /// Headers by name.
    pub(super) headers: Option<&'a Obj>,
    /// A list of user and password, in place of the next two.
    pub(super) auth: Option<&'a Obj>,
    pub(super) username: Option<&'a Obj>,
    pub(super) password: Option<&'a Obj>,
}

/// The body of an answer, or why there is none; the address is not in that text, as it may be a secret.
///
/// # Errors
/// Headers that are none.
pub(super) fn get(opts: &Opts, request: &Request<'_>) -> R<Result<String, String>> {
    let mut headers: Vec<(String, String)> = Vec::new();
    if let Some(given) = request.headers.filter(|given| truth(given).unwrap_or(true)) {
        let Obj::Dict(given) = given else { return Err(PyErr::attribute(given, "update")) };
        for (name, value) in given.pairs() {
            headers.push((str(&name)?, str(&value)?));
        }
    }
    let login = match request.auth {
        Some(auth) if truth(auth)? => auth.sequence().filter(|auth| auth.len() == 2),
        _ => request.username.map(|user| vec![user.clone(), request.password.cloned().unwrap_or_default()]),
    };
    if let Some([user, password]) = login.as_deref()
        && truth(user)?
    {
        let password = if truth(password)? { str(password)? } else { String::new() };
        headers.push(("Authorization".into(), basic(&str(user)?, &password)));
    }
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("user-agent"));
    let connect = opts.float("http_connect_timeout").unwrap_or(20.0).clamp(0.1, LONGEST);
    let whole = opts.float("http_request_timeout").unwrap_or(LONGEST).clamp(0.1, LONGEST);
    let way = Way {
        connect: Duration::from_secs_f64(connect),
        whole: Some(Duration::from_secs_f64(whole)),
        proxy: proxy(opts, request.url),
        tls: tls(opts),
        most: MOST,
    };
    let answer = Http::new(&way, concat!("Brine/", env!("CARGO_PKG_VERSION"), " http.query()"))
        .and_then(|http| http.send("GET", &fit(request.url), &headers, None));
    Ok(match answer {
        Ok(reply) if reply.ok() => Ok(reply.body),
        Ok(reply) => Err(format!("HTTP {}", reply.status)),
        Err(e) => {
            Err(e.to_string().replace(request.url, "the address").replace(&fit(request.url), "the address"))
        }
    })
}

fn proxy(opts: &Opts, url: &str) -> Option<String> {
    let text = |key: &str| opts.get(key).filter(|v| v.truthy()).map(brine_core::text::python_str);
    let (host, port) = (text("proxy_host")?, text("proxy_port")?);
    let name = url.split("://").nth(1).unwrap_or("").split(['/', '?', '#']).next().unwrap_or("");
    let name = name.rsplit('@').next().unwrap_or("").split(':').next().unwrap_or("");
    let direct = opts.get("no_proxy").and_then(Value::as_list).unwrap_or_default();
    if direct.iter().any(|direct| direct.as_str() == Some(name)) {
        return None;
    }
    Some(match (text("proxy_username"), text("proxy_password")) {
        (Some(user), Some(password)) => {
            format!("http://{}:{}@{host}:{port}", quote(&user, ""), quote(&password, ""))
        }
        _ => format!("http://{host}:{port}"),
    })
}

fn tls(opts: &Opts) -> Tls {
    let mut tls = Tls::verify(opts.get("verify_ssl"));
    if let Some(bundle) = opts.get("ca_bundle").and_then(Value::as_str).filter(|file| !file.is_empty()) {
        tls.ca = Some(bundle.into());
    }
    match opts.get("cert") {
        Some(Value::Str(file)) => tls.cert = Some(file.into()),
        Some(Value::List(both)) => {
            let mut files = both.iter().filter_map(Value::as_str).map(Into::into);
            (tls.cert, tls.key) = (files.next(), files.next());
        }
        _ => {}
    }
    tls
}

/// An address without characters that have no place in one.
fn fit(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    let mut buffer = [0; 4];
    for c in url.chars() {
        if c.is_ascii_graphic() && !"<>\"{}|\\^`".contains(c) {
            out.push(c);
        } else {
            out.push_str(&quote(c.encode_utf8(&mut buffer), ""));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn proxies_come_from_the_options() {
        let opts = |map| Opts::new(map);
        let given = map! {"proxy_host" => "p", "proxy_port" => 3128, "no_proxy" => vec!["in.side"]};
        assert_eq!(proxy(&opts(given.clone()), "http://out.side/x").as_deref(), Some("http://p:3128"));
        assert_eq!(proxy(&opts(given.clone()), "http://u@in.side:8080/x"), None);
        let mut named = given;
        named.update(map! {"proxy_username" => "u", "proxy_password" => "a@b"});
        assert_eq!(proxy(&opts(named), "http://x").as_deref(), Some("http://u:a%40b@p:3128"));
        assert_eq!(proxy(&opts(map! {"proxy_host" => "p"}), "http://x"), None);
    }
}
