//! Requests to NetBox's interface, pages put together.

use super::super::ask::{self, Request};
use brine_core::url::quote;
use brine_core::{Opts, Secret};
use brine_python::{Dict, Kind, Obj, PyErr, R, getitem, truth};

/// How many pages an answer may have.
const PAGES: usize = 1000;

/// A server and how to ask it.
pub(super) struct Api<'a> {
    opts: &'a Opts,
    url: String,
    token: Secret,
    limit: Option<String>,
}

/// A number of the server's as a part of an address.
pub(super) fn part(text: &str) -> String {
    quote(text, "")
}

impl<'a> Api<'a> {
    pub(super) fn new(opts: &'a Opts, url: String, token: &str, limit: Option<String>) -> Self {
        Self { opts, url, token: Secret::new(format!("Token {token}")), limit }
    }

    /// One answer; none, with a line in the log, where the server refuses.
    fn ask(&self, url: &str) -> R<Option<Obj>> {
        let headers = Dict::new();
        headers.set_str("Authorization", Obj::str(self.token.reveal()));
        let headers = Obj::from(headers);
        let request = Request { url, headers: Some(&headers), auth: None, username: None, password: None };
        match ask::get(self.opts, &request)? {
            Ok(body) => brine_render::json::loads(&body).map(Some),
            Err(why) if why.starts_with("HTTP ") => {
                tracing::error!("API query of NetBox failed: {why}");
                Ok(None)
            }
            Err(why) => Err(PyErr::new(Kind::Other("ConnectionError"), why)),
        }
    }

    /// One object.
    pub(super) fn one(&self, path: &str) -> R<Option<Obj>> {
        self.ask(&format!("{}/{path}", self.url))
    }

    /// All objects that fit; none where the server refuses.
    pub(super) fn all(&self, path: &str, params: &[(&str, &str)]) -> R<Vec<Obj>> {
        let mut query: Vec<String> =
            params.iter().map(|(name, value)| format!("{name}={}", quote(value, ""))).collect();
        query.extend(self.limit.iter().map(|limit| format!("limit={}", quote(limit, ""))));
        let mut url = format!("{}/{path}?{}", self.url, query.join("&"));
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let Some(page) = self.ask(&url)? else { return Ok(Vec::new()) };
            all.extend(getitem(&page, &Obj::str("results"))?.items()?);
            let next = getitem(&page, &Obj::str("next"))?;
            if !truth(&next)? {
                return Ok(all);
            }
            let next = next.as_str().filter(|next| origin(next) == origin(&self.url));
            url = next.ok_or_else(|| PyErr::value("the next page is on another server"))?.to_owned();
        }
        Err(PyErr::new(Kind::Limit, "an answer with too many pages"))
    }
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert_eq!(origin("http://a:8000/api?x"), "http://a:8000");
        assert_eq!(origin("https://a"), "https://a");
        assert_ne!(origin("http://a@evil/"), origin("http://a/"));
    }
}
