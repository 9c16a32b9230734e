//! URLs as stock takes them apart, and where the cache keeps what one names.

use brine_protocol::ids::SaltEnv;
use std::path::{Path, PathBuf};

/// The longest name that a file has.
const LONGEST: usize = 255;

/// A URL, as Python's `urlparse` reads one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// In lower case; empty for a plain path.
    pub scheme: String,
    /// User, password, host and port.
    pub netloc: String,
    /// The path, without what follows a `;` in its last part.
    pub path: String,
    /// What follows `?`.
    pub query: String,
}

impl Url {
    /// Takes a URL apart. What follows `#` is left out if `fragments`, else it belongs to what it follows.
    #[must_use]
    pub fn parse(url: &str, fragments: bool) -> Self {
        let (scheme, rest) = match url.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
            _ => (String::new(), url),
        };
        let (netloc, rest) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
            None => ("", rest),
        };
        let rest = if fragments { rest.split('#').next().unwrap_or_default() } else { rest };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let parts = matches!(scheme.as_str(), "" | "ftp" | "http" | "https" | "sftp");
        let last = path.rfind('/').unwrap_or(0);
        let path = match path[last..].find(';') {
            Some(at) if parts => &path[..last + at],
            _ => path,
        };
        Self { scheme, netloc: netloc.into(), path: path.into(), query: query.into() }
    }

    /// User and password, percent signs read, if the URL holds a user.
    #[must_use]
    pub fn login(&self) -> Option<(String, String)> {
        let (login, _) = self.netloc.rsplit_once('@')?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        Some((user.to_owned(), password.to_owned()))
    }

    /// Host and port, without the login.
    #[must_use]
    pub fn host(&self) -> &str {
        self.netloc.rsplit('@').next().unwrap_or_default()
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// A `salt://` URL without its query, and the environment that this names. Other URLs are what they are.
#[must_use]
pub fn split_env(url: &str) -> (String, Option<String>) {
    let Some(rest) = url.strip_prefix("salt://") else { return (url.to_owned(), None) };
    if let Some((path, _)) = rest.split_once("?env=") {
        return (format!("salt://{path}"), None);
    }
    match rest.split_once("?saltenv=") {
        Some((path, env)) => (format!("salt://{path}"), Some(env.to_owned())),
        None => (url.to_owned(), None),
    }
}

/// The place in the cache of what does not come from a tree: host without login, then the path. None for one that would lead out
/// of the host's folder.
#[must_use]
pub fn external(cachedir: &Path, url: &str, saltenv: &str) -> Option<PathBuf> {
    let url = Url::parse(url, true);
    let host = url.host();
    let port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|p| p != 0));
    let host = if port { host.replace(':', "") } else { host.to_owned() };
    let path = match url.query.is_empty() {
        true => url.path,
        false => format!("{}-{}", url.path, url.query),
    };
    let safe = |part: &str| !matches!(part, "." | "..") && !part.contains('\0');
    if !safe(&host) || host.contains('/') || !path.split('/').all(safe) {
        return None;
    }
    let root = cachedir.join("extrn_files").join(SaltEnv::parse(saltenv).ok()?.as_str()).join(host);
    if path.chars().count() > LONGEST {
        let mut digest = crate::sum::Digest::new("sha256")?;
        digest.update(path.as_bytes());
        return Some(root.join(digest.hex()));
    }
    let mut place = root;
    place.extend(path.split('/').filter(|part| !part.is_empty()));
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart_as_in_python() {
        let parts = |url: &str, fragments| {
            let u = Url::parse(url, fragments);
            [u.scheme, u.netloc, u.path, u.query].join(" | ")
        };
        assert_eq!(parts("HTTP://u:p@h:8/a/b?c#d", true), "http | u:p@h:8 | /a/b | c");
        assert_eq!(parts("http://h/a#d", false), "http | h | /a#d | ");
        assert_eq!(parts("http://h/a;x/b;y", true), "http | h | /a;x/b | ");
        assert_eq!(parts("/a:b?c", true), " |  | /a:b | c");
        assert_eq!(parts("c:/x", true), "c |  | /x | ");
        assert_eq!(parts("file:///etc/hosts", true), "file |  | /etc/hosts | ");
        assert_eq!(Url::parse("ftp://u:p@h/", true).login(), Some(("u".into(), "p".into())));
    }

    #[test]
    fn salt_urls_name_environments() {
        assert_eq!(split_env("salt://a?saltenv=dev"), ("salt://a".into(), Some("dev".into())));
        assert_eq!(split_env("salt://a?env=dev"), ("salt://a".into(), None));
        assert_eq!(split_env("/a?saltenv=dev"), ("/a?saltenv=dev".into(), None));
    }

    #[test]
    fn places_stay_below_their_host() {
        let at = |url: &str| external(Path::new("/c"), url, "base").map(|p| p.to_string_lossy().into_owned());
        assert_eq!(at("http://u:p@h:80/a?b").as_deref(), Some("/c/extrn_files/base/h80/a-b"));
        assert_eq!(at("salt://a/b").as_deref(), Some("/c/extrn_files/base/a/b"));
        for bad in ["http://h/../../x", "http://../x", "http://h/a?/../../x"] {
            assert_eq!(at(bad), None, "{bad}");
        }
        assert_eq!(external(Path::new("/c"), "http://h/a", ".."), None);
        assert_eq!(at(&format!("http://h/{}", "a".repeat(300))).map(|p| p.len()), Some(22 + 1 + 64 - 1));
    }
}
