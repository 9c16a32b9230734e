//! What the loads say: publishes, returns, events and their tags, as typed values over plain maps.
//!
//! Unknown keys are kept, since each Salt version adds some; known ones are validated where they are read.

pub mod events;
pub mod publish;
pub mod returns;
pub mod tags;
pub mod trim;

/// Why a decrypted load is not the message it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Not a map.
    #[error("not a map")]
    NotMap,
    /// A mandatory key is missing or of the wrong kind.
    #[error("{0} is missing or malformed")]
    Field(&'static str),
    /// A job id that may not become a tag or a file name.
    #[error("job id: {0}")]
    Jid(crate::ids::IdError),
}
