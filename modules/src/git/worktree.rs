//! Several checkouts of one repository.

use super::program::{Git, expanded, pair, version};
use brine_core::call::{CallError, Cx, Given, Result, given};
use brine_core::posixpath::basename;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::path::Path;

given! {
    /// Whether a folder is in a worktree: a checkout whose repository is that of another one.
    ///
    /// CLI Example: salt myminion git.is_worktree /path/to/repo
    pub(super) fn is_worktree(cwd, user = (), password = (), output_encoding = ()) => run_is_worktree
}

fn run_is_worktree(cx: &Cx, given: Given) -> Result {
    let top = match Git::new(cx, &given, &["rev-parse", "--show-toplevel"])?.quietly().text() {
        Ok(top) => top,
        Err(CallError::Execution(_)) => return Ok(false.into()),
        Err(e) => return Err(e),
    };
    let Ok(text) = std::fs::read_to_string(Path::new(&top).join(".git")) else { return Ok(false.into()) };
    let found = text.lines().next().and_then(pair);
    Ok(found.is_some_and(|(label, path)| label == "gitdir:" && path.starts_with('/')).into())
}

given! {
    /// The worktrees of a repository: those that are there, with `stale=True` those whose folder is gone, with `all=True` both.
    ///
    /// CLI Example: salt myminion git.list_worktrees /path/to/repo all=True
    pub(super) fn list_worktrees(cwd, stale = false, user = (), password = (), output_encoding = (); kwargs) => run_list_worktrees
}

fn run_list_worktrees(cx: &Cx, mut given: Given) -> Result {
    given.only(&["all"])?;
    let (all, stale) = (given.truthy("all"), given.truthy("stale"));
    if all && stale {
        return Err(CallError::execution("'all' and 'stale' cannot both be set to True"));
    }
    let said = Git::new(cx, &given, &["worktree", "list", "--porcelain"])?.text()?;
    let mut found = Map::new();
    for block in said.trim().split("\n\n") {
        let (mut path, mut head, mut branch) = (String::new(), String::new(), String::new());
        for line in block.split('\n') {
            let (key, value) = match pair(line.trim()) {
                Some(pair) => pair,
                None if line == "detached" => ("branch", "detached"),
                None => ("", ""),
            };
            let place = match key {
                "worktree" => &mut path,
                "HEAD" => &mut head,
                "branch" => &mut branch,
                _ => {
                    tracing::warn!("git.worktree: Untracked line item '{line}'");
                    continue;
                }
            };
            if place.is_empty() {
                value.clone_into(place);
            }
        }
        if path.is_empty() || head.is_empty() || branch.is_empty() {
            tracing::error!("git.worktree: Incomplete worktree data. Full data below:\n{block}");
            continue;
        }
        let is_stale = !Path::new(&path).is_dir();
        if !all && is_stale != stale {
            continue;
        }
        let mut entry = map! { "stale" => is_stale, "HEAD" => head.as_str(), "detached" => branch == "detached" };
        if branch == "detached" {
            entry.insert("branch", ());
            let tags = super::program::lines(&Git::new(cx, &given, &["tag", "--points-at", &head])?.text()?);
            if tags.truthy() {
                entry.insert("tags", tags);
            }
        } else {
            entry.insert("branch", branch.replacen("refs/heads/", "", 1));
        }
        found.insert(path, entry);
    }
    Ok(found.into())
}

given! {
    /// Make a worktree: of a new branch (`branch`, or the name of the folder; reset_branch: even if there is one) at `ref`, or of
    /// a bare revision (`detach`).
    ///
    /// CLI Example: salt myminion git.worktree_add /path/to/repo/main ../hotfix branch=hotfix21 ref=v2.1.9.3
    pub(super) fn worktree_add(cwd, worktree_path, ref_ = (), reset_branch = (), force = (), detach = false, opts = "", git_opts = "",
        user = (), password = (), ignore_retcode = false, output_encoding = (); kwargs) => run_worktree_add
}

fn run_worktree_add(cx: &Cx, mut given: Given) -> Result {
    given.only(&["branch"])?;
    let detach = given.truthy("detach");
    let path = given.value("worktree_path");
    let branch = given.set_to("branch").cloned();
    if branch.is_some() && detach {
        return Err(CallError::invocation("Only one of 'branch' and 'detach' is allowed"));
    }
    let mut git = Git::new(cx, &given, &["worktree", "add"])?;
    if detach {
        if given.truthy("force") {
            tracing::warn!("'force' argument to git.worktree_add is ignored when detach=True");
        }
        git = git.arg("--detach");
    } else {
        let branch = branch.unwrap_or_else(|| basename(&python_str(&path)).into());
        git = git.arg(if given.truthy("reset_branch") { "-B" } else { "-b" }).arg(branch);
        git = git.flag(given.truthy("force"), "--force");
    }
    git.opts()?.arg(path).args(given.set_to("ref").cloned()).merged().stdout()
}

given! {
    /// Forget worktrees whose folders are gone. dry_run: only say which. expire: only those older than that.
    ///
    /// CLI Example: salt myminion git.worktree_prune /path/to/repo dry_run=True
    pub(super) fn worktree_prune(cwd, dry_run = false, verbose = true, expire = (), opts = "", git_opts = "", user = (),
        password = (), ignore_retcode = false, output_encoding = ()) => run_worktree_prune
}

fn run_worktree_prune(cx: &Cx, given: Given) -> Result {
    let mut git = Git::new(cx, &given, &["worktree", "prune"])?
        .flag(given.truthy("dry_run"), "--dry-run")
        .flag(given.truthy("verbose"), "--verbose");
    if let Some(expire) = given.set_to("expire") {
        git = git.arg("--expire").arg(expire.clone());
    }
    let mut done = git.opts()?.run()?;
    let version: Vec<u32> = version(cx)?.split('.').filter_map(|part| part.parse().ok()).collect();
    let stream = if version > vec![2, 35, 0] { "stderr" } else { "stdout" };
    Ok(done.remove(stream).unwrap_or_default())
}

given! {
    /// Remove a worktree with all that is in it.
    ///
    /// CLI Example: salt myminion git.worktree_rm /path/to/worktree
    pub(super) fn worktree_rm(cwd, user = (), output_encoding = ()) => run_worktree_rm
}

fn run_worktree_rm(cx: &Cx, given: Given) -> Result {
    let cwd = expanded(&given.value("cwd"), given.get("user"))?;
    if !Path::new(&cwd).exists() {
        return Err(CallError::execution(format!("{cwd} does not exist")));
    }
    let mut asked = Given::default();
    asked.set("cwd", cwd.as_str());
    asked.set("output_encoding", given.value("output_encoding"));
    if run_is_worktree(cx, asked)? != Value::Bool(true) {
        return Err(CallError::execution(format!("{cwd} is not a git worktree")));
    }
    std::fs::remove_dir_all(&cwd).map_err(|e| {
        let e = brine_core::text::python_os_error(&e, &cwd);
        CallError::execution(format!("Unable to remove {cwd}: {e}"))
    })?;
    Ok(true.into())
}
