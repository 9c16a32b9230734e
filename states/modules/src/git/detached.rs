//! A checkout is at one commit, on no branch.

use super::ask::{Ask, emptied, is_empty};
use super::latest::{no_room, room_wanted};
use super::remote::is_hash;
use super::words::{fail, joined, shown, stripped, would};
use brine_core::call::{Args, CallError, Cx, Given, Result, given};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Value, map};
use std::path::Path;

given! {
    /// A checkout is at the commit that a tag, a branch or a hash is, on no branch.
    ///
    /// name: the URL. rev: tag, branch or hash. target: where. remote: the name of the remote. user: who does it. force_clone: lose
    /// what else is at `target`. force_checkout: lose local changes where the commit changes. fetch_remote: fetch first.
    /// hard_reset: lose local changes first. submodules: theirs, too. identity: private keys for SSH. https_user, https_pass: for
    /// HTTPS.
    pub(super) fn detached(name, rev, target, remote = "origin", user = (), password = (), force_clone = false,
        force_checkout = false, fetch_remote = true, hard_reset = false, submodules = false, identity = (), https_user = (),
        https_pass = (), output_encoding = (); kwargs) => run
}

fn run(cx: &Cx, mut given: Given) -> Result {
    let name = given.text("name").unwrap_or_default();
    let mut ret = Outcome::new(name.as_str());
    let wrong = |text: String| Ok(fail(&Outcome::new(name.as_str()), text, &[]).into());
    if let Err(e) = given.only(&[]) {
        return wrong(e.text());
    }
    let shown_rev = python_str(&given.value("rev"));
    for key in ["rev", "target"] {
        if !given.truthy(key) {
            return wrong(format!("'{shown_rev}' is not a valid value for the '{key}' argument"));
        }
    }
    let mut rev = shown_rev;
    let target = given.text("target").unwrap_or_default();
    if !target.starts_with('/') {
        return wrong(format!("Target '{target}' is not an absolute path"));
    }
    let mut ask = Ask::new(cx, target.as_str(), &given);
    if let Some(text) = ask.check_identity(true)? {
        return wrong(text);
    }
    if Path::new(&target).is_file() {
        return wrong(format!("Target '{target}' exists and is a regular file, cannot proceed"));
    }
    match ask.with_auth(&name) {
        Err(e @ CallError::Invocation(_)) => return wrong(e.text()),
        other => drop(other?),
    }
    let hash = is_hash(&rev);
    if hash {
        rev = rev.to_lowercase();
    }
    let remote = given.text("remote").unwrap_or_else(|| "None".into());
    let mut comments = Vec::new();
    let (mut has_hash, mut local) = (false, None);
    if ask.is_checkout(false)? {
        local = ask.revision_and_branch()?.0;
        if hash {
            has_hash = ask.maybe("describe", Args::positional([rev.as_str()]))?.is_some();
        } else {
            let remotes = ask.remotes()?;
            let url = remotes.get(&remote).map(|urls| urls.get("fetch").map(python_str).unwrap_or_default());
            if !url.as_ref().is_some_and(|url| url.contains(&name)) {
                if cx.test {
                    return Ok(would(&ret, format!("Remote {remote} would be set to {name}")).into());
                }
                ask.set_remote(&name, &remote)?;
                let url = url.as_deref().unwrap_or("None");
                comments.push(format!("Remote {remote} updated from '{url}' to '{name}'"));
            }
        }
    } else {
        if Path::new(&target).is_dir() {
            if given.truthy("force_clone") {
                if cx.test {
                    return Ok(would(&ret, room_wanted(&name, &target)).into());
                }
                if let Some(end) = emptied(&ret, &target, &comments) {
                    return Ok(end.into());
                }
                ret.changes.insert("forced clone", true);
            } else if !is_empty(&target) {
                return Ok(fail(&ret, no_room(&target), &[]).into());
            }
        }
        if cx.test {
            return Ok(would(&ret, format!("Repository {name} would be cloned to {target}")).into());
        }
        let mut opts = vec!["--no-checkout"];
        if remote != "origin" {
            opts.extend(["--origin", &remote]);
        }
        match ask.clone(&name, opts.into()) {
            Ok(_) => comments.push(format!("{name} cloned to {target}")),
            Err(CallError::Cancelled) => return Err(CallError::Cancelled),
            Err(e) => {
                tracing::error!("Unexpected exception in git.detached state: {e}");
                return Ok(fail(&ret, shown(&e), &comments).into());
            }
        }
    }
    if !has_hash && given.value("fetch_remote") != Value::Bool(false) {
        if cx.test {
            return Ok(would(&ret, format!("Repository remote {remote} would be fetched")).into());
        }
        let refspecs = [format!("refs/heads/*:refs/remotes/{remote}/*"), "+refs/tags/*:refs/tags/*".into()];
        let refspecs: Vec<Value> = refspecs.into_iter().map(Value::from).collect();
        let args = Args::none().with("remote", remote.as_str()).with("force", true).with("refspecs", refspecs);
        match ask.here("fetch", ask.network(args)) {
            Ok(news) if news.truthy() => {
                comments.push(format!("Remote {remote} was fetched, resulting in updated refs"));
            }
            Ok(_) => {}
            Err(e) if e.is_execution() => {
                return Ok(fail(&ret, format!("Fetch failed:\n\n{}", e.text()), &comments).into());
            }
            Err(e) => return Err(e),
        }
    }
    let commit = if hash {
        if ask.here("describe", Args::positional([rev.as_str()]))?.truthy() { Some(rev.clone()) } else { None }
    } else {
        let args = Args::positional([target.as_str()])
            .with("identity", ask.identity.clone())
            .with("ignore_retcode", false);
        let refs = match ask.git("remote_refs", ask.login(args)) {
            Ok(refs) => refs,
            Err(e) if e.is_execution() => {
                let text = format!("Failed to list refs for {remote}: {}", stripped(&e));
                return Ok(fail(&ret, text, &[]).into());
            }
            Err(e) => return Err(e),
        };
        let get = |name: String| refs.get(&name).map(python_str);
        get(format!("refs/remotes/{remote}/{rev}")).or_else(|| get(format!("refs/tags/{rev}")))
    };
    let Some(commit) = commit else {
        return Ok(fail(&ret, format!("Revision '{rev}' does not exist"), &[]).into());
    };
    if given.truthy("hard_reset") {
        if cx.test {
            return Ok(would(&ret, format!("Hard reset to HEAD would be performed on {target}")).into());
        }
        ask.here("reset", Args::none().with("opts", vec!["--hard", "HEAD"]))?;
        comments.push("Repository was reset to HEAD before checking out revision".into());
    }
    let mut new = None;
    if local.as_deref() != Some(commit.as_str()) {
        if cx.test {
            ret.changes.insert("HEAD", map! { "old" => local, "new" => commit.as_str() });
            return Ok(would(&ret, format!("Commit ID {commit} would be checked out at {target}")).into());
        }
        ask.here("checkout", Args::positional([commit.as_str()]).with("force", given.value("force_checkout")))?;
        comments.push(format!("Commit ID {commit} was checked out at {target}"));
        new = ask.maybe("revision", Args::none())?;
    }
    if given.truthy("submodules") {
        ask.submodules(false)?;
        comments.push("Submodules were updated".into());
    }
    match new {
        Some(new) => drop(ret.changes.insert("HEAD", map! { "old" => local, "new" => new })),
        None => comments.push("Already checked out at correct revision".into()),
    }
    ret.comment = joined(&comments).into();
    Ok(ret.into())
}
