//! What programs do that send jobs to minions and wait for what comes back: the waiting as a state machine ([`gather`]),
//! fed with events ([`job`]), and the answer of a minion as data ([`part`]).

pub(crate) mod job;
pub(crate) mod part;
pub(crate) mod present;

pub(crate) use job::{Job, Patience};
pub(crate) use part::Part;
