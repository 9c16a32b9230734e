//! A table: the holes that inventories and what is made of them close.

use super::{Hole, Suite};

pub(super) const SUITES: &[Suite] = &[
    Suite { package: "brine-inventory", target: &["--test", "zones"], holes: VALUES },
    Suite { package: "brine-inventory", target: &["--test", "findings"], holes: DATA },
    Suite { package: "brine-cli", target: &["--lib"], holes: FILES },
];

const VALUES: &[Hole] = &[
    Hole {
        row: "a value of an inventory puts lines of its own",
        file: "pillar/inventory/src/export/check.rs",
        find: "relative.len() <= 253 && relative.split('.').enumerate().all(label)",
        put: "relative.len() <= 253 || relative.split('.').enumerate().all(label)",
        tests: &["no_value_makes_a_line_of_its_own", "whatever_values_are_lines_are_records"],
    },
    Hole {
        row: "a value of an inventory puts lines of its own",
        file: "pillar/inventory/src/export/check.rs",
        find: "!text.chars().any(|c| c.is_control() ||",
        put: "!text.chars().any(|c| c == '\\u{1}' ||",
        tests: &["no_value_leaves_its_place_in_other_files"],
    },
];

const DATA: &[Hole] = &[Hole {
    row: "a tag in a box makes an object",
    file: "pillar/inventory/src/yaml/tags.rs",
    find: "let object = tag.starts_with(\"!ruby/\") ||",
    put: "let object = tag.starts_with(\"!perl/\") ||",
    tests: &["no_tag_makes_an_object"],
}];

const FILES: &[Hole] = &[
    Hole {
        row: "an export removes or replaces files",
        file: "cli/src/pj/export/write.rs",
        find: "Some(there) if sum(&there) == *known => {",
        put: "Some(there) if sum(&there) == *known || known != \"-\" => {",
        tests: &["only_what_an_export_has_made_is_removed"],
    },
    Hole {
        row: "an export removes or replaces files",
        file: "cli/src/pj/export/write.rs",
        find: "if !path.is_empty() && inside(path) =>",
        put: "if !path.is_empty() || inside(path) =>",
        tests: &["a_manifest_reaches_no_other_directory"],
    },
    Hole {
        row: "an export removes or replaces files",
        file: "cli/src/pj/export/write.rs",
        find: "Some(there) if !force && !old.contains_key(&file.path) && !is_generated(there) => {",
        put: "Some(there) if force && !old.contains_key(&file.path) && !is_generated(there) => {",
        tests: &["what_no_export_has_made_is_not_replaced"],
    },
];
