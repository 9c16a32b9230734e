//! Sending over HTTP, and what an answer means.

use std::io::Read;
use std::time::{Duration, SystemTime};

use brine_dial::http::{Http, Way, basic};

use super::Outcome;
use crate::conf::{ConfError, Hidden, Keys};

/// How long connecting may take, and a whole request.
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(15);
/// How much of an answer is read, and how much of that is repeated in an error.
const ANSWER: u64 = 4 << 20;
const REPEATED: usize = 200;

/// An address: in clear if it holds no secret, else from where secrets are.
#[derive(Clone, Debug)]
pub(super) enum Url {
    Clear(String),
    Hidden(Hidden),
}

impl Url {
    /// Checks an address in clear.
    pub(super) fn clear(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if !matches!(scheme, "http" | "https") || host.is_empty() {
            return Err("has to be an address such as https://host/path".into());
        }
        if host.contains('@') || text.contains('?') {
            return Err("looks as if it held a secret, which does not stand in the configuration: use url_file or url_env".into());
        }
        Ok(Self::Clear(text.to_owned()))
    }

    /// `url`, `url_file` or `url_env`.
    pub(super) fn read(keys: &mut Keys<'_>) -> Result<Self, ConfError> {
        let clear = keys.text("url")?;
        match clear {
            Some(text) => Self::clear(&text).map_err(|why| keys.error("url", why)),
            None => {
                let hidden = keys.hidden("url")?;
                hidden.map(Self::Hidden).ok_or_else(|| keys.error("url", "is needed, or url_file or url_env"))
            }
        }
    }

    pub(super) fn get(&self) -> Result<String, String> {
        match self {
            Self::Clear(text) => Ok(text.clone()),
            Self::Hidden(hidden) => Ok(hidden.get()?.reveal().to_owned()),
        }
    }
}

/// `username` with `password_file` or `password_env`, if they are there.
pub(super) fn named(keys: &mut Keys<'_>) -> Result<Option<(String, Hidden)>, ConfError> {
    match (keys.text("username")?, keys.hidden("password")?) {
        (Some(user), Some(password)) => Ok(Some((user, password))),
        (None, None) => Ok(None),
        _ => Err(keys.error("username", "goes with password_file or password_env, and they with it")),
    }
}

/// Who we say we are, to a server that asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Login {
    basic: Option<(String, Hidden)>,
    token: Option<Hidden>,
}

impl Login {
    /// `username` with `password_file`, or `token_file`; `_env` likewise.
    pub(super) fn read(keys: &mut Keys<'_>) -> Result<Self, ConfError> {
        let (basic, token) = (named(keys)?, keys.hidden("token")?);
        if basic.is_some() && token.is_some() {
            return Err(keys.error("username", "is there beside a token"));
        }
        Ok(Self { basic, token })
    }

    pub(super) fn header(&self) -> Result<Option<(String, String)>, String> {
        let value = match (&self.basic, &self.token) {
            (Some((user, password)), _) => basic(user, password.get()?.reveal()),
            (None, Some(token)) => format!("Bearer {}", token.get()?.reveal()),
            (None, None) => return Ok(None),
        };
        Ok(Some(("Authorization".into(), value)))
    }
}

/// A client for one sink, with its keys `ca`, `cert`, `key` and `verify`.
pub(super) fn client(keys: &mut Keys<'_>) -> Result<Http, ConfError> {
    let way = Way { connect: CONNECT, whole: Some(WHOLE), tls: keys.tls()?, ..Way::default() };
    Http::new(&way, "brine").map_err(|e| ConfError::new(keys.at(), e.to_string()))
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) retry_after: Option<Duration>,
}

/// One request. No error repeats the address.
pub(super) fn ask(
    http: &Http,
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: Option<&str>,
) -> Result<Answer, String> {
    let stream = http.open(method, url, headers, body).map_err(|e| e.to_string())?;
    let status = stream.status;
    let retry_after = stream.header("retry-after").and_then(|text| retry_after(text, SystemTime::now()));
    let mut bytes = Vec::new();
    // The status is the answer; a body that breaks off changes nothing, and all of it is read so that the connection is kept.
    let _cut = stream.reader().take(ANSWER).read_to_end(&mut bytes);
    Ok(Answer { status, body: String::from_utf8_lossy(&bytes).into_owned(), retry_after })
}

impl Answer {
    /// What it means for what was sent. What says that the message is bad is final; what says that the server, the address or
    /// the login is bad may be put right.
    pub(super) fn outcome(&self) -> Outcome {
        let said: String = self.body.chars().filter(|c| !c.is_control()).take(REPEATED).collect();
        let why = format!("HTTP {}{}{said}", self.status, if said.is_empty() { "" } else { ": " });
        match self.status {
            200..300 => Outcome::Delivered,
            400 | 413 | 415 | 422 => Outcome::Refused(why),
            _ => Outcome::Retry(self.retry_after, why),
        }
    }
}

/// `Retry-After`: seconds, or a date.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    match text.trim().parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(text.trim()).ok()?.duration_since(now).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::{Value, map};
    use std::time::UNIX_EPOCH;

    #[test]
    fn an_address_with_a_secret_does_not_stand_in_the_configuration() {
        for good in ["http://h", "https://h:9093/a/b"] {
            assert!(Url::clear(good).is_ok(), "{good}");
        }
        for bad in ["h:1", "ftp://h", "https://", "https://u:secret@h/", "https://h/?token=secret"] {
            let why = Url::clear(bad).unwrap_err();
            assert!(!why.contains("token=secret"), "{why}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = UNIX_EPOCH + Duration::from_secs(1_445_412_420);
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:26:00 GMT", now), None);
        assert_eq!(retry_after("soon", now), None);
    }

    #[test]
    fn a_login_is_whole() {
        let value = Value::Map(map! {"username" => "u"});
        let error = Login::read(&mut Keys::of(&value, "x").unwrap()).unwrap_err();
        assert_eq!(error.at, "x:username");
    }

    #[test]
    fn what_an_answer_means() {
        let outcome = |status| Answer { status, body: "no\n".into(), retry_after: None }.outcome();
        assert_eq!(outcome(204), Outcome::Delivered);
        assert_eq!(outcome(400), Outcome::Refused("HTTP 400: no".into()));
        for status in [401, 404, 429, 500, 503] {
            assert_eq!(outcome(status), Outcome::Retry(None, format!("HTTP {status}: no")));
        }
    }
}
