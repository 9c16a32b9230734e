//! Firing events on the master's bus, and passing on what other programs fire.

use std::sync::Arc;
use std::time::SystemTime;

use brine_net::NetError;
use brine_net::ipc::{EventBus, EventBusOptions, FiredEvents};
use brine_protocol::Map;
use brine_protocol::message::events::Event;

use crate::config::BusConfig;

/// The bus. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Events {
    bus: Arc<EventBus>,
}

impl Events {
    /// Opens both sockets.
    ///
    /// # Errors
    /// When a socket cannot be made.
    pub fn bind(config: &BusConfig) -> Result<(Self, FiredEvents), NetError> {
        let options = EventBusOptions {
            pub_mode: config.pub_mode,
            framing: config.framing,
            max_body: config.max_body,
            ..EventBusOptions::new(&config.pub_path, &config.pull_path)
        };
        let (bus, fired) = EventBus::bind(options)?;
        Ok((Self { bus: Arc::new(bus) }, fired))
    }

    /// Fires an event; `_stamp` is added. Costs next to nothing while nobody listens.
    pub fn fire(&self, tag: impl Into<String>, mut data: Map) {
        if self.bus.readers() == 0 {
            return;
        }
        data.insert("_stamp", stamp(SystemTime::now()));
        self.bus.publish(&Event::new(tag, data).to_body());
    }

    /// Passes on what programs of this host fire, until the bus is gone. Who may fire is decided by the socket's mode;
    /// bodies are passed on as they are, if they are events at all.
    pub async fn relay(self, mut fired: FiredEvents) {
        while let Some(event) = fired.recv().await {
            match brine_protocol::message::events::split(&event.body) {
                Ok(_) => self.bus.publish(&event.body),
                Err(e) => tracing::warn!("a program of uid {} fired no event: {e}", event.sender.uid()),
            }
        }
    }
}

/// `2026-11-25T13:33:41.123456`, UTC without a zone, as 3006 and 3007 write it.
pub fn stamp(now: SystemTime) -> String {
    let t = brine_core::jid::utc(now);
    let date =
        format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", t.year, t.month, t.day, t.hour, t.minute, t.second);
    // Python leaves the fraction out when it is zero.
    if t.micro == 0 { date } else { format!("{date}.{:06}", t.micro) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn stamps_are_pythons_isoformat() {
        let at = |micros| stamp(SystemTime::UNIX_EPOCH + Duration::from_micros(micros));
        assert_eq!(at(1_795_613_621_000_042), "2026-11-25T13:33:41.000042");
        assert_eq!(at(1_795_613_621_000_000), "2026-11-25T13:33:41");
    }
}
