//! `_minion_event`: what a minion fires on the master's bus. Which tags it may fire is decided in
//! `brine_protocol::message::events`; its proved id is stamped into every event.

use brine_protocol::ids::MinionId;
use brine_protocol::message::events::minion_events;
use brine_protocol::request::Authenticated;
use brine_protocol::{Map, Value};

use crate::master::Master;

pub(super) fn fire(master: &Master, id: &Authenticated<MinionId>, load: &Map) -> Value {
    match minion_events(load, id) {
        Ok(events) => {
            for tag in events.refused {
                tracing::warn!("Filtering reserved event tag {tag:?} fired by {}", id.as_str());
            }
            for event in events.events {
                if event.tag == "_salt_error" {
                    let message = event.data.get("data").and_then(|d| d.get("message")).cloned();
                    tracing::error!(
                        "Received minion error from [{}]: {}",
                        id.as_str(),
                        message.as_ref().map(brine_core::text::python_str).unwrap_or_default()
                    );
                }
                master.events.fire(event.tag, event.data);
            }
        }
        Err(e) => tracing::warn!("{} fired no event: {e}", id.as_str()),
    }
    Value::Nil
}
