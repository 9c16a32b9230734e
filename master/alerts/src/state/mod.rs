//! What is kept of alerts: which there are, what was seen, how often each came; in memory and in a journal that outlives the master.

mod alert;
mod counts;
mod journal;
mod kinds;
mod read;
mod seen;
mod table;

pub use alert::{Alert, Why};
pub use counts::{Count, Counts};
pub use journal::Journal;
pub use kinds::Kinds;
pub(crate) use read::seen_line;
pub use read::{Hushed, Kept, read};
pub use seen::Seen;
pub use table::{Table, Taken};
