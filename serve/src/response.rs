//! An answer, as handlers make it.

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};

use crate::body::{Body, Feed};

/// An answer: a status, headers, and a body that is there or comes.
#[derive(Debug)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: Body,
}

impl Response {
    /// An empty answer. A number that is no status is 500.
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: HeaderMap::new(), body: Body::Whole(Bytes::new()) }
    }

    /// A body of a kind (`Content-Type`).
    pub fn new(status: u16, kind: &str, body: impl Into<Bytes>) -> Self {
        let mut answer = Self::status(status).with("content-type", kind);
        answer.body = Body::Whole(body.into());
        answer
    }

    /// A line of text.
    pub fn text(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", format!("{text}\n"))
    }

    /// An answer that goes on, and what it is fed with. It ends when the feed is dropped; `room` is how many pieces may wait.
    pub fn feed(status: u16, kind: &str, room: usize) -> (Self, Feed) {
        let (feed, body) = Feed::new(room);
        let mut answer = Self::status(status).with("content-type", kind);
        answer.body = body;
        (answer, feed)
    }

    /// With one more header. What is no header is left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            self.headers.append(name, value);
        }
        self
    }

    pub(crate) fn parts(self) -> (StatusCode, HeaderMap, Body) {
        (self.status, self.headers, self.body)
    }
}
