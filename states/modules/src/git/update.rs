//! `git.latest` where there is a checkout already.

use super::clone::{start, upstream};
use super::latest::{Force, Wish, failed_fetch};
use super::remote::{Kind, Remote, Upstream, track};
use super::words::{fail, joined, no_part, short, short_or_none, shown, stripped, up_to_date, would};
use brine_core::basic_auth::redacted;
use brine_core::call::{Args, CallError, Result};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Value, map};
use std::collections::BTreeSet;

/// What the checkout is now, and what can become of it.
struct Now {
    branches: Vec<String>,
    tags: BTreeSet<String>,
    rev: Option<String>,
    branch: Option<String>,
    /// Commit and branch from which the wanted commit is to be reached.
    base_rev: Option<String>,
    base_branch: Option<String>,
    local_changes: bool,
    /// Whether it is at the wanted commit.
    matches: bool,
    /// Whether it has the wanted commit.
    has_remote_rev: bool,
    /// `None`: not known before it is fetched.
    fast_forward: Option<bool>,
    upstream: Option<String>,
    fetch_url: Option<String>,
}

type End = Option<Outcome>;

pub(super) fn update(wish: &Wish<'_>, remote: &Remote, mut ret: Outcome) -> Result<Outcome> {
    let mut comments = Vec::new();
    let (old, new) = match updated(wish, remote, &mut ret, &mut comments) {
        Ok(Ok(revs)) => revs,
        Ok(Err(end)) => return Ok(*end),
        Err(CallError::Cancelled) => return Err(CallError::Cancelled),
        Err(e) => {
            tracing::error!("Unexpected exception in git.latest state: {e}");
            return Ok(fail(&ret, shown(&e), &comments));
        }
    };
    if !wish.bare && !remote.is(new.as_deref()) {
        return Ok(fail(&ret, "Failed to update repository", &comments));
    }
    if old == new {
        return Ok(up_to_date(&ret, wish.test, &wish.ask.target, &comments, false));
    }
    ret.comment = joined(&comments).into();
    ret.changes.insert("revision", map! { "old" => old, "new" => new });
    Ok(ret)
}

type Revs = (Option<String>, Option<String>);

fn updated(
    wish: &Wish<'_>,
    remote: &Remote,
    ret: &mut Outcome,
    comments: &mut Vec<String>,
) -> Result<std::result::Result<Revs, Box<Outcome>>> {
    let mut now = match look(wish, remote, ret)? {
        Ok(now) => now,
        Err(end) => return Ok(Err(end)),
    };
    let end = match &remote.rev {
        Some(rev) => follow(wish, remote, rev, &mut now, ret, comments)?,
        None if wish.bare => fetch_bare(wish, ret, comments)?,
        None => None,
    };
    match end {
        Some(end) => Ok(Err(Box::new(end))),
        None => Ok(Ok((now.rev, wish.revision()?))),
    }
}

