//! Bodies of answers: whole ones, and those that go on.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};

/// What is left to send.
#[derive(Debug)]
pub(crate) enum Body {
    Whole(Bytes),
    Comes(mpsc::Receiver<Bytes>),
}

/// The writing end of an answer that goes on. Dropping it ends the answer.
#[derive(Debug)]
pub struct Feed(mpsc::Sender<Bytes>);

/// What became of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fed {
    /// It is on its way.
    Taken,
    /// The peer is slow: too many pieces wait, and this one is lost.
    Full,
    /// Nobody is there any more.
    Gone,
}

impl Feed {
    pub(crate) fn new(room: usize) -> (Self, Body) {
        let (tx, rx) = mpsc::channel(room.max(1));
        (Self(tx), Body::Comes(rx))
    }

    /// Hands a piece over, without waiting.
    pub fn put(&self, piece: Bytes) -> Fed {
        match self.0.try_send(piece) {
            Ok(()) => Fed::Taken,
            Err(mpsc::error::TrySendError::Full(_)) => Fed::Full,
            Err(mpsc::error::TrySendError::Closed(_)) => Fed::Gone,
        }
    }

    /// Whether nobody is there any more.
    pub fn is_gone(&self) -> bool {
        self.0.is_closed()
    }
}

/// A body as it goes out.
pub(crate) struct Outgoing {
    body: Body,
    beat: Option<(Duration, &'static [u8])>,
    timer: Pin<Box<Sleep>>,
}

impl Outgoing {
    pub(crate) fn new(body: Body, beat: Option<(Duration, &'static [u8])>) -> Self {
        let first = beat.map_or(Duration::ZERO, |(every, _)| every);
        Self { body, beat, timer: Box::pin(tokio::time::sleep(first)) }
    }
}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        let piece = match &mut this.body {
            Body::Whole(bytes) if bytes.is_empty() => None,
            Body::Whole(bytes) => Some(std::mem::take(bytes)),
            Body::Comes(rx) => match (rx.poll_recv(cx), this.beat) {
                (Poll::Ready(piece), _) => piece,
                (Poll::Pending, Some((every, beat))) => {
                    std::task::ready!(this.timer.as_mut().poll(cx));
                    this.timer.as_mut().reset(Instant::now() + every);
                    Some(Bytes::from_static(beat))
                }
                (Poll::Pending, None) => return Poll::Pending,
            },
        };
        if let Some((every, _)) = this.beat {
            this.timer.as_mut().reset(Instant::now() + every);
        }
        Poll::Ready(piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.body, Body::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Body::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Body::Comes(_) => SizeHint::default(),
        }
    }
}
