//! What a text such as `name[extra]>=1,<2; marker` or an address asks pip for.

use brine_core::posixpath::basename;

/// A package by name, with conditions on its version; nameless where only pip can tell.
#[derive(Debug, PartialEq)]
pub(super) struct Requirement {
    /// The name; empty where the text does not say it.
    pub(super) name: String,
    /// Operators and versions.
    pub(super) conditions: Vec<(String, String)>,
}

const OPERATORS: [&str; 8] = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];

/// What each word of a name is joined by, as stock shows it.
fn shown(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out
}

fn named(name: &str) -> Requirement {
    Requirement { name: shown(name), conditions: Vec::new() }
}

/// Why pip takes a text for no requirement.
pub(super) fn complaint(text: &str) -> String {
    let path = text.contains('/') || text.starts_with('.');
    if path && std::path::Path::new(text).is_dir() {
        return format!("Directory '{text}' is not installable. Neither 'setup.py' nor 'pyproject.toml' found.");
    }
    let hint =
        if path { format!("\nHint: It looks like a path. File '{text}' does not exist.") } else { String::new() };
    format!("Invalid requirement: '{text}'{hint}")
}

/// Reads the text. `None`: it is none.
pub(super) fn read(text: &str) -> Option<Requirement> {
    let text = text.trim();
    let address = text.contains("://") || ["git+", "hg+", "svn+", "bzr+", "file:"].iter().any(|vcs| text.starts_with(vcs));
    if let Some((name, _)) = text.split_once(" @ ") {
        return is_name(name.trim()).then(|| named(name.trim().split('[').next().unwrap_or_default()));
    }
    if address {
        let egg = text.split_once('#').and_then(|(_, fragment)| fragment.split('&').find_map(|part| part.strip_prefix("egg=")));
        let egg = egg.map(|egg| egg.split('[').next().unwrap_or_default()).filter(|egg| is_name(egg));
        return Some(egg.map_or(Requirement { name: String::new(), conditions: Vec::new() }, named));
    }
    let path = text.contains('/') || text.starts_with('.');
    let there = std::path::Path::new(text);
    if path && there.exists() {
        let installable = !there.is_dir() || ["setup.py", "pyproject.toml"].iter().any(|file| there.join(file).exists());
        let nameless = Requirement { name: String::new(), conditions: Vec::new() };
        return installable.then(|| wheel(basename(text)).unwrap_or(nameless));
    }
    let text = text.split(';').next().unwrap_or_default().trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    if !is_name(name) {
        return None;
    }
    rest = rest.trim_start();
    if let Some(extras) = rest.strip_prefix('[') {
        rest = extras.split_once(']')?.1.trim_start();
    }
    if let Some(inner) = rest.strip_prefix('(') {
        rest = inner.strip_suffix(')')?;
    }
    let mut conditions = Vec::new();
    for condition in rest.split(',').map(str::trim).filter(|_| !rest.trim().is_empty()) {
        let operator = OPERATORS.iter().find(|operator| condition.starts_with(**operator))?;
        let version = condition[operator.len()..].trim();
        let fine = |c: char| c.is_ascii_alphanumeric() || ".*+!-_".contains(c);
        if !version.chars().all(fine) {
            return None;
        }
        conditions.push(((*operator).to_owned(), version.to_owned()));
    }
    Some(Requirement { name: shown(name), conditions })
}

fn is_name(name: &str) -> bool {
    let bare = name.split('[').next().unwrap_or_default();
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    edge(bare.chars().next())
        && edge(bare.chars().last())
        && bare.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// Name and version of a wheel, by the name of its file.
fn wheel(file: &str) -> Option<Requirement> {
    let mut parts = file.strip_suffix(".whl")?.split('-');
    let (name, version) = (parts.next()?, parts.next()?);
    Some(Requirement { name: shown(name), conditions: vec![("==".into(), version.into())] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_by_pip() {
        let shown = |text: &str| {
            read(text).map(|r| {
                let all: Vec<String> = r.conditions.iter().map(|(o, v)| format!("{o}{v}")).collect();
                format!("{} {}", r.name, all.join(","))
            })
        };
        for (text, want) in [
            ("foo", "foo "),
            ("foo>=1, <2", "foo >=1,<2"),
            ("Foo_Bar[x]>=1;python_version<'3'", "Foo-Bar >=1"),
            ("foo (>=1)", "foo >=1"),
            ("foo==1.*", "foo ==1.*"),
            ("git+https://x/y.git#egg=Zed", "Zed "),
            ("https://x/y.tar.gz", " "),
            ("foo @ https://x/y", "foo "),
        ] {
            assert_eq!(shown(text).as_deref(), Some(want), "{text}");
        }
        for text in ["foo bar", "foo=1", "foo!", "-e x", ""] {
            assert_eq!(shown(text), None, "{text}");
        }
        assert_eq!(wheel("a_b-1.0-py3-none-any.whl").unwrap().conditions, [("==".to_owned(), "1.0".to_owned())]);
    }
}
