//! How `git` is run: always as a list of words, as another user if asked, with one of several keys for SSH.

use brine_core::basic_auth::redacted;
use crate::cmd::{home, user_id};
use brine_core::call::{Args, CallError, Cx, Given, Result};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, posixpath, shlex};
use std::path::Path;

/// Fails in stock's words where there is no `git`.
fn require() -> Result<()> {
    match crate::cmd::which::which("git") {
        Some(_) => Ok(()),
        None => Err(CallError::NotAvailable(
            "'git' __virtual__ returned False: The git execution module cannot be loaded: git unavailable.".into(),
        )),
    }
}

/// A path as stock reads it: within the home directory of `user` unless it begins with a slash.
pub(super) fn expanded(cwd: &Value, user: Option<&Value>) -> Result<String> {
    let user = user.filter(|user| user.truthy()).map(python_str);
    Ok(posixpath::join(&home(user.as_deref())?, &[python_str(cwd)]))
}

/// The words of an argument like `opts`.
pub(super) fn words(opts: &Value) -> Result<Vec<String>> {
    Ok(match opts {
        Value::Nil => Vec::new(),
        Value::List(list) => list.iter().map(python_str).collect(),
        Value::Str(text) => {
            let mut words = shlex::split(text)?;
            // What comes after the options is for the function to say.
            if words.last().is_some_and(|word| word == "--") {
                words.pop();
            }
            words
        }
        other => vec![python_str(other)],
    })
}

/// One run of `git`: who runs it is in the arguments of the function that wants it.
pub(super) struct Git<'c> {
    cx: &'c Cx,
    given: &'c Given,
    words: Vec<Value>,
    cwd: Value,
    ignore_retcode: bool,
    merged: bool,
}

impl<'c> Git<'c> {
    /// `git` with `git_opts`, in `cwd`, and the words of a command.
    pub(super) fn new(cx: &'c Cx, given: &'c Given, command: &[&str]) -> Result<Self> {
        require()?;
        let cwd = match given.get("cwd") {
            Some(cwd) => expanded(cwd, given.get("user"))?.into(),
            None => Value::Nil,
        };
        let mut words: Vec<Value> = vec!["git".into()];
        if given.truthy("git_opts") {
            words.extend(self::words(&given.value("git_opts"))?.into_iter().map(Value::from));
        }
        words.extend(command.iter().map(|word| Value::from(*word)));
        let ignore_retcode = given.truthy("ignore_retcode");
        Ok(Self { cx, given, words, cwd, ignore_retcode, merged: false })
    }

    /// One more word.
    pub(super) fn arg(mut self, word: impl Into<Value>) -> Self {
        self.words.push(word.into());
        self
    }

