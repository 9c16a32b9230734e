//! The exec attribute: a plain typed function becomes an entry of the call registry.
