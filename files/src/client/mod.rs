//! The client of the file server: asks it, and keeps copies of its files below `cachedir`.

mod channel;

pub use channel::Channel;
