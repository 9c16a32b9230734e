//! Calls of the execution module `git`, with what all calls of one state share.

use super::words::fail;
use brine_core::basic_auth::with_auth;
use brine_core::call::{Args, CallError, Cx, Given, Result};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::path::Path;

/// Who asks, and about which checkout.
pub(super) struct Ask<'c> {
    pub(super) cx: &'c Cx,
    pub(super) target: String,
    user: Value,
    password: Value,
    encoding: Value,
    pub(super) identity: Value,
    https_user: Value,
    https_pass: Value,
}

impl<'c> Ask<'c> {
    pub(super) fn new(cx: &'c Cx, target: impl Into<String>, given: &Given) -> Self {
        let text = |key: &str| given.text(key).map_or(Value::Nil, Value::from);
        Self {
            cx,
            target: target.into(),
            user: text("user"),
            password: text("password"),
            encoding: given.value("output_encoding"),
            identity: given.value("identity"),
            https_user: text("https_user"),
            https_pass: text("https_pass"),
        }
    }

    /// Calls a function with the arguments that all have.
    pub(super) fn git(&self, function: &str, args: Args) -> Result {
        let mut args = args.with("user", self.user.clone()).with("output_encoding", self.encoding.clone());
        if !self.password.is_nil() {
            args = args.with("password", self.password.clone());
        }
        self.cx.call(&format!("git.{function}"), args)
    }

    /// Calls a function about the checkout.
    pub(super) fn here(&self, function: &str, mut args: Args) -> Result {
        args.positional.insert(0, self.target.as_str().into());
        self.git(function, args)
    }

    /// The same, where a failure is an answer: `None`.
    pub(super) fn maybe(&self, function: &str, args: Args) -> Result<Option<String>> {
        match self.here(function, args.with("ignore_retcode", true)) {
            Ok(said) => Ok(Some(python_str(&said))),
            Err(e) if e.is_execution() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The commit of a revision of the checkout.
    pub(super) fn commit(&self, rev: &str) -> Result<Option<String>> {
        self.maybe("rev_parse", Args::positional([format!("{rev}^{{commit}}")]))
    }

    /// A list of names.
    pub(super) fn names(&self, function: &str) -> Result<Vec<String>> {
        let names = self.here(function, Args::none())?;
        Ok(names.as_list().unwrap_or_default().iter().map(python_str).collect())
    }

    /// Commit and branch that are checked out.
    pub(super) fn revision_and_branch(&self) -> Result<(Option<String>, Option<String>)> {
        tracing::info!("Checking local revision for {}", self.target);
        let revision = self.maybe("revision", Args::none())?;
        tracing::info!("Checking local branch for {}", self.target);
        Ok((revision, self.maybe("current_branch", Args::none())?))
    }

    /// The remotes with their URLs.
    pub(super) fn remotes(&self) -> Result<Map> {
        Ok(self.here("remotes", Args::none().with("redact_auth", false))?.as_map().cloned().unwrap_or_default())
    }

    /// The environment of files for keys.
    pub(super) fn saltenv(&self) -> Value {
        self.cx.saltenv().into()
    }

    /// A URL with the name and the password for HTTPS.
    pub(super) fn with_auth(&self, url: &str) -> Result {
        let [user, password] = [&self.https_user, &self.https_pass].map(|text| Some(text).filter(|text| !text.is_nil()));
        with_auth(&url.into(), user, password)
    }

    /// Arguments with the name and the password for HTTPS.
    pub(super) fn login(&self, args: Args) -> Args {
        args.with("https_user", self.https_user.clone()).with("https_pass", self.https_pass.clone())
    }

    /// Arguments for what goes over the network.
    pub(super) fn network(&self, args: Args) -> Args {
        args.with("identity", self.identity.clone()).with("saltenv", self.saltenv())
    }

    /// Sets a remote's URL.
    pub(super) fn set_remote(&self, url: &str, remote: &str) -> Result {
        self.here("remote_set", self.login(Args::none().with("url", url).with("remote", remote)))
    }

    /// Clones to the target.
    pub(super) fn clone(&self, url: &str, opts: Value) -> Result {
        self.here("clone", self.network(self.login(Args::positional([url]).with("opts", opts))))
    }

    /// Brings submodules up to date.
    pub(super) fn submodules(&self, saltenv: bool) -> Result {
        let args = Args::positional(["update"]).with("opts", vec!["--init", "--recursive"]);
        let args = args.with("identity", self.identity.clone());
        self.here("submodule", if saltenv { args.with("saltenv", self.saltenv()) } else { args })
    }

    /// Whether the target is a checkout.
    pub(super) fn is_checkout(&self, bare: bool) -> Result<bool> {
        let folder = Path::new(&self.target).join(if bare { "refs" } else { ".git" });
        Ok(folder.is_dir() || self.here("is_worktree", Args::none())?.truthy())
    }

    /// The keys for SSH, checked: a list of paths. A text says what is wrong.
    pub(super) fn check_identity(&mut self, capital: bool) -> Result<Option<String>> {
        let all = match &self.identity {
            Value::Nil => return Ok(None),
            one @ Value::Str(_) => vec![one.clone()],
            Value::List(list) => list.clone(),
            _ => {
                let word = if capital { "Identity" } else { "identity" };
                return Ok(Some(format!("{word} must be either a list or a string")));
            }
        };
        let home = |path: &str| match (path.strip_prefix('~'), std::env::var("HOME")) {
            (Some(rest), Ok(home)) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
            _ => path.to_owned(),
        };
        let all: Vec<String> = all.iter().map(|one| home(&python_str(one))).collect();
        for path in &all {
            let mut path = Value::from(path.as_str());
            if python_str(&path).contains("salt://") {
                let args = [path, if capital { "base".into() } else { self.saltenv() }];
                path = self.cx.call("cp.cache_file", Args::positional(args))?;
            }
            match &path {
                Value::Str(path) if path.starts_with('/') => {}
                Value::Str(path) => {
                    let word = if capital { "Identity" } else { "identity" };
                    return Ok(Some(format!("{word} '{path}' is not an absolute path")));
                }
                other => {
                    let kind = brine_core::text::python_type(other);
                    let text = format!("expected str, bytes or os.PathLike object, not {kind}");
                    return Err(CallError::exception("TypeError", text));
                }
            }
        }
        self.identity = all.into_iter().map(Value::from).collect();
        Ok(None)
    }
}

/// Empties a folder. `None` if that was done, else how the state ends.
pub(super) fn emptied(ret: &Outcome, target: &str, comments: &[String]) -> Option<Outcome> {
    let mut errors = Vec::new();
    for entry in std::fs::read_dir(target).into_iter().flatten().flatten() {
        let path = entry.path();
        let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let done = if folder { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        if let Err(e) = done
            && e.kind() != std::io::ErrorKind::NotFound
        {
            let path = path.to_string_lossy().into_owned();
            errors.push(format!("  {path}\n    {}", brine_core::text::python_os_error(&e, &path)));
        }
    }
    (!errors.is_empty()).then(|| fail(ret, format!("Unable to remove\n{}", errors.join("\n")), comments))
}

/// Whether a folder is empty.
pub(super) fn is_empty(folder: &str) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}
