//! `salt-key`: works on the key directories, and tells a running master what it did.

mod after;
mod generate;
pub mod options;
mod store;

use crate::exit::{CliError, NO_USER, Result};
use crate::output::Output;
use crate::startup::{Command, MasterId, Start, read_line, start};
use brine_core::target::fnmatch;
use brine_core::user::become_user;
use brine_protocol::crypt::{HashType, PublicKey, pem_finger};
use brine_protocol::{Map, Value};
use options::{Action, PROGRAM};
use std::io::{BufRead, Write};
use store::{KeyStore, Keys, Status};

/// The whole program. `args` starts with the program's name.
pub fn run(args: impl Iterator<Item = std::ffi::OsString>) -> Result {
    let line = read_line(&PROGRAM, args)?;
    let command = start(&PROGRAM, line, &Start { id: MasterId::Needed, log_file: "key_logfile" })?;
    if let Some(state) = command.some("list").filter(|s| status_of(s).is_none()) {
        return Err(command.usage(&format!("'{state}' is not a valid argument to '--list'")));
    }
    if command.on("delete_all") && !command.line.args.is_empty() {
        return Err(CliError::Client(
            "Delete all takes no arguments. Use -d to delete specified keys".into(),
        ));
    }
    let bits = generate::key_size(&command)?;
    let action = Action::of(&command);
    if let Action::GenKeys(name) = &action {
        return generate::keys(name, bits, &command);
    }
    // Files that root makes would be out of reach for a master that runs as another user.
    become_user(command.text("user")).map_err(|e| {
        tracing::error!(critical = true, "{e}");
        CliError::Code(NO_USER)
    })?;
    let keys = KeyCommand::new(command)?;
    match action {
        Action::GenSignature => generate::signature(&keys.command, bits, &keys.out),
        Action::ListAll => keys.list("all"),
        Action::List(state) => keys.list(&state),
        Action::Print(m) => keys.print(&m),
        Action::Finger(m) => keys.finger(&m),
        Action::Accept(m) => keys.change(Verb::Accept, &m),
        Action::Reject(m) => keys.change(Verb::Reject, &m),
        Action::Delete(m) => keys.change(Verb::Delete, &m),
        Action::GenKeys(_) => Ok(()),
    }
}

/// The state that `--list` names; the outer None: it names none, the inner: all of them.
fn status_of(state: &str) -> Option<Option<Status>> {
    let known = [
        ("acc", Some(Status::Accepted)),
        ("pre", Some(Status::Pending)),
        ("un", Some(Status::Pending)),
        ("rej", Some(Status::Rejected)),
        ("den", Some(Status::Denied)),
        ("all", None),
    ];
    known.into_iter().find(|(begin, _)| state.starts_with(begin)).map(|(_, status)| status)
}

/// What may be done to keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Accept,
    Reject,
    Delete,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Delete => "delete",
        }
    }

    /// The state of keys that it was done to.
    fn makes(self) -> Status {
        if self == Self::Accept { Status::Accepted } else { Status::Rejected }
    }

    fn past(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Reject => "rejected",
            Self::Delete => "deleted",
        }
    }
}

/// What became of a key.
enum Applied {
    Done,
    /// It was not there any more.
    Gone,
    /// It is no key.
    Invalid,
}

/// One run of the command.
struct KeyCommand {
    command: Command,
    store: KeyStore,
    out: Output,
    quiet: bool,
    yes: bool,
    include: Vec<Status>,
    rotate: bool,
    preserve: bool,
}

