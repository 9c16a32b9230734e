//! What both programs do before their work: options from files and command line, directories, user, pid file.

pub mod config;
pub mod directories;
pub mod log;
pub mod notify;
pub mod options;
pub mod pidfile;

/// The Salt version this minion says it is, to peers and scripts that compare versions.
pub const COMPATIBLE_VERSION: &str = "3006.28";

/// Its code name.
pub const CODE_NAME: &str = "Sulfur";

/// What follows the program's name in `--version`.
pub fn version_text() -> String {
    format!("{COMPATIBLE_VERSION} ({CODE_NAME})")
}
