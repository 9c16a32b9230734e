//! `pj export`: files for other servers, from a warehouse without errors.

mod job;
mod write;

pub(super) use job::{Error as JobError, Job, of_settings};

use super::warehouse::Warehouse;
use super::{Told, print};
use crate::exit::{CliError, GENERIC, Result};
use brine_inventory::export::Knot;
use serde_json::{Value, json};
use std::path::PathBuf;
use write::Written;

pub(super) fn run(told: &Told) -> Result {
    told.no_arguments()?;
    let job = asked(told)?;
    let house = Warehouse::of(told)?;
    let snap = house.load_sound()?;
    match job.run(&snap, &house.provenance(&snap), told.has("force")) {
        Ok(done) => {
            print::tell(&done.findings);
            match (done.text, told.has("json")) {
                (Some(text), json) => print::text(if json { write::behind_header(&text) } else { &text }),
                (None, true) => print::json_text(&done.written.iter().map(written_json).collect()),
                (None, false) => print::text(&done.written.iter().map(Written::lines).collect::<String>()),
            }
        }
        Err(e) => {
            if let job::Error::Findings(all) = &e {
                print::tell(all);
            }
            match e {
                job::Error::Usage(text) => Err(told.usage(&text)),
                job::Error::Io(e) => Err(e),
                e => {
                    eprintln!("pj: {e}");
                    Err(CliError::Code(GENERIC))
                }
            }
        }
    }
}

/// What a command line asks for.
fn asked(told: &Told) -> Result<Job> {
    let path = |key: &str| told.get(key).filter(|t| !t.is_empty()).map(PathBuf::from);
    let service = told.get("service").map(str::to_owned);
    Ok(match told.program.name {
        "pj export salt" => {
            let (global, minion) = (path("global"), path("minion"));
            if global.is_none() && minion.is_none() {
                return Err(told.usage("option -g or -m is needed"));
            }
            Job::Salt { global, minion }
        }
        "pj export kea" => Job::Kea { service, dhcp6: told.has("dhcp6"), output: path("output") },
        "pj export knot" => Job::Knot {
            output: told.needed("output", "-o")?.into(),
            format: if told.get("knot") == Some("1") { Knot::One } else { Knot::Two },
            serial: told
                .get("serial")
                .map(|text| {
                    brine_core::cmdline::int(text)
                        .and_then(|n| u32::try_from(n).ok())
                        .ok_or_else(|| told.usage("option --serial: a number up to 4294967295 is needed"))
                })
                .transpose()?,
        },
        "pj export unbound" => Job::Unbound { service, output: told.needed("output", "-o")?.into() },
        _ => Job::Pxelinux { output: told.needed("output", "-o")?.into() },
    })
}

/// What was written, as JSON.
pub(super) fn written_json(written: &Written) -> Value {
    json!({
        "directory": written.directory.display().to_string(), "written": written.made, "unchanged": written.same,
        "removed": written.removed, "left": written.left,
    })
}
