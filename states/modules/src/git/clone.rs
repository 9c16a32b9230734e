//! `git.latest` where nothing is cloned yet.

use super::latest::Wish;
use super::remote::{Kind, Remote, track};
use super::words::{fail, joined, shown, stripped};
use brine_core::call::{Args, CallError, Result};
use brine_core::state::Outcome;
use brine_core::{Value, map};

pub(super) fn clone(wish: &Wish<'_>, remote: &Remote, mut ret: Outcome) -> Result<Outcome> {
    let mut comments = Vec::new();
    match cloned(wish, remote, &mut ret, &mut comments) {
        Ok(Some(end)) => Ok(end),
        Ok(None) => {
            let text = joined(&comments);
            tracing::info!("{text}");
            Ok(Outcome { comment: text.into(), ..ret })
        }
        Err(CallError::Cancelled) => Err(CallError::Cancelled),
        Err(e) => {
            tracing::error!("Unexpected exception in git.latest state: {e}");
            Ok(fail(&ret, shown(&e), &comments))
        }
    }
}

/// The revision from which a new branch starts.
pub(super) fn start<'w>(wish: &'w Wish<'_>, remote: &'w Remote) -> &'w str {
    match remote.rev.as_deref() {
        Some(commit) if wish.rev == "HEAD" => commit,
        _ => remote.upstream.wanted().unwrap_or(&wish.rev),
    }
}

fn cloned(wish: &Wish<'_>, remote: &Remote, ret: &mut Outcome, comments: &mut Vec<String>) -> Result<Option<Outcome>> {
    let (ask, name, target) = (&wish.ask, &wish.name, &wish.ask.target);
    let mut opts: Vec<&str> = Vec::new();
    opts.extend(if wish.mirror { Some("--mirror") } else { wish.bare.then_some("--bare") });
    if wish.remote != "origin" {
        opts.extend(["--origin", &wish.remote]);
    }
    if let Some(depth) = &wish.depth {
        opts.extend(["--depth", depth, "--branch", &wish.rev]);
    }
    match ask.clone(name, opts.into()) {
        Ok(_) => {}
        Err(e) if e.is_execution() => {
            return Ok(Some(fail(ret, format!("Clone failed: {}", stripped(&e)), comments)));
        }
        Err(e) => return Err(e),
    }
    ret.changes.insert("new", format!("{name} => {target}"));
    let kind = if wish.mirror { " as mirror" } else if wish.bare { " as bare repository" } else { "" };
    comments.push(format!("{name} cloned to {target}{kind}"));
    if !wish.bare {
        let end = match &remote.rev {
            Some(rev) => checked_out(wish, remote, rev, ret, comments)?,
            None if wish.rev == "HEAD" => None,
            None => {
                let text = format!(
                    "Repository was cloned but is empty, so {}/{} cannot be checked out",
                    wish.remote, wish.rev
                );
                Some(fail(ret, text, comments))
            }
        };
        if end.is_some() {
            return Ok(end);
        }
    }
    if wish.submodules && remote.rev.is_some() {
        match ask.submodules(false) {
            Ok(_) => {}
            Err(e) if e.is_execution() => {
                return Ok(Some(fail(ret, format!("Failed to update submodules: {}", stripped(&e)), comments)));
            }
            Err(e) => return Err(e),
        }
    }
    if let Some(new) = wish.revision()? {
        ret.changes.insert("revision", map! { "old" => (), "new" => new });
    }
    Ok(None)
}

fn checked_out(
    wish: &Wish<'_>,
    remote: &Remote,
    rev: &str,
    ret: &Outcome,
    comments: &mut Vec<String>,
) -> Result<Option<Outcome>> {
    let ask = &wish.ask;
    if remote.kind == Some(Kind::Tag) && !ask.names("list_tags")?.contains(&wish.rev) {
        return Ok(Some(fail(ret, format!("Revision '{}' does not exist in clone", wish.rev), comments)));
    }
    if let Some(branch) = &wish.branch
        && !ask.names("list_branches")?.contains(branch)
    {
        ask.here("checkout", Args::positional([start(wish, remote)]).with("opts", vec!["-b", branch.as_str()]))?;
        comments.push(format!("Branch '{branch}' checked out, with {} as a starting point", remote.shown()));
    }
    let (local_rev, local_branch) = ask.revision_and_branch()?;
    if local_branch.is_none() && !remote.has_head() {
        let text = "Remote HEAD refers to a ref that does not exist. This can happen when the default branch on the remote \
                    repository is renamed or deleted. If you are unable to fix the remote repository, you can work around \
                    this by setting the 'branch' argument (which will ensure that the named branch is created if it does \
                    not already exist).";
        return Ok(Some(fail(ret, text, comments)));
    }
    if !remote.is(local_rev.as_deref()) {
        ask.here("reset", Args::none().with("opts", vec!["--hard", rev]))?;
        comments.push(format!("Repository was reset to {}", remote.shown()));
    }
    let Some(local_branch) = local_branch else {
        let text = "unsupported operand type(s) for +: 'NoneType' and 'str'";
        return Err(CallError::exception("TypeError", text));
    };
    let upstream = upstream(wish, &local_branch)?;
    let branch = wish.branch.as_deref();
    if let Some((opts, said)) = track(upstream.as_deref(), &remote.upstream, branch, || ask.names("list_branches"))? {
        ask.here("branch", Args::none().with("opts", opts))?;
        comments.push(said);
    }
    Ok(None)
}

/// What a branch follows.
pub(super) fn upstream(wish: &Wish<'_>, branch: &str) -> Result<Option<String>> {
    let args = Args::positional([Value::from(format!("{branch}@{{upstream}}"))]).with("opts", vec!["--abbrev-ref"]);
    Ok(wish.ask.maybe("rev_parse", args)?.filter(|upstream| !upstream.is_empty()))
}
