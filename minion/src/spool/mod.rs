//! Returns on their way to the master, kept on disk until the master has them.
//!
//! A return is written here before it is sent, and removed when the master's reply to it has been read. What dies in
//! between is sent again at the next start, which the master's job cache tolerates (a second return of a minion for
//! one jid is ignored). Not here: sending, which is the deliverer's work, and the order of attempts.
//!
//! # On disk
//! `cachedir/spool/<20 digits>.ret`, one file per return, mode 0600: a format byte, a nonce, and the return in
//! AES-256-GCM under `pki_dir/minion_spool.key` (mode 0600), bound to its number. No name on disk comes from the wire.
//!
//! # What survives what
//! A file is written whole under another name and then renamed, so `kill -9` at any point leaves either a whole return
//! or none. [`Spool::sync`] makes a return survive a loss of power too; the deliverer calls it for what the master did
//! not take within a fraction of a second, so that the usual return costs no disk flush.
//!
//! # When it is full
//! Above `spool_max_size` bytes the *oldest* returns are dropped, one error logged for each: what a master asks after
//! an outage is what happened last. A return that alone exceeds the cap is not spooled, only sent.

mod seal;
mod store;

pub use seal::SealError;
pub use store::{Item, Seq, Spool, SpoolError};
