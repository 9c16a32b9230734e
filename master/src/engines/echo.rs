//! The engine `test`: the data of each event in the log, as JSON, for whoever looks what comes by.

use brine_protocol::message::events::Event;

use crate::events::Tap;

/// The engine.
#[derive(Debug)]
pub(super) struct Echo;

impl Tap for Echo {
    fn put(&self, _tag: &str, body: &[u8]) {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        match Event::from_body(body).map(|event| brine_engines::json(&event.data)) {
            Ok(Ok(text)) => tracing::debug!("{text}"),
            Ok(Err(e)) => tracing::debug!("an event that is no JSON: {e}"),
            Err(_) => {}
        }
    }
}
