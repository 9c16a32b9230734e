//! States: which there are, compiled to low data ([`Highstate`]), and low data run ([`Runner`]).
//!
//! Names are stock's: *low* data is what is run, *high* data what SLS files say, the *highstate* what top files give a minion.

mod decls;
pub mod graph;
mod graph_order;
mod high;
mod highstate;
mod include;
mod low;
mod matches;
mod merge;
mod names;
mod place;
mod reaction;
mod ready;
mod run;
mod semantics;
mod settings;
mod sls;
mod tops;
mod verify;

pub use graph_order::in_order;
pub use highstate::{Compiled, Highstate, Sources, Top};
pub use place::Place;
pub use reaction::Reactions;
pub use ready::{High, Matches};
pub use run::Runner;
pub use semantics::Semantics;
pub use settings::settings;
