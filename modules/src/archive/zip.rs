//! `archive.zip` and `archive.unzip`: zip archives without a program.

use super::{list, sources, trimmed};
use crate::cp::template::names as rendered_names;
use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::posixpath::{join, relpath};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value};
use brine_files::archive::zip::{Wish, Writer, unpack};
use nix::unistd::{Gid, Uid, setfsgid, setfsuid};
use std::fs;
use std::path::Path;

/// User and group that files are read and made as; `None`: as the minion.
fn identity(cx: &Cx, runas: &Value) -> Result<Option<(Uid, Gid)>> {
    if !runas.truthy() {
        return Ok(None);
    }
    let info = cx.call("user.info", Args::positional([runas.clone()]))?;
    let number = |key: &str| info.get(key).and_then(Value::as_int).and_then(|id| u32::try_from(id).ok());
    match (number("uid"), number("gid")) {
        (Some(uid), Some(gid)) => Ok(Some((Uid::from_raw(uid), Gid::from_raw(gid)))),
        _ => Err(CallError::invocation(format!("User '{}' does not exist", python_str(runas)))),
    }
}

/// Does something with files as another user: on a thread of its own, so that no other job becomes that user.
fn acting<T: Send>(identity: Option<(Uid, Gid)>, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let Some((uid, gid)) = identity else { return act() };
    let as_other = move || {
        setfsgid(gid);
        setfsuid(uid);
        // What it is now is told by the next call only.
        if setfsgid(gid) != gid || setfsuid(uid) != uid {
            let text = "[Errno 1] Operation not permitted";
            return Err(CallError::exception("PermissionError", text));
        }
        act()
    };
    std::thread::scope(|scope| scope.spawn(as_other).join())
        .unwrap_or_else(|_| Err(CallError::exception("RuntimeError", "the work of another user was not ended")))
}

fn engine(template: &Value) -> Option<String> {
    template.truthy().then(|| python_str(template))
}

/// What is packed: pairs of a path, and its name in the archive.
struct Packing {
    zip: Writer,
    packed: Vec<String>,
}

impl Packing {
    fn add(&mut self, path: &str, name: String, shown: String) -> Result<()> {
        if fs::metadata(path).is_ok_and(|meta| self.zip.is(&meta)) {
            return Ok(());
        }
        self.packed.push(shown);
        self.zip.add(Path::new(path), &name).map_err(|fault| CallError::execution(fault.text()))
    }

    /// A folder and what is in it; links to folders are not followed.
    fn tree(&mut self, folder: &str, start: &str) -> Result<()> {
        let name = relpath(folder, start);
        self.add(folder, name.clone(), format!("{name}/"))?;
        let mut below = Vec::new();
        let failed = |e: std::io::Error| brine_files::file_error(&e, Path::new(folder));
        let mut entries = fs::read_dir(folder).map_err(failed)?.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path().to_string_lossy().into_owned();
            let own = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                if !entry.file_type().map_err(failed)?.is_symlink() {
                    below.push(path);
                }
                continue;
            }
            let name = join(&name, &[own.as_str()]);
            self.add(&path, name.clone(), name)?;
        }
        below.iter().try_for_each(|folder| self.tree(folder, start))
    }
}

/// Make a zip file. Sources may be shell patterns; relative ones are below `cwd`.
///
/// CLI Example: salt '*' archive.zip /tmp/zipfile.zip /tmp/sourcefile1,/tmp/sourcefile2
#[exec]
pub(super) fn zip_(
    cx: &Cx,
    zip_file: Value,
    sources: Value,
    #[default(())] template: Value,
    #[default(())] cwd: Value,
    #[default(())] runas: Value,
    #[default(false)] zip64: Value,
) -> Result<Vec<String>> {
    let identity = identity(cx, &runas)?;
    let (mut zip_file, mut given) = (python_str(&zip_file), sources);
    if let Some(engine) = engine(&template) {
        let names = (zip_file, python_str(&given));
        let (file, sources) = rendered_names(cx, names, cx.saltenv(), Some(&engine), &Map::new())?;
        (zip_file, given) = (file, sources.into());
    }
    let sources = self::sources(&given);
    let cwd = match cwd {
        cwd if !cwd.truthy() => {
            if sources.iter().any(|source| !source.starts_with('/')) {
                return Err(CallError::invocation("Relative paths require the 'cwd' parameter"));
            }
            None
        }
        Value::Str(cwd) if cwd.starts_with('/') => Some(cwd),
        other if other.as_str().is_none() => {
            let kind = python_type(&other);
            let text = format!("expected str, bytes or os.PathLike object, not {kind}");
            return Err(CallError::Arguments(text));
        }
        _ => return Err(CallError::invocation("cwd must be absolute")),
    };
    let large = zip64.truthy();
    let pack = move || -> Result<Vec<String>> {
        let path = Path::new(&zip_file);
        let zip = Writer::new(path, large).map_err(|fault| CallError::execution(fault.text()))?;
        let mut packing = Packing { zip, packed: Vec::new() };
        for source in sources {
            let source = cwd.as_ref().map_or(source.clone(), |cwd| join(cwd, &[source.as_str()]));
            let start = cwd.as_deref().filter(|cwd| source.starts_with(*cwd)).unwrap_or("/");
            let Ok(meta) = fs::metadata(&source) else { continue };
            if meta.is_dir() {
                packing.tree(&source, start)?;
            } else {
                let name = relpath(&source, start);
                packing.add(&source, name.clone(), name)?;
            }
        }
        packing.zip.finish(path).map_err(|fault| CallError::execution(fault.text()))?;
        Ok(packing.packed)
    };
    acting(identity, pack)
        .map_err(|e| CallError::execution(format!("Exception encountered creating zipfile: {}", e.text())))
}

/// Unpack a zip file.
///
/// CLI Example: salt '*' archive.unzip /tmp/zipfile.zip /home/strongbad/ excludes=file_1,file_2
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn unzip(
    cx: &Cx,
    zip_file: Value,
    dest: Value,
    #[default(())] excludes: Value,
    #[default(())] options: Value,
    #[default(())] template: Value,
    #[default(())] runas: Value,
    #[default(false)] trim_output: Value,
    #[default(())] password: Value,
    #[default(true)] extract_perms: Value,
) -> Result<Vec<String>> {
    // For the program `unzip` only, as stock says.
    let _options = options;
    let excludes = if excludes.truthy() { list(&excludes) } else { Vec::new() };
    let identity = identity(cx, &runas)?;
    let names = (python_str(&zip_file), python_str(&dest));
    let (zip_file, dest) = match engine(&template) {
        Some(engine) => rendered_names(cx, names, cx.saltenv(), Some(&engine), &Map::new())?,
        None => names,
    };
    let password = password.truthy().then(|| match password {
        Value::Bytes(bytes) => bytes,
        other => python_str(&other).into_bytes(),
    });
    let modes = extract_perms.truthy();
    let done = acting(identity, || {
        let wish = Wish { excludes: &excludes, password: password.as_deref(), modes };
        unpack(Path::new(&zip_file), Path::new(&dest), &wish).map_err(|fault| CallError::execution(fault.text()))
    });
    let files = done
        .map_err(|e| CallError::execution(format!("Exception encountered unpacking zipfile: {}", e.text())))?;
    Ok(trimmed(files, &trim_output))
}
