//! The options of `salt-key`, as one table.

use crate::args::{common, output_options};
use clap::{Arg, ArgAction, ArgMatches, Command};

/// The command line of `salt-key`.
pub(crate) fn command() -> Command {
    let action = |short: char, long: &'static str, name: &'static str, help: &'static str| {
        Arg::new(long).short(short).long(long).value_name(name).help(help).help_heading("Actions")
    };
    let flag = |short: char, long: &'static str, help: &'static str| {
        Arg::new(long).short(short).long(long).action(ArgAction::SetTrue).help(help).help_heading("Actions")
    };
    let include = |long: &'static str, help: &'static str| {
        Arg::new(long).long(long).action(ArgAction::SetTrue).help(help).help_heading("Actions")
    };
    let cmd = common(Command::new("salt-key").about("Manage the keys of the minions of this master"), None)
        .arg(action(
            'l',
            "list",
            "STATE",
            "List the keys of one state: acc[epted], pre, un[accepted], rej[ected], den[ied] or all",
        ))
        .arg(flag('L', "list-all", "List all keys (the default)"))
        .arg(action(
            'a',
            "accept",
            "MATCH",
            "Accept the pending keys that match a glob, or a comma-separated list of globs",
        ))
        .arg(flag('A', "accept-all", "Accept all pending keys"))
        .arg(action('r', "reject", "MATCH", "Reject the pending keys that match"))
        .arg(flag('R', "reject-all", "Reject all pending keys"))
        .arg(include("include-all", "With --accept also rejected, with --reject also accepted keys"))
        .arg(include("include-accepted", "With --reject, also accepted keys"))
        .arg(include("include-rejected", "With --accept, also rejected keys"))
        .arg(include("include-denied", "With --accept or --reject, also denied keys"))
        .arg(action('p', "print", "MATCH", "Print the public keys that match"))
        .arg(flag('P', "print-all", "Print all public keys"))
        .arg(action('d', "delete", "MATCH", "Delete the keys that match, whatever their state"))
        .arg(flag('D', "delete-all", "Delete all keys"))
        .arg(action('f', "finger", "MATCH", "Show the fingerprints of the keys that match"))
        .arg(flag('F', "finger-all", "Show the fingerprints of all keys"))
        .arg(Arg::new("quiet").short('q').long("quiet").action(ArgAction::SetTrue).help("Print nothing"))
        .arg(
            Arg::new("yes")
                .short('y')
                .long("yes")
                .action(ArgAction::SetTrue)
                .help("Answer yes to every question"),
        )
        .arg(
            Arg::new("rotate-aes-key")
                .long("rotate-aes-key")
                .value_name("BOOL")
                .default_value("True")
                .help("Whether deleting or rejecting keys makes the master change its session key at once"),
        )
        .arg(
            Arg::new("preserve-minions")
                .long("preserve-minions")
                .value_name("BOOL")
                .default_value("False")
                .help("Whether the cached data of deleted minions is kept"),
        );
    let generate = |arg: Arg| arg.help_heading("Key generation");
    let cmd = cmd
        .arg(generate(
            Arg::new("gen-keys")
                .long("gen-keys")
                .value_name("NAME")
                .help("Generate a key pair NAME.pem, NAME.pub"),
        ))
        .arg(generate(
            Arg::new("gen-keys-dir")
                .long("gen-keys-dir")
                .value_name("DIR")
                .default_value(".")
                .help("Where --gen-keys writes"),
        ))
        .arg(generate(
            Arg::new("keysize")
                .long("keysize")
                .value_name("BITS")
                .value_parser(clap::value_parser!(u16).range(2048..=32768))
                .default_value("2048")
                .help("Size of a generated key"),
        ))
        .arg(generate(
            Arg::new("gen-signature")
                .long("gen-signature")
                .action(ArgAction::SetTrue)
                .help("Sign the master's public key with the signing key, into master_pubkey_signature"),
        ))
        .arg(generate(Arg::new("priv").long("priv").value_name("FILE").help("The signing key to use")))
        .arg(generate(Arg::new("pub").long("pub").value_name("FILE").help("The public key to sign")))
        .arg(generate(
            Arg::new("signature-path")
                .long("signature-path")
                .value_name("DIR")
                .help("Where the signature goes"),
        ))
        .arg(generate(
            Arg::new("auto-create")
                .long("auto-create")
                .action(ArgAction::SetTrue)
                .help("Generate the signing key pair if there is none"),
        ));
    output_options(cmd)
}

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
    pub(crate) fn of(m: &ArgMatches) -> Self {
        let text = |id: &str| m.get_one::<String>(id).cloned();
        let either = |one: &str, all: &str| text(one).or_else(|| m.get_flag(all).then(|| "*".to_owned()));
        if let Some(name) = text("gen-keys") {
            return Self::GenKeys(name);
        }
        if m.get_flag("gen-signature") {
            return Self::GenSignature;
        }
        if let Some(state) = text("list") {
            return Self::List(state);
        }
        if m.get_flag("list-all") {
            return Self::ListAll;
        }
        type Make = fn(String) -> Action;
        let by_match: [(&str, &str, Make); 5] = [
            ("print", "print-all", Self::Print),
            ("accept", "accept-all", Self::Accept),
            ("reject", "reject-all", Self::Reject),
            ("delete", "delete-all", Self::Delete),
            ("finger", "finger-all", Self::Finger),
        ];
        by_match.into_iter().find_map(|(one, all, make)| either(one, all).map(make)).unwrap_or(Self::ListAll)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn actions_are_chosen_as_in_stock() {
        let of = |args: &[&str]| Action::of(&command().get_matches_from([&["salt-key"], args].concat()));
        assert_eq!(of(&[]), Action::ListAll);
        assert_eq!(of(&["-A"]), Action::Accept("*".into()));
        assert_eq!(of(&["--yes", "--accept", "web"]), Action::Accept("web".into()));
        assert_eq!(of(&["-l", "un"]), Action::List("un".into()));
        assert_eq!(of(&["-F", "-L"]), Action::ListAll);
    }
}
