//! The `http` execution module: web servers asked, and what they answer read.

mod answer;
mod ask;
mod bundle;

use brine_core::call::{Args, CallError, Cx, Given, KwArgs, Result, exec, given, module};
use brine_core::clock::unix_now;
use brine_core::Value;
use std::time::Duration;

module! { "http": query, update_ca_bundle, wait_for_successful_query }

given! {
    /// Ask a web server. Returns a dict: `body`, and what else is asked for; `status` and `error` where it failed.
    ///
    /// method: `GET`, `POST`, ... params: appended to the URL. data: the body, text or a dict (a form); data_file: a file with it,
    /// data_render=True: rendered with `data_renderer` first. header_dict, header_list, header_file (header_render,
    /// header_renderer): headers. template_dict: variables of those files. username, password: basic authentication. status, headers,
    /// text: return those, too. decode: return `dict`, the answer read as decode_type says (`json`, `xml`, `yaml`, `plain`; `auto`: as its
    /// `Content-Type` does). text_out, headers_out, decode_out: write the answer to these files. persist_session: keep the
    /// server's cookie in `session_cookie_jar` for the next question. test: ask nothing; test_url: ask that instead.
    /// opts: options in place of the minion's. ca_bundle: the certificates to believe; verify_ssl=False: any. cert: a file of the
    /// client's own, or a list of certificate and key. agent: our name. raise_error=False: a status of 400 and more is
    /// an answer. decode_body=False: the body as bytes.
    ///
    /// CLI Example: salt '*' http.query http://somelink.com/ method=POST data='<xml>somecontent</xml>'
    fn query(url; kwargs) => run
}

fn run(cx: &Cx, given: Given) -> Result {
    ask::query(cx, given).map(Value::Map).map_err(|e| match e {
        CallError::Cancelled => e,
        e => CallError::execution(e.text()),
    })
}

/// Ask a web server until there is no error, for `wait_for` seconds at most. Further arguments are those of `http.query`;
/// `request_interval`: how many seconds between two questions.
///
/// CLI Example: salt '*' http.wait_for_successful_query http://somelink.com/ wait_for=160 request_interval=1
#[exec]
fn wait_for_successful_query(cx: &Cx, url: Value, #[default(300)] wait_for: f64, kwargs: KwArgs) -> Result {
    let start = unix_now();
    let interval = kwargs.0.get("request_interval").and_then(Value::as_float).unwrap_or(0.0);
    loop {
        let asked = cx.call("http.query", Args { positional: vec![url.clone()], keyword: kwargs.0.clone() });
        let fine = |answer: &Value| !["Error", "error"].iter().any(|key| answer.get(key).is_some_and(Value::truthy));
        if asked.as_ref().is_ok_and(fine)
            || matches!(asked, Err(CallError::Cancelled))
            || unix_now() > start + wait_for
        {
            return asked;
        }
        // Stock asks without a pause where none is wanted.
        cx.cancel.sleep(Duration::try_from_secs_f64(interval.max(0.001)).unwrap_or(Duration::MAX))?;
    }
}

/// Fetch a bundle of certificates from `source` to `target`, and add those of `merge_files` that are not in there. Both default to the
/// options `ca_bundle_url` and `ca_bundle`.
///
/// CLI Example: salt '*' http.update_ca_bundle target=/path/to/cacerts.pem source=https://example.com/cacerts.pem
#[exec]
fn update_ca_bundle(cx: &Cx, target: Option<String>, source: Option<String>, merge_files: Option<Value>) -> Result<()> {
    bundle::update(cx, target, source, merge_files)
}
