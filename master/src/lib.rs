//! The master daemon: takes requests from minions and from command lines, sends jobs out, keeps what comes back.
//!
//! One process, one tokio runtime; the database and RSA work have threads aside, small files are written where they are
//! needed. It listens on two ports and on the event bus's two unix sockets. By itself it wakes up each `loop_interval`,
//! and for the heartbeats of its connections.
//!
//! # A job's way
//! 1. `salt` sends a clear `publish` to port 4506: [`requests`] takes it apart, [`access`] says whose key, password or
//!    token came with it and what that user may do, and the target is resolved against accepted keys and cached grains
//!    ([`minion_data`]).
//! 2. [`jobs`] writes the files `salt` looks for and queues the job for the database; [`events`] announces it;
//!    [`publish`] encrypts, numbers, signs and sends it to all subscribers of port 4505.
//! 3. A minion answers with an encrypted `_return`. The request is proved (`brine_protocol::request`) before any handler
//!    sees it, and handlers get the proved id as a type of its own. The return is fired on the bus at once and
//!    acknowledged when the database has committed it: on that word the minion deletes its own copy.
//!
//! # Where things are
//! | part | does |
//! |---|---|
//! | [`program`], [`cli`], [`start`], [`daemon`] | from `main` to serving and back, in an order that needs root first |
//! | [`config`] | stock's options, cut into one typed config per part; nobody else reads the option map |
//! | [`master`] | what the parts share |
//! | [`keys`], [`sessions`], [`records`], [`nonces`] | key files in stock's layout, session keys, what is known of either |
//! | [`requests`], [`access`], [`gate`] | who asks for what, who may, and how much of it at once |
//! | [`eauth`] | passwords, tokens and groups of `external_auth` |
//! | [`jobs`], [`minion_data`] | what is kept |
//! | [`publish`], [`events`], [`presence`] | what goes out, and who is there |
//! | [`alerts`] | what of it matters to people |
//! | [`upkeep`], [`schedule`] | what happens by the clock |
//! | `engines` | what runs beside: the reactor, and doors for events |
//! | [`fs`] | files, reached so that nothing from the wire can name one elsewhere |
//!
//! # What holds everywhere
//! - No text from the wire becomes a path: names are validated types (`MinionId`, `Jid`), directories of jobs are named
//!   by hashes, and [`fs::Dir`] takes single components and follows no links.
//! - Whether a key is accepted is read from disk at each request; nothing remembers it.
//! - A minion's id in a load is replaced by the one it proved. A user's name counts as far as his key, password or token
//!   bears it out.
//! - What is acknowledged is on disk.
//! - Whatever strangers can ask for is bounded: bytes by the network layer, RSA work and key files by [`gate`].
//! - A return costs no time in proportion to the fleet, unless its job has to be read from the database again; a job
//!   does, since its target has to be resolved.

pub mod access;
pub mod alerts;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod eauth;
mod engines;
pub mod events;
mod expected;
pub mod gate;
mod inventory;
pub mod keys;
pub mod known;
pub mod master;
pub mod metrics;
pub mod nonces;
mod pillar_pool;
mod preflight;
pub mod presence;
pub mod program;
pub mod publish;
pub mod records;
pub mod requests;
pub mod returners;
mod runs;
pub mod schedule;
pub mod sessions;
mod side;
pub mod start;
pub mod updates;
pub mod upkeep;

pub use brine_store::{fs, jobs, minion_data};
