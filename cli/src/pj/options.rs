//! The options of `pj` and of each of its commands; those that Pallet Jack's own tools have are called as there.

use brine_core::cmdline::{Kind, Opt, PAGES, Program, Section, Suite, flag, int_value, value};

/// The command line of `pj`.
pub const SUITE: Suite = Suite {
    program: &Program {
        name: "pj",
        usage: "<command> [options] (pj <command> --help tells of a command)",
        about: "Looks at an inventory in Pallet Jack's format, checks it, and makes configuration for servers of it.",
        sections: &[PAGES],
        exits: EXITS,
    },
    commands: &[
        &LINT,
        &DUMP,
        &QUERY,
        &WHERE,
        &DIFF,
        &CREATE_DOMAIN,
        &CREATE_SYSTEM,
        &CREATE_INTERFACE,
        &EXPORT_SALT,
        &EXPORT_KEA,
        &EXPORT_KNOT,
        &EXPORT_UNBOUND,
        &EXPORT_PXELINUX,
        &HOOK_PRE_RECEIVE,
        &HOOK_POST_RECEIVE,
    ],
};

const EXITS: &[(u8, &str)] = &[
    (0, "All went well."),
    (1, "The warehouse has errors, nothing was found, or something failed."),
    (64, "The command line is wrong."),
    (77, "A file may not be read or written."),
];

const fn command(
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    sections: &'static [Section],
) -> Program {
    Program { name, usage, about, sections, exits: EXITS }
}

const HELP: Section =
    Section { title: "Pages", options: &[flag(&["-h", "--help"], "help", "Print this page and exit.")] };

const DIRECTORY: Opt = value(
    &["-w", "--warehouse"],
    "warehouse",
    "DIR",
    "The warehouse, or with --ref a repository that has it; default: the working directory.",
);
const REF: Opt = value(
    &["--ref"],
    "ref",
    "REVISION",
    "Read this revision of the git repository, not the files as they lie there.",
);
const BELOW: Opt = value(
    &["--below"],
    "below",
    "FOLDER",
    "The folder in the repository that is the warehouse; default: where the warehouse's directory is in it.",
);
const JSON: Opt = flag(&["--json"], "json", "Print JSON.");

const WAREHOUSE: Section = Section { title: "Warehouse", options: &[DIRECTORY, REF, BELOW, JSON] };

#[rustfmt::skip]
pub(super) const LINT: Program = command("pj lint", "[options]", "Tells what is wrong in a warehouse, and what is likely not meant.", &[
    HELP,
    WAREHOUSE,
    Section { title: "Checking", options: &[
        flag(&["--strict"], "strict", "End with exit code 1 also if there are warnings only."),
        value(&["--explain"], "explain", "CODE", "Explain what a code means and what to do, and exit; 'all' lists every code."),
    ] },
]);

const TYPE: Opt = value(&["-t", "--type"], "type", "KIND", "The kind of pallets; default: system.");
const FULL: Opt = flag(
    &["-f", "--full-name"],
    "full_name",
    "Names are full names, and are printed so: those of parents in front.",
);

#[rustfmt::skip]
pub(super) const DUMP: Program = command("pj dump", "[options] [names]", "Prints all values of pallets, as dump_pallet does.", &[
    HELP,
    WAREHOUSE,
    Section { title: "Pallets", options: &[
        TYPE,
        FULL,
        flag(&["-p", "--position"], "position", "Print beside each value where it comes from, by which links, and what it has taken the place of."),
    ] },
]);

#[rustfmt::skip]
pub(super) const QUERY: Program = command("pj query", "[options] [names]", "Prints the names of pallets that match, or some of their values.", &[
    HELP,
    WAREHOUSE,
    Section { title: "Pallets", options: &[
        TYPE,
        value(&["--name"], "name", "NAME", "The last part of the name; one of several, where it is given more than once."),
        value(&["--full-name"], "full_name_is", "NAME", "The whole name, with those of its parents."),
        value(&["--parent-name"], "parent_name", "NAME", "The whole name of the parent that it lies in."),
    ] },
    Section { title: "Values: KEY is there, KEY=TEXT is that text, KEY~REGEXP matches; of a list, one item does", options: &[
        value(&["--all"], "all", "TEST", "Every test of this kind holds."),
        value(&["--any"], "any", "TEST", "At least one test of this kind holds."),
        value(&["--none"], "none", "TEST", "No test of this kind holds."),
        value(&["--one"], "one", "TEST", "Exactly one test of this kind holds."),
    ] },
    Section { title: "Printing", options: &[
        value(&["-k", "--key"], "key", "KEY", "Print this value behind the name; several are separated by tabs."),
    ] },
]);

