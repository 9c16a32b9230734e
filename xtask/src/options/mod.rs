//! `cargo xtask options`: the option tables of `core/src/options` as a document, as counts, and put to the test.
//!
//! Each option that is honoured names a test. The proof that the test would notice if the key were ignored: it is run as it
//! is, which must pass, and then with `BRINE_IGNORE_OPTION` naming the key, which must fail.

mod doc;
mod prove;
mod targets;

use crate::run::{Result, cargo, output, root};
use serde_json::Value;

/// Where the document is.
const DOC: &str = "docs/options.md";

/// A row of a table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// `master`, `minion`, `both`, or `other` for what stands in none of stock's tables.
    pub(crate) table: String,
    pub(crate) key: String,
    pub(crate) default: Option<String>,
    pub(crate) types: Vec<String>,
    /// `honoured`, `without effect` or `deprecated`.
    pub(crate) status: String,
    /// The test, or why.
    pub(crate) detail: String,
    pub(crate) doc: String,
}

impl Row {
    fn of(line: &str) -> Result<Self> {
        let row: Value = serde_json::from_str(line).map_err(|e| format!("{line}: {e}"))?;
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let types = row["types"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Self {
            table: text("table"),
            key: text("key"),
            default: row["default"].as_str().map(str::to_owned),
            types: types.iter().filter_map(|t| Some(t.as_str()?.to_owned())).collect(),
            status: text("status"),
            detail: text("detail"),
            doc: text("doc"),
        })
    }

    /// The test of an option that is honoured.
    fn test(&self) -> Option<&str> {
        (self.status == "honoured").then_some(self.detail.as_str())
    }

    /// How `BRINE_IGNORE_OPTION` names the key.
    fn name(&self) -> String {
        match self.table.as_str() {
            table @ ("master" | "minion") => format!("{table}.{}", self.key),
            _ => self.key.clone(),
        }
    }
}

/// All rows, as the tables have them.
pub(crate) fn rows() -> Result<Vec<Row>> {
    let text = output(cargo().args(["run", "--quiet", "--package", "brine-core", "--example", "options"]))?;
    text.lines().map(Row::of).collect()
}

/// How many rows have each status, as one line.
pub(crate) fn counts(rows: &[Row]) -> String {
    let of = |status: &str| rows.iter().filter(|row| row.status == status).count();
    format!(
        "{} options: {} honoured, {} without effect, {} deprecated",
        rows.len(),
        of("honoured"),
        of("without effect"),
        of("deprecated")
    )
}

/// `cargo xtask docs`: writes the document.
pub(crate) fn docs() -> Result {
    let path = root().join(DOC);
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    std::fs::write(&path, doc::markdown(&rows()?, &doc::proof(&old))).map_err(|e| format!("{DOC}: {e}"))
}

/// `cargo xtask options [KEY..]`: puts the named tests to the test, of all options or of those whose key is given.
pub(crate) fn options(keys: &[String]) -> Result {
    prove::prove(&rows()?, keys)
}

/// What is wrong with the tables and the document; the counts are printed.
pub(crate) fn check() -> Result<Vec<String>> {
    let rows = rows()?;
    let mut faults = targets::missing(&rows);
    let old = std::fs::read_to_string(root().join(DOC)).unwrap_or_default();
    if doc::markdown(&rows, &doc::proof(&old)) != old {
        faults.push(format!("{DOC} is not what the tables say: cargo xtask docs"));
    }
    eprintln!("{}", counts(&rows));
    Ok(faults)
}
