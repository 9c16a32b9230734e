//! What changes the history or the files of a checkout.

use super::program::{Git, split, words};
use brine_core::call::{CallError, Cx, Given, Result, given};
use brine_core::text::python_str;
use brine_core::{Value, shlex};

given! {
    /// Add files to the index. `opts` and `git_opts`: options of `git add` and of `git`, here and elsewhere.
    ///
    /// CLI Example: salt myminion git.add /path/to/repo foo/bar.py
    pub(super) fn add(cwd, filename, opts = "", git_opts = "", user = (), password = (), ignore_retcode = false, output_encoding = ())
        => run_add
}

fn run_add(cx: &Cx, given: Given) -> Result {
    let opts = words(&given.value("opts"))?.into_iter().filter(|opt| opt != "-v" && opt != "--verbose");
    Git::new(cx, &given, &["add", "--verbose"])?.args(opts).arg("--").arg(given.value("filename")).stdout()
}

given! {
    /// Make, move or delete a branch, as `opts` say.
    ///
    /// CLI Example: salt myminion git.branch /path/to/repo newbranch
    pub(super) fn branch(cwd, name = (), opts = "", git_opts = "", user = (), password = (), ignore_retcode = false, output_encoding = ())
        => run_branch
}

fn run_branch(cx: &Cx, given: Given) -> Result {
    Git::new(cx, &given, &["branch"])?.opts()?.args(given.get("name").cloned()).run()?;
    Ok(true.into())
}

given! {
    /// Check a revision out. `rev` may be left out only where `opts` make a branch. force: lose local changes.
    ///
    /// CLI Example: salt myminion git.checkout /path/to/repo origin/develop opts='-b develop'
    pub(super) fn checkout(cwd, rev = (), force = false, opts = "", git_opts = "", user = (), password = (), ignore_retcode = false,
        output_encoding = ()) => run_checkout
}

fn run_checkout(cx: &Cx, given: Given) -> Result {
    let opts = words(&given.value("opts"))?;
    let makes_branch = opts.iter().any(|opt| opt == "-b" || opt == "-B");
    let rev = given.get("rev").cloned();
    if rev.is_none() && !makes_branch {
        return Err(CallError::invocation("'rev' argument is required unless -b or -B in opts"));
    }
    let git = Git::new(cx, &given, &["checkout"])?.flag(given.truthy("force"), "--force");
    git.args(opts).args(rev).merged().stdout()
}

given! {
    /// Commit what is in the index, or the file `filename`.
    ///
    /// CLI Example: salt myminion git.commit /path/to/repo 'The commit message'
    pub(super) fn commit(cwd, message, opts = "", git_opts = "", user = (), password = (), filename = (), ignore_retcode = false,
        output_encoding = ()) => run_commit
}

fn run_commit(cx: &Cx, given: Given) -> Result {
    let git = Git::new(cx, &given, &["commit", "-m"])?.arg(given.value("message")).opts()?;
    match given.set_to("filename") {
        Some(filename) => git.arg("--").arg(filename.clone()).stdout(),
        None => git.stdout(),
    }
}

given! {
    /// Take local changes of files back: all of them, or those at `path`.
    ///
    /// CLI Example: salt myminion git.discard_local_changes /path/to/repo path=foo
    pub(super) fn discard_local_changes(cwd, path = ".", user = (), password = (), ignore_retcode = false, output_encoding = ())
        => run_discard
}

fn run_discard(cx: &Cx, given: Given) -> Result {
    Git::new(cx, &given, &["checkout", "--"])?.arg(given.value("path")).merged().stdout()
}

given! {
    /// Merge a revision, or what the branch follows.
    ///
    /// CLI Example: salt myminion git.merge /path/to/repo rev=upstream/foo
    pub(super) fn merge(cwd, rev = (), opts = "", git_opts = "", user = (), password = (), identity = (), ignore_retcode = false,
        output_encoding = (); kwargs) => run_merge
}

fn run_merge(cx: &Cx, mut given: Given) -> Result {
    given.only(&[])?;
    Git::new(cx, &given, &["merge"])?.opts()?.args(given.set_to("rev").cloned()).stdout()
}