/// Finds out what there is.
fn look(wish: &Wish<'_>, remote: &Remote, ret: &mut Outcome) -> Result<std::result::Result<Now, Box<Outcome>>> {
    let ask = &wish.ask;
    let ends = |end: Outcome| Ok(Err(Box::new(end)));
    let branches = ask.names("list_branches")?;
    let tags: BTreeSet<String> = ask.names("list_tags")?.into_iter().collect();
    let (rev, branch) = ask.revision_and_branch()?;
    if !wish.bare && remote.rev.is_none() && rev.is_some() {
        let text = "Remote repository is empty, cannot update from a non-empty to an empty repository";
        return ends(fail(ret, text, &[]));
    }
    let (mut base_rev, mut base_branch) = (rev.clone(), branch.clone());
    if let Some(other) = wish.other_branch(branch.as_deref()) {
        if branches.iter().any(|name| name == other) {
            base_branch = Some(other.to_owned());
            let args = Args::positional([format!("{other}^{{commit}}")]).with("ignore_retcode", true);
            base_rev = match ask.here("rev_parse", args) {
                Ok(commit) => Some(python_str(&commit)),
                Err(e) if e.is_execution() => {
                    let text = format!("Unable to get position of local branch '{other}': {}", stripped(&e));
                    return ends(fail(ret, text, &[]));
                }
                Err(e) => return Err(e),
            };
        } else {
            base_rev = remote.rev.clone();
        }
    }
    let remotes = ask.remotes()?;
    let matches = remote.is(rev.as_deref());
    let local_changes = !wish.bare
        && match ask.here("diff", Args::positional(["HEAD"])) {
            Ok(diff) => diff.truthy(),
            Err(e) if e.is_execution() => {
                tracing::warn!("git.latest: Unable to determine if {} has local changes", ask.target);
                false
            }
            Err(e) => return Err(e),
        };
    if local_changes && matches {
        if wish.force_reset != Force::Yes {
            return ends(up_to_date(ret, wish.test, &ask.target, &[], true));
        }
        if wish.test {
            ret.changes.insert("forced update", true);
            let text = format!(
                "{} is up-to-date, but with uncommitted changes. Since 'force_reset' is set to True, these local changes \
                 would be reset. To only reset when there are changes in the remote repository, set 'force_reset' to \
                 'remote-changes'.",
                ask.target
            );
            return ends(would(ret, text));
        }
    }
    let has_remote = remotes.contains(&wish.remote);
    let fetch_url = remotes.get(&wish.remote).map(|urls| urls.get("fetch").map(python_str).unwrap_or_default());
    let mut now = Now {
        branches,
        tags,
        rev,
        branch,
        base_rev,
        base_branch,
        local_changes,
        matches,
        has_remote_rev: false,
        fast_forward: (local_changes && wish.force_reset != Force::RemoteChanges).then_some(false),
        upstream: None,
        fetch_url,
    };
    match has_commit(wish, remote, &now, has_remote)? {
        Some(has) => now.has_remote_rev = has,
        None => {
            let local = ask.commit(&wish.rev)?;
            let text = format!(
                "'{}' is a tag, but the remote SHA1 for this tag ({}) doesn't match the local SHA1 ({}). Set 'force_reset' \
                 to True to force this update.",
                wish.rev,
                short_or_none(remote.rev.as_deref()),
                short_or_none(local.as_deref())
            );
            return ends(fail(ret, text, &[]));
        }
    }
    if now.has_remote_rev {
        if !now.matches && !wish.update_head && wish.other_branch(now.branch.as_deref()).is_none() {
            return ends(head_stays(wish, remote, &now, ret)?);
        }
        if now.fast_forward.is_none() {
            now.fast_forward = Some(reachable(wish, remote, &now, true)?);
        }
    }
    if now.fast_forward == Some(false) && wish.force_reset == Force::No {
        return ends(not_fast_forward(wish, remote, &now, ret, &[]));
    }
    if let Some(branch) = &now.base_branch {
        now.upstream = upstream(wish, branch)?;
    }
    Ok(Ok(now))
}

/// Whether the checkout has the wanted commit; `None` for a tag that is another commit here.
fn has_commit(wish: &Wish<'_>, remote: &Remote, now: &Now, has_remote: bool) -> Result<Option<bool>> {
    let Some(rev) = remote.rev.as_deref() else { return Ok(Some(false)) };
    if remote.kind == Some(Kind::Commit) && now.base_rev.as_deref().is_some_and(|base| base.starts_with(rev)) {
        return Ok(Some(true));
    }
    if wish.ask.commit(rev)?.is_none() {
        return Ok(Some(false));
    }
    Ok(match remote.kind {
        Some(Kind::Branch) if has_remote => {
            let args = Args::positional([remote.upstream.wanted().unwrap_or_default()]);
            Some(wish.ask.maybe("rev_parse", args)?.as_deref() == Some(rev))
        }
        Some(Kind::Tag) if now.tags.contains(&wish.rev) => {
            let same = wish.ask.commit(&wish.rev)?.as_deref() == Some(rev);
            if same || wish.force_reset != Force::No { Some(same) } else { None }
        }
        Some(Kind::Commit) => Some(true),
        _ => Some(false),
    })
}

