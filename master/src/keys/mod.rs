//! Keys on disk, in stock's layout: the master's own, those of minions in their states, and the local users'.
//!
//! The directory a minion's key lies in *is* its state. Other programs (`salt-key` of any version) move the files at any
//! time, so nothing here is remembered between two requests.

mod autosign;
mod mark;
mod master_key;
mod user_keys;

pub use autosign::{AutoKey, AutoKeyConfig};
pub use brine_store::keys::{KeyState, KeyStore};
pub use mark::KeyMark;
pub use master_key::{MasterKeyConfig, MasterKeyError, load_credentials};
pub use user_keys::{UserKeys, UserKeysConfig};
