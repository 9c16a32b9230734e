//! States that ask web servers and say whether the answer is as wished.

use brine_core::call::{Args, CallError, Cx, Given, Result, exec, given};
use brine_core::call::KwArgs;
use brine_core::clock::unix_now;
use brine_core::state::state_module;
use brine_core::target::{Anchor, Regex};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, map};
use std::time::Duration;

state_module! { "http": query, wait_for_successful_query, "mod_watch" => query }

given! {
    /// Ask a web server.
    ///
    /// name: the URL. match: text that the answer must have in it; match_type: `string`, or `pcre` for a pattern. status: the status
    /// that it must have; status_type: `string`, `list`, or `pcre`. wait_for: ask again for up to so many seconds.
    /// Further arguments are those of the execution function `http.query`.
    fn query(name, match_ = (), match_type = "string", status = (), status_type = "string", wait_for = (); kwargs) => ask
}

fn found(pattern: &Value, text: &str) -> Result<bool> {
    let wrong = |e: brine_core::target::RegexError| CallError::exception("re.error", e.to_string());
    Regex::new(&python_str(pattern), Anchor::Search).and_then(|regex| regex.is_match(text)).map_err(wrong)
}

fn ask(cx: &Cx, mut given: Given) -> Result {
    let name = given.value("name");
    let (match_, status) = (given.get("match").cloned(), given.get("status").cloned());
    let kind = |key: &str| given.value(key);
    let (match_type, status_type) = (kind("match_type"), kind("status_type"));
    if match_.is_none() && status.is_none() {
        let comment = " Either match text (match) or a status code (status) is required.";
        return Ok(map! {
            "name" => name, "result" => false, "comment" => comment, "changes" => Map::new(), "data" => Map::new()
        }
        .into());
    }
    given.extra.entry_or("decode", || false.into());
    given.extra.insert("text", true);
    given.extra.insert("status", true);
    if cx.test {
        given.extra.insert("test", true);
    }
    let mut args = Args { positional: vec![name.clone()], keyword: given.extra.clone() };
    let function = if given.truthy("wait_for") {
        args.keyword.insert("wait_for", given.value("wait_for"));
        "http.wait_for_successful_query"
    } else {
        "http.query"
    };
    let data = cx.call(function, args)?;
    let text = data.get("text").map(python_str).unwrap_or_default();
    let code = data.get("status").map(python_str).unwrap_or_default();
    let (mut result, mut comment) = (None, String::new());
    if let Some(wanted) = &match_ {
        let (what, there) = match match_type.as_str() {
            Some("string") => ("text", text.contains(&python_str(wanted))),
            Some("pcre") => ("pattern", found(wanted, &text)?),
            _ => ("", false),
        };
        if !what.is_empty() {
            result = Some(there);
            let not = if there { "" } else { "not " };
            comment += &format!(" Match {what} \"{}\" was {not}found.", python_str(wanted));
        }
    }
    if let Some(wanted) = &status {
        let shown = python_str(wanted);
        match status_type.as_str() {
            Some("list") => {
                let each: Vec<Value> = match wanted {
                    Value::List(list) => list.clone(),
                    Value::Str(text) => text.chars().map(|c| c.to_string().into()).collect(),
                    Value::Map(map) => map.keys().cloned().collect(),
                    other => {
                        let text = format!("'{}' object is not iterable", python_type(other));
                        return Err(CallError::exception("TypeError", text));
                    }
                };
                for status in each.iter().filter(|status| python_str(status) == code) {
                    comment += &format!(" Status {} was found.", python_str(status));
                    result = result.or(Some(true));
                }
                if result != Some(true) {
                    comment += &format!(" Statuses {shown} were not found.");
                    result = Some(false);
                }
            }
            Some("pcre") if found(wanted, &code)? => {
                comment += &format!(" Status pattern \"{shown}\" was found.");
                result = result.or(Some(true));
            }
            Some("pcre") => {
                comment += &format!(" Status pattern \"{shown}\" was not found.");
                result = Some(false);
            }
            Some("string") if code == shown => {
                comment += &format!(" Status {shown} was found.");
                result = result.or(Some(true));
            }
            Some("string") => {
                comment += &format!(" Status {shown} was not found.");
                result = Some(false);
            }
            _ => {}
        }
    }
    let mut comment = comment.trim().to_owned();
    if cx.test {
        result = None;
        comment += " (TEST MODE";
        if let Some(url) = given.extra.get("test_url") {
            comment += &format!(", TEST URL WAS: {}", python_str(url));
        }
        comment += ")";
    }
    let result = result.map_or(Value::Nil, Value::from);
    Ok(map! { "name" => name, "result" => result, "comment" => comment, "changes" => Map::new(), "data" => data }.into())
}

/// Ask a web server again and again, until the answer is as wished.
///
/// name: the URL. wait_for: how many seconds at most. Further arguments are those of `http.query`; `request_interval`: how many
/// seconds between two questions.
#[exec]
fn wait_for_successful_query(cx: &Cx, name: Value, #[default(300)] wait_for: f64, kwargs: KwArgs) -> Result {
    let start = unix_now();
    loop {
        let asked = cx.call_state("http.query", Args { positional: vec![name.clone()], keyword: kwargs.0.clone() });
        if let Ok(ret) = &asked
            && ret.get("result").is_some_and(Value::truthy)
        {
            return asked;
        }
        if unix_now() > start + wait_for || matches!(asked, Err(CallError::Cancelled)) {
            return asked;
        }
        // Stock asks without a pause where none is wanted.
        let pause = kwargs.0.get("request_interval").and_then(Value::as_float).unwrap_or(0.0);
        tracing::debug!("delaying query for {pause} seconds.");
        cx.cancel.sleep(Duration::try_from_secs_f64(pause.max(0.001)).unwrap_or(Duration::MAX))?;
    }
}
