//! A repository is there.

use super::words::{fail, would};
use brine_core::call::{Args, Cx, Given, Result, given};
use brine_core::state::Outcome;
use brine_core::text::python_os_error;
use std::path::Path;

given! {
    /// A repository is at a path; one is made if not.
    ///
    /// name: the path. force: even where a folder with something else is, which is lost. bare: without a checkout. template,
    /// separate_git_dir, shared: as of `git init`. user: who makes it.
    pub(super) fn present(name, force = false, bare = true, template = (), separate_git_dir = (), shared = (), user = (),
        password = (), output_encoding = ()) => run
}

fn run(cx: &Cx, given: Given) -> Result {
    let name = given.text("name").unwrap_or_default();
    let path = Path::new(&name);
    let bare = given.truthy("bare");
    let kind = if bare { "bare " } else { "" };
    let mut ret = Outcome::new(name.as_str());
    if path.is_dir() {
        let worktree = || -> Result<bool> {
            let mut args = Args::positional([name.as_str()]);
            for key in ["user", "password", "output_encoding"] {
                args = args.with(key, given.value(key));
            }
            Ok(cx.call("git.is_worktree", args)?.truthy())
        };
        if bare && path.join("HEAD").is_file() || !bare && (path.join(".git").is_dir() || worktree()?) {
            return Ok(ret.into());
        }
        if given.truthy("force") {
            if cx.test {
                ret.changes.insert("new", name.as_str());
                ret.changes.insert("forced init", true);
                return Ok(would(
                    &ret,
                    format!(
                        "Target directory {name} exists. Since force=True, the contents of {name} would be deleted, and a \
                         {kind}repository would be initialized in its place."
                    ),
                )
                .into());
            }
            let done = if path.is_symlink() { std::fs::remove_file(path) } else { std::fs::remove_dir_all(path) };
            if let Err(e) = done {
                let text = format!("Unable to remove {name}: {}", python_os_error(&e, &name));
                return Ok(fail(&ret, text, &[]).into());
            }
            ret.changes.insert("forced init", true);
        } else if !super::ask::is_empty(&name) {
            return Ok(fail(
                &ret,
                format!(
                    "Target '{name}' exists, is non-empty, and is not a git repository. Set the 'force' option to True to \
                     remove this directory's contents and proceed with initializing a repository"
                ),
                &[],
            )
            .into());
        }
    }
    if cx.test {
        ret.changes.insert("new", name);
        return Ok(would(&ret, format!("New {kind}repository would be created")).into());
    }
    let mut args = Args::none().with("cwd", name.as_str());
    for key in ["bare", "template", "separate_git_dir", "shared", "user", "password", "output_encoding"] {
        args = args.with(key, given.value(key));
    }
    cx.call("git.init", args)?;
    let mut actions = vec![format!("Initialized {kind}repository in {name}")];
    if let Some(template) = given.set_to("template") {
        actions.push(format!("Template directory set to {}", brine_core::text::python_str(template)));
    }
    if let Some(folder) = given.set_to("separate_git_dir") {
        actions.push(format!("Gitdir set to {}", brine_core::text::python_str(folder)));
    }
    ret.changes.insert("new", name);
    ret.comment = super::words::joined(&actions).into();
    Ok(ret.into())
}
