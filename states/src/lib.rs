//! States. So far: top files, found, merged and matched ([`Highstate`]).
//!
//! Names are stock's: *low* data is what is run, *high* data what SLS files say, the *highstate* what top files give a minion.

mod highstate;
mod include;
mod matches;
mod merge;
mod settings;
mod tops;
mod verify;

pub use highstate::{Highstate, Top};
pub use settings::settings;
