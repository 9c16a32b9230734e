//! `docs/options.md`, from the tables.

use super::{Row, counts};
use std::fmt::Write as _;

const HEAD: &str = "\
# Options

Every key of stock's master and minion over 3006 to 3008, and our own. Made by `cargo xtask docs` from the tables in
`core/src/options`; `cargo xtask tidy` checks that it is current.

- *honoured*: does what it does in stock. The test that is named fails when the key is ignored, which
  `cargo xtask options` shows by running it both ways (`BRINE_IGNORE_OPTION`, which only debug builds look at).
- *without effect*: may stand in a file, and nothing follows from it: it belongs to a feature that is left out, or tunes
  processes of Python.
- *deprecated*: has no meaning any more, in stock either, or never was an option of files.

A key that no table has is a warning with the nearest key that one has; a value of a type that an option does not take is
a warning that names file, line and key and says what is used instead. Keys with a dot that stand in no table configure
single modules and are passed on to them. Where a default is missing, the key is absent unless a file sets it.
";

/// Where the result of the last whole proof stands.
const PROOF: (&str, &str) = ("<!-- proof -->\n", "<!-- end of proof -->\n");

const TABLES: [(&str, &str); 4] = [
    ("master", "Master"),
    ("minion", "Minion"),
    ("both", "Master and minion"),
    ("other", "In none of stock's tables"),
];

/// What a document says about the last proof.
pub(super) fn proof(doc: &str) -> String {
    let inner = doc.split_once(PROOF.0).and_then(|(_, rest)| rest.split_once(PROOF.1));
    inner.map_or_else(|| "Not proved yet.\n".to_owned(), |(inner, _)| inner.to_owned())
}

/// The document with another result of a proof.
pub(super) fn with_proof(doc: &str, said: &str) -> Option<String> {
    let (before, rest) = doc.split_once(PROOF.0)?;
    let (_, after) = rest.split_once(PROOF.1)?;
    Some(format!("{before}{}{said}{}{after}", PROOF.0, PROOF.1))
}

/// The whole document.
pub(super) fn markdown(rows: &[Row], proof: &str) -> String {
    let mut out = format!("{HEAD}\n{}.\n\n{}{proof}{}", counts(rows), PROOF.0, PROOF.1);
    for (table, title) in TABLES {
        let mut of: Vec<&Row> = rows.iter().filter(|row| row.table == table).collect();
        of.sort_by(|a, b| a.key.cmp(&b.key));
        let _ = writeln!(
            out,
            "\n## {title}\n\n| option | default | types | status | what it is for |\n|---|---|---|---|---|"
        );
        for row in of {
            let default = row.default.as_deref().map(code).unwrap_or_default();
            let status = match row.status.as_str() {
                "honoured" => format!("honoured: {}", code(&row.detail)),
                other => format!("{other}: {}", escaped(&row.detail)),
            };
            let types = row.types.join(", ");
            let _ =
                writeln!(out, "| `{}` | {default} | {types} | {status} | {} |", row.key, escaped(&row.doc));
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Long defaults are cut: the tables have them.
fn code(text: &str) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("`{}...`", escaped(&text[..at])),
        None => format!("`{}`", escaped(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_keeps_what_was_proved() {
        let row = Row {
            table: "both".into(),
            key: "a".into(),
            default: Some("'x|y'".into()),
            types: vec!["str".into()],
            status: "deprecated".into(),
            detail: "see its line".into(),
            doc: "An option.".into(),
        };
        let doc = markdown(std::slice::from_ref(&row), "once\n");
        assert!(doc.contains("| `a` | `'x\\|y'` | str | deprecated: see its line | An option. |\n"), "{doc}");
        assert_eq!(proof(&doc), "once\n");
        let later = with_proof(&doc, "twice\n").unwrap();
        assert_eq!(later, markdown(&[row], "twice\n"));
        assert_eq!(proof(""), "Not proved yet.\n");
    }
}
