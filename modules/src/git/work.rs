//! Checkouts as a whole: made, cloned, packed, and their submodules.

use super::program::{Git, expanded};
use brine_core::basic_auth::with_auth;
use brine_core::call::{CallError, Cx, Given, Result, given};
use brine_core::posixpath::basename;
use brine_core::text::python_str;
use brine_core::Value;
use std::path::Path;

given! {
    /// Pack a revision into a file. prefix: in front of every name (default: the name of the folder). format: `tar`, `zip`, ...
    /// (default: by the name of the file).
    ///
    /// CLI Example: salt myminion git.archive /path/to/repo /path/to/archive.tar
    pub(super) fn archive(cwd, output, rev = "HEAD", prefix = (), git_opts = "", user = (), password = (), ignore_retcode = false,
        output_encoding = (); kwargs) => run_archive
}

fn run_archive(cx: &Cx, mut given: Given) -> Result {
    let user = given.get("user").cloned();
    let cwd = expanded(&given.value("cwd"), user.as_ref())?;
    let output = expanded(&given.value("output"), user.as_ref())?;
    given.only(&["format"])?;
    let mut git = Git::new(cx, &given, &["archive"])?;
    git = match given.value("prefix") {
        Value::Str(prefix) if prefix.is_empty() => git,
        prefix if prefix.truthy() => git.arg("--prefix").arg(prefix),
        _ => git.arg("--prefix").arg(format!("{}/", basename(&cwd))),
    };
    if let Some(format) = given.set_to("format") {
        git = git.arg("--format").arg(format.clone());
    }
    git.arg("--output").arg(output).arg(given.value("rev")).run()?;
    Ok(true.into())
}

given! {
    /// Clone a repository to `cwd`, or to the folder `name` in there. identity: private keys for SSH, files or `salt://`.
    /// https_user, https_pass: for HTTPS.
    ///
    /// CLI Example: salt myminion git.clone /path/to/repo_parent_dir git://github.com/saltstack/salt.git
    pub(super) fn clone(cwd, url = (), name = (), opts = "", git_opts = "", user = (), password = (), identity = (), https_user = (),
        https_pass = (), ignore_retcode = false, saltenv = "base", output_encoding = ()) => run_clone
}

fn run_clone(cx: &Cx, given: Given) -> Result {
    let cwd = expanded(&given.value("cwd"), given.get("user"))?;
    let url = given.set_to("url").ok_or_else(|| CallError::invocation("Missing 'url' argument"))?;
    let url = with_auth(url, given.get("https_user"), given.get("https_pass"))?;
    let git = Git::new(cx, &given, &["clone"])?.opts()?.arg("--").arg(url);
    let git = match given.get("name") {
        Some(name) => {
            if !Path::new(&cwd).exists() {
                std::fs::create_dir_all(&cwd)?;
            }
            git.arg(name.clone()).at(cwd)
        }
        None => git.arg(cwd).at("/tmp"),
    };
    git.run()?;
    Ok(true.into())
}

given! {
    /// Make a repository. bare: without files. template, separate_git_dir, shared: as of `git init`.
    ///
    /// CLI Example: salt myminion git.init /path/to/bare/repo.git bare=True
    pub(super) fn init(cwd, bare = false, template = (), separate_git_dir = (), shared = (), opts = "", git_opts = "", user = (),
        password = (), ignore_retcode = false, output_encoding = ()) => run_init
}

fn run_init(cx: &Cx, given: Given) -> Result {
    let cwd = expanded(&given.value("cwd"), given.get("user"))?;
    let mut git = Git::new(cx, &given, &["init"])?.flag(given.truthy("bare"), "--bare");
    for (key, option) in [("template", "--template"), ("separate_git_dir", "--separate-git-dir")] {
        if let Some(value) = given.get(key) {
            git = git.arg(format!("{option}={}", python_str(value)));
        }
    }
    if let Some(shared) = given.get("shared") {
        let shared = match shared {
            Value::Int(number) => format!("0{number}"),
            Value::Str(text) => text.clone(),
            other => python_str(other).to_lowercase(),
        };
        git = git.arg(format!("--shared={shared}"));
    }
    git.opts()?.arg(cwd).at(Value::Nil).stdout()
}

given! {
    /// `git submodule` with a command such as `update`, and `opts`.
    ///
    /// CLI Example: salt myminion git.submodule /path/to/repo update opts='--init --recursive'
    pub(super) fn submodule(cwd, command, opts = "", git_opts = "", user = (), password = (), identity = (), ignore_retcode = false,
        saltenv = "base", output_encoding = (); kwargs) => run_submodule
}

fn run_submodule(cx: &Cx, mut given: Given) -> Result {
    given.only(&["init"])?;
    if given.truthy("init") {
        return Err(CallError::invocation(
            "The 'init' argument is no longer supported. Either set 'command' to 'init', or include '--init' in the 'opts' \
             argument and set 'command' to 'update'.",
        ));
    }
    Git::new(cx, &given, &["submodule"])?.arg(given.value("command")).opts()?.stdout()
}
