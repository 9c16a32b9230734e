//! Options that several commands share, in sections for their tables: stock's names, our words.

use brine_core::cmdline::{Section, flag, int_value, value};

/// Where the configuration is.
pub const CONFIG: Section = Section {
    title: "Configuration",
    options: &[
        value(
            &["-c", "--config-dir"],
            "config_dir",
            "DIR",
            "Read the configuration from this directory (/etc/salt).",
        ),
        value(
            &["--saltfile"],
            "saltfile",
            "FILE",
            "Take options that are not given from this YAML file; by default SALT_SALTFILE, Saltfile in the working \
             directory, or ~/.salt/Saltfile.",
        ),
        flag(
            &["--hard-crash"],
            "hard_crash",
            "End with exit code 1 when interrupted; failures are always told in full.",
        ),
    ],
};

/// How data is printed.
pub const OUTPUT: Section = Section {
    title: "Output",
    options: &[
        value(
            &["--out", "--output"],
            "output",
            "FORMAT",
            "How to print data: nested, highstate, json, yaml, txt, raw, pprint, key, table, no_return, \
             newline_values_only, quiet.",
        ),
        int_value(
            &["--out-indent", "--output-indent"],
            "output_indent",
            "SPACES",
            "Indentation of the output; negative: no line breaks where the format allows it.",
        ),
        value(&["--out-file", "--output-file"], "output_file", "FILE", "Write the output to a file."),
        flag(&["--out-file-append", "--output-file-append"], "output_file_append", "Append to that file."),
        flag(&["--no-color", "--no-colour"], "no_color", "No colours."),
        flag(
            &["--force-color", "--force-colour"],
            "force_color",
            "Colours even when the output is no terminal.",
        ),
        value(
            &["--state-output", "--state_output"],
            "state_output",
            "MODE",
            "How much of states to print: full, terse, mixed, changes or filter.",
        ),
        value(
            &["--state-verbose", "--state_verbose"],
            "state_verbose",
            "BOOL",
            "Whether to print states that changed nothing.",
        ),
    ],
};

/// Who one is, for masters with `external_auth`.
pub const EAUTH: Section = Section {
    title: "External authentication",
    options: &[
        value(
            &["-a", "--auth", "--eauth", "--external-auth"],
            "eauth",
            "NAME",
            "Authenticate with this system: pam, ldap, file...",
        ),
        MAKE_TOKEN,
        USERNAME,
        PASSWORD,
    ],
};

/// The same for a command with another use for `-a`.
pub const EAUTH_LONG: Section = Section {
    title: "External authentication",
    options: &[
        value(
            &["--auth", "--eauth", "--external-auth"],
            "eauth",
            "NAME",
            "Authenticate with this system: pam, ldap, file...",
        ),
        MAKE_TOKEN,
        USERNAME,
        PASSWORD,
    ],
};

const MAKE_TOKEN: brine_core::cmdline::Opt = flag(
    &["-T", "--make-token"],
    "mktoken",
    "Have the master make a token and keep it, so that no password is asked for next time.",
);
const USERNAME: brine_core::cmdline::Opt =
    value(&["--username"], "username", "NAME", "The user to authenticate as; asked for if absent.");
const PASSWORD: brine_core::cmdline::Opt = value(
    &["--password"],
    "password",
    "PASSWORD",
    "The password; asked for if absent, which is safer: others on this host can read command lines.",
);

/// Kinds of targets: what the option's key is, and Salt's name of the target type.
pub const TARGET_TYPES: &[(&str, &str)] = &[
    ("list_hosts", "list_hosts"),
    ("pcre", "pcre"),
    ("list", "list"),
    ("grain", "grain"),
    ("grain_pcre", "grain_pcre"),
    ("nodegroup", "nodegroup"),
    ("range", "range"),
    ("compound", "compound"),
    ("pillar_target", "pillar"),
    ("pillar_pcre", "pillar_pcre"),
    ("ipcidr", "ipcidr"),
];

/// Which minions: the kinds of targets that every command knows.
#[rustfmt::skip]
pub const TARGET: Section = Section {
    title: "Target",
    options: &[
        flag(&["-H", "--hosts"], "list_hosts", "Of salt-ssh's rosters; no minion matches."),
        flag(&["-E", "--pcre"], "pcre", "The target is a regular expression."),
        flag(&["-L", "--list"], "list", "The target is a list of minion ids, separated by commas or blanks."),
        flag(&["-G", "--grain"], "grain", "The target is a grain and a glob: os:Arch*"),
        flag(&["-P", "--grain-pcre"], "grain_pcre", "The target is a grain and a regular expression: os:Arch.*"),
        flag(&["-N", "--nodegroup"], "nodegroup", "The target is a node group of the master's configuration."),
        flag(&["-R", "--range"], "range", "The target is a range expression; it needs a range server, and no minion matches without."),
    ],
};

/// Further kinds of targets.
#[rustfmt::skip]
pub const MORE_TARGETS: Section = Section {
    title: "Further targets",
    options: &[
        flag(&["-C", "--compound"], "compound", "The target combines kinds: 'G@os:Debian and web* or E@db.*'"),
        flag(&["-I", "--pillar"], "pillar_target", "The target is a pillar value and a glob: role:production*"),
        flag(&["-J", "--pillar-pcre"], "pillar_pcre", "The target is a pillar value and a regular expression."),
        flag(&["-S", "--ipcidr"], "ipcidr", "The target is an address or a network: 10.1.0.0/24"),
    ],
};

/// What separates levels in targets.
pub const DELIMITER: Section = Section {
    title: "Target syntax",
    options: &[value(
        &["--delimiter"],
        "delimiter",
        "CHAR",
        "What separates the levels in grain and pillar targets; default: a colon.",
    )],
};

/// What every command can end with.
pub const EXITS: &[(u8, &str)] = &[
    (0, "All went well."),
    (1, "Something failed: the master does not answer, a minion failed or did not return."),
    (2, "There is no return at all, or authentication failed."),
    (42, "The command line ends too early."),
    (64, "The command line is wrong."),
    (77, "A file may not be read or written."),
];
