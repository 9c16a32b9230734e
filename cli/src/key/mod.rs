//! `salt-key`: works on the key directories, and tells a running master what it did; with `--auth` it asks the master.

mod after;
mod generate;
mod here;
mod keyring;
pub mod options;
mod remote;
mod store;

use crate::exit::{CliError, NO_USER, Result};
use crate::interrupt;
use crate::output::Output;
use crate::startup::{Command, MasterId, Start, read_line, start};
pub(crate) use after::ask_for_new_session_key;
use brine_core::user::become_user;
use brine_protocol::{Map, Value, map};
use here::Here;
use keyring::{Keyring, Verb, as_lists, matching};
use options::{Action, PROGRAM};
use remote::Remote;
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
        Action::ListAll => keys.list(None),
        Action::List(state) => keys.list(status_of(&state).flatten()),
        Action::Print(m) => keys.show(&keys.keys.print(&m)?),
        Action::Finger(m) => keys.show(&keys.keys.finger(&m)?),
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

/// One run of the command.
struct KeyCommand {
    command: Command,
    keys: Box<dyn Keyring>,
    out: Output,
    quiet: bool,
    yes: bool,
    include: Vec<Status>,
}

impl KeyCommand {
    fn new(command: Command) -> Result<Self> {
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
        let include: Vec<Status> =
            include.into_iter().filter(|(_, wanted)| *wanted).map(|(s, _)| s).collect();
        let (rotate, preserve) = (truth("rotate_aes_key")?, truth("preserve_minions")?);
        let keys: Box<dyn Keyring> = if command.some("eauth").is_some() {
            let included = |s: Status| include.contains(&s);
            let flags = map! {
                "include_accepted" => included(Status::Accepted),
                "include_rejected" => included(Status::Rejected),
                "include_denied" => included(Status::Denied),
            };
            Box::new(Remote::connect(&command, flags)?)
        } else {
            let store = KeyStore::new(&command.opts.path("pki_dir"));
            Box::new(Here { store, opts: command.opts.clone(), rotate, preserve })
        };
        Ok(Self {
            keys,
            out: Output::new(&command.opts)?,
            quiet: command.on("quiet"),
            yes: command.on("yes"),
            include,
            command,
        })
    }

    /// The keys of one state, or with None of all; the master's own are never shown, as in stock.
    fn list(&self, status: Option<Status>) -> Result {
        let mut keys = self.keys.minions()?;
        keys.retain(|(s, _)| status.is_none_or(|wanted| wanted == *s));
        self.show(&as_lists(&keys))
    }

    fn change(&self, verb: Verb, pattern: &str) -> Result {
        let found = self.touched(verb, matching(self.keys.minions()?, pattern));
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
        let invalid = self.keys.change(verb, &found)?;
        for name in &invalid {
            eprintln!("Unable to accept invalid key for {name}.");
        }
        for name in self.told(verb, &found, &invalid)? {
            self.say(&format!("Key for minion {name} {}.", verb.past()))?;
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
    fn told(&self, verb: Verb, found: &Keys, invalid: &[String]) -> Result<Vec<String>> {
        let asked = found.iter().flat_map(|(_, names)| names).filter(|n| !invalid.contains(n));
        if verb == Verb::Delete {
            return Ok(asked.cloned().collect());
        }
        let now = self.keys.minions()?;
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

    /// Asks the user; plain Enter means yes, but for deletion.
    fn confirmed(&self, verb: Verb) -> Result<bool> {
        let (question, default) =
            if verb == Verb::Delete { ("Proceed? [N/y] ", "n") } else { ("Proceed? [n/Y] ", "y") };
        // End of input is no answer, and no answer changes nothing.
        let Some(answer) = self.answer(question)? else { return Ok(false) };
        let answer = answer.trim_end_matches(['\n', '\r']);
        Ok((if answer.is_empty() { default } else { answer }).to_lowercase().starts_with('y'))
    }

    /// Asks for a line of the user's; None at the end of input. Ctrl-C ends the command in order.
    fn answer(&self, question: &str) -> Result<Option<String>> {
        let io = |e| CliError::io("terminal", e);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io)?;
        let read = || {
            let mut line = String::new();
            let bytes = std::io::stdin().lock().read_line(&mut line);
            bytes.map(|n| (n > 0).then_some(line))
        };
        let answer = runtime.block_on(async {
            // From the first letter of the question on, nobody is cut off.
            let signal = interrupt::wait();
            let mut stdout = std::io::stdout();
            stdout.write_all(question.as_bytes()).and_then(|()| stdout.flush()).map_err(io)?;
            tokio::select! {
                read = tokio::task::spawn_blocking(read) => read.map_err(std::io::Error::other).flatten().map_err(io),
                signal = signal => Err(signal.end(&self.command, None)),
            }
        });
        // The reader may sit there for ever.
        runtime.shutdown_background();
        answer
    }

    fn show(&self, data: &Map) -> Result {
        if self.quiet { Ok(()) } else { self.out.show(&Value::Map(data.clone()), "key") }
    }

    fn say(&self, text: &str) -> Result {
        if self.quiet { Ok(()) } else { self.out.line(text) }
    }
}
