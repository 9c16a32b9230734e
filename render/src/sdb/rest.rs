//! `rest`: what a web service answers. The profile has an entry for each key: a `url`, which is a template of the variables that
//! the key brings (`sdb://api/user?name=x`), and options of the request.

use super::Driver;
use super::http::send;
use crate::renderer::{Request, Template, compile_template};
use crate::template::{Session, call_error};
use brine_core::call::{CallError, Result};
use brine_core::files::NoFiles;
use brine_core::text::python_str;
use brine_core::url::encoded;
use brine_core::{Cx, Map, Value};
use brine_dial::http::basic;
use brine_python::{Obj, to_value};
use std::rc::Rc;
use std::sync::Arc;
use tracing::debug;

pub(super) const DRIVER: Driver = Driver {
    name: "rest",
    get: |cx, key, profile| query(cx, key, profile),
    // As in stock, the value goes nowhere.
    set: |cx, key, _, profile| query(cx, key, profile),
};

/// Options of a request that are honoured.
const OPTIONS: &[&str] = &[
    "url",
    "backend",
    "method",
    "params",
    "data",
    "username",
    "password",
    "header_dict",
    "header_list",
    "decode",
    "decode_type",
    "verify_ssl",
    "ca_bundle",
    "status",
    "text",
    "headers",
];

fn query(cx: &Cx, key: &str, profile: &Map) -> Result {
    let mut parts = key.split('?');
    let name = parts.next().unwrap_or_default();
    let variables =
        parts.next().ok_or_else(|| CallError::exception("IndexError", "list index out of range"))?;
    let mut kwargs = Vec::new();
    for pair in variables.split('&') {
        let words: Vec<&str> = pair.split('=').collect();
        match words.as_slice() {
            [key, value] => kwargs.push((Rc::from(*key), Obj::str(value))),
            [_] => {
                let text = "not enough values to unpack (expected 2, got 1)";
                return Err(CallError::exception("ValueError", text));
            }
            _ => return Err(CallError::exception("ValueError", "too many values to unpack (expected 2)")),
        }
    }
    let missing = |key: &str| CallError::exception("KeyError", format!("'{key}'"));
    let entry = profile.get(name).and_then(Value::as_map).ok_or_else(|| missing(name))?;
    if let Some((option, _)) = entry.iter().find(|(k, _)| !k.as_str().is_some_and(|k| OPTIONS.contains(&k))) {
        let text = format!(
            "The option \"{}\" of a request is not supported by the sdb driver rest",
            python_str(option)
        );
        return Err(CallError::execution(text));
    }
    let url = entry.get_str("url").ok_or_else(|| missing("url"))?;
    let session = Session::new(cx, Arc::new(NoFiles));
    let pipe = crate::renderer::default_pipe(&cx.opts);
    let request = Request { kwargs, ..Request::new(Template::Text(url), &pipe) };
    let rendered = session.enter(|| compile_template(&session, &request)).map_err(call_error)?;
    let url = rendered.data.into_value();
    let url = url.as_str().ok_or_else(|| CallError::exception("TypeError", "the url is no text"))?;
    answer(url, entry)
}

/// Asks, and reads what comes back.
fn answer(url: &str, entry: &Map) -> Result {
    let text = |key: &str| entry.get(key).filter(|v| !v.is_nil()).map(python_str);
    let mut headers: Vec<(String, String)> = Vec::new();
    if let Some(Value::Map(own)) = entry.get("header_dict") {
        headers.extend(own.iter().map(|(k, v)| (python_str(k), python_str(v))));
    }
    if let Some(Value::List(own)) = entry.get("header_list") {
        let pairs = own.iter().filter_map(Value::as_str).filter_map(|line| line.split_once(':'));
        headers.extend(pairs.map(|(name, value)| {
            (name.trim().to_owned(), value.split(':').next().unwrap_or_default().trim().to_owned())
        }));
    }
    if let (Some(user), Some(password)) = (text("username"), text("password")) {
        headers.push(("Authorization".into(), basic(&user, &password)));
    }
    let mut url = url.to_owned();
    if let Some(Value::Map(params)) = entry.get("params") {
        let encoded = encoded(params);
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&encoded);
    }
    let body = match entry.get("data") {
        Some(Value::Map(data)) => Some(encoded(data)),
        Some(Value::Nil) | None => None,
        Some(data) => Some(python_str(data)),
    };
    let verify = match (entry.get("verify_ssl"), text("ca_bundle")) {
        (Some(Value::Bool(false)), _) => Some(Value::Bool(false)),
        (_, file) => file.map(Value::Str),
    };
    let method = text("method").unwrap_or_else(|| "GET".into());
    let reply = send(&method, &url, &headers, body.as_deref(), verify.as_ref());
    // Stock's result then has no `dict`, and says so.
    let nothing = || CallError::exception("KeyError", "'dict'");
    let reply = reply.map_err(|e| {
        debug!("Cannot perform 'http.query': {e}");
        nothing()
    })?;
    if !reply.ok() {
        return Err(nothing());
    }
    let kind = reply.kind.unwrap_or_else(|| "application/json".into());
    let how = text("decode_type").unwrap_or_else(|| "auto".into());
    let has = |word: &str| if how == "auto" { kind.contains(word) } else { how == word };
    if has("xml") {
        return Err(CallError::execution("XML is not read by the sdb driver rest; JSON and YAML are"));
    }
    let value = if has("json") {
        crate::json::loads(&reply.body).map_err(call_error)?
    } else if has("yaml") {
        crate::yaml::load_obj(&reply.body, crate::yaml::TEXT)
            .map_err(|e| CallError::exception("YAMLError", e.to_string()))?
    } else {
        return Err(nothing());
    };
    to_value(&value).map_err(call_error)
}
