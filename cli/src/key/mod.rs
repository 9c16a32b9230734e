//! `salt-key`: works on the key directories, and tells a running master what it did.

mod after;
mod args;
mod generate;
mod store;

use crate::config::{Loaded, MasterId, load_master};
use crate::exit::{CliError, Result};
use crate::output::Output;
use args::Action;
use brine_core::target::fnmatch;
use brine_protocol::crypt::{HashType, PublicKey, pem_finger};
use brine_protocol::{Map, Value};
use clap::ArgMatches;
use std::io::{BufRead, Write};
use store::{KeyStore, Keys, Status};

/// The whole program. `args` starts with the program's name.
pub fn run(args: impl Iterator<Item = std::ffi::OsString>) -> Result {
    let matches = crate::usage::parse(args::command(), args)?;
    if matches.get_flag("delete-all") && ["delete", "accept", "reject"].iter().any(|a| matches.contains_id(a))
    {
        return Err(CliError::Usage("--delete-all takes no other action".into()));
    }
    let action = Action::of(&matches);
    if let Action::GenKeys(name) = &action {
        return generate::keys(name, &matches);
    }
    let loaded = load_master(&matches, MasterId::Needed)?;
    let command = KeyCommand::new(&matches, loaded)?;
    match action {
        Action::GenSignature => generate::signature(&matches, &command.loaded.opts, &command.out),
        Action::ListAll => command.list("all"),
        Action::List(state) => command.list(&state),
        Action::Print(m) => command.print(&m),
        Action::Finger(m) => command.finger(&m),
        Action::Accept(m) => command.change(Verb::Accept, &m),
        Action::Reject(m) => command.change(Verb::Reject, &m),
        Action::Delete(m) => command.change(Verb::Delete, &m),
        Action::GenKeys(_) => Ok(()),
    }
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

    fn past(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Reject => "rejected",
            Self::Delete => "deleted",
        }
    }
}

/// One run of the command.
struct KeyCommand {
    loaded: Loaded,
    store: KeyStore,
    out: Output,
    quiet: bool,
    yes: bool,
    include: Vec<Status>,
    rotate: bool,
    preserve: bool,
}

impl KeyCommand {
    fn new(m: &ArgMatches, loaded: Loaded) -> Result<Self> {
        let store = KeyStore::new(loaded.opts.path("pki_dir"));
        let all = m.get_flag("include-all");
        let include = [
            (Status::Accepted, m.get_flag("include-accepted") || all),
            (Status::Rejected, m.get_flag("include-rejected") || all),
            (Status::Denied, m.get_flag("include-denied")),
        ];
        let truth = |id: &str| match m.get_one::<String>(id).map(|s| s.to_lowercase()).as_deref() {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            other => {
                Err(CliError::Usage(format!("--{id} is True or False, not {}", other.unwrap_or("nothing"))))
            }
        };
        Ok(Self {
            store,
            out: Output::new(m, &loaded.opts)?,
            quiet: m.get_flag("quiet"),
            yes: m.get_flag("yes"),
            include: include.into_iter().filter(|(_, wanted)| *wanted).map(|(s, _)| s).collect(),
            rotate: truth("rotate-aes-key")?,
            preserve: truth("preserve-minions")? || loaded.opts.flag("preserve_minion_cache"),
            loaded,
        })
    }

    fn list(&self, state: &str) -> Result {
        let status = match state {
            s if s.starts_with("acc") => Status::Accepted,
            s if s.starts_with("pre") || s.starts_with("un") => Status::Pending,
            s if s.starts_with("rej") => Status::Rejected,
            s if s.starts_with("den") => Status::Denied,
            // The master's own keys are read, and not shown: as stock does.
            s if s.starts_with("all") => return self.show(&as_lists(&self.store.minions()?)),
            other => return Err(CliError::Usage(format!("'{other}' is not a valid argument to '--list'"))),
        };
        self.show(&as_lists(&vec![(status, self.store.list(status)?)]))
    }

    fn print(&self, pattern: &str) -> Result {
        let found = matching(self.store.minions()?, pattern);
        self.show_each(found, |status, name| Ok(Value::from(self.store.read(status, name)?)))
    }

    fn finger(&self, pattern: &str) -> Result {
        let hash = HashType::parse(self.loaded.opts.str("hash_type")).unwrap_or(HashType::Sha256);
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
        let mut done = Vec::new();
        for (status, names) in &found {
            for name in names {
                if self.apply(verb, *status, name)? {
                    self.say(&format!("Key for minion {name} {}.", verb.past()))?;
                    done.push(name.clone());
                }
            }
        }
        after::tell_master(&self.loaded.opts, verb.name(), &done)?;
        if verb != Verb::Accept {
            if !self.preserve {
                after::drop_caches(&self.loaded.opts, &self.store)?;
            }
            if self.rotate {
                after::ask_for_new_session_key(&self.loaded.opts)?;
            }
        }
        Ok(())
    }

    /// Of the keys that match, those in a state that the verb is about.
    fn touched(&self, verb: Verb, found: Keys) -> Keys {
        found
            .into_iter()
            .filter(|(status, _)| match verb {
                Verb::Delete => true,
                Verb::Accept => *status != Status::Accepted && self.covers(*status),
                Verb::Reject => *status != Status::Rejected && self.covers(*status),
            })
            .collect()
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

    /// Does it to one key; false when the key was not there any more, or is no key.
    fn apply(&self, verb: Verb, status: Status, name: &str) -> Result<bool> {
        match verb {
            Verb::Accept => {
                if PublicKey::from_pem(&self.store.read(status, name)?).is_err() {
                    eprintln!("Unable to accept invalid key for {name}.");
                    return Ok(false);
                }
                self.store.transfer(status, Status::Accepted, name)
            }
            Verb::Reject => self.store.transfer(status, Status::Rejected, name),
            Verb::Delete => self.store.remove(status, name),
        }
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
        let answer = answer.trim();
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
