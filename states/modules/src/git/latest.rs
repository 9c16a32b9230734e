//! A checkout is at the newest commit of a branch, a tag, or a commit: what is checked before anything is done.

use super::ask::{Ask, emptied, is_empty};
use super::remote::{Kind, Remote, refs};
use super::words::{fail, stripped, would};
use brine_core::basic_auth::redacted;
use brine_core::call::{Args, CallError, Cx, Given, Result, given};
use brine_core::state::Outcome;
use brine_core::text::{python_eq, python_str};
use brine_core::Value;
use std::path::Path;

given! {
    /// A checkout is at the newest commit.
    ///
    /// name: the URL. target: where. rev: branch, tag or commit; `HEAD`: what the remote says. branch: the local branch. user: who does
    /// it. update_head: whether what is checked out changes, too. force_checkout: lose local changes where the branch changes.
    /// force_clone: lose what else is at `target`. force_fetch: fetch what is no descendant. force_reset: lose local changes and
    /// commits; `remote-changes`: only where the remote has news. submodules: theirs, too. bare, mirror: no checkout. remote:
    /// its name. fetch_tags, sync_tags: get tags; remove those the remote has no more. depth: how many commits. identity: private
    /// keys for SSH. https_user, https_pass: for HTTPS. refspec_branch, refspec_tag: which are fetched.
    pub(super) fn latest(name, target, rev = "HEAD", branch = (), user = (), password = (), update_head = true,
        force_checkout = false, force_clone = false, force_fetch = false, force_reset = false, submodules = false, bare = false,
        mirror = false, remote = "origin", fetch_tags = true, sync_tags = true, depth = (), identity = (), https_user = (),
        https_pass = (), refspec_branch = "*", refspec_tag = "*", output_encoding = (); kwargs) => run
}

/// How much may be lost by a reset.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Force {
    No,
    Yes,
    RemoteChanges,
}

/// All that is wanted of the checkout.
pub(super) struct Wish<'c> {
    pub(super) ask: Ask<'c>,
    pub(super) test: bool,
    pub(super) name: String,
    pub(super) rev: String,
    pub(super) branch: Option<String>,
    pub(super) update_head: bool,
    pub(super) force_checkout: Value,
    pub(super) force_fetch: Value,
    pub(super) force_reset: Force,
    pub(super) submodules: bool,
    pub(super) bare: bool,
    pub(super) mirror: bool,
    pub(super) remote: String,
    pub(super) sync_tags: bool,
    pub(super) depth: Option<String>,
    pub(super) refspecs: Vec<String>,
    /// The URL with name and password.
    pub(super) url: String,
    pub(super) large_files: bool,
}

impl Wish<'_> {
    /// The branch to change to, if another one is checked out.
    pub(super) fn other_branch(&self, local: Option<&str>) -> Option<&str> {
        self.branch.as_deref().filter(|branch| Some(*branch) != local)
    }

    /// Keys for SSH, where a checkout itself may have to fetch large files.
    pub(super) fn with_keys(&self, args: Args) -> Args {
        if self.large_files { args.with("identity", self.ask.identity.clone()) } else { args }
    }

    /// Fetches. Whether anything came.
    pub(super) fn fetch(&self) -> Result<bool> {
        let refspecs: Vec<&str> = self.refspecs.iter().map(String::as_str).collect();
        let args = Args::none()
            .with("remote", self.remote.as_str())
            .with("force", self.force_fetch.clone())
            .with("refspecs", refspecs);
        Ok(self.ask.here("fetch", self.ask.network(args))?.truthy())
    }

    /// The commit that is checked out in the end.
    pub(super) fn revision(&self) -> Result<Option<String>> {
        self.ask.maybe("revision", Args::none())
    }
}

/// What stock says of a fetch that failed.
pub(super) fn failed_fetch(ret: &Outcome, e: &CallError, comments: &[String]) -> Outcome {
    let text = format!(
        "Fetch failed. Set 'force_fetch' to True to force the fetch if the failure was due to not being able to \
         fast-forward. Output of the fetch command follows:\n\n{}",
        stripped(e)
    );
    fail(ret, text, comments)
}