#[rustfmt::skip]
pub(super) const WHERE: Program = command("pj where", "[options] KEY [names]", "Tells where a value comes from: file and line, links, transforms, and what it has taken the place of.", &[
    HELP,
    WAREHOUSE,
    Section { title: "Pallets", options: &[TYPE, FULL] },
]);

#[rustfmt::skip]
pub(super) const DIFF: Program = command("pj diff", "[options] REVISION REVISION", "Tells what changes between two revisions: of the pillar of each minion, of DHCP leases and of zones.", &[
    HELP,
    Section { title: "Warehouse", options: &[
        value(&["-w", "--warehouse"], "warehouse", "DIR", "The git repository, or the warehouse in it; default: the working directory."),
        BELOW,
        JSON,
    ] },
]);

const CREATE_AT: Section = Section {
    title: "Warehouse",
    options: &[
        value(&["-w", "--warehouse"], "warehouse", "DIR", "The warehouse; default: the working directory."),
        JSON,
    ],
};

#[rustfmt::skip]
pub(super) const CREATE_DOMAIN: Program = command("pj create domain", "-d DOMAIN -n CIDR", "Makes a domain and its network, with boxes to fill in. What is there stays.", &[
    HELP,
    CREATE_AT,
    Section { title: "Domain", options: &[
        value(&["-d", "--domain"], "domain", "DOMAIN", "The name of the domain."),
        value(&["-n", "--network"], "network", "CIDR", "Its network: 192.168.0.0/24, or one of IPv6."),
    ] },
]);

#[rustfmt::skip]
pub(super) const CREATE_SYSTEM: Program = command("pj create system", "-s SYSTEM -d DOMAIN (-o OS | -n NETINSTALL)", "Makes a system. What is there stays, but for the link to another operating system.", &[
    HELP,
    CREATE_AT,
    Section { title: "System", options: &[
        value(&["-s", "--system"], "system", "SYSTEM", "The name of the system."),
        value(&["-d", "--domain"], "domain", "DOMAIN", "The domain it is of, which must be there."),
        value(&["-o", "--os"], "os", "OS", "Its operating system, which must be there."),
        value(&["-n", "--netinstall"], "netinstall", "NETINSTALL", "How it is installed; a full name, which must be there."),
    ] },
]);

#[rustfmt::skip]
pub(super) const CREATE_INTERFACE: Program = command("pj create interface", "-s SYSTEM -d DOMAIN -m MAC -i ADDRESS -n CIDR", "Makes an address of a system, and the network card if it is not there. What is there stays.", &[
    HELP,
    CREATE_AT,
    Section { title: "Interface", options: &[
        value(&["-s", "--system"], "system", "SYSTEM", "The system, which must be there."),
        value(&["-d", "--domain"], "domain", "DOMAIN", "The domain, which must be there."),
        value(&["-m", "--mac"], "mac", "MAC", "The hardware address of the card."),
        value(&["-i", "--ip"], "ip", "ADDRESS", "The address, of IPv4 or IPv6."),
        value(&["-n", "--network"], "network", "CIDR", "The network, which must be there."),
    ] },
]);

const SERVICE: Opt = value(
    &["-s", "--service"],
    "service",
    "NAME",
    "The service pallet that has the settings; not needed where there is only one.",
);
const FORCE: Opt = flag(&["--force"], "force", "Replace files, too, that no export has made.");
const OUTPUT: Opt = value(
    &["-o", "--output"],
    "output",
    "DIR",
    "The directory to write to; files of an earlier export that are out of date are removed.",
);

