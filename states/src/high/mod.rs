//! High data: what all SLS files say together, merged, extended, cleaned of what is excluded, and checked.

mod exclude;
mod extend;
mod find;
pub(crate) mod merge;
mod requisite_in;
mod verify;

pub(crate) use exclude::apply as apply_exclude;
pub(crate) use extend::reconcile;
pub(crate) use requisite_in::requisite_in;
pub(crate) use verify::{verify, verify_reactions};