impl KeyCommand {
    fn new(command: Command) -> Result<Self> {
        let store = KeyStore::new(command.opts.path("pki_dir"));
        let all = command.on("include_all");
        let include = [
            (Status::Accepted, command.on("include_accepted") || all),
            (Status::Rejected, command.on("include_rejected") || all),
            (Status::Denied, command.on("include_denied")),
        ];
        let truth = |key: &str| match command.text(key).to_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ if command.line.has(key) => {
                let name = key.replace('_', "-");
                Err(command.usage(&format!("--{name} is True or False, not {}", command.text(key))))
            }
            // A word that is no text is from a configuration file.
            _ => Ok(command.opts.get(key).map_or(key == "rotate_aes_key", Value::truthy)),
        };
        Ok(Self {
            store,
            out: Output::new(&command.opts)?,
            quiet: command.on("quiet"),
            yes: command.on("yes"),
            include: include.into_iter().filter(|(_, wanted)| *wanted).map(|(s, _)| s).collect(),
            rotate: truth("rotate_aes_key")?,
            preserve: truth("preserve_minions")? || command.on("preserve_minion_cache"),
            command,
        })
    }

    fn list(&self, state: &str) -> Result {
        match status_of(state) {
            Some(Some(status)) => self.show(&as_lists(&vec![(status, self.store.list(status)?)])),
            // The master's own keys are read, and not shown: as stock does.
            _ => self.show(&as_lists(&self.store.minions()?)),
        }
    }

    fn print(&self, pattern: &str) -> Result {
        let found = matching(self.store.minions()?, pattern);
        self.show_each(found, |status, name| Ok(Value::from(self.store.read(status, name)?)))
    }

    fn finger(&self, pattern: &str) -> Result {
        let hash = HashType::parse(self.command.opts.str("hash_type")).unwrap_or(HashType::Sha256);
        let found = matching(self.store.all()?, pattern);
        self.show_each(found, |status, name| Ok(pem_finger(&self.store.read(status, name)?, hash).into()))
    }

    fn show_each(&self, keys: Keys, each: impl Fn(Status, &str) -> Result<Value>) -> Result {
        let mut data = Map::new();
        for (status, names) in keys {
            let mut inner = Map::new();
            for name in names {
                let shown = each(status, &name)?;
                inner.insert(name, shown);
            }
            data.insert(status.dir(), inner);
        }
        self.show(&data)
    }

    fn change(&self, verb: Verb, pattern: &str) -> Result {
        let found = self.touched(verb, matching(self.store.minions()?, pattern));
        if found.is_empty() {
            self.say(&format!(
                "The key glob '{pattern}' does not match any {} keys.",
                self.states_text(verb)
            ))?;
            return Ok(());
        }
        self.say(&format!("The following keys are going to be {}:", verb.past()))?;
        self.show(&as_lists(&found))?;
        if !self.yes && !self.confirmed(verb)? {
            return Ok(());
        }
        let mut changed = Vec::new();
        let mut invalid = Vec::new();
        for (status, names) in &found {
            for name in names {
                match self.apply(verb, *status, name)? {
                    Applied::Done => changed.push(name.clone()),
                    Applied::Gone => {}
                    Applied::Invalid => invalid.push(name.as_str()),
                }
            }
        }
        after::tell_master(&self.command.opts, verb.name(), &changed)?;
        for name in &invalid {
            eprintln!("Unable to accept invalid key for {name}.");
        }
        for name in self.told(verb, &found, &invalid)? {
            self.say(&format!("Key for minion {name} {}.", verb.past()))?;
        }
        if verb != Verb::Accept {
            if !self.preserve {
                after::drop_caches(&self.command.opts, &self.store)?;
            }
            if self.rotate {
                after::ask_for_new_session_key(&self.command.opts)?;
            }
        }
        Ok(())
    }

    /// Of the keys that match, those in a state that the verb is about.
    fn touched(&self, verb: Verb, mut found: Keys) -> Keys {
        if verb == Verb::Delete {
            return found;
        }
        found.retain(|(status, _)| *status != verb.makes() && self.covers(*status));
        // Pending keys are dealt with first.
        found.sort_by_key(|(status, _)| *status != Status::Pending);
        found
    }

    fn covers(&self, status: Status) -> bool {
        status == Status::Pending || self.include.contains(&status)
    }

    /// `unaccepted, rejected or denied`: the states that were looked at.
    fn states_text(&self, verb: Verb) -> String {
        let names = [
            (Status::Accepted, "accepted", verb != Verb::Accept),
            (Status::Rejected, "rejected", verb != Verb::Reject),
            (Status::Denied, "denied", true),
        ];
        let mut words = vec!["unaccepted"];
        words.extend(
            names.iter().filter(|(s, _, fits)| *fits && self.include.contains(s)).map(|(_, n, _)| *n),
        );
        match words.as_slice() {
            [one] => (*one).to_owned(),
            [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
            [] => String::new(),
        }
    }

    /// The names to report: of deleted keys those that were asked for, else the keys that are there now under these
    /// names, each once for every state it is in.
    fn told(&self, verb: Verb, found: &Keys, invalid: &[&str]) -> Result<Vec<String>> {
        let asked = found.iter().flat_map(|(_, names)| names).filter(|n| !invalid.contains(&n.as_str()));
        if verb == Verb::Delete {
            return Ok(asked.cloned().collect());
        }
        let now = self.store.minions()?;
        let mut told: Keys = Vec::new();
        for name in asked {
            for (status, _) in now.iter().filter(|(_, names)| names.contains(name)) {
                match told.iter_mut().find(|(known, _)| known == status) {
                    Some((_, list)) => list.push(name.clone()),
                    None => told.push((*status, vec![name.clone()])),
                }
            }
        }
        Ok(told.into_iter().flat_map(|(_, names)| names).collect())
    }

    /// Does it to one key.
    fn apply(&self, verb: Verb, status: Status, name: &str) -> Result<Applied> {
        let done = match verb {
            Verb::Accept => {
                if PublicKey::from_pem(&self.store.read(status, name)?).is_err() {
                    return Ok(Applied::Invalid);
                }
                self.store.transfer(status, Status::Accepted, name)?
            }
            Verb::Reject => self.store.transfer(status, Status::Rejected, name)?,
            Verb::Delete => self.store.remove(status, name)?,
        };
        Ok(if done { Applied::Done } else { Applied::Gone })
    }

    /// Asks the user; plain Enter means yes, but for deletion.
    fn confirmed(&self, verb: Verb) -> Result<bool> {
        let (question, default) =
            if verb == Verb::Delete { ("Proceed? [N/y] ", "n") } else { ("Proceed? [n/Y] ", "y") };
        let io = |e| CliError::io("terminal", e);
        let mut stdout = std::io::stdout();
        stdout.write_all(question.as_bytes()).and_then(|()| stdout.flush()).map_err(io)?;
        let mut answer = String::new();
        // End of input is no answer, and no answer changes nothing.
        if std::io::stdin().lock().read_line(&mut answer).map_err(io)? == 0 {
            return Ok(false);
        }
        let answer = answer.trim_end_matches(['\n', '\r']);
        Ok((if answer.is_empty() { default } else { answer }).to_lowercase().starts_with('y'))
    }

    fn show(&self, data: &Map) -> Result {
        if self.quiet { Ok(()) } else { self.out.show(&Value::Map(data.clone()), "key") }
    }

    fn say(&self, text: &str) -> Result {
        if self.quiet { Ok(()) } else { self.out.line(text) }
    }
}

/// The keys that match a glob, or any of a comma-separated list of globs; states without a match are left out.
fn matching(keys: Keys, pattern: &str) -> Keys {
    let globs: Vec<&str> = pattern.split(',').collect();
    keys.into_iter()
        .map(|(s, names)| {
            (s, names.into_iter().filter(|n| globs.iter().any(|g| fnmatch(n, g))).collect::<Vec<_>>())
        })
        .filter(|(_, names)| !names.is_empty())
        .collect()
}

fn as_lists(keys: &Keys) -> Map {
    keys.iter().map(|(status, names)| (status.dir(), Value::from(names.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_globs_match_and_empty_states_vanish() {
        let keys = vec![
            (Status::Accepted, vec!["db1".to_owned(), "web1".to_owned()]),
            (Status::Pending, vec!["cache".to_owned()]),
        ];
        let found = matching(keys, "web*,db?");
        assert_eq!(found, vec![(Status::Accepted, vec!["db1".to_owned(), "web1".to_owned()])]);
    }
}