/// Whether the wanted commit is a descendant.
fn reachable(wish: &Wish<'_>, remote: &Remote, now: &Now, quiet: bool) -> Result<bool> {
    let (Some(base), Some(rev)) = (&now.base_rev, &remote.rev) else { return Ok(true) };
    let args = Args::none().with("refs", vec![base.as_str(), rev.as_str()]).with("is_ancestor", true);
    let args = if quiet { args.with("ignore_retcode", true) } else { args };
    Ok(wish.ask.here("merge_base", args)?.truthy())
}

fn head_stays(wish: &Wish<'_>, remote: &Remote, now: &Now, ret: &Outcome) -> Result<Outcome> {
    let text = format!(
        "{} is already present and local HEAD ({}) does not match, but update_head=False. HEAD has not been updated locally.",
        remote.shown_first(&wish.rev),
        short(now.rev.as_deref().ok_or_else(no_part)?)
    );
    Ok(Outcome { comment: text.into(), ..ret.clone() })
}

fn not_fast_forward(wish: &Wish<'_>, remote: &Remote, now: &Now, ret: &Outcome, comments: &[String]) -> Outcome {
    let local_branch = now.branch.as_deref().unwrap_or("None");
    let rev = &wish.rev;
    let mut about_branch = String::new();
    if wish.branch.is_none() {
        if rev != "HEAD" {
            if local_branch != rev {
                about_branch = format!(
                    " The desired rev ({rev}) differs from the name of the local branch ({local_branch}), if the desired rev is \
                     a branch name then a forced update could possibly be avoided by setting the 'branch' argument to '{rev}' \
                     instead."
                );
            }
        } else if let Some(default) = remote.default_branch.as_deref().filter(|default| *default != local_branch) {
            about_branch = format!(
                " The default remote branch ({default}) differs from the local branch ({local_branch}). This could be caused \
                 by changing the default remote branch, or if the local branch was manually changed. Rather than forcing an \
                 update, it may be advisable to set the 'branch' argument to '{default}' instead. To ensure that this state \
                 follows the '{default}' branch instead of the remote HEAD, set the 'rev' argument to '{default}'."
            );
        }
    }
    let (pre, post) = (short_or_none(now.base_rev.as_deref()), short_or_none(remote.rev.as_deref()));
    let changes = now.local_changes;
    let range = if changes && pre != post { format!("from {pre} to {post}") } else { format!("to {post}") };
    let after = match wish.other_branch(now.branch.as_deref()) {
        Some(branch) => format!(" (after checking out local branch '{branch}')"),
        None => String::new(),
    };
    let why = if changes { "there are uncommitted changes" } else { "this is not a fast-forward merge" };
    let or = if changes { " (or 'remote-changes')" } else { "" };
    let lost = if changes { " and discard these changes" } else { "" };
    let text = format!(
        "Repository would be updated {range}{after}, but {why}. Set 'force_reset' to True{or} to force this \
         update{lost}.{about_branch}"
    );
    fail(ret, text, comments)
}

fn fetch_bare(wish: &Wish<'_>, ret: &Outcome, comments: &mut Vec<String>) -> Result<End> {
    let target = &wish.ask.target;
    if wish.test {
        let text = format!("Bare repository at {target} would be fetched");
        if !ret.changes.is_empty() {
            return Ok(Some(would(ret, text)));
        }
        // Stock joins the letters of this text.
        let letters: Vec<String> = text.chars().map(String::from).collect();
        return Ok(Some(up_to_date(ret, true, target, &letters, false)));
    }
    match wish.fetch() {
        Ok(news) => {
            let news = if news { ", resulting in updated refs" } else { "" };
            comments.push(format!("Bare repository at {target} was fetched{news}"));
            Ok(None)
        }
        Err(e) if e.is_execution() => Ok(Some(failed_fetch(ret, &e, comments))),
        Err(e) => Err(e),
    }
}

