//! Pillar: the top files, the SLS files they name for a minion and what those include, merged to the minion's data.
//!
//! Where the files come from is the caller's choice ([`Files`](brine_core::files::Files)); rendering them is
//! `brine_render::renderer`'s. What goes wrong with single files stands in the data, under `_errors`, as in stock; only what stock
//! itself does not catch is an error of [`compile`].

mod cache;
mod compile;
mod decrypt;
pub mod ext;
mod include;
mod serve;
mod settle;
mod share;
mod sls;
mod top;

pub use cache::PillarCache;
pub use compile::{compile, compile_sharing};
pub use ext::palletjack as inventory;
pub use serve::{Ask, Pillars};
pub use settle::{Settled, Wish};
pub use share::Shared;
