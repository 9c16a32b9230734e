//! JSON as Python's `json` module reads and writes it, with the module's error texts, over values of templates.
//!
//! Lone surrogates, which text cannot hold here, are read as U+FFFD.

mod dump;
mod load;

pub(crate) use dump::sort_pairs;
pub use dump::{Default, Options, dumps};
pub use load::{find_json, loads, loads_obj};
