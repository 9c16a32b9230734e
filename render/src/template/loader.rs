//! Where templates that others import come from: the tree of files of the environment.

use super::{Session, py_error};
use brine_core::files::Files;
use brine_core::posixpath::normpath;
use brine_jinja::{Environment, Loader, Source};
use brine_python::{Kind, Obj, PyErr, R};
use std::path::Path;
use std::sync::Arc;

/// Stock's `SaltCacheLoader`: names are paths in the tree, or relative to the template that is rendered if they begin with `./` or
/// `../`. Each template that is loaded becomes what `tpldir` and its kin name, for all that is rendered after it without context.
pub(super) struct TreeLoader {
    files: Arc<dyn Files>,
    saltenv: String,
    local: bool,
}

impl TreeLoader {
    pub(super) fn new(session: &Session, saltenv: &str) -> Self {
        Self {
            files: session.files.clone(),
            saltenv: saltenv.to_owned(),
            local: session.cx.opts.str("file_client") == "local",
        }
    }
}

impl Loader for TreeLoader {
    fn source(&self, env: &Environment, name: &str) -> R<Option<Source>> {
        let first = name.split('/').next().unwrap_or("");
        let relative = matches!(first, "." | "..");
        let mut path = name.to_owned();
        if relative {
            let Some(base) = env.globals.get_str("tpldir").and_then(|d| d.as_str().map(str::to_owned)) else {
                tracing::warn!("Relative path \"{name}\" cannot be resolved without an environment");
                return Ok(None);
            };
            path = normpath(&format!("{base}/{name}"));
            if path.split('/').next() == Some("..") {
                tracing::warn!("Discarded template path \"{name}\": attempts to ascend outside of salt://");
                return Ok(None);
            }
            if self.local
                && let Some(rest) = path.strip_prefix(&format!("{base}/")).filter(|_| base.starts_with('/'))
            {
                path = rest.to_owned();
            }
        }
        let found = self.files.cache_file(&path, &self.saltenv).map_err(py_error)?;
        if !name.is_empty() {
            let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir).replace('\\', "/");
            let (dir, file) = if relative {
                let own = env.globals.get_str("tpldir").and_then(|d| d.as_str().map(str::to_owned));
                (own.unwrap_or(dir), name.to_owned())
            } else {
                (dir, path.clone())
            };
            env.globals.set_str("tplfile", Obj::str(file));
            env.globals.set_str("tpldir", Obj::str(if dir.is_empty() { "." } else { &dir }));
            env.globals.set_str("tpldot", Obj::str(dir.replace('/', ".")));
        }
        match found {
            Some(file) => read(&file).map(Some),
            // A path of this machine may be named, too: joined to the folders that are searched it stays what it is.
            None if path.starts_with('/') && Path::new(&path).is_file() => Ok(read(Path::new(&path)).ok()),
            None => Ok(None),
        }
    }
}

/// Jinja2's `FileSystemLoader` of one folder, for templates that belong to no environment.
pub(super) struct FolderLoader {
    pub(super) folder: String,
}

impl Loader for FolderLoader {
    fn source(&self, _env: &Environment, name: &str) -> R<Option<Source>> {
        let mut path = Path::new(&self.folder).to_path_buf();
        for part in name.split('/') {
            match part {
                ".." => return Ok(None),
                "" | "." => {}
                part => path.push(part),
            }
        }
        if path.is_file() { read(&path).map(Some) } else { Ok(None) }
    }
}

fn read(file: &Path) -> R<Source> {
    let bytes = std::fs::read(file)
        .map_err(|e| PyErr::new(Kind::Other("OSError"), format!("{e}: '{}'", file.display())))?;
    let text = brine_python::decode_utf8(bytes)?.into();
    Ok(Source { text, file: Some(file.display().to_string()) })
}
