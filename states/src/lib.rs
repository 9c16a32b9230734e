//! States. So far: which there are, compiled to low data ([`Highstate`]); nothing is run yet.
//!
//! Names are stock's: *low* data is what is run, *high* data what SLS files say, the *highstate* what top files give a minion.

mod decls;
mod high;
mod highstate;
mod include;
mod low;
mod matches;
mod merge;
mod names;
mod settings;
mod sls;
mod tops;
mod verify;

pub use highstate::{Compiled, Highstate, Top};
pub use settings::settings;
