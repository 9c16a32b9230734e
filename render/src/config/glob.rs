//! Python's `glob.glob`, sorted: shell patterns in any part of a path, hidden names only where asked for.

use brine_core::target::{fnmatch, is_pattern};
use std::path::{Component, Path, PathBuf};

/// The existing paths that a pattern names, sorted by name.
pub fn glob(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let Component::Normal(name) = part else {
            for path in &mut found {
                path.push(part);
            }
            continue;
        };
        let Some(text) = name.to_str().filter(|text| is_pattern(text)) else {
            for path in &mut found {
                path.push(name);
            }
            continue;
        };
        found = found.iter().flat_map(|dir| entries(dir, text)).collect();
    }
    found.retain(|path| path.symlink_metadata().is_ok());
    found.sort();
    found
}

fn entries(dir: &Path, pattern: &str) -> Vec<PathBuf> {
    let dir_or_here = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let Ok(entries) = std::fs::read_dir(dir_or_here) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| (!name.starts_with('.') || pattern.starts_with('.')) && fnmatch(name, pattern))
        .map(|name| dir.join(name))
        .collect()
}