given! {
    /// Put commits on another base.
    ///
    /// CLI Example: salt myminion git.rebase /path/to/repo master
    pub(super) fn rebase(cwd, rev = "master", opts = "", git_opts = "", user = (), password = (), ignore_retcode = false,
        output_encoding = ()) => run_rebase
}

fn run_rebase(cx: &Cx, given: Given) -> Result {
    let opts = words(&given.value("opts"))?;
    if opts.iter().any(|opt| opt == "-i" || opt == "--interactive") {
        return Err(CallError::invocation("Interactive rebases are not supported"));
    }
    let rev = shlex::split(&python_str(&given.value("rev")))?;
    Git::new(cx, &given, &["rebase"])?.args(opts).args(rev).stdout()
}

given! {
    /// `git reset`, as `opts` say.
    ///
    /// CLI Example: salt myminion git.reset /path/to/repo opts='--hard origin/master'
    pub(super) fn reset(cwd, opts = "", git_opts = "", user = (), password = (), identity = (), ignore_retcode = false,
        output_encoding = ()) => run_reset
}

fn run_reset(cx: &Cx, given: Given) -> Result {
    Git::new(cx, &given, &["reset"])?.opts()?.stdout()
}

given! {
    /// Remove files from the index and the checkout.
    ///
    /// CLI Example: salt myminion git.rm /path/to/repo foo/baz opts='-r'
    pub(super) fn rm(cwd, filename, opts = "", git_opts = "", user = (), password = (), ignore_retcode = false, output_encoding = ())
        => run_rm
}

fn run_rm(cx: &Cx, given: Given) -> Result {
    Git::new(cx, &given, &["rm"])?.opts()?.arg("--").arg(given.value("filename")).stdout()
}

given! {
    /// Put local changes aside (`save`), back (`pop`, `apply`), and what else `git stash` does. `opts`: a message, or which.
    ///
    /// CLI Example: salt myminion git.stash /path/to/repo pop opts='stash@{1}'
    pub(super) fn stash(cwd, action = "save", opts = "", git_opts = "", user = (), password = (), ignore_retcode = false,
        output_encoding = ()) => run_stash
}

fn run_stash(cx: &Cx, given: Given) -> Result {
    Git::new(cx, &given, &["stash"])?.arg(given.value("action")).opts()?.stdout()
}

given! {
    /// What a symbolic ref stands for; with `value` (a list of words), let it stand for something else.
    ///
    /// CLI Example: salt myminion git.symbolic_ref /path/to/repo HEAD
    pub(super) fn symbolic_ref(cwd, ref_, value = (), opts = "", git_opts = "", user = (), password = (), ignore_retcode = false,
        output_encoding = ()) => run_symbolic_ref
}

fn run_symbolic_ref(cx: &Cx, given: Given) -> Result {
    let opts = words(&given.value("opts"))?;
    let value = given.get("value");
    if value.is_some() && opts.iter().any(|opt| opt == "-d" || opt == "--delete") {
        return Err(CallError::invocation("Value cannot be set for symbolic ref if -d/--delete is included in opts"));
    }
    // Stock appends text letter by letter.
    let value = match value {
        Some(Value::Str(text)) => text.chars().map(|c| Value::from(c.to_string())).collect(),
        Some(Value::List(list)) => list.clone(),
        _ => Vec::new(),
    };
    Git::new(cx, &given, &["symbolic-ref"])?.args(opts).arg(given.value("ref")).args(value).stdout()
}

given! {
    /// Make a tag, with `message` an annotated one; `opts` may move or delete it.
    ///
    /// CLI Example: salt myminion git.tag /path/to/repo v1.2 message='Version 1.2'
    pub(super) fn tag(cwd, name, ref_ = "HEAD", message = (), opts = "", git_opts = "", user = (), password = (),
        ignore_retcode = false, output_encoding = ()) => run_tag
}

fn run_tag(cx: &Cx, given: Given) -> Result {
    let mut opts = words(&given.value("opts"))?;
    opts.retain(|opt| opt != "-a" && opt != "--annotate");
    if opts.iter().any(|opt| opt == "-m" || opt.contains("--message")) {
        return Err(CallError::invocation("Tag messages must be passed in the \"message\" argument"));
    }
    let mut git = Git::new(cx, &given, &["tag"])?;
    if let Some(message) = given.get("message") {
        git = git.args(["-a", "-m"]).arg(message.clone());
    }
    let deletes = opts.iter().any(|opt| opt == "-d" || opt == "--delete");
    let git = git.args(opts).arg(given.value("name"));
    if deletes { git } else { git.arg(given.value("ref")) }.merged().stdout()
}

