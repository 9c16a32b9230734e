//! Sends jobs to minions: encrypted under the global key, numbered, signed. Decides nothing about who may ask.

use std::sync::Arc;

use brine_net::{PubServer, PublishServer};
use brine_protocol::Map;
use brine_protocol::auth::master::MasterCredentials;
use brine_protocol::crypt::{AesKey, CryptError};
use brine_protocol::ids::{MinionId, TOPIC_BROADCAST, topic};
use brine_protocol::message::publish;
use brine_protocol::msgpack::{Dialect, encode_map};
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use crate::config::PublishConfig;

/// The sender.
#[derive(Debug)]
pub struct Publisher {
    port: Arc<PubServer>,
    config: PublishConfig,
    /// The number of the last job under the present key. Held while a job is wrapped and sent, so that numbers rise on
    /// the wire as well: a minion drops what comes out of order.
    serial: Mutex<u64>,
}

impl Publisher {
    /// A sender over a port.
    pub fn new(port: Arc<PubServer>, config: PublishConfig) -> Self {
        Self { port, config, serial: Mutex::new(0) }
    }

    /// Sends a job. `minions` are those expected, for topics.
    ///
    /// # Errors
    /// When encryption or signing fails; nothing was sent then.
    pub fn send(
        &self,
        credentials: &RwLock<MasterCredentials>,
        load: &Map,
        minions: &[String],
    ) -> Result<(), CryptError> {
        let mut serial = self.serial.lock();
        let credentials = credentials.read();
        let sign = self.config.sign.map(|algo| (credentials.key(), algo));
        let message = publish::wrap(load, credentials.aes(), *serial + 1, sign)?;
        *serial += 1;
        let payload = Bytes::from(encode_map(&message, Dialect::Old));
        if !self.config.filtering {
            self.port.publish(vec![payload]);
        } else if matches!(load.get_str("tgt_type"), None | Some("glob" | "pcre" | "list")) {
            for id in minions.iter().filter_map(|id| MinionId::parse(id).ok()) {
                self.port.publish(vec![Bytes::from(topic(&id)), payload.clone()]);
            }
        } else {
            self.port.publish(vec![Bytes::from_static(TOPIC_BROADCAST.as_bytes()), payload]);
        }
        Ok(())
    }

    /// Changes to a new global key; numbers begin anew.
    ///
    /// # Errors
    /// When there is no randomness; the old key stays then.
    pub fn rotate(&self, credentials: &RwLock<MasterCredentials>) -> Result<(), CryptError> {
        let key = AesKey::generate()?;
        let mut serial = self.serial.lock();
        credentials.write().rotate(key)?;
        *serial = 0;
        Ok(())
    }
}
