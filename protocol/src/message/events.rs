//! Events: their bytes on the local bus, and what a minion's `_minion_event` becomes.
//!
//! The 4-byte length that some versions put before a frame belongs to the socket, not here.

use super::{MessageError, tags, trim};
use crate::ids::MinionId;
use crate::msgpack::{self, DecodeError, Dialect};
use crate::request::Authenticated;
use crate::value::{Map, Value};

/// Between tag and data.
const SEPARATOR: &[u8] = b"\n\n";

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The tag.
    pub tag: String,
    /// The data.
    pub data: Map,
}

/// Why bytes are not an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not msgpack.
    #[error("{0}")]
    Decode(#[from] DecodeError),
    /// The frame has no `body` of bytes.
    #[error("frame without body")]
    Frame,
    /// No separator, or a tag that is not UTF-8.
    #[error("body without tag")]
    Tag,
    /// The data is not a map.
    #[error("data is not a map")]
    Data,
}

impl Event {
    /// An event.
    pub fn new(tag: impl Into<String>, data: Map) -> Self {
        Self { tag: tag.into(), data }
    }

    /// `tag`, two line feeds, data in the new dialect.
    pub fn to_body(&self) -> Vec<u8> {
        self.body_with(&msgpack::encode_map(&self.data, Dialect::New))
    }

    /// As [`Self::to_body`], with the data cut down to `max_event_size`. Costs no more than that while it is smaller.
    pub fn to_trimmed_body(mut self, max_event_size: usize) -> Vec<u8> {
        let encoded = msgpack::encode_map(&self.data, Dialect::New);
        match trim::trim(&mut self.data, encoded.len(), max_event_size) {
            Some(shorter) => self.body_with(&shorter),
            None => self.body_with(&encoded),
        }
    }

    fn body_with(&self, encoded: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.tag.len() + SEPARATOR.len() + encoded.len());
        out.extend_from_slice(self.tag.as_bytes());
        out.extend_from_slice(SEPARATOR);
        out.extend_from_slice(encoded);
        out
    }

    /// Splits at the first separator and decodes the data.
    pub fn from_body(body: &[u8]) -> Result<Self, EventError> {
        let (tag, data) = split(body)?;
        match msgpack::decode(data)? {
            Value::Map(data) => Ok(Self { tag: tag.to_owned(), data }),
            _ => Err(EventError::Data),
        }
    }

    /// The whole frame as it goes over a bus socket: `{"head": {}, "body": body}`.
    pub fn to_frame(&self) -> Vec<u8> {
        frame(&self.to_body())
    }

    /// Reads a whole frame.
    pub fn from_frame(bytes: &[u8]) -> Result<Self, EventError> {
        let frame = msgpack::decode(bytes)?;
        let body = frame.get("body").and_then(Value::as_bytes).ok_or(EventError::Frame)?;
        Self::from_body(body)
    }
}

/// Tag and undecoded data of an event body, for passing on by tag alone.
pub fn split(body: &[u8]) -> Result<(&str, &[u8]), EventError> {
    let at = body.windows(SEPARATOR.len()).position(|w| w == SEPARATOR).ok_or(EventError::Tag)?;
    let tag = std::str::from_utf8(&body[..at]).map_err(|_| EventError::Tag)?;
    Ok((tag, &body[at + SEPARATOR.len()..]))
}

/// Wraps an event body in its frame.
pub fn frame(body: &[u8]) -> Vec<u8> {
    let frame = crate::map! {"head" => Map::new(), "body" => body};
    msgpack::encode_map(&frame, Dialect::New)
}

/// What `_minion_event` asks to fire: the events that pass, stamped with the proved id, and the tags that do not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MinionEvents {
    /// To be fired, in order.
    pub events: Vec<Event>,
    /// Tags refused: reserved and not this minion's, or without a map as data.
    pub refused: Vec<String>,
}

