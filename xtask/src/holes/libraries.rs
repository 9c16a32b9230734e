//! A table: the holes that the crates between the wire and the daemons close.

use super::{BOUNDED, Hole, Suite};

/// Those of `core`, `render`, `modules` and `protocol/net`.
pub(super) const SUITES: &[Suite] = &[
    Suite { package: "brine-core", target: &["--lib"], holes: CORE },
    Suite { package: "brine-render", target: &["--lib"], holes: SALTFILE },
    Suite { package: "brine-render", target: &["--test", "yaml"], holes: RENDER },
    Suite { package: "brine-modules", target: &["--lib"], holes: MODULES_LIB },
    Suite { package: "brine-modules", target: &["--test", "security"], holes: MODULES },
    Suite { package: "brine-returners", target: &["--lib"], holes: RETURNERS },
    Suite { package: "brine-returners", target: &["--test", "databases"], holes: DATABASES },
    Suite { package: "brine-net", target: &["--lib"], holes: NET },
    Suite { package: "brine-files", target: &["--lib"], holes: FILES },
];

const CORE: &[Hole] = &[
    Hole {
        row: "2022-22941",
        file: "core/src/auth_rules.rs",
        find: "&& validate_tgt(fleet, target, minions)",
        put: "&& minions.iter().any(|m| validate_tgt(fleet, target, std::slice::from_ref(m)))",
        tests: &["a_target_bounds_the_minions"],
    },
    Hole {
        row: "2022-22941",
        file: "core/src/auth_rules.rs",
        find: "&& !minions.is_empty()",
        put: "",
        tests: &["a_target_bounds_the_minions"],
    },
    Hole {
        row: "a list of functions passes",
        file: "core/src/auth_rules.rs",
        find: "&& calls.iter().all(|call| {",
        put: "&& calls.iter().any(|call| {",
        tests: &["every_function_must_pass"],
    },
    Hole {
        row: "`fun` rules of `peer`",
        file: "core/src/auth_rules.rs",
        find: "Regex::new(pattern, Anchor::Full)",
        put: "Regex::new(pattern, Anchor::Match)",
        tests: &["functions_match_as_a_whole"],
    },
    Hole {
        row: "padding unchecked",
        file: "core/src/target/pyre.rs",
        find: "if pattern.len() > bounds.pattern {",
        put: "if pattern.len() > bounds.pattern * bounds.pattern {",
        tests: &["work_is_bounded"],
    },
];

const SALTFILE: &[Hole] = &[Hole {
    row: "a Saltfile in the working directory",
    file: "render/src/saltfile.rs",
    find: "let safe = owned && meta.mode() & 0o002 == 0;",
    put: "let safe = owned;",
    tests: &["a_saltfile_that_others_may_write_is_not_found"],
}];

const RENDER: &[Hole] = &[Hole {
    row: "2025-62348",
    file: "render/src/yaml/construct.rs",
    find: "let tag = shown::text(&tag);",
    put: r#"if tag.contains("python/") {
                    return Ok(Obj::str(&*tag));
                }
                let tag = shown::text(&tag);"#,
    tests: &["cve_2025_62348_no_object_is_built_from_a_tag"],
}];

const DATABASES: &[Hole] = &[Hole {
    row: "2020-28972",
    file: "dial/src/tls.rs",
    find: "let verifier: Arc<dyn ServerCertVerifier> = match self.check {",
    put: "let verifier: Arc<dyn ServerCertVerifier> = match Check::Nothing {",
    tests: &["mariadb", "postgresql"],
}];

const RETURNERS: &[Hole] = &[
    Hole {
        row: "2020-28972",
        file: "dial/src/tls.rs",
        find: "let verifier: Arc<dyn ServerCertVerifier> = match self.check {",
        put: "let verifier: Arc<dyn ServerCertVerifier> = match Check::Nothing {",
        tests: &["a_server_that_anybody_could_be_is_told_nothing"],
    },
    Hole {
        row: "a job names the file",
        file: "returners/src/options.rs",
        find: "PATHS.contains(&name) || ",
        put: "",
        tests: &["a_job_names_no_path_and_leads_no_secret_elsewhere"],
    },
    Hole {
        row: "a job names the file",
        file: "returners/src/options.rs",
        find: "found.remove(secret);",
        put: "let _ = secret;",
        tests: &["a_job_names_no_path_and_leads_no_secret_elsewhere"],
    },
];

