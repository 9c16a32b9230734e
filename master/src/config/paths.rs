//! Where the master keeps its things, by stock's rules.

use std::path::{Path, PathBuf};

use brine_core::Opts;

/// Directories and files.
#[derive(Clone, Debug)]
pub struct Paths {
    /// `pki_dir`
    pub pki_dir: PathBuf,
    /// `cachedir`
    pub cachedir: PathBuf,
    /// `sock_dir`, moved below `cachedir` where stock moves it.
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
    /// Reads the paths, each below `root_dir` unless it is there already.
    pub fn from_opts(opts: &Opts) -> Self {
        let root = opts.str("root_dir").to_owned();
        let path = |key: &str| below(&root, opts.str(key));
        let cachedir = path("cachedir");
        let mut sock_dir = path("sock_dir");
        // Stock's rule against socket paths that are too long for the system; its tools look in the same place.
        if text_len(&sock_dir) > text_len(&cachedir) + 10 {
            sock_dir = cachedir.join(".salt-unix");
        }
        let or = |key: &str, name: &str| match opts.str(key) {
            "" => cachedir.join(name),
            text => below(&root, text),
        };
        Self {
            pki_dir: path("pki_dir"),
            // Stock forces these two below the cache, whatever the file says.
            token_dir: cachedir.join("tokens"),
            syndic_dir: cachedir.join("syndics"),
            queue_dir: or("sqlite_queue_dir", "queues"),
            pidfile: path("pidfile"),
            verify_env: opts.get("verify_env").is_none_or(brine_protocol::Value::truthy),
            permissive: opts.flag("permissive_pki_access"),
            cachedir,
            sock_dir,
        }
    }

    /// A socket of the bus.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.sock_dir.join(name)
    }
}

fn text_len(path: &Path) -> usize {
    path.as_os_str().len()
}

/// As stock's `prepend_root_dir`: absolute paths move below `root_dir`, unless they are below it already.
fn below(root: &str, path: &str) -> PathBuf {
    let path = Path::new(path);
    if root.is_empty() || root == "/" || path.starts_with(root) {
        return path.to_owned();
    }
    Path::new(root).join(path.strip_prefix("/").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn sockets_move_when_their_path_is_much_longer_than_the_cache() {
        let paths = |cache: &str, sock: &str| {
            Paths::from_opts(&Opts::new(map! {"cachedir" => cache, "sock_dir" => sock, "pidfile" => "/p"}))
        };
        assert_eq!(paths("/a/cache", "/a/cache/123456789").sock_dir, Path::new("/a/cache/123456789"));
        assert_eq!(paths("/a/cache", "/a/cache/1234567890").sock_dir, Path::new("/a/cache/.salt-unix"));
    }

    #[test]
    fn root_dir_is_put_before_once() {
        assert_eq!(below("/r", "/etc/salt"), Path::new("/r/etc/salt"));
        assert_eq!(below("/r", "/r/etc/salt"), Path::new("/r/etc/salt"));
        assert_eq!(below("/", "/etc"), Path::new("/etc"));
        assert_eq!(below("/r", "etc"), Path::new("/r/etc"));
    }
}
