//! What a remote repository has, and which of it is wanted.

use super::ask::Ask;
use super::words::short;
use brine_core::call::{Args, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// What kind of thing a revision is in the remote repository.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Branch,
    Tag,
    Commit,
}

/// What the checked out branch is to follow.
pub(super) enum Upstream {
    /// Nothing.
    None,
    /// Whatever it does.
    Any,
    /// This.
    To(String),
}

impl Upstream {
    pub(super) fn wanted(&self) -> Option<&str> {
        if let Self::To(branch) = self { Some(branch) } else { None }
    }
}

/// The remote repository, as `rev` is looked for in it.
pub(super) struct Remote {
    refs: Map,
    /// The branch that its HEAD is.
    pub(super) default_branch: Option<String>,
    /// The commit that is wanted.
    pub(super) rev: Option<String>,
    pub(super) kind: Option<Kind>,
    pub(super) upstream: Upstream,
    /// The wanted commit, for people.
    pub(super) shown: Option<String>,
}

/// The refs of the remote repository.
pub(super) fn refs(ask: &Ask<'_>, url: &str) -> Result<Map> {
    let args = Args::positional([url])
        .with("heads", false)
        .with("tags", false)
        .with("ignore_retcode", false);
    Ok(ask.git("remote_refs", ask.network(ask.login(args)))?.as_map().cloned().unwrap_or_default())
}

impl Remote {
    /// Finds a revision: a branch, a tag, or a commit (which becomes lower case).
    pub(super) fn new(refs: Map, rev: &mut String, remote: &str, bare: bool) -> Self {
        let head = refs.get("HEAD").map(python_str);
        let default_branch = head.as_ref().and_then(|head| {
            let branches = refs.iter().filter_map(|(name, commit)| {
                let name = name.as_str()?.strip_prefix("refs/heads/")?;
                (python_str(commit) == *head).then(|| name.to_owned())
            });
            branches.into_iter().next()
        });
        let mut found = Self { refs, default_branch, rev: None, kind: None, upstream: Upstream::None, shown: None };
        if bare {
            return found;
        }
        if rev == "HEAD" {
            if let Some(head) = head {
                found.shown = Some(format!("remote HEAD ({})", short(&head)));
                (found.rev, found.kind, found.upstream) = (Some(head), Some(Kind::Commit), Upstream::Any);
            }
            return found;
        }
        let get = |name: String| found.refs.get(&name).map(python_str);
        let (commit, kind) = if let Some(commit) = get(format!("refs/heads/{rev}")) {
            (commit, Kind::Branch)
        } else if let Some(commit) = get(format!("refs/tags/{rev}^{{}}")).or_else(|| get(format!("refs/tags/{rev}"))) {
            (commit, Kind::Tag)
        } else if is_hash(rev) {
            *rev = rev.to_lowercase();
            (rev.clone(), Kind::Commit)
        } else {
            return found;
        };
        let commit_shown = short(&commit).to_owned();
        found.shown = Some(match kind {
            Kind::Commit => commit_shown,
            Kind::Branch => format!("{remote}/{rev} ({commit_shown})"),
            Kind::Tag => format!("{rev} ({commit_shown})"),
        });
        if kind == Kind::Branch {
            found.upstream = Upstream::To(format!("{remote}/{rev}"));
        }
        (found.rev, found.kind) = (Some(commit), Some(kind));
        found
    }

    /// Whether the repository says which branch is its own.
    pub(super) fn has_head(&self) -> bool {
        self.refs.contains("HEAD")
    }

    /// Whether a commit is the wanted one, which may be shortened.
    pub(super) fn is(&self, commit: Option<&str>) -> bool {
        match (commit, self.rev.as_deref()) {
            (None, None) => true,
            (Some(commit), Some(wanted)) if self.kind == Some(Kind::Commit) => commit.starts_with(wanted),
            (commit, wanted) => commit == wanted,
        }
    }

    /// The wanted commit for people, as stock shows what there may not be.
    pub(super) fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or("None")
    }

    /// The same at the start of a sentence.
    pub(super) fn shown_first(&self, rev: &str) -> String {
        let shown = self.shown();
        if rev != "HEAD" {
            return shown.to_owned();
        }
        let mut letters = shown.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        first + &letters.as_str().to_lowercase()
    }
}

/// Whether text may be a commit.
pub(super) fn is_hash(rev: &str) -> bool {
    rev.len() <= 40 && rev.chars().all(|c| c.is_ascii_hexdigit())
}

/// The options of `git branch` that let a branch follow another; none for a branch that is not there.
pub(super) fn follow(branch: Option<&str>, local: &[String], upstream: &str) -> Option<Value> {
    if branch.is_some_and(|branch| !local.iter().any(|name| name == branch)) {
        return None;
    }
    Some(vec!["--set-upstream-to", upstream].into())
}

/// What is done about the branch that a checkout follows: options for `git branch`, and what is said of it.
pub(super) fn track(
    now: Option<&str>,
    wanted: &Upstream,
    branch: Option<&str>,
    local: impl FnOnce() -> Result<Vec<String>>,
) -> Result<Option<(Value, String)>> {
    Ok(match (now, wanted) {
        (None, Upstream::To(wanted)) => {
            follow(branch, &local()?, wanted).map(|opts| (opts, format!("Tracking branch was set to {wanted}")))
        }
        (Some(_), Upstream::None) => Some((vec!["--unset-upstream"].into(), "Tracking branch was unset".to_owned())),
        (Some(now), Upstream::To(wanted)) if now != wanted => {
            follow(branch, &local()?, wanted).map(|opts| (opts, format!("Tracking branch was updated to {wanted}")))
        }
        _ => None,
    })
}
