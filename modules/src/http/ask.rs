//! A question to a web server: what the arguments of `http.query` make of it.

use super::answer::{Wanted, failed};
use brine_core::call::{Args, CallError, Cx, Given, Result};
use brine_core::text::{python_str, splitlines};
use brine_core::url::encoded;
use brine_core::{Map, Opts, Value, map};
use brine_dial::Check;
use brine_dial::http::{Http, Way, basic};
use std::path::{Path, PathBuf};

/// What is for programs that are written in Python, or for another library than that which is used here.
const REFUSED: [&str; 5] = ["stream", "streaming_callback", "header_callback", "handle", "formdata"];

pub(super) fn query(cx: &Cx, given: Given) -> Result<Map> {
    for key in REFUSED.iter().chain(&["cookies"]) {
        if given.truthy(key) {
            return Err(CallError::invocation(format!("http.query: '{key}' is not supported")));
        }
    }
    let mut opts = (*cx.opts).clone();
    if let Some(Value::Map(more)) = given.get("opts") {
        let mut all = opts.map().clone();
        all.update(more.clone());
        opts = Opts::new(all);
    }
    let url = with_params(&python_str(&given.value("url")), given.set_to("params"))?;
    let jar = given.text("session_cookie_jar").map_or_else(
        || Path::new(opts.str("cachedir")).join("cookies.session.p"),
        PathBuf::from,
    );
    let keep = given.get("persist_session") == Some(&Value::Bool(true));
    let mut headers = headers(cx, &given)?;
    if keep && let Some(Value::Map(cookies)) = kept(&jar)? {
        headers.update(cookies);
    }
    let agent = match given.text("agent") {
        Some(agent) if agent != default_agent() => agent,
        _ => format!("{} http.query()", default_agent()),
    };
    headers.insert("User-agent", agent.as_str());
    let test = given.get("test") == Some(&Value::Bool(true));
    let mut answer = Map::new();
    let url = match given.text("test_url") {
        _ if !test => url,
        None => return Ok(answer),
        Some(other) => {
            answer.insert("test", true);
            other
        }
    };
    let method = given.text("method").unwrap_or_else(|| "GET".into());
    let body = body(cx, &given)?;
    if method == "POST" && !has(&headers, "Content-Type") {
        headers.insert("Content-Type", "application/x-www-form-urlencoded");
    }
    if let (Some(user), Some(password)) = (given.text("username"), given.text("password")) {
        headers.insert("Authorization", basic(&user, &password));
    }
    let sent: Vec<(String, String)> =
        headers.iter().filter(|(name, _)| !is(name, "User-agent")).map(|(k, v)| (python_str(k), python_str(v))).collect();
    tracing::debug!("Requesting URL {} using {method} method", brine_dial::http::without_password(&url));
    let http = Http::new(&way(&opts, &given, &url), &agent).map_err(|e| CallError::execution(e.to_string()))?;
    let wanted = Wanted::new(&given);
    let reply = match http.open(&method, &url, &sent, body.as_deref()) {
        Ok(reply) => reply,
        Err(e) => return Ok(failed(answer, &e.to_string(), &wanted)),
    };
    let cookie = reply.header("set-cookie").map(str::to_owned);
    let most = usize::try_from(opts.int("http_max_body").unwrap_or(i64::MAX)).unwrap_or(usize::MAX);
    wanted.read(reply, most, &mut answer)?;
    if keep && let Some(cookie) = cookie {
        keep_session(&jar, &map! { "Cookie" => cookie }.into())?;
    }
    Ok(answer)
}

fn default_agent() -> String {
    format!("Salt/{}", brine_core::COMPAT_VERSION)
}

fn is(name: &Value, other: &str) -> bool {
    name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(other))
}

fn has(headers: &Map, name: &str) -> bool {
    headers.keys().any(|key| is(key, name))
}

/// How the server is reached.
fn way(opts: &Opts, given: &Given, url: &str) -> Way {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let mut way = Way::of(opts, host);
    if let Some(bundle) = given.text("ca_bundle") {
        way.tls.ca = Some(bundle.into());
    }
    match given.get("verify_ssl") {
        Some(verify) if !verify.truthy() => way.tls.check = Check::Nothing,
        Some(_) => way.tls.check = Check::Full,
        None => {}
    }
    match given.get("cert").or_else(|| opts.get("cert").filter(|cert| !cert.is_nil())) {
        Some(Value::Str(cert)) if Path::new(cert).exists() => way.tls.cert = Some(cert.into()),
        Some(Value::List(both)) => {
            if let [Value::Str(cert), Value::Str(key), ..] = both.as_slice()
                && Path::new(cert).exists()
                && Path::new(key).exists()
            {
                (way.tls.cert, way.tls.key) = (Some(cert.into()), Some(key.into()));
            }
        }
        Some(Value::Str(_)) | None => {}
        Some(cert) => {
            tracing::error!("The client-side certificate path that was passed is not valid: {}", python_str(cert));
        }
    }
    way
}

