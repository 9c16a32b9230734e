//! What reviewers would otherwise have to look for: the layering of the crates and the habits of the source.

use crate::options;
use crate::run::{Result, cargo, output, root};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The layer of each crate. A crate may depend only on lower layers; those of one layer never name each other.
const LAYERS: &[(&str, u8)] = &[
    ("brine-macros", 0),
    ("brine-pam", 0),
    ("brine-protocol", 0),
    ("brine-core", 1),
    ("brine-python", 1),
    ("brine-jinja", 2),
    ("brine-store", 2),
    ("brine-net", 2),
    ("brine-dial", 2),
    ("brine-serve", 2),
    ("brine-testing", 2),
    ("brine-render", 3),
    ("brine-files", 3),
    ("brine-inventory", 3),
    ("brine-returners", 4),
    ("brine-alerts", 4),
    ("brine-pillar", 4),
    ("brine-states", 4),
    ("brine-modules", 5),
    ("brine-beacons", 5),
    ("brine-state-modules", 5),
    ("brine-runners", 5),
    ("brine-client", 5),
    ("brine-engines", 5),
    ("brine-cli", 6),
    ("brine-master", 6),
    ("brine-minion", 6),
    ("brine-interop-tests", 7),
    ("xtask", 7),
];

/// The files that may hold `unsafe`, with the reason in each.
const UNSAFE: &[&str] =
    &["modules/src/cmd/spawn.rs", "master/pam/src/ffi.rs", "minion/src/daemon/give_back.rs"];

/// Files longer than this want a wall moved. A table may be long, and says so in its first lines.
const LONG: usize = 600;

/// Runs every check; the error lists all faults.
pub(crate) fn tidy() -> Result {
    let mut faults = layering()?;
    let mut files = Vec::new();
    sources(&root(), &mut files);
    for file in &files {
        faults.extend(check_file(file));
    }
    faults.extend(cited_tests(&files));
    faults.extend(options::check()?);
    if faults.is_empty() {
        eprintln!("tidy: {} source files", files.len());
        Ok(())
    } else {
        Err(format!("{} faults\n{}", faults.len(), faults.join("\n")))
    }
}

fn layering() -> Result<Vec<String>> {
    let text = output(cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let meta: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    let none = Vec::new();
    let mut faults = Vec::new();
    let layer = |name: &str| LAYERS.iter().find(|(n, _)| *n == name).map(|(_, l)| *l);
    for package in meta["packages"].as_array().unwrap_or(&none) {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(own) = layer(name) else {
            faults.push(format!("{name}: has no layer in xtask/src/tidy.rs"));
            continue;
        };
        for dep in package["dependencies"].as_array().unwrap_or(&none) {
            // Tests may look anywhere.
            let on = dep["name"].as_str().unwrap_or_default();
            if dep["kind"].as_str() == Some("dev") || dep["path"].is_null() {
                continue;
            }
            if layer(on).is_none_or(|l| l >= own && !(own == 0 && l == 0)) {
                faults.push(format!("{name} depends on {on}: an edge upwards or between siblings"));
            }
            // But for the swarm, which speaks the protocol itself.
            let swarm =
                name == "brine-interop-tests" && matches!(on, "brine-protocol" | "brine-net" | "brine-core");
            if own == 7 && !swarm {
                faults.push(format!("{name} depends on {on}: it only starts programs"));
            }
        }
    }
    Ok(faults)
}

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if path.is_dir() {
            // Cargo marks its own directories; a module may be called target too.
            if !path.join("CACHEDIR.TAG").exists() && !name.starts_with('.') {
                sources(&path, out);
            }
        } else if name.ends_with(".rs") {
            out.push(path);
        }
    }
}

/// Tests that docs/security.md names and that are nowhere: a hole with no test must say so.
fn cited_tests(files: &[PathBuf]) -> Vec<String> {
    let doc = std::fs::read_to_string(root().join("docs/security.md")).unwrap_or_default();
    let text: String = files.iter().filter_map(|f| std::fs::read_to_string(f).ok()).collect();
    let missing = |name: &&str| !text.contains(&format!("fn {name}("));
    tests_of(&doc)
        .into_iter()
        .filter(missing)
        .map(|n| format!("docs/security.md: there is no test {n}"))
        .collect()
}

/// The names in the last column of each table, and in paragraphs that begin with `Tests:`.
pub(crate) fn tests_of(doc: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut listing = false;
    for line in doc.lines() {
        listing = !line.is_empty() && (listing || line.starts_with("Tests:"));
        let cell = match line.strip_prefix('|').and_then(|row| row.trim_end().strip_suffix('|')) {
            Some(row) => row.rsplit('|').next().unwrap_or_default(),
            None if listing => line,
            None => continue,
        };
        let quoted = cell.split('`').skip(1).step_by(2);
        names.extend(quoted.filter(|n| n.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric())));
    }
    names
}

fn check_file(path: &Path) -> Vec<String> {
    let rel = path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned();
    let Ok(text) = std::fs::read_to_string(path) else { return vec![format!("{rel}: not readable as text")] };
    let mut faults = Vec::new();
    if !text.starts_with("//!") && !rel.starts_with("fuzz/") {
        faults.push(format!("{rel}: does not open with //! saying what it is for"));
    }
    let lines = text.lines().count();
    if lines > LONG && !text.lines().take(5).any(|l| l.contains("table")) {
        faults.push(format!("{rel}: {lines} lines: move a wall"));
    }
    for (i, line) in text.lines().enumerate() {
        let at = i + 1;
        if ["TO\u{44}O", "FIX\u{4d}E", "XX\u{58}:"].iter().any(|w| line.contains(w)) {
            faults.push(format!("{rel}:{at}: unfinished work is an issue, not a comment"));
        }
        if ["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|w| line.contains(w))
            && !UNSAFE.contains(&rel.as_str())
            && rel != "xtask/src/tidy.rs"
        {
            faults.push(format!("{rel}:{at}: unsafe outside its one file"));
        }
        if line.contains("#[allow(") && !line.contains("reason") && !rel.starts_with("xtask/") {
            faults.push(format!("{rel}:{at}: an allow without a reason"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chapter_on_holes_names_only_tests_that_exist() {
        let mut files = Vec::new();
        sources(&root(), &mut files);
        assert_eq!(cited_tests(&files), Vec::<String>::new());
        let doc = "| `a` | no | `one`, `two_three` |\n| b | c | |\n\nTests: `four`,\n`five` (`cargo x`).\n\n`six`\n";
        assert_eq!(tests_of(doc), ["one", "two_three", "four", "five"]);
    }
}
