//! A secret that the configuration names and does not hold.

use std::fmt;
use std::path::PathBuf;

use brine_core::Secret;

/// The largest file that is a secret.
const MOST: u64 = 64 << 10;

/// Where a secret is. A file is read at each use, so that a new one counts without a restart.
#[derive(Clone)]
pub enum Hidden {
    /// In a file, without the line's end.
    File(PathBuf),
    /// What the environment held at the start.
    Held(Secret),
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "Hidden({})", path.display()),
            Self::Held(_) => f.write_str("Hidden"),
        }
    }
}

impl Hidden {
    pub(super) fn in_file(path: PathBuf) -> Result<Self, String> {
        use std::os::unix::fs::PermissionsExt;
        let hidden = Self::File(path.clone());
        hidden.get()?;
        if std::fs::metadata(&path).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0) {
            tracing::warn!("{}: a secret that everybody on this host can read", path.display());
        }
        Ok(hidden)
    }

    pub(super) fn in_env(name: &str) -> Result<Self, String> {
        match std::env::var(name) {
            Ok(text) if !text.is_empty() => Ok(Self::Held(Secret::new(text))),
            _ => Err(format!("there is no {name} in the environment")),
        }
    }

    /// The secret.
    ///
    /// # Errors
    /// A file that cannot be read, is empty, or no line of text; in words.
    pub fn get(&self) -> Result<Secret, String> {
        let path = match self {
            Self::Held(secret) => return Ok(secret.clone()),
            Self::File(path) => path,
        };
        let failed = |why: String| format!("{}: {why}", path.display());
        let read = || {
            use std::io::Read;
            let mut text = String::new();
            std::fs::File::open(path)?.take(MOST).read_to_string(&mut text)?;
            Ok::<_, std::io::Error>(text)
        };
        let text = zeroize::Zeroizing::new(read().map_err(|e| failed(e.to_string()))?);
        let line = text.trim_end_matches(['\r', '\n']);
        if line.is_empty() || line.contains(['\r', '\n', '\0']) {
            return Err(failed("has to hold one line".into()));
        }
        Ok(Secret::new(line.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_line_of_its_file_now() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        assert!(Hidden::in_file(path.clone()).unwrap_err().contains("token"));
        std::fs::write(&path, "hunter2\n").unwrap();
        let hidden = Hidden::in_file(path.clone()).unwrap();
        assert_eq!(hidden.get().unwrap().reveal(), "hunter2");
        std::fs::write(&path, "other").unwrap();
        assert_eq!(hidden.get().unwrap().reveal(), "other");
        for bad in ["", "\n", "a\nb\n"] {
            std::fs::write(&path, bad).unwrap();
            assert!(hidden.get().is_err(), "{bad:?}");
        }
        assert!(!format!("{hidden:?}").contains("other"));
    }

    #[test]
    fn a_secret_of_the_environment_does_not_print() {
        assert!(Hidden::in_env("BRINE_NO_SUCH_VARIABLE").is_err());
        let held = Hidden::in_env("PATH").unwrap();
        assert!(!format!("{held:?}").contains(held.get().unwrap().reveal()));
    }
}
