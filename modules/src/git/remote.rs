//! Other repositories: what they have, and what goes between.

use super::program::{Git, expanded, pair, split};
use brine_core::basic_auth::{redacted, with_auth};
use brine_core::call::{CallError, Cx, Given, Result, given};
use brine_core::target::{Anchor, Regex};
use brine_core::text::{python_str, splitlines};
use brine_core::{Map, Value, map};

given! {
    /// Fetch from a remote. Returns branches and tags that are new or other than before. force: even what is no descendant.
    /// refspecs: which, and to where.
    ///
    /// CLI Example: salt myminion git.fetch /path/to/repo upstream
    pub(super) fn fetch(cwd, remote = (), force = false, refspecs = (), opts = "", git_opts = "", user = (), password = (),
        identity = (), ignore_retcode = false, saltenv = "base", output_encoding = ()) => run_fetch
}

fn run_fetch(cx: &Cx, given: Given) -> Result {
    let opts = super::program::words(&given.value("opts"))?.into_iter().filter(|opt| opt != "-f" && opt != "--force");
    let git = Git::new(cx, &given, &["fetch"])?.flag(given.truthy("force"), "--force").args(opts);
    let refspecs = given.get("refspecs").map(split).unwrap_or_default();
    let refspecs = refspecs.iter().map(python_str);
    let said = git.args(given.set_to("remote").cloned()).args(refspecs).merged().text()?;
    const LINE: &str = r"[\s*]*(?:([0-9a-f]+)\.\.([0-9a-f]+)|\[(?:new (tag|branch)|tag update)\])\s+(.+)->";
    let regex = Regex::new(LINE, Anchor::Match).map_err(|e| CallError::execution(e.to_string()))?;
    let mut news = Map::new();
    let mut add = |key: &str, name: &str| {
        if let Value::List(names) = news.entry_or(key, || Value::List(Vec::new())) {
            names.push(name.into());
        }
    };
    let mut updated = Map::new();
    for line in said.split('\n') {
        let Ok(Some(spans)) = regex.find(line, 0) else { continue };
        let group = |at: usize| spans.get(at).copied().flatten().map(|(start, end)| &line[start..end]);
        let name = group(4).unwrap_or_default().trim_end();
        match (group(1), group(2), group(3)) {
            (_, _, Some(kind)) => add(if kind == "tag" { "new tags" } else { "new branches" }, name),
            (Some(old), Some(new), _) => drop(updated.insert(name, map! { "old" => old, "new" => new })),
            _ => add("updated tags", name),
        }
    }
    if !updated.is_empty() {
        news.insert("updated branches", updated);
    }
    Ok(news.into())
}

given! {
    /// Fetch, and merge into what is checked out.
    ///
    /// CLI Example: salt myminion git.pull /path/to/repo opts='--rebase origin master'
    pub(super) fn pull(cwd, opts = "", git_opts = "", user = (), password = (), identity = (), ignore_retcode = false,
        saltenv = "base", output_encoding = ()) => run_pull
}

fn run_pull(cx: &Cx, given: Given) -> Result {
    Git::new(cx, &given, &["pull"])?.opts()?.stdout()
}

given! {
    /// Send commits to a remote.
    ///
    /// CLI Example: salt myminion git.push /path/to/repo origin issue21:upstream-branch
    pub(super) fn push(cwd, remote = (), ref_ = (), opts = "", git_opts = "", user = (), password = (), identity = (),
        ignore_retcode = false, saltenv = "base", output_encoding = (); kwargs) => run_push
}

fn run_push(cx: &Cx, mut given: Given) -> Result {
    given.only(&[])?;
    Git::new(cx, &given, &["push"])?.opts()?.arg(given.value("remote")).arg(given.value("ref")).stdout()
}

given! {
    /// The refs of a remote and the commits they are. ref: only those that fit.
    ///
    /// CLI Example: salt myminion git.ls_remote /path/to/repo origin master
    pub(super) fn ls_remote(cwd = (), remote = "origin", ref_ = (), opts = "", git_opts = "", user = (), password = (), identity = (),
        https_user = (), https_pass = (), ignore_retcode = false, output_encoding = (), saltenv = "base") => run_ls_remote
}

fn run_ls_remote(cx: &Cx, given: Given) -> Result {
    let remote = with_auth(&given.value("remote"), given.get("https_user"), given.get("https_pass"))?;
    let said = Git::new(cx, &given, &["ls-remote"])?.opts()?.arg(remote).args(given.set_to("ref").cloned()).text()?;
    Ok(by_name(splitlines(&said, false)).into())
}

fn by_name<'a>(lines: impl IntoIterator<Item = &'a str>) -> Map {
    lines.into_iter().filter_map(pair).map(|(commit, name)| (name, commit)).collect()
}

