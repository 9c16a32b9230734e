//! The options of `salt-cp`.

use crate::options::{CONFIG, DELIMITER, EXITS, OUTPUT, TARGET};
use brine_core::cmdline::{LOGGING, Opt, PAGES, Program, Section, flag, int_value, off};

/// The command line of `salt-cp`.
pub const PROGRAM: Program = Program {
    name: "salt-cp",
    usage: "[options] '<target>' SOURCE DEST",
    about: "Copies files of this host to minions: small texts, or with --chunked anything.",
    sections: &[
        PAGES,
        CONFIG,
        TARGET,
        DELIMITER,
        Section { title: "Copying", options: COPYING },
        OUTPUT,
        LOGGING,
    ],
    exits: EXITS,
};

#[rustfmt::skip]
const COPYING: &[Opt] = &[
    flag(&["-C", "--chunked"], "chunked", "Send files in chunks: large ones, any bytes, whole directories, with their modes."),
    off(&["-n", "--no-compression"], "gzip", "Do not compress chunks."),
    int_value(&["-t", "--timeout"], "timeout", "SECONDS", "How long to wait before asking who still works on the job; default: 5."),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_sound() {
        assert_eq!(super::PROGRAM.faults(), Vec::<String>::new());
    }
}
