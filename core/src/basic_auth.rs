//! Names and passwords in URLs: put in, and hidden.

use crate::call::{CallError, Result};
use crate::text::python_str;
use crate::url::quote;
use brine_protocol::Value;

/// Text without the names and passwords of the URLs in it, for logs and errors.
pub fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let lower = line.to_ascii_lowercase();
        let start = ["http://", "https://"].iter().filter_map(|s| Some((lower.find(s)?, s.len()))).min();
        match start
            .and_then(|(at, length)| Some((at + length, line.rfind('@').filter(|end| *end >= at + length)?)))
        {
            Some((start, end)) => {
                out.push_str(&line[..start]);
                out.push_str("<redacted>");
                out.push_str(&line[end..]);
            }
            None => out.push_str(line),
        }
    }
    out
}

/// A URL with a name and a password, if there are any.
///
/// # Errors
/// `SaltInvocationError` for what is not HTTPS.
pub fn with_auth(url: &Value, user: Option<&Value>, password: Option<&Value>) -> Result<Value> {
    if user.is_none() && password.is_none() {
        return Ok(url.clone());
    }
    let url = python_str(url);
    let (scheme, rest) = url.split_once("://").unwrap_or(("", &url));
    if !scheme.eq_ignore_ascii_case("https") {
        return Err(CallError::invocation("Basic Auth only supported for HTTPS"));
    }
    let wrong = || CallError::Arguments("quote_from_bytes() expected bytes".into());
    let user = quote(user.and_then(Value::as_str).ok_or_else(wrong)?, "");
    let password = match password {
        Some(password) => format!(":{}", quote(password.as_str().ok_or_else(wrong)?, "")),
        None => String::new(),
    };
    Ok(format!("https://{user}{password}@{rest}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_and_put_in() {
        assert_eq!(redacted("a HTTPS://u:p@h/x\nhttp://h"), "a HTTPS://<redacted>@h/x\nhttp://h");
        assert_eq!(redacted("x@y https://h"), "x@y https://h");
        let url = with_auth(&"https://h/x".into(), Some(&"u/1".into()), Some(&"p@:".into())).unwrap();
        assert_eq!(url, "https://u%2F1:p%40%3A@h/x".into());
        assert!(with_auth(&"http://h".into(), Some(&"u".into()), None).is_err());
        assert_eq!(with_auth(&"git@h:x".into(), None, None).unwrap(), "git@h:x".into());
    }
}
