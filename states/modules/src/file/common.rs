//! What many functions of `file` begin with.

use brine_core::state::Outcome;

/// Failed, with this for a reason.
pub(super) fn error(name: &str, text: impl Into<String>) -> Outcome {
    Outcome::failed(name, text.into())
}