const MODULES_LIB: &[Hole] = &[
    Hole {
        row: "2020-28243",
        file: "modules/src/network/probes.rs",
        find: "host.trim_start_matches(|c: char| !c.is_ascii_alphanumeric())",
        put: "host",
        tests: &["cve_2020_28243_a_host_name_is_neither_shell_nor_option"],
    },
    Hole {
        row: "2020-28243",
        file: "modules/src/network/probes.rs",
        find: r#"c.is_ascii_alphanumeric() || ".-_".contains(*c)"#,
        put: "!c.is_control()",
        tests: &["cve_2020_28243_a_host_name_is_neither_shell_nor_option"],
    },
];

const MODULES: &[Hole] = &[
    Hole {
        row: "2021-31607",
        file: "modules/src/cmd/options.rs",
        find: "Value::List(items) => list(items),",
        put: r#"Value::List(items) => vec!["/bin/sh".into(), "-c".into(), list(items).join(" ")],"#,
        tests: &["cve_2021_31607_a_command_without_shell_is_a_list_of_words"],
    },
    Hole {
        row: "2023-34049",
        file: "modules/src/cmd/script.rs",
        find: "from_mode(0o500)",
        put: "from_mode(0o755)",
        tests: &["cve_2023_34049_scripts_lie_under_names_nobody_can_guess_and_only_their_user_opens_them"],
    },
    Hole {
        row: "2023-34049",
        file: "modules/src/cmd/script.rs",
        find: r#"builder.prefix("__salt.tmp.")"#,
        put: r#"builder.rand_bytes(0).prefix("__salt.tmp.brine")"#,
        tests: &["cve_2023_34049_scripts_lie_under_names_nobody_can_guess_and_only_their_user_opens_them"],
    },
];

const FILES: &[Hole] = &[
    Hole {
        row: "an archive writes outside of the folder that it is unpacked to",
        file: "files/src/archive/target.rs",
        find: "ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;",
        put: "ResolveFlags::NO_MAGICLINKS;",
        tests: &["nothing_leads_out"],
    },
    Hole {
        row: "an archive writes outside of the folder that it is unpacked to",
        file: "files/src/archive/target.rs",
        find: "(!parts.contains(&&b\"..\"[..])).then_some(parts)",
        put: "Some(parts)",
        tests: &["nothing_leads_out"],
    },
    Hole {
        row: "2023-20898",
        file: "files/src/git/repo.rs",
        find: "if same.len() > 1 && ",
        put: "if same.len() > 2 && ",
        tests: &["cve_2023_20898_remotes_share_no_folder"],
    },
    Hole {
        row: "2024-22232",
        file: "files/src/server/open.rs",
        find: "if !meta.is_file() {",
        put: "if meta.is_dir() {",
        tests: &["only_regular_files_are_opened_and_nothing_waits"],
    },
    Hole {
        row: "2024-22232",
        file: "files/src/server/open.rs",
        find: "if let Some(root) = inside {",
        put: "if let Some(root) = inside.filter(|root| root.as_os_str().is_empty()) {",
        tests: &["only_regular_files_are_opened_and_nothing_waits"],
    },
];

const NET: &[Hole] = &[
    Hole {
        row: BOUNDED,
        file: "protocol/net/src/guard.rs",
        find: "let max = max.min(max_buffered_strangers);",
        put: "let max = max.max(max_buffered_strangers);",
        tests: &["strangers_share_a_small_purse_and_known_addresses_the_large_one"],
    },
    Hole {
        row: BOUNDED,
        file: "protocol/net/src/guard.rs",
        find: "bytes <= most || ",
        put: "bytes <= usize::MAX - most || ",
        tests: &["strangers_share_a_small_purse_and_known_addresses_the_large_one"],
    },
];
