//! Where a named test is: its file, its package, and the program that cargo makes of it.

use super::Row;
use crate::run::root;
use std::path::{Path, PathBuf};

/// A test as a row names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Test {
    /// Directory of the package, from the root.
    pub(super) package: PathBuf,
    /// The program's name among `cargo test`'s: None for that of the library, else that of `tests/NAME.rs`.
    pub(super) program: Option<String>,
    /// The function.
    pub(super) name: String,
}

/// Reads `path/of/file.rs::name`.
pub(super) fn parse(cited: &str) -> Option<Test> {
    let (file, name) = cited.rsplit_once("::")?;
    let parts: Vec<&str> = file.strip_suffix(".rs")?.split('/').collect();
    let at = parts.iter().position(|part| *part == "src" || *part == "tests")?;
    let program = match parts[at] {
        "tests" => Some((*parts.get(at + 1)?).to_owned()),
        _ => None,
    };
    Some(Test { package: parts[..at].iter().collect(), program, name: name.to_owned() })
}

/// Faults: options that name no test, or one that is nowhere.
pub(super) fn missing(rows: &[Row]) -> Vec<String> {
    let mut faults = Vec::new();
    for row in rows {
        let Some(cited) = row.test() else { continue };
        let place = format!("option {} of the table {}", row.key, row.table);
        match parse(cited) {
            None => faults.push(format!("{place} names no test: {cited:?}")),
            Some(test) => {
                let file = cited.rsplit_once("::").map_or("", |(file, _)| file);
                let text = std::fs::read_to_string(root().join(Path::new(file))).unwrap_or_default();
                if !text.contains(&format!("fn {}(", test.name)) {
                    faults.push(format!("{place}: there is no test {cited}"));
                }
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_by_their_file() {
        let test = |package: &str, program: Option<&str>| {
            Some(Test { package: package.into(), program: program.map(str::to_owned), name: "t".into() })
        };
        assert_eq!(parse("core/src/log/tests.rs::t"), test("core", None));
        assert_eq!(parse("protocol/net/tests/zmq.rs::t"), test("protocol/net", Some("zmq")));
        assert_eq!(parse("master/tests/eauth/more.rs::t"), test("master", Some("eauth")));
        assert_eq!(parse(""), None);
    }
}