    /// More words.
    pub(super) fn args<T: Into<Value>>(mut self, words: impl IntoIterator<Item = T>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// A word, if a condition holds.
    pub(super) fn flag(self, condition: bool, word: &str) -> Self {
        if condition { self.arg(word) } else { self }
    }

    /// The words of `opts`.
    pub(super) fn opts(self) -> Result<Self> {
        let opts = words(&self.given.value("opts"))?;
        Ok(self.args(opts))
    }

    /// In another directory.
    pub(super) fn at(mut self, cwd: impl Into<Value>) -> Self {
        self.cwd = cwd.into();
        self
    }

    /// With errors among the output.
    pub(super) fn merged(mut self) -> Self {
        self.merged = true;
        self
    }

    /// Where a failure is no failure of the job.
    pub(super) fn quietly(mut self) -> Self {
        self.ignore_retcode = true;
        self
    }

    /// Runs it, and fails if it does.
    pub(super) fn run(self) -> Result<Map> {
        self.run_with(true)
    }

    /// Runs it, whatever comes of it.
    pub(super) fn run_softly(self) -> Result<Map> {
        self.run_with(false)
    }

    /// Runs it and returns its output.
    pub(super) fn stdout(self) -> Result {
        Ok(self.run()?.remove("stdout").unwrap_or_default())
    }

    /// The output as text.
    pub(super) fn text(self) -> Result<String> {
        Ok(python_str(&self.stdout()?))
    }

    fn run_with(self, fail: bool) -> Result<Map> {
        if let Some(identity) = self.given.set_to("identity") {
            return self.with_identities(identity, fail);
        }
        let done = self.once(Map::new())?;
        if done.get("retcode") == Some(&0.into()) || !fail {
            return Ok(done);
        }
        let mut shown = Vec::new();
        for (i, word) in self.words.iter().enumerate() {
            shown.push(word.as_str().ok_or_else(|| {
                let kind = python_type(word);
                CallError::Arguments(format!("sequence item {i}: expected str instance, {kind} found"))
            })?);
        }
        let mut text = format!("Command '{}' failed", redacted(&shown.join(" ")));
        let said = self.said(&done);
        if !said.is_empty() {
            text += &format!(": {said}");
        }
        Err(CallError::execution(text))
    }

    /// What it said about its failure.
    fn said(&self, done: &Map) -> String {
        let key = if self.merged { "stdout" } else { "stderr" };
        redacted(&done.get(key).map(python_str).unwrap_or_default())
    }

    fn once(&self, env: Map) -> Result<Map> {
        let mut args = Args::positional([Value::List(self.words.clone())])
            .with("cwd", self.cwd.clone())
            .with("runas", self.given.value("user"))
            .with("password", self.given.value("password"))
            .with("python_shell", false)
            .with("ignore_retcode", self.ignore_retcode)
            .with("redirect_stderr", self.merged)
            .with("output_encoding", self.given.value("output_encoding"));
        if !env.is_empty() {
            args = args.with("env", env);
        }
        crate::tools::all_of(self.cx, args)
    }

    fn with_identities(&self, identity: &Value, fail: bool) -> Result<Map> {
        let all = if let Value::List(list) = identity { list.clone() } else { vec![identity.clone()] };
        let (mut errors, mut missing, mut last) = (Vec::new(), Vec::new(), None);
        for identity in all {
            let name = python_str(&identity);
            let mut kept = None;
            let file = if name.contains("salt://") {
                match self.fetched(&name)? {
                    Some(file) => kept.insert(file).to_string_lossy().into_owned(),
                    None => {
                        tracing::error!("identity {name} does not exist.");
                        continue;
                    }
                }
            } else if Path::new(&name).is_file() {
                name
            } else {
                tracing::error!("identity {name} does not exist.");
                missing.push(name);
                continue;
            };
            // Whoever calls from a terminal can be asked for the passphrase.
            if !self.cx.opts.str("__cli").contains("salt-call") && is_encrypted(&file)? {
                errors.push(format!(
                    "Identity file {file} is passphrase-protected and cannot be used in a non-interactive command. Using \
                     salt-call from the minion will allow a passphrase-protected key to be used."
                ));
                continue;
            }
            tracing::info!("Attempting git authentication using identity file {file}");
            let ssh = format!(
                "ssh -oStrictHostKeyChecking=no -oPasswordAuthentication=no -oKbdInteractiveAuthentication=no \
                 -oChallengeResponseAuthentication=no -i {}",
                shlex::quote(&file)
            );
            let env = [("GIT_IDENTITY", file), ("GIT_SSH_COMMAND", ssh)];
            let done = self.once(env.into_iter().collect())?;
            drop(kept);
            if done.get("retcode") == Some(&0.into()) {
                return Ok(done);
            }
            let said = self.said(&done);
            if !said.is_empty() {
                errors.push(said);
            }
            last = Some(done);
        }
        if let (false, Some(last)) = (fail, last) {
            return Ok(last);
        }
        let mut text = format!("Unable to authenticate using identity file:\n\n{}", errors.join("\n"));
        if !missing.is_empty() {
            if !errors.is_empty() {
                text += "\n\n";
            }
            text += &format!("The following identity file(s) were not found: {}", missing.join(", "));
        }
        Err(CallError::execution(text))
    }

    /// A key from the file server, in a file that only the user who runs `git` can read.
    fn fetched(&self, url: &str) -> Result<Option<tempfile::TempPath>> {
        let file = tempfile::Builder::new().prefix("__salt.tmp.").tempfile()?.into_temp_path();
        let saltenv = self.given.get("saltenv").cloned().unwrap_or_else(|| "base".into());
        let path = file.to_string_lossy().into_owned();
        let got = self.cx.call("cp.get_file", Args::positional([url.into(), path.as_str().into(), saltenv]))?;
        if !got.truthy() {
            return Ok(None);
        }
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        if let Some(user) = self.given.set_to("user") {
            std::os::unix::fs::chown(&file, Some(user_id(&python_str(user))?), None)?;
        }
        Ok(Some(file))
    }
}

/// Whether a private key wants a passphrase.
fn is_encrypted(file: &str) -> Result<bool> {
    let text = std::fs::read(file).map_err(|e| {
        let why = match e.kind() {
            std::io::ErrorKind::PermissionDenied => "Permission denied reading from".to_owned(),
            std::io::ErrorKind::NotFound => "File not found:".to_owned(),
            _ => format!("Error {} encountered reading from", e.raw_os_error().unwrap_or_default()),
        };
        CallError::execution(format!("{why} {file}"))
    })?;
    let text = String::from_utf8_lossy(&text);
    let private = text.match_indices("BEGIN ").any(|(at, found)| {
        let line = text[at + found.len()..].lines().next().unwrap_or_default();
        line.contains("PRIVATE KEY")
    });
    if !private {
        return Err(CallError::execution(format!("{file} is not a private key")));
    }
    Ok(text.contains("ENCRYPTED"))
}

/// The version of `git`, as text; asked once in a job.
pub(super) fn version(cx: &Cx) -> Result<String> {
    const KEY: &str = "git.version";
    if let Some(known) = cx.job.context(KEY) {
        return Ok(python_str(&known));
    }
    let given = Given::default();
    let said = match Git::new(cx, &given, &["--version"])?.text() {
        Ok(said) => said,
        Err(e @ CallError::Execution(_)) => {
            tracing::error!("Failed to obtain the git version (error follows):\n{e}");
            "unknown".into()
        }
        Err(e) => return Err(e),
    };
    let said = said.split('(').next().unwrap_or_default().split(".windows").next().unwrap_or_default();
    let version = said.split_whitespace().next_back().unwrap_or("unknown").to_owned();
    cx.job.set_context(KEY, version.as_str());
    Ok(version)
}

/// Python's `text.split(None, 1)` where both parts are there.
pub(super) fn pair(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let (first, rest) = line.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    (!rest.is_empty()).then_some((first, rest))
}

/// A comma-separated text, or a list, as a list.
pub(super) fn split(value: &Value) -> Vec<Value> {
    match value {
        Value::List(list) => list.clone(),
        other => python_str(other).split(',').map(Value::from).collect(),
    }
}

/// The lines of an output as a list.
pub(super) fn lines(text: &str) -> Value {
    brine_core::text::splitlines(text, false).into_iter().collect()
}
