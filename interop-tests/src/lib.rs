//! Black-box runs of stock Salt's and Brine's programs against each other.
//!
//! This crate only starts programs and looks at what a user, a network peer or another
//! program can see: output, exit codes, files, sockets. It never calls a library of ours,
//! so a test here cannot pass because two halves share a mistake.
//!
//! It is not a unit test suite and measures no performance.

pub mod beat;
pub mod bus;
pub mod cases;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod failure;
pub mod fleet;
pub mod netns;
pub mod ports;
pub mod roots;
pub mod script;
pub mod side;
pub mod small;
pub mod table;
pub mod terminal;
pub mod tunnel;
pub mod user;
pub mod wait;

pub use cli::Ran;
pub use failure::{Failure, Result};
pub use fleet::Fleet;
pub use side::Side;
