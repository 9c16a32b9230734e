//! Python's `posixpath`: paths as text, without looking at the disk.

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
}
