//! A request, as handlers see it.

use std::net::SocketAddr;

use brine_core::Secret;
use brine_core::url::unquote_to_bytes;
use bytes::Bytes;
use hyper::HeaderMap;
use subtle::ConstantTimeEq;

/// A request, its body read.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The path as it was sent, without what follows a question mark.
    pub path: String,
    /// What follows the question mark.
    pub query: Option<String>,
    /// The body; empty where there is none.
    pub body: Bytes,
    /// Who asks.
    pub peer: SocketAddr,
    pub(crate) headers: HeaderMap,
}

impl Request {
    /// The first header of a name, whatever its case, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All headers that are text, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// The names and values of the query, decoded; what is no UTF-8 then is shown as such.
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(name), decoded(value))
        };
        self.query.iter().flat_map(|q| q.split('&')).filter(|part| !part.is_empty()).map(pair).collect()
    }

    /// Whether it carries this token as `Authorization: Bearer`. The time this takes tells nothing about the token but its length.
    pub fn bears(&self, token: &Secret) -> bool {
        let sent = self.header("authorization").and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        sent.is_some_and(|sent| bool::from(sent.as_bytes().ct_eq(token.reveal().as_bytes())))
    }
}

/// `+` is a space, `%41` an A; a `%` that begins nothing is itself.
fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&unquote_to_bytes(&text.replace('+', " "))).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &str, authorization: &str) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", authorization.parse().unwrap());
        Request {
            method: "GET".into(),
            path: "/".into(),
            query: Some(query.into()),
            body: Bytes::new(),
            peer: "127.0.0.1:1".parse().unwrap(),
            headers,
        }
    }

    #[test]
    fn a_query_is_decoded() {
        let pairs = request("a=salt%2Fjob%2F*&b+c=%zz%4&&d&e==%ff", "x").query_pairs();
        let expected = [("a", "salt/job/*"), ("b c", "%zz%4"), ("d", ""), ("e", "=\u{fffd}")];
        assert_eq!(pairs, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    #[test]
    fn a_token_must_be_all_of_it() {
        let token = Secret::new("abc".into());
        for (sent, good) in [
            ("Bearer abc", true),
            ("bearer  abc", true),
            ("Bearer ab", false),
            ("Basic abc", false),
            ("abc", false),
        ] {
            assert_eq!(request("", sent).bears(&token), good, "{sent}");
        }
    }
}
