//! The operators' commands: `salt`, `salt-key`, `salt-run`, `salt-cp` and `pj`. Each program is one folder here and a thin main in `bin`;
//! `client` is what programs do that send jobs and wait for their returns.

mod auth;
mod client;
pub mod cp;
pub mod exit;
mod fleet;
mod interrupt;
pub mod key;
pub mod options;
mod output;
pub mod pj;
pub mod run;
pub mod salt;
mod startup;
