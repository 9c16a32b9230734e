//! Connections to masters: where they are, how they are signed in to, what is asked of them.

pub mod address;
pub mod link;
pub mod pillar;
pub mod settings;
