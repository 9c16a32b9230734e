//! Where the master keeps its things. Stock's rules for these paths (`root_dir`, sockets that would have too long a path,
//! directories forced below `cachedir`) have been applied when the file was read, by `brine_render::config`.

use std::path::PathBuf;

use brine_core::Opts;
use brine_protocol::Value;

/// Directories and files.
#[derive(Clone, Debug)]
pub struct Paths {
    /// `pki_dir`
    pub pki_dir: PathBuf,
    /// `cachedir`
    pub cachedir: PathBuf,
    /// `sock_dir`
    pub sock_dir: PathBuf,
    /// `token_dir`
    pub token_dir: PathBuf,
    /// `syndic_dir`
    pub syndic_dir: PathBuf,
    /// `sqlite_queue_dir`
    pub queue_dir: PathBuf,
    /// `pidfile`
    pub pidfile: PathBuf,
    /// Whether directories are made and owners set at start (`verify_env`).
    pub verify_env: bool,
    /// Whether `pki_dir` may belong to any group of the master's user (`permissive_pki_access`).
    pub permissive: bool,
}

impl Paths {
    pub(super) fn from_opts(opts: &Opts) -> Self {
        let cachedir = opts.path("cachedir");
        let or = |key: &str, name: &str| match opts.str(key) {
            "" => cachedir.join(name),
            text => PathBuf::from(text),
        };
        Self {
            pki_dir: opts.path("pki_dir"),
            sock_dir: opts.path("sock_dir"),
            token_dir: or("token_dir", "tokens"),
            syndic_dir: or("syndic_dir", "syndics"),
            queue_dir: or("sqlite_queue_dir", "queues"),
            pidfile: opts.path("pidfile"),
            verify_env: opts.get("verify_env").is_none_or(Value::truthy),
            permissive: opts.flag("permissive_pki_access"),
            cachedir,
        }
    }

    /// A socket of the bus.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.sock_dir.join(name)
    }
}
