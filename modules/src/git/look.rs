//! What only looks at a checkout.

use super::program::{self, Git, lines, pair, split};
use brine_core::call::{CallError, Cx, Given, Result, given};
use brine_core::text::python_str;
use brine_core::{Map, Value};

given! {
    /// The branch that is checked out; `HEAD` where none is.
    ///
    /// CLI Example: salt myminion git.current_branch /path/to/repo
    pub(super) fn current_branch(cwd, user = (), password = (), ignore_retcode = false, output_encoding = ()) => run_current_branch
}

fn run_current_branch(cx: &Cx, given: Given) -> Result {
    Git::new(cx, &given, &["rev-parse", "--abbrev-ref", "HEAD"])?.stdout()
}

given! {
    /// A name for a revision, by the tag before it.
    ///
    /// CLI Example: salt myminion git.describe /path/to/repo develop
    pub(super) fn describe(cwd, rev = "HEAD", user = (), password = (), ignore_retcode = false, output_encoding = ()) => run_describe
}

fn run_describe(cx: &Cx, given: Given) -> Result {
    Git::new(cx, &given, &["describe", "--always"])?.arg(given.value("rev")).stdout()
}

given! {
    /// Differences: between two revisions, one and the files, the index and the files; `cached`: the index and a revision;
    /// `no_index`: two paths that need not be in a checkout. paths: only those.
    ///
    /// CLI Example: salt myminion git.diff /path/to/repo master..mybranch paths=file1,file2
    pub(super) fn diff(cwd, item1 = (), item2 = (), opts = "", git_opts = "", user = (), password = (), no_index = false,
        cached = false, paths = (), output_encoding = ()) => run_diff
}

fn run_diff(cx: &Cx, given: Given) -> Result {
    let (no_index, cached) = (given.truthy("no_index"), given.truthy("cached"));
    if no_index && cached {
        return Err(CallError::execution("The 'no_index' and 'cached' options cannot be used together"));
    }
    let items: Vec<Value> = ["item1", "item2"].iter().filter_map(|key| given.set_to(key).cloned()).collect();
    let mut git = Git::new(cx, &given, &["diff"])?.at(given.value("cwd")).opts()?.merged();
    if no_index {
        for item in &items {
            let item = python_str(item);
            tracing::warn!("Revision '{item}' ignored in git diff, as revisions cannot be used when no_index=True");
        }
        git = git.arg("--no-index").quietly();
    } else if cached {
        git = git.arg("--cached").args(given.set_to("item1").cloned());
        if let Some(item) = given.set_to("item2") {
            let item = python_str(item);
            tracing::warn!(
                "Second revision '{item}' ignored in git diff, at most one revision is considered when cached=True"
            );
        }
    } else {
        git = git.args(items);
    }
    if let Some(paths) = given.set_to("paths") {
        git = git.arg("--").args(split(paths));
    }
    let mut done = if no_index { git.run_softly()? } else { git.run()? };
    Ok(done.remove("stdout").unwrap_or_default())
}

given! {
    /// The branches of a checkout, or with `remote=True` those of its remotes.
    ///
    /// CLI Example: salt myminion git.list_branches /path/to/repo
    pub(super) fn list_branches(cwd, remote = false, user = (), password = (), ignore_retcode = false, output_encoding = ())
        => run_list_branches
}

fn run_list_branches(cx: &Cx, given: Given) -> Result {
    let kind = if given.truthy("remote") { "refs/remotes/" } else { "refs/heads/" };
    refs(cx, &given, kind)
}

given! {
    /// The tags of a checkout.
    ///
    /// CLI Example: salt myminion git.list_tags /path/to/repo
    pub(super) fn list_tags(cwd, user = (), password = (), ignore_retcode = false, output_encoding = ()) => run_list_tags
}

fn run_list_tags(cx: &Cx, given: Given) -> Result {
    refs(cx, &given, "refs/tags/")
}

fn refs(cx: &Cx, given: &Given, kind: &str) -> Result {
    Ok(lines(&Git::new(cx, given, &["for-each-ref", "--format", "%(refname:short)", kind])?.text()?))
}

given! {
    /// `git rev-parse`, as `opts` say.
    ///
    /// CLI Example: salt myminion git.rev_parse /path/to/repo HEAD opts='--short'
    pub(super) fn rev_parse(cwd, rev = (), opts = "", git_opts = "", user = (), password = (), ignore_retcode = false,
        output_encoding = ()) => run_rev_parse
}

fn run_rev_parse(cx: &Cx, given: Given) -> Result {
    Git::new(cx, &given, &["rev-parse"])?.opts()?.args(given.get("rev").cloned()).stdout()
}

given! {
    /// The commit that a revision is, in full or with `short=True` as few letters as tell it.
    ///
    /// CLI Example: salt myminion git.revision /path/to/repo mybranch
    pub(super) fn revision(cwd, rev = "HEAD", short = false, user = (), password = (), ignore_retcode = false,
        output_encoding = ()) => run_revision
}

fn run_revision(cx: &Cx, given: Given) -> Result {
    Git::new(cx, &given, &["rev-parse"])?.flag(given.truthy("short"), "--short").arg(given.value("rev")).stdout()
}

given! {
    /// Files that are changed, new, deleted or unknown, by what they are.
    ///
    /// CLI Example: salt myminion git.status /path/to/repo
    pub(super) fn status(cwd, user = (), password = (), ignore_retcode = false, output_encoding = ()) => run_status
}

fn run_status(cx: &Cx, given: Given) -> Result {
    let said = Git::new(cx, &given, &["status", "-z", "--porcelain"])?.text()?;
    let mut all = Map::new();
    for (state, file) in said.split('\0').filter_map(pair) {
        let state = match state {
            "M" => "modified",
            "A" => "new",
            "D" => "deleted",
            "??" => "untracked",
            other => other,
        };
        if let Value::List(files) = all.entry_or(state, || Value::List(Vec::new())) {
            files.push(file.into());
        }
    }
    Ok(all.into())
}

given! {
    /// The version of the program, as text or with `versioninfo=True` as a list of its parts.
    ///
    /// CLI Example: salt myminion git.version
    pub(super) fn version(versioninfo = false) => run_version
}

fn run_version(cx: &Cx, given: Given) -> Result {
    let version = program::version(cx)?;
    if !given.truthy("versioninfo") {
        return Ok(version.into());
    }
    Ok(version.split('.').map(|part| part.parse::<i64>().map_or_else(|_| part.into(), Value::from)).collect())
}