fn with_params(url: &str, params: Option<&Value>) -> Result<String> {
    let more = match params {
        None => return Ok(url.to_owned()),
        Some(Value::Map(params)) => encoded(params),
        Some(_) => return Err(CallError::execution("'args' parameter should be dict, list or tuple.")),
    };
    let (url, fragment) = url.split_once('#').map_or((url, String::new()), |(url, end)| (url, format!("#{end}")));
    let sign = match url.split_once('?') {
        Some((_, "")) => "",
        Some(_) => "&",
        None => "?",
    };
    Ok(format!("{url}{sign}{more}{fragment}"))
}

/// A file's text, rendered if asked.
fn file(cx: &Cx, given: &Given, path: &str, kind: &str) -> Result {
    if given.truthy(&format!("{kind}_render")) {
        let mut args = Args::none().with("path", path);
        let renderer = given.set_to(&format!("{kind}_renderer")).cloned();
        let renderer = renderer.unwrap_or_else(|| cx.opts.get("renderer").cloned().unwrap_or_else(|| "jinja|yaml".into()));
        args = args.with("default_renderer", renderer);
        if let Some(Value::Map(context)) = given.get("template_dict") {
            args.keyword.update(context.clone());
        }
        return cx.call("slsutil.renderer", args);
    }
    let text = std::fs::read(path)
        .map_err(|e| CallError::execution(brine_core::text::python_os_error(&e, path)))?;
    Ok(String::from_utf8_lossy(&text).into_owned().into())
}

fn body(cx: &Cx, given: &Given) -> Result<Option<String>> {
    let data = match given.text("data_file") {
        Some(path) => file(cx, given, &path, "data")?,
        None => given.value("data"),
    };
    Ok(match data {
        Value::Nil => None,
        Value::Map(form) => Some(encoded(&form)),
        Value::Bytes(bytes) => Some(String::from_utf8(bytes).map_err(|e| CallError::execution(e.to_string()))?),
        other => Some(python_str(&other)),
    })
}

fn headers(cx: &Cx, given: &Given) -> Result<Map> {
    let mut headers = match given.get("header_dict") {
        Some(Value::Map(headers)) => headers.clone(),
        _ => Map::new(),
    };
    let mut list: Vec<String> = match given.get("header_list") {
        Some(Value::List(list)) => list.iter().map(python_str).collect(),
        Some(Value::Str(one)) => vec![one.clone()],
        _ => Vec::new(),
    };
    if let Some(path) = given.text("header_file") {
        match file(cx, given, &path, "header")? {
            Value::Map(from_file) => headers = from_file,
            text => list = splitlines(&python_str(&text), false).into_iter().map(str::to_owned).collect(),
        }
    }
    for line in list {
        let mut parts = line.split(':');
        if let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            headers.insert(name.trim(), value.trim());
        }
    }
    Ok(headers)
}

/// What the last answer left for this question.
fn kept(jar: &Path) -> Result<Option<Value>> {
    match std::fs::read(jar) {
        Ok(bytes) => Ok(brine_protocol::msgpack::decode(&bytes).ok()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            keep_session(jar, &"".into())?;
            Ok(None)
        }
        Err(e) => Err(CallError::execution(e.to_string())),
    }
}

/// Cookies are as good as passwords: only we may read them.
fn keep_session(jar: &Path, cookies: &Value) -> Result<()> {
    use std::io::Write;
    let folder = jar.parent().unwrap_or(Path::new("/"));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(&brine_protocol::msgpack::encode(cookies, brine_protocol::msgpack::Dialect::New))?;
        file.persist(jar).map(drop).map_err(|e| e.error)
    });
    written.map_err(|e| CallError::execution(brine_core::text::python_os_error(&e, &jar.to_string_lossy())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn params_are_appended() {
        let params: Value = map! { "a b" => 1, "c" => "x&y" }.into();
        for (url, whole) in [
            ("http://h/", "http://h/?a+b=1&c=x%26y"),
            ("http://h/?z=1", "http://h/?z=1&a+b=1&c=x%26y"),
            ("http://h/?", "http://h/?a+b=1&c=x%26y"),
            ("http://h/#top", "http://h/?a+b=1&c=x%26y#top"),
        ] {
            assert_eq!(with_params(url, Some(&params)).unwrap(), whole);
        }
        assert_eq!(with_params("http://h", None).unwrap(), "http://h");
    }
}
