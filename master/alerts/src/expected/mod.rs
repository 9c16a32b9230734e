//! What a job is expected to disturb, so that nobody is told of it: the pure part.
//!
//! [`Words`] are what whoever starts a job says of it beside its arguments; [`Demand`] is what has to be asked of the minions
//! before; [`Disturbed`] is what their answers come to; [`plan`](plan()) makes silences of that. Who asks, waits and lifts is the master.

mod conf;
mod demand;
mod disturbed;
mod plan;
mod words;

pub use conf::{Conf, Unknown};
pub use demand::Demand;
pub use disturbed::Disturbed;
pub use plan::{Plan, plan};
pub use words::{Say, Words};