/// Brings the checkout to the wanted commit.
fn follow(
    wish: &Wish<'_>,
    remote: &Remote,
    rev: &str,
    now: &mut Now,
    ret: &mut Outcome,
    comments: &mut Vec<String>,
) -> Result<End> {
    if now.fetch_url.as_deref() != Some(wish.url.as_str()) {
        if wish.test {
            return other_url(wish, remote, now, ret).map(Some);
        }
        wish.ask.set_remote(&wish.name, &wish.remote)?;
        let to = redacted(&wish.url);
        match &now.fetch_url {
            None => {
                comments.push(format!("Remote '{}' set to {to}", wish.remote));
                ret.changes.insert("new", format!("{} => {}", wish.name, wish.remote));
            }
            Some(from) => {
                comments.push(format!("Remote '{}' changed from {} to {to}", wish.remote, redacted(from)));
            }
        }
    }
    if wish.test {
        return in_test(wish, remote, now, ret).map(Some);
    }
    let branches = now.branches.clone();
    let tracking = track(now.upstream.as_deref(), &remote.upstream, wish.branch.as_deref(), || Ok(branches))?;
    if tracking.is_some() && now.branch.is_none() {
        let text = "Cannot set/unset upstream tracking branch, local HEAD refers to nonexistent branch. This may have been \
                    caused by cloning a remote repository for which the default branch was renamed or deleted. If you are \
                    unable to fix the remote repository, you can work around this by setting the 'branch' argument (which \
                    will ensure that the named branch is created if it does not already exist).";
        return Ok(Some(fail(ret, text, comments)));
    }
    tags(wish, now, ret, comments)?;
    if !now.has_remote_rev
        && let Some(end) = fetched(wish, remote, rev, now, ret, comments)?
    {
        return Ok(Some(end));
    }
    if let Some(end) = branch_changed(wish, remote, now, ret, comments)? {
        return Ok(Some(end));
    }
    let hard = |to: &str| wish.ask.here("reset", wish.with_keys(Args::none().with("opts", vec!["--hard", to])));
    if now.fast_forward == Some(false) {
        hard(rev)?;
        ret.changes.insert("forced update", true);
        if now.local_changes {
            comments.push("Uncommitted changes were discarded".into());
        }
        comments.push(format!("Repository was hard-reset to {}", remote.shown()));
    } else if now.fast_forward == Some(true) && now.local_changes && wish.force_reset != Force::No {
        wish.ask.here("discard_local_changes", Args::none())?;
        comments.push("Uncommitted changes were discarded".into());
    }
    if let Some((opts, said)) = tracking {
        wish.ask.here("branch", Args::none().with("opts", opts))?;
        comments.push(said);
    }
    if now.fast_forward == Some(true) && !remote.is(now.base_rev.as_deref()) {
        if remote.upstream.wanted().is_some() || wish.rev == "HEAD" {
            let args = Args::positional(["HEAD"]).with("opts", vec!["--quiet"]).with("ignore_retcode", true);
            if !wish.ask.here("symbolic_ref", args)?.truthy() {
                return Ok(Some(fail(ret, "Unable to fast-forward, HEAD is detached", comments)));
            }
            let args = Args::none().with("rev", rev).with("opts", vec!["--ff-only"]);
            wish.ask.here("merge", wish.with_keys(args))?;
            comments.push(format!("Repository was fast-forwarded to {}", remote.shown()));
        } else {
            hard(&wish.rev)?;
            comments.push(format!("Repository was reset to {} (fast-forward)", wish.rev));
        }
    }
    if wish.submodules {
        match wish.ask.submodules(true) {
            Ok(_) => {}
            Err(e) if e.is_execution() => {
                return Ok(Some(fail(ret, format!("Failed to update submodules: {}", stripped(&e)), comments)));
            }
            Err(e) => return Err(e),
        }
    }
    Ok(None)
}

