//! Python's `posixpath`: paths as text, without looking at the disk, but for `expanduser` and `realpath`.

use nix::unistd::{Uid, User};
use std::path::PathBuf;

/// `os.path.normpath`: without doubled slashes, `.` and as many `..` as can be resolved. POSIX lets two slashes in front mean
/// something of their own; they stay.
#[must_use]
pub fn normpath(path: &str) -> String {
    let root = match path.len() - path.trim_start_matches('/').len() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        match parts.last() {
            Some(&last) if part == ".." && last != ".." => {
                parts.pop();
            }
            None if part == ".." && !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let path = format!("{root}{}", parts.join("/"));
    if path.is_empty() { ".".into() } else { path }
}

/// `os.path.split`.
#[must_use]
pub fn split(path: &str) -> (&str, &str) {
    let Some(at) = path.rfind('/') else { return ("", path) };
    let (head, tail) = (&path[..=at], &path[at + 1..]);
    let trimmed = head.trim_end_matches('/');
    (if trimmed.is_empty() { head } else { trimmed }, tail)
}

/// `os.path.basename`.
#[must_use]
pub fn basename(path: &str) -> &str {
    split(path).1
}

/// `os.path.dirname`.
#[must_use]
pub fn dirname(path: &str) -> &str {
    split(path).0
}

/// `os.path.join`.
#[must_use]
pub fn join(first: &str, rest: &[impl AsRef<str>]) -> String {
    let mut path = first.to_owned();
    for part in rest {
        let part = part.as_ref();
        if part.starts_with('/') {
            path = part.to_owned();
        } else {
            if !path.is_empty() && !path.ends_with('/') {
                path.push('/');
            }
            path.push_str(part);
        }
    }
    path
}

/// `os.path.expanduser`.
#[must_use]
pub fn expanduser(path: &str) -> String {
    let Some(rest) = path.strip_prefix('~') else { return path.to_owned() };
    let (name, rest) =
        rest.split_once('/').map_or((rest, String::new()), |(name, rest)| (name, format!("/{rest}")));
    let home = match name {
        "" => std::env::var("HOME")
            .ok()
            .map(PathBuf::from)
            .or_else(|| User::from_uid(Uid::current()).ok().flatten().map(|user| user.dir)),
        name => User::from_name(name).ok().flatten().map(|user| user.dir),
    };
    let Some(home) = home else { return path.to_owned() };
    let whole = format!("{}{rest}", home.to_string_lossy().trim_end_matches('/'));
    if whole.is_empty() { "/".into() } else { whole }
}

/// `os.path.realpath`: links resolved as far as the path exists.
#[must_use]
pub fn realpath(path: &str) -> String {
    let absolute = match path.starts_with('/') {
        true => path.to_owned(),
        false => join(&std::env::current_dir().unwrap_or_default().to_string_lossy(), &[path]),
    };
    let mut real = PathBuf::from("/");
    let mut left: Vec<String> = absolute.rsplit('/').map(str::to_owned).collect();
    let mut links = 0;
    while let Some(part) = left.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                real.pop();
                continue;
            }
            name => real.push(name),
        }
        // Python stops at a circle; any number of links beyond the kernel's own limit is one.
        if let (true, Ok(target)) = (links < 40, std::fs::read_link(&real)) {
            links += 1;
            real.pop();
            let target = target.to_string_lossy().into_owned();
            if target.starts_with('/') {
                real = PathBuf::from("/");
            }
            left.extend(target.rsplit('/').map(str::to_owned));
        }
    }
    real.to_string_lossy().into_owned()
}

/// `os.path.abspath`.
#[must_use]
pub fn abspath(path: &str) -> String {
    match path.starts_with('/') {
        true => normpath(path),
        false => normpath(&join(&std::env::current_dir().unwrap_or_default().to_string_lossy(), &[path])),
    }
}

/// `os.path.relpath` of two paths: the way from `start` to `path`.
#[must_use]
pub fn relpath(path: &str, start: &str) -> String {
    let (path, start) = (abspath(path), abspath(start));
    let parts =
        |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (path, start) = (parts(&path), parts(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let way: Vec<&str> =
        start[common..].iter().map(|_| "..").chain(path[common..].iter().map(String::as_str)).collect();
    if way.is_empty() { ".".into() } else { way.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_plain() {
        for (path, plain) in [
            ("a/./b", "a/b"),
            ("a/../../b", "../b"),
            ("./x", "x"),
            ("a/..", "."),
            ("", "."),
            ("/../a", "/a"),
            ("/../a/", "/a"),
            ("a//b/", "a/b"),
            ("//a", "//a"),
            ("///a", "/a"),
        ] {
            assert_eq!(normpath(path), plain, "{path}");
        }
    }

    #[test]
    fn paths_are_read_as_in_python() {
        assert_eq!((basename("/a/b"), basename("/a/"), basename("a")), ("b", "", "a"));
        assert_eq!(
            (dirname("/a/b"), dirname("/a"), dirname("a"), dirname("//a"), dirname("/a//b")),
            ("/a", "/", "", "//", "/a")
        );
        assert_eq!(join("/a", &["b", "c/"]), "/a/b/c/");
        assert_eq!(join("/a", &["/b", ""]), "/b/");
        assert_eq!(join("", &["b"]), "b");
        for (path, want) in [
            ("", "."),
            ("/", "/"),
            ("//a", "//a"),
            ("///a", "/a"),
            ("a/../..", ".."),
            ("/..", "/"),
            ("./a//b/.", "a/b"),
            ("../a", "../a"),
            ("a/..", "."),
        ] {
            assert_eq!(normpath(path), want, "{path:?}");
        }
        assert_eq!(expanduser("a~"), "a~");
        assert_eq!(expanduser("~nobodyofthisname/x"), "~nobodyofthisname/x");
        assert_eq!(expanduser("~root/x"), "/root/x");
    }

    #[test]
    fn links_are_resolved_as_far_as_there_is_something() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        let text = |name: &str| base.join(name).to_string_lossy().into_owned();
        std::fs::create_dir(base.join("a")).unwrap();
        std::os::unix::fs::symlink("a/x", base.join("l")).unwrap();
        std::os::unix::fs::symlink(&base, base.join("a/up")).unwrap();
        assert_eq!(realpath(&text("l")), text("a/x"));
        assert_eq!(realpath(&text("a/up/a/../l/y")), text("a/x/y"));
    }

    #[test]
    fn ways_lead_from_one_path_to_another() {
        assert_eq!(relpath("/a/b/c", "/a"), "b/c");
        assert_eq!(relpath("/a", "/a/b/c"), "../..");
        assert_eq!(relpath("/a/b", "/a/b"), ".");
        assert_eq!(relpath("b", "b/../c"), "../b");
        assert_eq!(abspath("/a/../b"), "/b");
    }
}
