//! Where pip is, and how it is run.

use crate::tools::all_of;
pub(super) use crate::tools::{code, text};
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::posixpath::{basename, join, normpath};
use brine_core::pyversion::loose;
use brine_core::text::python_str;
use brine_core::{Map, Value};
use nix::unistd::{AccessFlags, access};
use std::path::Path;

/// Which pip, for whom, and where.
#[derive(Clone)]
pub(super) struct Place {
    /// A virtual environment, a Python or a pip; the machine's own where there is none.
    pub(super) bin_env: Option<String>,
    /// Where it runs.
    pub(super) cwd: Option<Value>,
    /// Who it runs as.
    pub(super) user: Option<Value>,
}

impl Place {
    /// Of a function's arguments.
    pub(super) fn new(bin_env: Option<Value>, cwd: Option<Value>, user: Option<Value>) -> Self {
        let bin_env = bin_env.filter(Value::truthy).map(|bin| python_str(&bin));
        Self { bin_env, cwd, user }
    }

    /// The words that pip begins with.
    pub(super) fn pip(&self) -> Result<Vec<String>> {
        let module = |python: String| vec![python, "-m".to_owned(), "pip".to_owned()];
        let executable = |path: &str| access(path, AccessFlags::X_OK).is_ok();
        let Some(bin) = &self.bin_env else {
            // Stock takes the Python it runs in. There is none here.
            let python = ["python3", "python"].into_iter().find_map(crate::cmd::which::which);
            return match python {
                Some(python) => Ok(module(python)),
                None => Err(CallError::CommandNotFound("Could not find a `pip` binary".into())),
            };
        };
        if Path::new(bin).is_dir() {
            for folder in ["", "bin", "Scripts"] {
                let python =
                    if folder.is_empty() { join(bin, &["python"]) } else { join(bin, &[folder, "python"]) };
                if Path::new(&python).is_file() && executable(&python) {
                    return Ok(module(normpath(&python)));
                }
            }
            return Err(CallError::CommandNotFound(format!("Could not find a pip binary in virtualenv {bin}")));
        }
        if !executable(bin) {
            return Err(CallError::CommandNotFound(format!(
                "Access denied to {bin}, could not find a pip binary"
            )));
        }
        if !Path::new(bin).is_file() {
            return Err(CallError::execution(format!("Could not find a pip binary within {bin}")));
        }
        let path = normpath(bin);
        Ok(if basename(bin).contains("python") { module(path) } else { vec![path] })
    }

    /// Sets `VIRTUAL_ENV` where this is a virtual environment.
    pub(super) fn environment(&self, more: &mut Map) {
        let Some(bin) = self.bin_env.as_ref().filter(|bin| Path::new(bin).is_dir()) else { return };
        if let Value::Map(env) = more.entry_or("env", || Map::new().into()) {
            env.insert("VIRTUAL_ENV", bin.as_str());
        }
    }

    /// What `cmd.run_all` returns for these words.
    pub(super) fn run(&self, cx: &Cx, command: Vec<String>, more: Map) -> Result<Map> {
        let mut args = Args::positional([Value::from(command)])
            .with("cwd", self.cwd.clone())
            .with("runas", self.user.clone())
            .with("python_shell", false);
        args.keyword.update(more);
        all_of(cx, args)
    }

    /// The same, where a failure of pip is one of the function.
    pub(super) fn must(&self, cx: &Cx, command: Vec<String>, more: Map) -> Result<Map> {
        let out = self.run(cx, command, more)?;
        match code(&out) {
            0 => Ok(out),
            _ => Err(crate::detailed::error(&text(&out, "stderr"), out)),
        }
    }

    fn kept(&self) -> String {
        self.bin_env.as_ref().map_or_else(|| "pip.version".into(), |bin| format!("pip.version.{bin}"))
    }

    /// Pip's version; remembered for the job.
    pub(super) fn version(&self, cx: &Cx) -> Result<Option<String>> {
        if let Some(kept) = cx.job.context(&self.kept()) {
            return Ok(kept.as_str().map(str::to_owned));
        }
        let mut command = self.pip()?;
        command.push("--version".into());
        let out = self.run(cx, command, Map::new())?;
        if code(&out) != 0 {
            return Err(CallError::CommandNotFound("Could not find a `pip` binary".into()));
        }
        let said = text(&out, "stdout");
        let version = said.strip_prefix("pip ").and_then(|rest| rest.split_whitespace().next()).map(str::to_owned);
        cx.job.set_context(&self.kept(), version.clone());
        Ok(version)
    }
}

/// Pip's version is to be asked anew.
pub(super) fn forget(cx: &Cx, place: &Place) {
    cx.job.remove_context(&place.kept());
}

/// What pip printed as JSON: a list of dicts.
pub(super) fn json(out: Map) -> Result<Vec<Value>> {
    match brine_render::json::loads(&text(&out, "stdout")).and_then(|data| brine_python::to_value(&data)) {
        Ok(Value::List(list)) => Ok(list),
        _ => Err(crate::detailed::error("Invalid JSON", out)),
    }
}

/// Whether pip's version is older (`<`), newer (`>`), or not older (`>=`) than another; nothing holds where it is unknown.
pub(super) fn is(version: Option<&str>, operator: &str, other: &str) -> bool {
    let Some(order) = version.map(|version| loose(version, other)) else { return false };
    match operator {
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// Whether this is an address that pip fetches from.
pub(super) fn is_url(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| matches!(&*scheme, "http" | "https" | "ftp" | "file"))
}

/// The address, if it is one.
pub(super) fn valid_url(text: &str) -> Result<String> {
    if is_url(text) {
        return Ok(text.to_owned());
    }
    Err(CallError::execution(format!("'{text}' is not a valid URL")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_is_found_in_what_it_is_said_to_be_in() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path).to_string_lossy().into_owned();
        std::fs::create_dir(at("bin")).unwrap();
        let pip = |path: &str| Place::new(Some(path.into()), None, None).pip();
        assert!(pip(&at("")).is_err());
        for name in ["bin/python", "bin/pip"] {
            std::fs::write(at(name), "").unwrap();
            std::fs::set_permissions(at(name), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        assert_eq!(pip(dir.path().to_str().unwrap()).unwrap(), [at("bin/python"), "-m".into(), "pip".into()]);
        assert_eq!(pip(&at("bin/python")).unwrap().len(), 3);
        assert_eq!(pip(&at("bin/pip")).unwrap(), [at("bin/pip")]);
        assert!(pip(&at("none")).unwrap_err().to_string().starts_with("Access denied to"));
    }

    #[test]
    fn versions_of_pip_are_numbers() {
        assert!(is(Some("23.0.1"), ">=", "9.0") && is(Some("8.0.3"), "<", "9.0.0") && !is(None, "<", "9"));
        assert!(is_url("https://a/b") && !is_url("/a/b") && !is_url("x"));
    }
}