given! {
    /// The refs of a repository at a URL and the commits they are. heads, tags: only branches, only tags. filter: only those that
    /// fit.
    ///
    /// CLI Example: salt myminion git.remote_refs https://github.com/saltstack/salt.git heads=True
    pub(super) fn remote_refs(url, heads = false, tags = false, user = (), password = (), identity = (), https_user = (),
        https_pass = (), ignore_retcode = false, output_encoding = (), saltenv = "base"; kwargs) => run_remote_refs
}

fn run_remote_refs(cx: &Cx, mut given: Given) -> Result {
    given.only(&["filter"])?;
    let url = with_auth(&given.value("url"), given.get("https_user"), given.get("https_pass"))?;
    let git = Git::new(cx, &given, &["ls-remote"])?
        .flag(given.truthy("heads"), "--heads")
        .flag(given.truthy("tags"), "--tags");
    let said = git.arg(url).args(given.set_to("filter").cloned()).text()?;
    Ok(by_name(said.split('\n')).into())
}

given! {
    /// The remotes of a checkout and their URLs, for fetching and pushing. redact_auth: without passwords.
    ///
    /// CLI Example: salt myminion git.remotes /path/to/repo
    pub(super) fn remotes(cwd, user = (), password = (), redact_auth = true, ignore_retcode = false, output_encoding = ())
        => run_remotes
}

fn run_remotes(cx: &Cx, given: Given) -> Result {
    all(cx, &given).map(Value::from)
}

fn all(cx: &Cx, given: &Given) -> Result<Map> {
    let said = Git::new(cx, given, &["remote", "--verbose"])?.text()?;
    let mut all = Map::new();
    for (remote, rest) in said.split('\n').filter_map(pair) {
        let rest = rest.trim_end();
        let Some(at) = rest.rfind(char::is_whitespace) else { continue };
        let (url, action) = (rest[..at].trim_end(), &rest[at + 1..]);
        let action = action.trim_start_matches('(').trim_end_matches(')').to_lowercase();
        if action != "fetch" && action != "push" {
            let cwd = python_str(&given.value("cwd"));
            tracing::warn!("Unknown action '{action}' for remote '{remote}' in git checkout located in {cwd}");
            continue;
        }
        let url = if given.truthy("redact_auth") { redacted(url) } else { url.to_owned() };
        if let Value::Map(urls) = all.entry_or(remote, || Map::new().into()) {
            urls.insert(action, url);
        }
    }
    Ok(all)
}

given! {
    /// The URLs of one remote, for fetching and pushing. redact_auth: without passwords.
    ///
    /// CLI Example: salt myminion git.remote_get /path/to/repo upstream
    pub(super) fn remote_get(cwd, remote = "origin", user = (), password = (), redact_auth = true, ignore_retcode = false,
        output_encoding = ()) => run_remote_get
}

fn run_remote_get(cx: &Cx, given: Given) -> Result {
    let remote = python_str(&given.value("remote"));
    let cwd = expanded(&given.value("cwd"), given.get("user"))?;
    let missing = || {
        let text = format!("Remote '{remote}' not present in git checkout located at {cwd}");
        CallError::execution(text)
    };
    all(cx, &given)?.remove(&remote).ok_or_else(missing)
}

given! {
    /// Set the URL of a remote, and that for pushing if it is another. What the remote was before is lost.
    ///
    /// CLI Example: salt myminion git.remote_set /path/to/repo git@github.com:user/repo.git remote=upstream
    pub(super) fn remote_set(cwd, url, remote = "origin", user = (), password = (), https_user = (), https_pass = (), push_url = (),
        push_https_user = (), push_https_pass = (), ignore_retcode = false, output_encoding = ()) => run_remote_set
}

fn run_remote_set(cx: &Cx, mut given: Given) -> Result {
    let (cwd, remote) = (given.value("cwd"), given.value("remote"));
    given.set("redact_auth", true);
    if all(cx, &given)?.contains(&python_str(&remote)) {
        tracing::debug!(
            "Remote '{}' already exists in git checkout located at {}, removing so it can be re-added",
            python_str(&remote),
            python_str(&cwd)
        );
        Git::new(cx, &given, &["remote", "rm"])?.at(cwd.clone()).arg(remote.clone()).run()?;
    }
    let url = with_auth(&given.value("url"), given.get("https_user"), given.get("https_pass"))?;
    Git::new(cx, &given, &["remote", "add"])?.at(cwd.clone()).arg(remote.clone()).arg(url).run()?;
    if let Some(url) = given.set_to("push_url") {
        let url = Value::from(python_str(url));
        let url = with_auth(&url, given.get("push_https_user"), given.get("push_https_pass"))?;
        Git::new(cx, &given, &["remote", "set-url", "--push"])?.at(cwd).arg(remote).arg(url).run()?;
    }
    run_remote_get(cx, given)
}
