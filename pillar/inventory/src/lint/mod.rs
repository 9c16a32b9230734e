//! What is likely not meant in a warehouse, beside what is wrong with it: everything that loading has found, and what only shows when
//! pallets are compared, or when other servers' configuration is made of them.
//!
//! A comment `# pj: allow CODE, CODE` in a box allows what is found in that box, or about its pallet where the place is no box; one in
//! `transforms.yaml` what is found there. What makes values missing is never allowed.

mod codes;
mod network;
mod order;
mod portable;
mod services;
mod typing;

pub use codes::{CODES, Code};

use crate::{Finding, Place, Severity, Snapshot};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What checking has found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// All that is not allowed, by place.
    pub findings: Vec<Finding>,
    /// How many are allowed by comments.
    pub allowed: usize,
}

impl Checked {
    /// Whether nothing in it is an error.
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|f| !f.is_error())
    }
}

/// Checks everything.
pub fn check(snap: &Snapshot) -> Checked {
    let mut all = Vec::new();
    typing::check(snap, &mut all);
    order::check(snap, &mut all);
    portable::check(snap, &mut all);
    network::check(snap, &mut all);
    services::check(snap, &mut all);
    all.extend(crate::salt::findings(snap));
    let comments = Comments::of(snap);
    all.extend(comments.unknown.iter().cloned());
    let before = all.len();
    all.retain(|f| !comments.allow(f));
    let allowed = before - all.len();
    // What loading has found stays where it makes values missing.
    let (kept, rest): (Vec<_>, Vec<_>) =
        snap.findings().iter().cloned().partition(|f| f.is_error() || !comments.allow(f));
    all.extend(kept);
    let mut seen = HashSet::new();
    // What several look at is told once.
    all.retain(|f| seen.insert((f.code, f.message.clone(), f.pallet.clone())));
    all.sort();
    Checked { findings: all, allowed: allowed + rest.len() }
}

/// A finding about a pallet.
fn about(
    snap: &Snapshot,
    id: crate::PalletId,
    code: &'static str,
    severity: Severity,
    place: Option<Place>,
    message: String,
) -> Finding {
    let pallet = snap.pallet(id);
    let place = place.or_else(|| Some(Place::whole(pallet.path())));
    let pallet = Some((pallet.kind().into(), pallet.full_name().into()));
    Finding { place, code, severity, message, pallet }
}

/// Kind and full name.
type Name = (Arc<str>, Arc<str>);

/// What comments allow.
#[derive(Default)]
struct Comments {
    /// Codes by file.
    files: HashMap<Arc<str>, HashSet<String>>,
    /// Files with such comments by pallet.
    pallets: HashMap<Name, Vec<Arc<str>>>,
    unknown: Vec<Finding>,
}

impl Comments {
    fn of(snap: &Snapshot) -> Self {
        let mut all = Self::default();
        for id in snap.pallets() {
            let pallet = snap.pallet(id);
            for (place, text) in pallet.remarks() {
                let key = (pallet.kind().into(), pallet.full_name().into());
                all.pallets.entry(key).or_default().push(place.file.clone());
                all.read(place, text);
            }
        }
        for (place, text) in snap.remarks() {
            all.read(place, text);
        }
        all
    }

    fn read(&mut self, place: Place, text: &str) {
        let said = text.strip_prefix("pj:").map(str::trim).and_then(|t| t.strip_prefix("allow "));
        let Some(codes) = said else {
            let message = format!("{text:?} is no comment that is understood: # pj: allow CODE");
            self.unknown.push(Finding::warning("unknown-comment", place, message));
            return;
        };
        for code in codes.split([',', ' ']).filter(|c| !c.is_empty()) {
            if CODES.iter().any(|c| c.code == code) {
                self.files.entry(place.file.clone()).or_default().insert(code.to_owned());
            } else {
                let message = format!("there is no code {code:?} to be allowed");
                self.unknown.push(Finding::warning("unknown-comment", place.clone(), message));
            }
        }
    }

    fn allow(&self, finding: &Finding) -> bool {
        let in_file =
            |file: &Arc<str>| self.files.get(file).is_some_and(|codes| codes.contains(finding.code));
        let file = finding.place.as_ref().map(|p| &p.file);
        if file.is_some_and(in_file) {
            return true;
        }
        // Links and folders can hold no comment, nor can a box of another pallet for this one.
        let own = |file: &Arc<str>| {
            finding.pallet.as_ref().is_some_and(|(kind, name)| {
                let path = format!("{kind}/{name}/");
                file.strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.ends_with(".yaml") && !rest.contains('/'))
            })
        };
        !file.is_some_and(own)
            && finding
                .pallet
                .as_ref()
                .and_then(|key| self.pallets.get(key))
                .is_some_and(|files| files.iter().any(in_file))
    }
}
