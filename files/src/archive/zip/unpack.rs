//! A zip archive unpacked into a folder.

use super::{Entry, Fault, Result, Zip};
use crate::archive::target::{Attributes, Target, masked};
use brine_core::call::CallError;
use brine_core::text::{python_repr, python_strerror};
use std::path::Path;

/// What is unpacked, and how.
pub struct Wish<'a> {
    /// Names that are passed over.
    pub excludes: &'a [String],
    /// For those that are encrypted.
    pub password: Option<&'a [u8]>,
    /// Whether modes are set.
    pub modes: bool,
}

/// Unpacks an archive into a folder, which is made. Returns the names of what was unpacked.
///
/// # Errors
/// What keeps it from being read or unpacked. Names that lead out of the folder keep everything from being unpacked.
pub fn unpack(path: &Path, into: &Path, wish: &Wish) -> Result<Vec<String>> {
    let mut zip = Zip::open(path)?;
    let names =
        zip.entries().iter().map(|entry| entry.name.clone()).filter(|name| !wish.excludes.contains(name));
    let names: Vec<String> = names.collect();
    if let Some(name) = names.iter().find(|name| crate::archive::leads_out(name)) {
        return Err(CallError::execution(format!("{name} leads out of {}", into.display())).into());
    }
    if names.is_empty() {
        return Ok(names);
    }
    std::fs::create_dir_all(into).map_err(|e| crate::file_error(&e, into))?;
    let target = Target::open(into)?;
    for name in &names {
        let Some(entry) = zip.named(name).cloned() else { continue };
        one(&mut zip, &target, into, &entry, wish)?;
    }
    Ok(names)
}

fn one(zip: &mut Zip, target: &Target, into: &Path, entry: &Entry, wish: &Wish) -> Result<()> {
    let name = entry.name.as_bytes();
    if entry.is_link() {
        let mut end = Vec::new();
        zip.copy(entry, None, &mut end)?;
        return target.link(name, &end, None, false).map_err(|e| linked(e, &end, &into.join(&entry.name)));
    }
    if entry.is_dir() {
        target.dir(name, 0o777)?;
        let mode = if entry.mode() == 0 { masked(0o777) } else { entry.mode() };
        if wish.modes {
            target.dir_attributes(name, Attributes { mode: Some(mode), ..Attributes::default() })?;
        }
        return Ok(());
    }
    let mode = wish.modes.then(|| if entry.mode() == 0 { masked(0o666) } else { entry.mode() });
    let mut fault = None;
    let attributes = Attributes { mode, ..Attributes::default() };
    let done = target.file(name, attributes, |file| {
        zip.copy(entry, wish.password, file).map_err(|e| {
            let text = e.text();
            fault = Some(e);
            CallError::execution(text)
        })
    });
    match (done, fault) {
        (Err(_), Some(fault)) => Err(fault),
        (done, _) => done.map_err(Fault::Other),
    }
}

/// Python's error of `os.symlink`, which names both ends.
fn linked(e: CallError, end: &[u8], name: &Path) -> Fault {
    match e {
        CallError::Exception { kind: kind @ "FileExistsError", .. } => {
            let text = python_strerror(&std::io::Error::from_raw_os_error(17));
            let end = python_repr(&brine_protocol::Value::Bytes(end.to_vec()));
            let name = python_repr(&name.to_string_lossy().into_owned().into());
            CallError::exception(kind, format!("[Errno 17] {text}: {end} -> {name}")).into()
        }
        other => other.into(),
    }
}