/// Takes a `_minion_event` load apart.
///
/// The single form fires the whole load; the list form fires each entry's `data` (or the entry itself), and with
/// `pretag` a second time under `pretag/tag`.
pub fn minion_events(load: &Map, minion: &Authenticated<MinionId>) -> Result<MinionEvents, MessageError> {
    let mut out = MinionEvents::default();
    match load.get("events") {
        Some(Value::List(events)) => {
            let pretag = load.get_str("pretag").filter(|p| !p.is_empty());
            for entry in events {
                let entry = entry.as_map().ok_or(MessageError::Field("events"))?;
                let tag = entry.get_str("tag").ok_or(MessageError::Field("tag"))?;
                let data = match entry.get("data") {
                    None => entry.clone(),
                    Some(Value::Map(data)) => data.clone(),
                    // Events hold maps; stock fails on this, after those before it.
                    Some(_) => {
                        out.refused.push(tag.to_owned());
                        continue;
                    }
                };
                if let Some(pretag) = pretag {
                    out.add(format!("{pretag}/{tag}"), data.clone(), minion);
                }
                out.add(tag.to_owned(), data, minion);
            }
        }
        Some(_) => return Err(MessageError::Field("events")),
        None => {
            let tag = load.get_str("tag").ok_or(MessageError::Field("tag"))?;
            out.add(tag.to_owned(), load.clone(), minion);
        }
    }
    Ok(out)
}

impl MinionEvents {
    fn add(&mut self, tag: String, mut data: Map, minion: &MinionId) {
        if tags::minion_may_fire(&tag, minion) {
            data.insert("id", minion);
            self.events.push(Event { tag, data });
        } else {
            self.refused.push(tag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    fn m1() -> Authenticated<MinionId> {
        Authenticated::new(MinionId::parse("m1").unwrap())
    }

    #[test]
    fn bodies_split_at_the_first_separator() {
        let event = Event::new("a/b", map! {"x" => "y\n\nz"});
        assert_eq!(Event::from_body(&event.to_body()), Ok(event.clone()));
        assert_eq!(Event::from_frame(&event.to_frame()), Ok(event));
        assert_eq!(Event::from_body(b"tag only"), Err(EventError::Tag));
        assert_eq!(Event::from_body(b"\xff\n\n\x80"), Err(EventError::Tag));
        assert_eq!(Event::from_body(b"t\n\n\x01"), Err(EventError::Data));
        assert_eq!(Event::from_frame(b"\x80"), Err(EventError::Frame));
        assert_eq!(
            Event::to_frame(&Event::new("t", Map::new())),
            b"\x82\xa4head\x80\xa4body\xc4\x04t\n\n\x80"
        );
    }

    #[test]
    fn both_forms_carry_the_proved_id() {
        let single =
            map! {"id" => "m2", "cmd" => "_minion_event", "tag" => "my/tag", "data" => map!{"k" => 1}};
        let got = minion_events(&single, &m1()).unwrap();
        assert_eq!(got.events[0].data.get_str("id"), Some("m1"));
        assert_eq!(got.events[0].data.get_str("cmd"), Some("_minion_event"));
        let list = map! {"pretag" => "syndic/m2", "events" => Value::List(vec![
            map!{"tag" => "x", "data" => map!{"id" => "m2"}}.into(),
            map!{"tag" => "salt/auth"}.into(),
        ])};
        let got = minion_events(&list, &m1()).unwrap();
        assert_eq!(got.events, [Event::new("x", map! {"id" => "m1"})]);
        assert_eq!(got.refused, ["syndic/m2/x", "syndic/m2/salt/auth", "salt/auth"]);
    }

    #[test]
    fn cve_2025_22236_a_minion_cannot_order_jobs_through_the_bus() {
        for tag in
            ["salt/job/20260101000000000000/publish", "salt/job/20260101000000000000/new", "salt/run/1/new"]
        {
            let load = map! {"tag" => tag, "data" => map!{"fun" => "cmd.run"}};
            let got = minion_events(&load, &m1()).unwrap();
            assert!(got.events.is_empty() && got.refused == [tag]);
            let load = map! {"events" => Value::List(vec![map!{"tag" => tag, "data" => Map::new()}.into()])};
            assert!(minion_events(&load, &m1()).unwrap().events.is_empty());
        }
    }
}