fn run(cx: &Cx, mut given: Given) -> Result {
    let name = given.text("name").unwrap_or_default();
    let mut ret = Outcome::new(name.as_str());
    let wrong = |text: String| Ok(fail(&Outcome::new(name.as_str()), text, &[]).into());
    if let Err(e) = given.only(&[]) {
        return wrong(e.text());
    }
    for key in ["remote", "target"] {
        if !given.truthy(key) {
            return wrong(format!("'{key}' argument is required"));
        }
    }
    if !given.truthy("rev") {
        return wrong(format!("'{}' is not a valid value for the 'rev' argument", python_str(&given.value("rev"))));
    }
    let force_reset = match given.value("force_reset") {
        force if python_eq(&force, &true.into()) => Force::Yes,
        force if python_eq(&force, &false.into()) => Force::No,
        force if force.as_str() == Some("remote-changes") => Force::RemoteChanges,
        _ => return wrong("'force_reset' must be one of True, False, or 'remote-changes'".into()),
    };
    let mut rev = given.text("rev").unwrap_or_default();
    let target = given.text("target").unwrap_or_default();
    if !target.starts_with('/') {
        return wrong(format!("target '{target}' is not an absolute path"));
    }
    let mut ask = Ask::new(cx, target.as_str(), &given);
    if let Some(text) = ask.check_identity(false)? {
        return wrong(text);
    }
    let lfs = Args::positional([r"filter\.lfs\."]).with("global", true).with("ignore_retcode", true);
    let large_files = cx.call("git.config_get_regexp", lfs)?.truthy();
    if Path::new(&target).is_file() {
        return wrong(format!("Target '{target}' exists and is a regular file, cannot proceed"));
    }
    let url = match ask.with_auth(&name) {
        Ok(url) => python_str(&url),
        Err(e @ CallError::Invocation(_)) => return wrong(e.text()),
        Err(e) => return Err(e),
    };
    let mirror = given.truthy("mirror");
    let bare = mirror || given.truthy("bare");
    if rev != "HEAD" && bare {
        return wrong("'rev' is not compatible with the 'mirror' and 'bare' arguments".into());
    }
    let remote_name = given.text("remote").unwrap_or_default();
    let refspecs = if given.truthy("fetch_tags") {
        let (branch, tag) = (python_str(&given.value("refspec_branch")), python_str(&given.value("refspec_tag")));
        vec![
            format!("refs/heads/{branch}:refs/remotes/{remote_name}/{branch}"),
            format!("+refs/tags/{tag}:refs/tags/{tag}"),
        ]
    } else {
        Vec::new()
    };
    tracing::info!("Checking remote revision for {}", redacted(&name));
    let refs = match refs(&ask, &name) {
        Ok(refs) => refs,
        Err(e) if e.is_execution() => return wrong(format!("Failed to check remote refs: {}", stripped(&e))),
        Err(e) => return Err(e),
    };
    let remote = Remote::new(refs, &mut rev, &remote_name, bare);
    let depth = given.text("depth");
    if depth.is_some() && !matches!(remote.kind, Some(Kind::Branch | Kind::Tag)) {
        return wrong(
            "When 'depth' is used, 'rev' must be set to the name of a branch or tag on the remote repository".into(),
        );
    }
    if remote.rev.is_none() && !bare && rev != "HEAD" {
        return wrong(format!("No revision matching '{rev}' exists in the remote repository"));
    }
    let wish = Wish {
        ask,
        test: cx.test,
        name: name.clone(),
        rev,
        branch: given.text("branch"),
        update_head: given.truthy("update_head"),
        force_checkout: given.value("force_checkout"),
        force_fetch: given.value("force_fetch"),
        force_reset,
        submodules: given.truthy("submodules"),
        bare,
        mirror,
        remote: remote_name,
        sync_tags: given.truthy("sync_tags"),
        depth,
        refspecs,
        url,
        large_files,
    };
    if wish.ask.is_checkout(bare)? {
        return super::update::update(&wish, &remote, ret).map(Value::from);
    }
    if let Some(end) = make_room(&wish, &mut ret, given.truthy("force_clone")) {
        return Ok(end.into());
    }
    tracing::debug!("Target {target} is not found, 'git clone' is required");
    if cx.test {
        ret.changes.insert("new", format!("{name} => {target}"));
        return Ok(would(&ret, format!("Repository {name} would be cloned to {target}")).into());
    }
    super::clone::clone(&wish, &remote, ret).map(Value::from)
}

/// Makes room for a clone. `None` if there is, else how the state ends.
fn make_room(wish: &Wish<'_>, ret: &mut Outcome, force: bool) -> Option<Outcome> {
    let (name, target) = (&wish.name, &wish.ask.target);
    if !Path::new(target).is_dir() {
        return None;
    }
    if force {
        if wish.test {
            ret.changes.insert("forced clone", true);
            ret.changes.insert("new", format!("{name} => {target}"));
            return Some(would(ret, room_wanted(name, target)));
        }
        if let Some(end) = emptied(ret, target, &[]) {
            return Some(end);
        }
        ret.changes.insert("forced clone", true);
    } else if !is_empty(target) {
        return Some(fail(ret, no_room(target), &[]));
    }
    None
}

pub(super) fn room_wanted(name: &str, target: &str) -> String {
    format!(
        "Target directory {target} exists. Since force_clone=True, the contents of {target} would be deleted, and {name} \
         would be cloned into this directory."
    )
}

pub(super) fn no_room(target: &str) -> String {
    format!(
        "Target '{target}' exists, is non-empty and is not a git repository. Set the 'force_clone' option to True to remove \
         this directory's contents and proceed with cloning the remote repository"
    )
}
