//! What one subscriber asked for. Prefixes with a count each, as ZeroMQ has it: two SUBSCRIBE need two CANCEL.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::ZmtpError;

/// Distinct topics one peer may have. A stock minion has one or two.
const MAX_TOPICS: usize = 256;
/// Longest topic in bytes. Stock uses 40 at most.
const MAX_TOPIC: usize = 1024;

/// The topics of one peer.
#[derive(Debug, Default, Clone)]
pub struct Subscriptions {
    topics: BTreeMap<Bytes, u32>,
}

impl Subscriptions {
    /// Adds a topic, or raises its count.
    ///
    /// # Errors
    /// [`ZmtpError::TooManySubscriptions`].
    pub fn subscribe(&mut self, topic: Bytes) -> Result<(), ZmtpError> {
        if let Some(count) = self.topics.get_mut(&topic) {
            *count = count.saturating_add(1);
            return Ok(());
        }
        if topic.len() > MAX_TOPIC || self.topics.len() >= MAX_TOPICS {
            return Err(ZmtpError::TooManySubscriptions);
        }
        self.topics.insert(topic, 1);
        Ok(())
    }

    /// Lowers the count of a topic and forgets it at zero. An unknown topic is ignored.
    pub fn cancel(&mut self, topic: &[u8]) {
        if let Some(count) = self.topics.get_mut(topic) {
            *count -= 1;
            if *count == 0 {
                self.topics.remove(topic);
            }
        }
    }

    /// Whether a message with this first frame is wanted.
    #[must_use]
    pub fn matches(&self, first_frame: &[u8]) -> bool {
        self.topics.keys().any(|topic| first_frame.starts_with(topic))
    }
}
