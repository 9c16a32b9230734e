//! What the tables leave out, and why; and the check that they leave out nothing else.

/// Tests of docs/security.md for which no hole is opened. What the whole programs do follows from parts whose holes are
/// opened; opening them again under the programs would cost a build of everything, and show the same.
const WHY_NOT: &[(&str, &str)] = &[
    (
        "ours_refuses_version_2",
        "whole programs; opened at cve_2025_62349_older_protocol_versions_are_refused",
    ),
    (
        "ours_serves_version_2_where_told_to",
        "shows that what the operator asks for works: there is no hole in it",
    ),
    (
        "ours_gives_no_more_than_the_rules",
        "run against an implementation with the hole: stock_3006_gives_more",
    ),
    ("ours_survives", "run against an implementation with the hole: stock_3006_does_not"),
    ("stock_3006_does_not", "is itself the run against an implementation with the hole"),
    ("master_3006_as_an_account", "whole programs; opened at cve_2020_17490_keys_and_stores_are_private"),
    ("jobs_go_on_in_a_short_flood", "a measurement of the whole; each bound is opened by its own test"),
    (
        "a_flood_at_most_doubles_the_time_of_a_job",
        "a measurement of the whole; each bound is opened by its own test",
    ),
];

/// Rows with tests for which no hole is opened.
const ROWS_WHY_NOT: &[(&str, &str)] = &[(
    "a few requests silence a 3006 or 3007 master",
    "run against an implementation with the hole: stock 3006",
)];

mod tests {
    use super::*;
    use crate::holes::{BOUNDED, Hole, suites, tree::opened};
    use crate::run::root;
    use crate::tidy::tests_of;
    use std::collections::BTreeSet;
    use std::fs;

    fn doc() -> String {
        fs::read_to_string(root().join("docs/security.md")).unwrap()
    }

    fn holes() -> impl Iterator<Item = &'static Hole> {
        suites().flat_map(|suite| suite.holes)
    }

    #[test]
    fn every_hole_fits_the_source() {
        let wrong = |hole: &Hole| match fs::read_to_string(root().join(hole.file)) {
            Ok(text) => opened(&text, hole).err(),
            Err(e) => Some(format!("{}: {e}", hole.file)),
        };
        assert_eq!(holes().filter_map(wrong).collect::<Vec<_>>(), Vec::<String>::new());
    }

    #[test]
    fn every_named_test_has_a_hole_or_a_reason() {
        let doc = doc();
        let (named, opened): (BTreeSet<&str>, BTreeSet<&str>) =
            (tests_of(&doc).into_iter().collect(), holes().flat_map(|hole| hole.tests).copied().collect());
        let excused: BTreeSet<&str> = WHY_NOT.iter().map(|(test, _)| *test).collect();
        let left_out: Vec<_> =
            named.iter().filter(|t| !opened.contains(*t) && !excused.contains(*t)).collect();
        assert!(left_out.is_empty(), "no hole is opened for {left_out:?}");
        let unknown: Vec<_> = opened.union(&excused).filter(|t| !named.contains(*t)).collect();
        assert!(unknown.is_empty(), "docs/security.md does not name {unknown:?}");
        assert!(opened.is_disjoint(&excused), "a reason for a test whose hole is opened");
    }

    /// The first cell of each row of the tables that have a column of tests, and whether it names any.
    fn rows(doc: &str) -> Vec<(&str, bool)> {
        let mut of_tests = false;
        let mut rows = Vec::new();
        for line in doc.lines() {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            match cells.as_slice() {
                ["", _, .., "Test", ""] => of_tests = true,
                ["", first, .., last, ""] if of_tests => rows.push((*first, last.contains('`'))),
                _ => of_tests = false,
            }
        }
        rows
    }

    #[test]
    fn every_row_with_tests_has_a_hole_and_every_hole_a_row() {
        let doc = doc();
        let rows = rows(&doc);
        let fits = |cell: &str, row: &str| cell.split(", ").any(|cve| cve == row) || cell.starts_with(row);
        for (cell, _) in rows.iter().filter(|(_, tested)| *tested) {
            let excused = ROWS_WHY_NOT.iter().any(|(row, _)| fits(cell, row));
            assert!(excused || holes().any(|hole| fits(cell, hole.row)), "no hole for the row {cell}");
        }
        for row in holes().map(|hole| hole.row).filter(|row| *row != BOUNDED) {
            assert!(rows.iter().any(|(cell, tested)| *tested && fits(cell, row)), "no row with tests: {row}");
        }
        assert!(doc.contains(&format!("\n## {BOUNDED}\n")));
        assert!(rows.len() > 50, "{rows:?}");
    }
}