#[rustfmt::skip]
pub(super) const EXPORT_SALT: Program = command("pj export salt", "[-g DIR] [-m DIR]", "Writes files for Salt's pillar.", &[
    HELP,
    WAREHOUSE,
    Section { title: "Files", options: &[
        value(&["-g", "--global"], "global", "DIR", "Write palletjack/global.sls, for all minions, below this directory."),
        value(&["-m", "--minion"], "minion", "DIR", "Write <fqdn>.yaml for each minion into this directory."),
        FORCE,
    ] },
]);

#[rustfmt::skip]
pub(super) const EXPORT_KEA: Program = command("pj export kea", "[-s NAME] [-6] [-o FILE]", "Writes the configuration of the Kea DHCP server.", &[
    HELP,
    WAREHOUSE,
    Section { title: "Files", options: &[
        value(&["-s", "--service"], "service", "NAME", "The pallet below service/dhcp-server that has the settings; not needed where there is only one."),
        flag(&["-6", "--dhcp6"], "dhcp6", "Write that of the server for IPv6."),
        value(&["-o", "--output"], "output", "FILE", "Write to this file; default: standard output."),
        FORCE,
    ] },
]);

#[rustfmt::skip]
pub(super) const EXPORT_KNOT: Program = command("pj export knot", "-o DIR", "Writes zone files, and the list of zones for Knot DNS.", &[
    HELP,
    WAREHOUSE,
    Section { title: "Files", options: &[
        OUTPUT,
        Opt { names: &["--knot"], dest: "knot", kind: Kind::Choice("VERSION", &["1", "2"]), help: "The version whose format the list has: 1 or 2 (and later); default: 2.", whole: false },
        int_value(&["--serial"], "serial", "N", "The serial number of the zones; default: the time. With the default a zone that has not changed keeps its number."),
        FORCE,
    ] },
]);

#[rustfmt::skip]
pub(super) const EXPORT_UNBOUND: Program = command("pj export unbound", "[-s NAME] -o DIR", "Writes configuration of the resolver Unbound.", &[
    HELP,
    WAREHOUSE,
    Section { title: "Files", options: &[SERVICE, OUTPUT, FORCE] },
]);

#[rustfmt::skip]
pub(super) const EXPORT_PXELINUX: Program = command("pj export pxelinux", "-o DIR", "Writes menus for PXELINUX, and a link to one for each network card.", &[
    HELP,
    WAREHOUSE,
    Section { title: "Files", options: &[OUTPUT, FORCE] },
]);

const CONFIG: Opt = value(
    &["--config"],
    "config",
    "FILE",
    "The hook's settings; default: pj.yaml in the repository's own directory.",
);

const HOOK: Section = Section {
    title: "Hook",
    options: &[
        CONFIG,
        value(
            &["--ref"],
            "ref",
            "BRANCH",
            "The branch that is looked after; default: as the settings say, or main.",
        ),
        value(
            &["--below"],
            "below",
            "FOLDER",
            "The folder in the repository that is the warehouse; default: as the settings say, or all of it.",
        ),
        JSON,
    ],
};

#[rustfmt::skip]
pub(super) const HOOK_PRE_RECEIVE: Program = command("pj hook pre-receive", "[options]", "Refuses a push to the branch whose warehouse has errors. Run by git, as hooks/pre-receive of a repository.", &[
    HELP,
    HOOK,
    Section { title: "Checking", options: &[flag(&["--strict"], "strict", "Refuse warnings, too.")] },
]);

#[rustfmt::skip]
pub(super) const HOOK_POST_RECEIVE: Program = command("pj hook post-receive", "[options]", "Makes the exports that the settings name, and tells the master on this host. Run by git, as hooks/post-receive of a repository.", &[
    HELP,
    HOOK,
    Section { title: "Master", options: &[
        value(&["-c", "--config-dir"], "config_dir", "DIR", "The directory of the master's configuration; default: as the settings say, or /etc/salt."),
        flag(&["--no-refresh"], "no_refresh", "Do not tell the master."),
    ] },
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sound() {
        assert_eq!(SUITE.faults(), Vec::<String>::new());
    }
}
