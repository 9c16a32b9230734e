//! A repository is cloned, and not touched afterwards.

use super::ask::Ask;
use super::words::{fail, joined, stripped, with_changes, would};
use brine_core::call::{Args, CallError, Cx, Given, Result, given};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Value, map};

given! {
    /// A repository is cloned to a path. If it is already, only the branch is seen to.
    ///
    /// name: its URL. target: the path. branch: what is checked out. user: who does it. identity: private keys for SSH. https_user,
    /// https_pass: for HTTPS.
    pub(super) fn cloned(name, target, branch = (), user = (), password = (), identity = (), https_user = (), https_pass = (),
        output_encoding = ()) => run
}

fn run(cx: &Cx, given: Given) -> Result {
    let name = given.text("name").unwrap_or_default();
    let failed = |comment: &str| Ok(Outcome::failed(name.as_str(), comment).into());
    let Some(target) = given.text("target") else { return failed("'target' argument is required") };
    if !target.starts_with('/') {
        return failed("'target' path must be absolute");
    }
    let branch = given.text("branch");
    if branch.as_deref() == Some("") {
        return failed("Invalid 'branch' argument");
    }
    let ask = Ask::new(cx, target.as_str(), &given);
    let mut ret = Outcome::failed(name.as_str(), "");
    if !std::path::Path::new(&target).exists() {
        return cloning(&ask, ret, &name, branch.as_deref());
    }
    match ask.here("status", Args::none()) {
        Ok(_) => {}
        Err(CallError::Cancelled) => return Err(CallError::Cancelled),
        Err(e) => return failed(&e.text()),
    }
    let already = |ret: Outcome| {
        let on = branch.as_deref().map(|branch| format!(" and is checked out to branch '{branch}'")).unwrap_or_default();
        let text = with_changes(format!("Repository already exists at {target}{on}"), cx.test, &[]);
        Ok(Outcome { result: Some(true), comment: text.into(), ..ret }.into())
    };
    let Some(branch) = branch.as_deref() else { return already(ret) };
    let current = python_str(&ask.here("current_branch", Args::none())?);
    if current == branch {
        return already(ret);
    }
    let change = map! { "branch" => map! { "old" => current, "new" => branch } };
    if cx.test {
        ret.changes = change;
        return Ok(would(&ret, format!("Branch would be changed to '{branch}'")).into());
    }
    let known = ask.maybe("rev_parse", Args::none().with("rev", branch))?.is_some();
    let args = if known {
        Args::none().with("rev", branch).with("opts", ())
    } else {
        Args::none().with("rev", format!("origin/{branch}")).with("opts", vec!["-b", branch])
    };
    match ask.here("checkout", args) {
        Ok(_) => {
            ret.changes = change;
            ret.result = Some(true);
            ret.comment = format!("Branch changed to '{branch}'").into();
            Ok(ret.into())
        }
        Err(e) if e.is_execution() => {
            Ok(fail(&ret, format!("Failed to change branch to '{branch}': {}", e.text()), &[]).into())
        }
        Err(e) => Err(e),
    }
}

fn cloning(ask: &Ask<'_>, mut ret: Outcome, name: &str, branch: Option<&str>) -> Result {
    let target = &ask.target;
    let with = branch.map(|branch| format!(" with branch '{branch}'")).unwrap_or_default();
    let new = map! { "new" => format!("{name} => {target}") };
    if ask.cx.test {
        ret.changes = new;
        return Ok(would(&ret, format!("{name} would be cloned to {target}{with}")).into());
    }
    let opts = branch.map_or(Value::Nil, |branch| vec!["--branch", branch].into());
    let args = Args::positional([name]).with("opts", opts).with("identity", ask.identity.clone());
    match ask.here("clone", ask.login(args)) {
        Ok(_) => {}
        Err(e) if e.is_execution() => {
            return Ok(fail(&ret, format!("Clone failed: {}", stripped(&e)), &[]).into());
        }
        Err(e) => return Err(e),
    }
    ret.changes = new;
    ret.comment = joined(&[format!("{name} cloned to {target}{with}")]).into();
    ret.result = Some(true);
    Ok(ret.into())
}
