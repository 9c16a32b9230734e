//! Which program plays a part: stock Salt of a version, or ours; and where it is on this machine.
//! A program that is not there is a failure with instructions, never a skipped test.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// The stock versions every case is proven against.
pub const STOCK: [&str; 3] = ["3006.28", "3007.15", "3008.3"];

/// Who plays a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Stock Salt of this version.
    Stock(&'static str),
    /// Brine.
    Ours,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Side::Stock(version) => f.write_str(version),
            Side::Ours => f.write_str("ours"),
        }
    }
}

impl Side {
    /// Reads `ours`, a full version, or a series such as `3006`.
    ///
    /// # Errors
    /// When the text names neither.
    pub fn parse(text: &str) -> Result<Side> {
        if text == "ours" {
            return Ok(Side::Ours);
        }
        STOCK
            .into_iter()
            .find(|v| *v == text || v.split('.').next() == Some(text))
            .map(Side::Stock)
            .ok_or_else(|| Failure(format!("no such side: {text:?}; say ours or one of {STOCK:?}")))
    }

    /// Reads a side from the environment variable `name`, `default` when it is not set.
    ///
    /// # Errors
    /// When the variable holds no side.
    pub fn from_env(name: &str, default: Side) -> Result<Side> {
        match env::var(name) {
            Ok(text) => Side::parse(&text),
            Err(_) => Ok(default),
        }
    }

    /// Whether this is Brine.
    pub fn is_ours(self) -> bool {
        self == Side::Ours
    }

    /// The series (3006, 3007, 3008) whose behaviour this side shows. Ours shows 3006's.
    pub fn series(self) -> u32 {
        match self {
            Side::Stock(version) => version.split('.').next().and_then(|s| s.parse().ok()).unwrap_or(3006),
            Side::Ours => 3006,
        }
    }

    /// The path of a program such as `salt-master`.
    ///
    /// # Errors
    /// When it is not installed or not built.
    pub fn program(self, name: &str) -> Result<PathBuf> {
        let (path, how) = match self {
            Side::Stock(version) => (
                stock_dir().join(version).join("bin").join(name),
                "install stock Salt with `cargo xtask setup`, or set BRINE_STOCK_DIR to a directory that has \
                     a virtualenv per version",
            ),
            Side::Ours => (
                env::var_os("BRINE_BIN_DIR").map_or_else(default_bin_dir, PathBuf::from).join(name),
                "build it with `cargo build --workspace`, or set BRINE_BIN_DIR",
            ),
        };
        if path.exists() { Ok(path) } else { Err(Failure(format!("{} is not there: {how}", path.display()))) }
    }
}

/// The directory with a virtualenv per stock version, and with what other people wrote on top of it.
pub fn stock_dir() -> PathBuf {
    env::var_os("BRINE_STOCK_DIR").map_or_else(default_stock_dir, PathBuf::from)
}

/// Where `cargo xtask setup` puts it.
fn default_stock_dir() -> PathBuf {
    if nix::unistd::geteuid().is_root() {
        return "/var/cache/brine/stock".into();
    }
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or("/".into())).join(".cache");
    cache.unwrap_or_else(home).join("brine/stock")
}

/// The profile directory the running test was built into.
fn default_bin_dir() -> PathBuf {
    let exe = env::current_exe().unwrap_or_default();
    exe.parent().and_then(Path::parent).map(Path::to_owned).unwrap_or_default()
}