given! {
    /// The best common ancestors of commits. all: all of them, as a list. octopus: of all commits together. is_ancestor:
    /// whether the first of two is one. independent: commits that no other reaches. fork_point: where a branch left that one.
    ///
    /// CLI Example: salt myminion git.merge_base /path/to/repo refs=mybranch,myotherbranch
    pub(super) fn merge_base(cwd, refs = (), octopus = false, is_ancestor = false, independent = false, fork_point = (), opts = "",
        git_opts = "", user = (), password = (), ignore_retcode = false, output_encoding = (); kwargs) => run_merge_base
}

fn run_merge_base(cx: &Cx, mut given: Given) -> Result {
    given.only(&["all"])?;
    let is = |key: &str| given.truthy(key);
    if is("all") && (is("independent") || is("is_ancestor") || is("fork_point")) {
        return Err(CallError::invocation(
            "The 'all' argument is not compatible with 'independent', 'is_ancestor', or 'fork_point'",
        ));
    }
    let mut refs: Vec<Value> = match given.get("refs") {
        None => Vec::new(),
        Some(Value::List(list)) => list.clone(),
        Some(other) => split(other).iter().map(|part| python_str(part).trim().into()).collect(),
    };
    let ways = ["octopus", "independent", "is_ancestor", "fork_point"];
    if ways.iter().filter(|way| is(way)).count() > 1 {
        return Err(CallError::invocation(
            "Only one of 'octopus', 'independent', 'is_ancestor', and 'fork_point' is permitted",
        ));
    }
    if is("is_ancestor") && refs.len() != 2 {
        return Err(CallError::invocation("Two refs/commits are required if 'is_ancestor' is True"));
    }
    if is("fork_point") && refs.len() > 1 {
        return Err(CallError::invocation("At most one ref/commit can be passed if 'fork_point' is specified"));
    }
    if is("fork_point") && refs.is_empty() {
        refs.push("HEAD".into());
    }
    let mut git = Git::new(cx, &given, &["merge-base"])?.opts()?.flag(is("all"), "--all");
    git = git
        .flag(is("octopus"), "--octopus")
        .flag(is("is_ancestor"), "--is-ancestor")
        .flag(is("independent"), "--independent");
    if let Some(fork_point) = given.set_to("fork_point") {
        git = git.arg("--fork-point").arg(fork_point.clone());
    }
    let git = git.args(refs);
    if is("is_ancestor") {
        return Ok((git.run_softly()?.get("retcode") == Some(&0.into())).into());
    }
    let Value::List(bases) = super::program::lines(&git.text()?) else { return Ok(Value::Nil) };
    if is("all") {
        return Ok(bases.into());
    }
    bases.into_iter().next().ok_or_else(|| CallError::exception("IndexError", "list index out of range"))
}

given! {
    /// What a merge of two commits would change, from `base` or their best common ancestor.
    ///
    /// CLI Example: salt myminion git.merge_tree /path/to/repo branch1 branch2
    pub(super) fn merge_tree(cwd, ref1, ref2, base = (), user = (), password = (), ignore_retcode = false, output_encoding = ())
        => run_merge_tree
}

fn run_merge_tree(cx: &Cx, given: Given) -> Result {
    let (ref1, ref2) = (given.value("ref1"), given.value("ref2"));
    let base = match given.get("base") {
        Some(base) => base.clone(),
        None => {
            let mut asked = Given::default();
            asked.set("cwd", super::program::expanded(&given.value("cwd"), given.get("user"))?);
            asked.set("refs", vec![ref1.clone(), ref2.clone()]);
            asked.set("output_encoding", given.value("output_encoding"));
            run_merge_base(cx, asked).map_err(|e| match e {
                CallError::Execution(_) | CallError::Invocation(_) => CallError::execution(format!(
                    "Unable to determine merge base for {} and {}",
                    python_str(&ref1),
                    python_str(&ref2)
                )),
                e => e,
            })?
        }
    };
    Git::new(cx, &given, &["merge-tree"])?.arg(base).arg(ref1).arg(ref2).stdout()
}
