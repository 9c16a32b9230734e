//! What a master keeps on disk: minions' keys, jobs and their returns, minions' data; in stock's layout where stock's
//! tools look, in an embedded database where they do not.
//!
//! Read and written by the master daemon, and by `salt-run` beside it. Decides nothing about who may do what.
//!
//! - [`keys`]: the directory a minion's key lies in *is* its state. Other programs (`salt-key` of any version) move the
//!   files at any time, so nothing of them is remembered between two requests.
//! - [`jobs`]: the database, the files for stock's tools, and who may answer a job.
//! - [`minion_data`]: grains, pillar and mine; [`mine`]: who may read the mine.
//! - [`seal`]: pillar is kept encrypted.
//! - [`tokens`]: what stands for a login of external authentication.
//! - [`fs`]: files, reached so that nothing from the wire can name one elsewhere.

pub mod fs;
pub mod jobs;
pub mod keys;
pub mod mine;
pub mod minion_data;
pub mod seal;
pub mod tokens;

pub use jobs::{Jobs, JobsConfig};
pub use keys::{KeyState, KeyStore};
pub use minion_data::{DataConfig, MinionData};
pub use seal::Seal;
pub use tokens::Tokens;
