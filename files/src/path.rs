//! What a path in a tree may say beside the path: an escape, a query.

use brine_protocol::ids::{RelPath, SaltEnv};

/// A path in an environment, checked.
pub(crate) struct Asked {
    pub(crate) path: RelPath,
    pub(crate) saltenv: SaltEnv,
}

impl Asked {
    /// The path as the file server is asked for it: escaped where it would be read as a query.
    pub(crate) fn wire(&self) -> String {
        let path = self.path.as_str();
        if path.contains('?') { format!("|{path}") } else { path.to_owned() }
    }
}

/// Reads a path; none for one that can name no file of a tree. `|` in front takes the rest as it stands, otherwise a
/// `?saltenv=` in it names the environment.
pub(crate) fn parse(path: &str, saltenv: &str) -> Option<Asked> {
    let path = path.strip_prefix("salt://").unwrap_or(path);
    let (path, saltenv) = match path.strip_prefix('|') {
        Some(plain) => (plain.trim_start_matches('|'), saltenv),
        None => match path.split_once('?') {
            Some((path, query)) => {
                let own = query.split('&').filter_map(|part| part.strip_prefix("saltenv=")).next_back();
                (path, own.unwrap_or(saltenv))
            }
            None => (path, saltenv),
        },
    };
    if path.starts_with('/') {
        return None;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    Some(Asked { path: RelPath::parse(&parts.join("/")).ok()?, saltenv: SaltEnv::parse(saltenv).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_with_escape_and_query() {
        let read =
            |path: &str| parse(path, "base").map(|a| format!("{} {}", a.path.as_str(), a.saltenv.as_str()));
        assert_eq!(read("a/b.sls").as_deref(), Some("a/b.sls base"));
        assert_eq!(read("a//./b").as_deref(), Some("a/b base"));
        assert_eq!(read("a?saltenv=dev").as_deref(), Some("a dev"));
        assert_eq!(read("a?x=1&saltenv=dev").as_deref(), Some("a dev"));
        assert_eq!(read("|a?b").as_deref(), Some("a?b base"));
        let wire = |path: &str| parse(path, "base").map(|a| a.wire());
        assert_eq!(wire("a?saltenv=dev").as_deref(), Some("a"));
        assert_eq!(wire("|a?b").as_deref(), Some("|a?b"));
        for none in ["", "/etc/passwd", "../a", "a/../b", "a?saltenv=..", "a\0b", "|../a"] {
            assert_eq!(read(none), None, "{none:?}");
        }
    }
}
