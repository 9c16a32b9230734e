//! `pj hook`: run by git in a bare repository. Before a push is accepted its warehouse is checked, with what is wrong told in the pusher's
//! terminal; after it files are exported and the master is told.

mod settings;

use super::export::{JobError, written_json};
use super::{Told, print};
use crate::exit::{CliError, GENERIC, Result};
use brine_core::options::Daemon;
use brine_inventory::lint::{self, Checked};
use brine_inventory::{Finding, Snapshot};
use brine_protocol::map;
use brine_protocol::message::tags::INVENTORY_REFRESH;
use brine_render::config::{FoundId, client_config, config_file, process_env};
use serde_json::{Map, Value, json};
use settings::Settings;
use std::collections::HashSet;
use std::path::Path;

/// So many errors and so many warnings are told of one push.
const MOST: usize = 50;

/// Refuses a push that would break the inventory.
pub(super) fn pre_receive(told: &Told) -> Result {
    let settings = Settings::of(told)?;
    let Some((old, new)) = settings.pushed()? else { return Ok(()) };
    let Some(new) = new else {
        eprintln!("pj: {} is the branch of the inventory; it is not deleted", settings.name);
        return Err(CliError::Code(GENERIC));
    };
    let snap = settings.house(&new).load()?;
    let mut found = lint::check(&snap);
    // What was odd before is known to whoever pushed that.
    if found.findings.iter().any(|f| !f.is_error())
        && !told.has("strict")
        && let Some(old) = old
        && let Ok(before) = settings.house(&old).load_after(&snap)
    {
        leave_known(&mut found, &before);
    }
    let errors = found.findings.iter().filter(|f| f.is_error()).count();
    let warnings = found.findings.len() - errors;
    let refused = errors > 0 || (told.has("strict") && warnings > 0);
    if told.has("json") {
        print::json_text(
            &json!({"refused": refused, "revision": new, "findings": print::findings(&found.findings)}),
        )?;
    } else {
        let (bad, odd): (Vec<_>, Vec<_>) = found.findings.into_iter().partition(|f| f.is_error());
        tell_some(&bad, "errors");
        tell_some(&odd, "warnings");
        if refused {
            eprintln!("pj: the push is refused: {errors} errors, {warnings} warnings in the warehouse");
        }
    }
    if refused { Err(CliError::Code(GENERIC)) } else { Ok(()) }
}

/// Says the first of many.
fn tell_some(all: &[Finding], what: &str) {
    print::tell(&all[..all.len().min(MOST)]);
    if all.len() > MOST {
        eprintln!("pj: and {} {what} more", all.len() - MOST);
    }
}

/// Leaves only the warnings that another revision does not have. Lines move, so they are known without them.
fn leave_known(found: &mut Checked, before: &Snapshot) {
    let key =
        |f: &Finding| (f.code, f.message.clone(), f.pallet.clone(), f.place.as_ref().map(|p| p.file.clone()));
    let known: HashSet<_> = lint::check(before).findings.iter().map(key).collect();
    found.findings.retain(|f| f.is_error() || !known.contains(&key(f)));
}

/// Makes what is made of the inventory, and tells the master.
pub(super) fn post_receive(told: &Told) -> Result {
    let settings = Settings::of(told)?;
    let Some((_, Some(new))) = settings.pushed()? else { return Ok(()) };
    let mut done = Done { json: told.has("json"), exports: Map::new(), failed: false };
    if !settings.exports.is_empty()
        && let Err(e) = done.export(&settings, &new)
    {
        done.failed = true;
        eprintln!("pj: {e}");
    }
    let mut master_told = None;
    if !told.has("no_refresh") {
        let told = tell_master(&settings, &new);
        master_told = Some(told.is_ok());
        if let Err(e) = told {
            done.failed = true;
            eprintln!("pj: the master was not told: {e}");
        }
    }
    if done.json {
        let all = json!({"revision": new, "exports": done.exports, "master_told": master_told});
        print::json_text(&all)?;
    }
    if done.failed { Err(CliError::Code(GENERIC)) } else { Ok(()) }
}

/// What comes of a push.
struct Done {
    json: bool,
    exports: Map<String, Value>,
    failed: bool,
}

impl Done {
    /// Makes all exports; if one fails the others are made all the same.
    fn export(&mut self, settings: &Settings, revision: &str) -> Result {
        let house = settings.house(revision);
        let snap = house.load_sound()?;
        let mut made = house.provenance(&snap);
        // The commit is said there too; the branch is what people know it by.
        made.lines.retain(|l| !l.starts_with("Branch: "));
        made.lines.insert(1, format!("Branch: {}", settings.name));
        for job in &settings.exports {
            let name = job.name();
            let said = match job.run(&snap, &made, false) {
                Ok(done) => {
                    let counts = done.written.iter().map(|w| (w.made.len(), w.removed.len()));
                    let (made, removed) = counts.fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
                    if !self.json {
                        eprintln!("pj: export {name}: {made} files written, {removed} removed");
                    }
                    done.written.iter().map(written_json).collect()
                }
                Err(e) => {
                    self.failed = true;
                    if let JobError::Findings(all) = &e {
                        print::tell(all);
                    }
                    eprintln!("pj: export {name}: {e}");
                    json!({"error": e.to_string()})
                }
            };
            // There may be several of one sort.
            match self.exports.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(all) => all.push(said),
                other => *other = said,
            }
        }
        Ok(())
    }
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
