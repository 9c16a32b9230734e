//! An event of the bus, as rules look at it.

use std::time::SystemTime;

use brine_protocol::Map;
use brine_protocol::message::events::Event as Raw;

/// An event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its tag.
    pub tag: String,
    /// Its data.
    pub data: Map,
    /// When it was taken.
    pub at: SystemTime,
}

impl Event {
    /// Of an event's bytes on the bus; none of what is no event.
    pub fn of(body: &[u8], at: SystemTime) -> Option<Self> {
        let Raw { tag, data } = Raw::from_body(body).ok()?;
        Some(Self { tag, data, at })
    }

    /// The minion that it is about: as the tag says, which only that minion and the master can fire, or else its `id`.
    pub fn minion(&self) -> Option<&str> {
        let mut parts = self.tag.split('/');
        let named = match (parts.next(), parts.next()) {
            (Some("salt"), Some("job")) => match (parts.next(), parts.next()) {
                (Some(_), Some("ret" | "prog" | "start" | "sub")) => parts.next(),
                _ => None,
            },
            (Some("salt"), Some("minion" | "beacon")) => parts.next(),
            _ => None,
        };
        named.or_else(|| self.data.get_str("id")).filter(|id| !id.is_empty())
    }

    /// What makes it the same event when it comes again: of a return, job and minion.
    pub fn identity(&self) -> Option<String> {
        let mut parts = self.tag.split('/');
        match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("salt"), Some("job"), Some(jid), Some("ret"), Some(id)) => Some(format!("{jid}/{id}")),
            _ => self.data.get_str("event_id").map(|id| format!("{}#{id}", self.tag)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn an_event_is_about_the_minion_of_its_tag() {
        for (tag, minion) in [
            ("salt/job/20261126000000000000/ret/m1", Some("m1")),
            ("salt/job/20261126000000000000/new", Some("liar")),
            ("salt/minion/m1/start", Some("m1")),
            ("salt/beacon/m1/load/", Some("m1")),
            ("salt/auth", Some("liar")),
        ] {
            let event = Event { tag: tag.into(), data: map! {"id" => "liar"}, at: SystemTime::UNIX_EPOCH };
            assert_eq!(event.minion(), minion, "{tag}");
        }
    }
}