/// Sees to tags: those that are new have to be fetched, those that are gone go.
fn tags(wish: &Wish<'_>, now: &mut Now, ret: &mut Outcome, comments: &mut Vec<String>) -> Result<()> {
    let args = Args::none().with("remote", wish.remote.as_str()).with("opts", "--tags").with("ignore_retcode", true);
    let theirs = wish.ask.git("ls_remote", wish.ask.network(args).with("cwd", wish.ask.target.as_str()))?;
    let theirs: BTreeSet<String> = theirs
        .as_map()
        .into_iter()
        .flat_map(|all| all.keys())
        .map(python_str)
        .filter(|name| !name.contains("^{}"))
        .map(|name| name.replace("refs/tags/", ""))
        .collect();
    if theirs == now.tags {
        return Ok(());
    }
    now.has_remote_rev = false;
    let new: Vec<&str> = theirs.difference(&now.tags).map(String::as_str).collect();
    if !new.is_empty() {
        ret.changes.insert("new_tags", new);
    }
    if !wish.sync_tags {
        return Ok(());
    }
    let (mut deleted, mut warnings) = (Vec::new(), Vec::<Value>::new());
    for tag in now.tags.difference(&theirs) {
        match wish.ask.here("tag", Args::positional([tag.as_str()]).with("opts", "-d")) {
            Ok(_) => deleted.push(tag.clone()),
            Err(e) if e.is_execution() => {
                warnings.push(format!("Failed to remove local tag '{tag}':\n\n{}\n\n", e.text()).into());
            }
            Err(e) => return Err(e),
        }
    }
    if !warnings.is_empty() {
        ret.more.insert("warnings", warnings);
    }
    if !deleted.is_empty() {
        let names = deleted.join(", ");
        comments.push(format!("The following tags were removed from the local checkout: {names}"));
        ret.changes.insert("deleted_tags", deleted.into_iter().map(Value::from).collect::<Vec<_>>());
    }
    Ok(())
}

fn fetched(
    wish: &Wish<'_>,
    remote: &Remote,
    rev: &str,
    now: &mut Now,
    ret: &Outcome,
    comments: &mut Vec<String>,
) -> Result<End> {
    match wish.fetch() {
        Ok(true) => comments.push(format!("{} was fetched, resulting in updated refs", wish.name)),
        Ok(false) => {}
        Err(e) if e.is_execution() => return Ok(Some(failed_fetch(ret, &e, comments))),
        Err(e) => return Err(e),
    }
    let args = Args::positional([format!("{rev}^{{commit}}")]).with("ignore_retcode", true);
    match wish.ask.here("rev_parse", args) {
        Ok(_) => {}
        Err(e) if e.is_execution() => {
            let text =
                format!("Fetch did not successfully retrieve rev '{}' from {}: {}", wish.rev, wish.name, e.text());
            return Ok(Some(fail(ret, text, &[])));
        }
        Err(e) => return Err(e),
    }
    if !now.matches && !wish.update_head && wish.other_branch(now.branch.as_deref()).is_none() {
        return head_stays(wish, remote, now, ret).map(Some);
    }
    let forward = reachable(wish, remote, now, false)?;
    now.fast_forward = Some(forward);
    if wish.force_reset == Force::No && (!forward || now.local_changes) {
        return Ok(Some(not_fast_forward(wish, remote, now, ret, comments)));
    }
    Ok(None)
}

/// Checks another branch out, where one is wanted.
fn branch_changed(
    wish: &Wish<'_>,
    remote: &Remote,
    now: &Now,
    ret: &Outcome,
    comments: &mut Vec<String>,
) -> Result<End> {
    let Some(branch) = wish.other_branch(now.branch.as_deref()) else { return Ok(None) };
    if now.local_changes && !wish.force_checkout.truthy() {
        let text = format!(
            "Local branch '{branch}' has uncommitted changes. Set 'force_checkout' to True to discard them and proceed.",
            branch = now.branch.as_deref().unwrap_or("None")
        );
        return Ok(Some(fail(ret, text, &[])));
    }
    let known = now.branches.iter().any(|name| name == branch);
    let (rev, opts) = if known { (branch, Vec::new()) } else { (start(wish, remote), vec!["-b", branch]) };
    let args = Args::positional([rev]).with("force", wish.force_checkout.clone()).with("opts", opts);
    wish.ask.here("checkout", args)?;
    comments.push(match known {
        true => format!("'{rev}' was checked out"),
        false => format!("New branch '{branch}' was checked out, with {} as a starting point", remote.shown()),
    });
    Ok(None)
}

