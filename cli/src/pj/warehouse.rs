//! Which warehouse a command line means, and loading it.

use super::{Told, print, progress::Line};
use crate::exit::{CliError, Result};
use brine_inventory::export::Provenance;
use brine_inventory::{Origin, Pallet, PalletId, Snapshot};
use std::path::{Path, PathBuf};

/// A warehouse that can be loaded.
pub(super) struct Warehouse {
    pub(super) origin: Origin,
    /// As it was named.
    pub(super) shown: PathBuf,
}

/// A git repository that a directory lies in.
struct Repository {
    /// Its work tree, or the bare repository itself.
    top: PathBuf,
    /// Where its `HEAD` is.
    git_dir: PathBuf,
    /// The directory, relative to the top.
    below: String,
}

impl Warehouse {
    /// As `--warehouse`, `--ref` and `--below` say.
    pub(super) fn of(told: &Told) -> Result<Self> {
        match told.get("ref") {
            Some(revision) => Self::at(told, revision),
            None if told.has("below") => Err(told.usage("option --below needs option --ref")),
            None => {
                let dir = PathBuf::from(told.get("warehouse").unwrap_or("."));
                Ok(Self { origin: Origin::Directory(dir.clone()), shown: dir })
            }
        }
    }

    /// A revision of the repository that `--warehouse` names or lies in.
    pub(super) fn at(told: &Told, revision: &str) -> Result<Self> {
        let dir = Path::new(told.get("warehouse").unwrap_or("."));
        let real = std::fs::canonicalize(dir).map_err(|e| CliError::io(dir, e))?;
        let Some(found) = repository(&real) else {
            return Err(CliError::Config(format!("{} is in no git repository", dir.display())));
        };
        let below = told.get("below").map_or(found.below, |b| b.trim_matches('/').to_owned());
        let origin = Origin::Git { repository: found.top, revision: revision.to_owned(), below };
        Ok(Self { origin, shown: dir.to_owned() })
    }

    /// Loads it, with a line that tells how far it is where somebody looks.
    pub(super) fn load(&self) -> Result<Snapshot> {
        let mut line = Line::new();
        Snapshot::load(&self.origin, &mut |p| line.show(&p)).map_err(|e| self.unreadable(&e))
    }

    /// Loads it; what is the same as in another snapshot is shared.
    pub(super) fn load_after(&self, before: &Snapshot) -> Result<Snapshot> {
        let mut line = Line::new();
        before.reload(&self.origin, &mut |p| line.show(&p)).map_err(|e| self.unreadable(&e))
    }

    fn unreadable(&self, e: &dyn std::error::Error) -> CliError {
        CliError::Config(format!("{}: {e}", self.shown.display()))
    }

    /// Loads it for somebody who needs it whole: with errors in it the command ends, after they are told.
    pub(super) fn load_sound(&self) -> Result<Snapshot> {
        let snap = self.load()?;
        if snap.is_sound() {
            return Ok(snap);
        }
        let errors: Vec<_> = snap.errors().cloned().collect();
        print::tell(&errors);
        let shown = self.shown.display();
        Err(CliError::Config(format!("{shown}: {} errors; nothing is made of this warehouse", errors.len())))
    }

    /// Loads it for somebody who looks: errors in it are told beside.
    pub(super) fn load_to_look(&self) -> Result<Snapshot> {
        let snap = self.load()?;
        let errors = snap.errors().count();
        if errors > 0 {
            eprintln!("pj: {errors} errors in the warehouse: values may be missing; pj lint tells which");
        }
        Ok(snap)
    }

    /// What the first lines of exported files say.
    pub(super) fn provenance(&self, snap: &Snapshot) -> Provenance {
        let mut lines = match &self.origin {
            Origin::Git { repository, revision, .. } => {
                vec![format!("Repository: {}", repository.display()), format!("Branch: {revision}")]
            }
            Origin::Directory(dir) => {
                let real = std::fs::canonicalize(dir).unwrap_or_else(|_| dir.clone());
                match repository(&real) {
                    Some(found) => {
                        let head = std::fs::read_to_string(found.git_dir.join("HEAD")).unwrap_or_default();
                        let head = head.trim();
                        let head = head.strip_prefix("ref: ").unwrap_or(head);
                        vec![format!("Repository: {}", found.top.display()), format!("Branch: {head}")]
                    }
                    None => vec![format!("Warehouse: {}", real.display())],
                }
            }
        };
        lines.extend(snap.revision().map(|id| format!("Commit ID: {id}")));
        Provenance { lines }
    }
}

/// Looks for a repository at a directory and above it. The directory has no links in it.
fn repository(dir: &Path) -> Option<Repository> {
    for top in dir.ancestors() {
        let inner = top.join(".git");
        let bare = ["HEAD", "objects", "refs"].iter().all(|name| top.join(name).exists());
        if !inner.exists() && !bare {
            continue;
        }
        let git_dir = if bare {
            top.to_owned()
        } else if inner.is_dir() {
            inner
        } else {
            // A further work tree has a file that says where it is kept.
            let said = std::fs::read_to_string(&inner).ok()?;
            top.join(said.trim().strip_prefix("gitdir: ")?)
        };
        let below = dir.strip_prefix(top).ok()?.to_str()?.to_owned();
        return Some(Repository {
            top: top.to_owned(),
            git_dir,
            below: if bare { String::new() } else { below },
        });
    }
    None
}

/// The pallets of the kind that `--type` names (`system`), with names among those on the command line; all, if there are none.
pub(super) fn chosen<'s>(snap: &'s Snapshot, told: &Told, names: &[String]) -> Vec<(PalletId, &'s Pallet)> {
    let full = told.has("full_name");
    let wanted = |p: &Pallet| {
        let own = if full { p.full_name() } else { p.leaf_name() };
        names.is_empty() || names.iter().any(|n| n == own)
    };
    let kind = told.get("type").unwrap_or("system");
    snap.of_kind(kind).iter().map(|id| (*id, snap.pallet(*id))).filter(|(_, p)| wanted(p)).collect()
}

/// The end of a command that has found nothing.
pub(super) fn nothing() -> CliError {
    eprintln!("No matching pallets found.");
    CliError::Code(crate::exit::GENERIC)
}
