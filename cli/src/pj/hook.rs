//! `pj hook`: run by git in a bare repository. Before a push is accepted its warehouse is checked, with what is wrong told in the pusher's
//! terminal; after it files are exported and the master is told.
//!
//! Settings are in the repository's own directory, where nobody can push to:
//!
//! ```yaml
//! ref: main
//! below: ''
//! config_dir: /etc/salt
//! exports:
//!   - knot: {output: /var/lib/knot}
//! ```

use super::Told;
use super::export::{Job, JobResult, of_settings};
use super::print;
use super::warehouse::Warehouse;
use crate::exit::{CliError, GENERIC, Result};
use brine_core::options::Daemon;
use brine_inventory::lint::{self, Checked};
use brine_inventory::{Finding, Origin, Severity, Snapshot};
use brine_protocol::message::tags::INVENTORY_REFRESH;
use brine_protocol::{Map, Value, map};
use brine_render::config::{FoundId, client_config, config_file, process_env};
use serde_json::json;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// The file with the settings.
const SETTINGS: &str = "pj.yaml";
/// So many warnings are told of one push.
const MOST: usize = 50;

/// What a hook is set up to do.
#[derive(Debug)]
struct Settings {
    repository: PathBuf,
    /// Whole: `refs/heads/main`.
    name: String,
    below: String,
    config_dir: Option<PathBuf>,
    exports: Vec<Job>,
}

impl Settings {
    fn of(told: &Told) -> Result<Self> {
        told.no_arguments()?;
        let repository = std::env::var_os("GIT_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
        let repository = std::fs::canonicalize(&repository).map_err(|e| CliError::io(&repository, e))?;
        let path = told.get("config").map_or_else(|| repository.join(SETTINGS), PathBuf::from);
        let said = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !told.has("config") => String::new(),
            Err(e) => return Err(CliError::io(&path, e)),
        };
        let wrong = |e: String| CliError::Config(format!("{}: {e}", path.display()));
        let mut said = match brine_render::yaml::load(&said).map_err(|e| wrong(e.to_string()))? {
            Value::Nil => Map::new(),
            Value::Map(map) => map,
            _ => return Err(wrong("a mapping is needed".into())),
        };
        let mut text = |key: &str| match said.remove(key) {
            None | Some(Value::Nil) => Ok(None),
            Some(value) => match value.as_str() {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(wrong(format!("{key} is a text"))),
            },
        };
        let (name, below, config_dir) = (text("ref")?, text("below")?, text("config_dir")?);
        let exports = match said.remove("exports") {
            None | Some(Value::Nil) => Vec::new(),
            Some(Value::List(all)) => {
                all.iter().map(of_settings).collect::<std::result::Result<_, _>>().map_err(wrong)?
            }
            Some(_) => return Err(wrong("exports is a list".into())),
        };
        if let Some(key) = said.keys().next() {
            return Err(wrong(format!("there is no setting {}", brine_core::text::python_str(key))));
        }
        let over = |key: &str, said: Option<String>| told.get(key).map(str::to_owned).or(said);
        let name = over("ref", name).filter(|n| !n.is_empty()).unwrap_or_else(|| "main".into());
        let name = if name.starts_with("refs/") { name } else { format!("refs/heads/{name}") };
        Ok(Self {
            repository,
            name,
            below: over("below", below).unwrap_or_default().trim_matches('/').to_owned(),
            config_dir: over("config_dir", config_dir).map(PathBuf::from),
            exports,
        })
    }

    fn house(&self, revision: &str) -> Warehouse {
        let origin = Origin::Git {
            repository: self.repository.clone(),
            revision: revision.to_owned(),
            below: self.below.clone(),
        };
        Warehouse { origin, shown: self.repository.clone() }
    }

    /// What the push does to the branch, if it does anything: the commits before and after; none is no branch.
    fn pushed(&self) -> Result<Option<(Option<String>, Option<String>)>> {
        let input =
            std::io::read_to_string(std::io::stdin()).map_err(|e| CliError::io("standard input", e))?;
        for line in input.lines() {
            let mut words = line.splitn(3, ' ');
            let (Some(old), Some(new), Some(name)) = (words.next(), words.next(), words.next()) else {
                return Err(CliError::Config(format!(
                    "git said {line:?}, which is no update of a reference"
                )));
            };
            let id =
                |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit()) && matches!(text.len(), 40 | 64);
            if !id(old) || !id(new) {
                return Err(CliError::Config(format!(
                    "git said {line:?}, which is no update of a reference"
                )));
            }
            if name == self.name {
                let commit = |text: &str| text.bytes().any(|b| b != b'0').then(|| text.to_owned());
                return Ok(Some((commit(old), commit(new))));
            }
        }
        Ok(None)
    }
}

