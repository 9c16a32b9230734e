//! Fetches of the git repositories that pillar comes from, at once instead of at their interval.

use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::{Map, Value};
use brine_files::git::{Fetch, GitPillar};

module! {
    "git_pillar": update
}

/// Fetch the remotes of git_pillar, all or those of a branch and of a URL or name: by remote, True if there was something new, None
/// if there was not, False if it could not be fetched. Locks that were left are removed.
///
/// CLI Example: salt-run git_pillar.update branch='branch' repo='https://foo.com/bar.git'
#[exec]
fn update(cx: &Cx, branch: Option<String>, repo: Option<String>) -> Result<Map> {
    let failed = |text: String| CallError::exception("salt.exceptions.SaltRunnerError", text);
    let all = GitPillar::all(&cx.opts)
        .map_err(|e| CallError::exception("salt.exceptions.FileserverConfigError", e.to_string()))?;
    let mut told = Map::new();
    for remote in all.iter().flat_map(|pillar| pillar.repos()) {
        let of_branch = branch.as_deref().is_none_or(|branch| branch == remote.branch());
        if !of_branch || repo.as_deref().is_some_and(|repo| !remote.is_named(repo)) {
            continue;
        }
        let result = match remote.fetch() {
            Fetch::Changed => true.into(),
            Fetch::Same => Value::Nil,
            Fetch::Failed => false.into(),
        };
        remote.clear_lock();
        told.insert(remote.id(), result);
    }
    if !told.is_empty() {
        return Ok(told);
    }
    Err(failed(
        match (branch, repo) {
            (None, None) => "No git_pillar remotes are configured",
            _ => "Specified git branch/repo not found in ext_pillar config",
        }
        .into(),
    ))
}

#[cfg(test)]
mod tests {
    use crate::fake::{Fake, call};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_core::{Map, Value, map};
    use std::process::Command;

    #[test]
    fn remotes_are_fetched_and_their_locks_removed() {
        let tmp = tempfile::tempdir().unwrap();
        let repo = tmp.path().join("repo");
        let url = format!("file://{}", repo.display());
        let git = |words: &[&str]| {
            let author = ["-c", "user.name=a", "-c", "user.email=a@b"];
            assert!(
                Command::new("git")
                    .args(author)
                    .args(words)
                    .current_dir(tmp.path())
                    .status()
                    .unwrap()
                    .success()
            );
        };
        git(&["init", "--quiet", "--initial-branch=master", "repo"]);
        git(&["-C", "repo", "commit", "--quiet", "--allow-empty", "-m", "x"]);
        let remotes = vec![Value::from(format!("master {url}")), "dev file:///nonexistent".into()];
        let opts = map! {
            "ext_pillar" => vec![Value::from(map! {"git" => remotes})],
            "cachedir" => tmp.path().join("cache").to_string_lossy().into_owned(),
            "git_pillar_refspecs" => vec!["+refs/heads/*:refs/remotes/origin/*"],
        };
        let cx = Fake::default().cx(Kind::Runner, tmp.path(), opts);
        let update = |args| call(&cx, "git_pillar.update", args);
        let id = format!("master {url}");
        let all = map! {id.as_str() => true, "dev file:///nonexistent" => false};
        assert_eq!(update(Args::none()).unwrap(), all.into());
        let one = map! {id.as_str() => Value::Nil};
        assert_eq!(update(Args::none().with("branch", "master")).unwrap(), one.clone().into());
        assert_eq!(update(Args::none().with("repo", url.as_str())).unwrap(), one.into());
        let error = update(Args::none().with("repo", "x")).unwrap_err().to_string();
        assert!(error.ends_with("Specified git branch/repo not found in ext_pillar config"));

        // A lock that somebody left.
        let works = std::fs::read_dir(tmp.path().join("cache/git_pillar/work")).unwrap().flatten();
        for work in works.filter(|entry| entry.path().is_dir()) {
            std::fs::write(work.path().join("_/update.lk"), "0\nx\n").unwrap();
        }
        let clear =
            || call(&cx, "cache.clear_git_lock", Args::positional(["git_pillar", url.as_str()])).unwrap();
        let cleared = clear();
        let texts = cleared.get("cleared").and_then(Value::as_list).unwrap();
        assert!(
            texts.len() == 1 && texts[0].as_str().unwrap().starts_with("Removed update lock for git_pillar")
        );
        assert_eq!(clear(), "No locks were removed".into());

        let none = Fake::default().cx(Kind::Runner, tmp.path(), Map::new());
        let error = call(&none, "git_pillar.update", Args::none()).unwrap_err().to_string();
        assert!(error.ends_with("No git_pillar remotes are configured"));
    }
}
