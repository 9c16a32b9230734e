//! What programs do that send jobs to minions and wait for what comes back: the answer of a minion as data ([`part`]),
//! and who has a connection ([`present`]). The waiting itself is `brine_client`'s.

pub(crate) mod part;
pub(crate) mod present;

pub(crate) use part::Part;
