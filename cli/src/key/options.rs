//! The options of `salt-key`, and the action they ask for.

use crate::options::{CONFIG, EAUTH_LONG, OUTPUT};
use crate::startup::Command;
use brine_core::cmdline::{LOGGING_LONG, Opt, PAGES, Program, Section, flag, int_value, value};

/// The command line of `salt-key`.
pub const PROGRAM: Program = Program {
    name: "salt-key",
    usage: "[options]",
    about: "Manages the keys of the minions of this master.",
    sections: &[
        PAGES,
        CONFIG,
        Section { title: "Actions", options: ACTIONS },
        Section { title: "Key generation", options: GENERATION },
        Section { title: "How", options: HOW },
        EAUTH_LONG,
        OUTPUT,
        LOGGING_LONG,
    ],
    exits: &[
        (0, "All went well; also if no key matches, or the answer to a question was no."),
        (1, "Something failed."),
        (64, "The command line is wrong."),
        (67, "The configured user is another one, and cannot be switched to."),
        (77, "A file may not be read or written."),
    ],
};

#[rustfmt::skip]
const ACTIONS: &[Opt] = &[
    value(&["-l", "--list"], "list", "STATE", "List the keys of one state: acc[epted], pre, un[accepted], rej[ected], den[ied] or all."),
    flag(&["-L", "--list-all"], "list_all", "List all keys (the default)."),
    value(&["-a", "--accept"], "accept", "MATCH", "Accept the pending keys that match a glob, or a comma-separated list of globs."),
    flag(&["-A", "--accept-all"], "accept_all", "Accept all pending keys."),
    value(&["-r", "--reject"], "reject", "MATCH", "Reject the pending keys that match."),
    flag(&["-R", "--reject-all"], "reject_all", "Reject all pending keys."),
    flag(&["--include-all"], "include_all", "With --accept also rejected, with --reject also accepted keys."),
    flag(&["--include-accepted"], "include_accepted", "With --reject, also accepted keys."),
    flag(&["--include-rejected"], "include_rejected", "With --accept, also rejected keys."),
    flag(&["--include-denied"], "include_denied", "With --accept or --reject, also denied keys."),
    value(&["-p", "--print"], "print", "MATCH", "Print the public keys that match."),
    flag(&["-P", "--print-all"], "print_all", "Print all public keys."),
    value(&["-d", "--delete"], "delete", "MATCH", "Delete the keys that match, whatever their state."),
    flag(&["-D", "--delete-all"], "delete_all", "Delete all keys."),
    value(&["-f", "--finger"], "finger", "MATCH", "Show the fingerprints of the keys that match."),
    flag(&["-F", "--finger-all"], "finger_all", "Show the fingerprints of all keys."),
];

#[rustfmt::skip]
const GENERATION: &[Opt] = &[
    value(&["--gen-keys"], "gen_keys", "NAME", "Generate a key pair NAME.pem, NAME.pub."),
    value(&["--gen-keys-dir"], "gen_keys_dir", "DIR", "Where --gen-keys writes; default: the working directory."),
    int_value(&["--keysize"], "keysize", "BITS", "Size of a generated key, from 2048 (the default) to 32768."),
    flag(&["--gen-signature"], "gen_signature", "Sign the master's public key with the signing key, into master_pubkey_signature."),
    value(&["--priv"], "priv", "FILE", "The signing key to use; default: master_sign.pem."),
    value(&["--pub"], "pub", "FILE", "The public key to sign; default: master.pub."),
    value(&["--signature-path"], "signature_path", "DIR", "Where the signature goes; default: the master's pki_dir."),
    flag(&["--auto-create"], "auto_create", "Generate the signing key pair if there is none."),
];

#[rustfmt::skip]
const HOW: &[Opt] = &[
    value(&["-u", "--user"], "user", "USER", "Run as this user."),
    flag(&["-q", "--quiet"], "quiet", "Print nothing."),
    flag(&["-y", "--yes"], "yes", "Answer yes to every question."),
    value(&["--rotate-aes-key"], "rotate_aes_key", "BOOL", "Whether deleting or rejecting keys makes the master change its session key at once; default: True."),
    value(&["--preserve-minions"], "preserve_minions", "BOOL", "Whether the cached data of deleted minions is kept; default: False."),
];

/// What `salt-key` is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// List the keys of one state.
    List(String),
    /// List all keys.
    ListAll,
    /// Accept what matches.
    Accept(String),
    /// Reject what matches.
    Reject(String),
    /// Delete what matches.
    Delete(String),
    /// Print what matches.
    Print(String),
    /// Fingerprints of what matches, the master's own keys included.
    Finger(String),
    /// Generate a key pair of that name.
    GenKeys(String),
    /// Sign the master's public key.
    GenSignature,
}

impl Action {
    /// The action of a command line: the first that is asked for, in stock's order; by default the full listing.
    pub(crate) fn of(command: &Command) -> Self {
        let text = |key: &str| command.some(key).map(str::to_owned);
        let either = |one: &str, all: &str| text(one).or_else(|| command.on(all).then(|| "*".to_owned()));
        if let Some(name) = text("gen_keys") {
            return Self::GenKeys(name);
        }
        if command.on("gen_signature") {
            return Self::GenSignature;
        }
        if let Some(state) = text("list") {
            return Self::List(state);
        }
        if command.on("list_all") {
            return Self::ListAll;
        }
        type Make = fn(String) -> Action;
        let by_match: [(&str, &str, Make); 5] = [
            ("print", "print_all", Self::Print),
            ("accept", "accept_all", Self::Accept),
            ("reject", "reject_all", Self::Reject),
            ("delete", "delete_all", Self::Delete),
            ("finger", "finger_all", Self::Finger),
        ];
        by_match.into_iter().find_map(|(one, all, make)| either(one, all).map(make)).unwrap_or(Self::ListAll)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::Opts;

    #[test]
    fn the_table_is_sound() {
        assert_eq!(PROGRAM.faults(), Vec::<String>::new());
    }

    #[test]
    fn actions_are_chosen_as_in_stock() {
        let of = |args: &[&str]| {
            let line = brine_core::cmdline::parse(&PROGRAM, args.iter().map(|a| (*a).to_owned())).unwrap();
            let opts = Opts::new(PROGRAM.given(&line));
            Action::of(&Command { program: &PROGRAM, line, opts, dir: None })
        };
        assert_eq!(of(&[]), Action::ListAll);
        assert_eq!(of(&["-A"]), Action::Accept("*".into()));
        assert_eq!(of(&["--yes", "--accept", "web"]), Action::Accept("web".into()));
        assert_eq!(of(&["-l", "un"]), Action::List("un".into()));
        assert_eq!(of(&["-F", "-L"]), Action::ListAll);
    }
}