/// What test mode says where the remote has another URL.
fn other_url(wish: &Wish<'_>, remote: &Remote, now: &Now, ret: &mut Outcome) -> Result<Outcome> {
    let Some(from) = &now.fetch_url else {
        return Err(CallError::exception("TypeError", "expected string or bytes-like object, got 'NoneType'"));
    };
    let (from, to) = (redacted(from), redacted(&wish.url));
    let mut actions = vec![format!("Remote '{}' would be changed from {from} to {to}", wish.remote)];
    if !now.has_remote_rev {
        actions.push("Remote would be fetched".into());
    }
    if !now.matches && wish.update_head {
        ret.changes.insert("revision", map! { "old" => now.rev.clone(), "new" => remote.rev.clone() });
        if now.fast_forward == Some(false) {
            ret.changes.insert("forced update", true);
        }
        let commit = short_or_none(remote.rev.as_deref());
        actions.push(format!("Repository would be {} to {commit}", merge_action(now)));
    }
    Ok(tested(wish, now, ret, &actions))
}

/// The end of test mode.
fn tested(wish: &Wish<'_>, now: &Now, ret: &Outcome, actions: &[String]) -> Outcome {
    if !ret.changes.is_empty() {
        return would(ret, joined(actions));
    }
    if !now.matches && !wish.update_head && !actions.is_empty() {
        return Outcome { comment: joined(actions).into(), ..ret.clone() };
    }
    up_to_date(ret, true, &wish.ask.target, actions, false)
}

fn merge_action(now: &Now) -> &'static str {
    match now.fast_forward {
        Some(false) => "hard-reset",
        Some(true) => "fast-forwarded",
        None => "updated",
    }
}

/// What test mode says.
fn in_test(wish: &Wish<'_>, remote: &Remote, now: &Now, ret: &mut Outcome) -> Result<Outcome> {
    let mut actions = Vec::new();
    let other = wish.other_branch(now.branch.as_deref());
    let (from, to) = (short_or_none(now.rev.as_deref()), short_or_none(remote.rev.as_deref()));
    if !now.has_remote_rev {
        actions.push(format!("Remote '{}' would be fetched", wish.remote));
    }
    if !now.matches && (wish.update_head || other.is_some()) {
        ret.changes.insert("revision", map! { "old" => now.rev.clone(), "new" => remote.rev.clone() });
    }
    if let Some(branch) = other {
        if now.branches.iter().any(|name| name == branch) {
            actions.push(format!("Branch '{branch}' would be checked out and {} to {to}", merge_action(now)));
        } else {
            actions.push(format!(
                "New branch '{branch}' would be checked out, with {} as a starting point",
                remote.shown()
            ));
            if let Some(wanted) = remote.upstream.wanted() {
                actions.push(format!("Tracking branch would be set to {wanted}"));
            }
        }
    } else if !now.matches {
        actions.push(if !wish.update_head {
            format!(
                "Local HEAD ({}) does not match {} but update_head=False, HEAD would not be updated locally",
                short(now.rev.as_deref().ok_or_else(no_part)?),
                remote.shown()
            )
        } else if now.fast_forward == Some(true) {
            format!("Repository would be fast-forwarded from {from} to {to}")
        } else {
            let reset = wish.force_reset != Force::No && now.has_remote_rev;
            format!("Repository would be {} from {from} to {to}", if reset { "hard-reset" } else { "updated" })
        });
    }
    match (now.upstream.as_deref(), &remote.upstream) {
        (None, Upstream::To(wanted)) => actions.push(format!("Tracking branch would be set to {wanted}")),
        (Some(_), Upstream::None) => actions.push("Tracking branch would be unset".into()),
        (Some(upstream), Upstream::To(wanted)) if upstream != wanted => {
            actions.push(format!("Tracking branch would be updated to {wanted}"));
        }
        _ => {}
    }
    Ok(tested(wish, now, ret, &actions))
}
