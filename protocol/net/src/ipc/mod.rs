//! Salt's event bus between processes of one host: unix stream sockets, one to read events from and one to fire them.
//! Carries bodies (`tag`, two newlines, msgpack) without looking inside.
//!
//! A frame is NEW msgpack of `{"head": {}, "body": bin}`. Stock 3006.26 and later write its length before it, 3007 and
//! 3008 do not on the reading side: [`Framing`].

mod bus;
mod client;
mod frame;
mod read;

pub use bus::{EventBus, EventBusOptions, FiredEvent, FiredEvents};
pub use client::{EventPusher, EventSubscriber};
pub use frame::{FrameError, Framing, encode_frame, read_frame};