/// Refuses a push that would break the inventory.
pub(super) fn pre_receive(told: &Told) -> Result {
    let settings = Settings::of(told)?;
    let Some((old, new)) = settings.pushed()? else { return Ok(()) };
    let Some(new) = new else {
        eprintln!("pj: {} is the branch of the inventory; it is not deleted", settings.name);
        return Err(CliError::Code(GENERIC));
    };
    // What was wrong before is known to whoever pushed it, as far as it is no error.
    let before = old.and_then(|old| settings.house(&old).load().ok());
    let house = settings.house(&new);
    let snap = match &before {
        Some(before) => house.load_after(before)?,
        None => house.load()?,
    };
    let mut found = lint::check(&snap);
    if let Some(before) = before.as_ref().filter(|_| !told.has("strict")) {
        leave_known(&mut found, before);
    }
    let errors = found.findings.iter().filter(|f| f.severity == Severity::Error).count();
    let warnings = found.findings.len() - errors;
    let refused = errors > 0 || (told.has("strict") && warnings > 0);
    if told.has("json") {
        print::json_text(
            &json!({"refused": refused, "revision": new, "findings": print::findings(&found.findings)}),
        )?;
    } else {
        print::tell(
            &found.findings.iter().filter(|f| f.severity == Severity::Error).cloned().collect::<Vec<_>>(),
        );
        let told: Vec<Finding> =
            found.findings.iter().filter(|f| f.severity != Severity::Error).take(MOST).cloned().collect();
        print::tell(&told);
        if warnings > told.len() {
            eprintln!("pj: and {} warnings more", warnings - told.len());
        }
        if refused {
            eprintln!("pj: the push is refused: {errors} errors, {warnings} warnings in the warehouse");
        }
    }
    if refused { Err(CliError::Code(GENERIC)) } else { Ok(()) }
}

/// Leaves only the warnings that another revision does not have. Lines move, so they are known without them.
fn leave_known(found: &mut Checked, before: &Snapshot) {
    let key =
        |f: &Finding| (f.code, f.message.clone(), f.pallet.clone(), f.place.as_ref().map(|p| p.file.clone()));
    let known: HashSet<_> = lint::check(before).findings.iter().map(key).collect();
    found.findings.retain(|f| f.severity == Severity::Error || !known.contains(&key(f)));
}

/// Makes what is made of the inventory, and tells the master.
pub(super) fn post_receive(told: &Told) -> Result {
    let settings = Settings::of(told)?;
    let Some((_, Some(new))) = settings.pushed()? else { return Ok(()) };
    let mut failed = false;
    if !settings.exports.is_empty() {
        failed = export(&settings, &new).inspect_err(|e| eprintln!("pj: {e}")).unwrap_or(true);
    }
    if !told.has("no_refresh") {
        let told = tell_master(&settings, &new);
        failed |= told.inspect_err(|e| eprintln!("pj: the master was not told: {e}")).is_err();
    }
    if failed { Err(CliError::Code(GENERIC)) } else { Ok(()) }
}

/// Whether one of the exports failed; the others are made all the same.
fn export(settings: &Settings, revision: &str) -> Result<bool> {
    let house = settings.house(revision);
    let snap = house.load_sound()?;
    let mut made = house.provenance(&snap);
    // The commit is said below; the branch is what people know it by.
    made.lines.retain(|l| !l.starts_with("Branch: "));
    made.lines.insert(1, format!("Branch: {}", settings.name));
    let mut failed = false;
    for job in &settings.exports {
        let name = job.name();
        let result: JobResult = job.run(&snap, &made, false);
        match result {
            Ok(done) => {
                let counts = done.written.iter().map(|w| (w.made.len(), w.removed.len()));
                let (made, removed) = counts.fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
                println_or_not(&format!("pj: export {name}: {made} files written, {removed} removed\n"));
            }
            Err(e) => {
                failed = true;
                if let super::export::JobError::Findings(all) = &e {
                    print::tell(all);
                }
                eprintln!("pj: export {name}: {e}");
            }
        }
    }
    Ok(failed)
}

/// The pusher may have gone.
fn println_or_not(text: &str) {
    let _ = print::text(text);
}

/// Tells the master on this host, if there is one, that the inventory may have changed.
fn tell_master(settings: &Settings, revision: &str) -> Result {
    let path = config_file(Daemon::Master, settings.config_dir.as_deref().map(Path::new));
    let own = FoundId { id: "localhost".into(), is_address: false };
    let loaded = client_config(&path, &process_env, &|_| Ok(own.clone()));
    let (opts, _) = loaded.map_err(|e| CliError::Config(e.to_string()))?.split();
    let data = map! {
        "repository" => settings.repository.display().to_string(), "ref" => settings.name.as_str(), "revision" => revision,
    };
    Ok(brine_client::bus::fire(&opts, vec![(INVENTORY_REFRESH.to_owned(), data)])?)
}
