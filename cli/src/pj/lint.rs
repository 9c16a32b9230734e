//! `pj lint`: everything that is wrong with a warehouse, or likely not meant.

use super::warehouse::Warehouse;
use super::{Told, print};
use crate::exit::{CliError, GENERIC, Result};
use brine_inventory::Severity;
use brine_inventory::lint::{self, CODES};
use serde_json::{Value, json};

pub(super) fn run(told: &Told) -> Result {
    told.no_arguments()?;
    if let Some(code) = told.get("explain") {
        return explain(told, code);
    }
    let snap = Warehouse::of(told)?.load()?;
    let found = lint::check(&snap);
    let count = |severity| found.findings.iter().filter(|f| f.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if told.has("json") {
        print::json_text(&json!({
            "revision": snap.revision(), "findings": print::findings(&found.findings), "errors": errors,
            "warnings": warnings, "allowed": found.allowed,
        }))?;
    } else {
        let mut out: String = found.findings.iter().map(|f| print::finding_line(f) + "\n").collect();
        out.push_str(&format!(
            "{errors} errors, {warnings} warnings, {} allowed by comments\n",
            found.allowed
        ));
        print::text(&out)?;
    }
    if errors > 0 || (told.has("strict") && warnings > 0) { Err(CliError::Code(GENERIC)) } else { Ok(()) }
}

fn explain(told: &Told, wanted: &str) -> Result {
    let all: Vec<_> = CODES.iter().filter(|c| wanted == "all" || c.code == wanted).collect();
    if all.is_empty() {
        return Err(told.usage(&format!("there is no code {wanted:?}; --explain all lists every one")));
    }
    if told.has("json") {
        let one = |c: &&lint::Code| json!({"code": c.code, "explanation": c.text});
        return print::json_text(&all.iter().map(one).collect::<Value>());
    }
    print::text(&all.iter().map(|c| format!("{}\n  {}\n", c.code, c.text)).collect::<String>())
}
