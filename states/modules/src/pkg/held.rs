//! `pkg.held` and `pkg.unheld`: packages keep their versions, or do not.

use super::ask::is_empty_list;
use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// The packages that are held.
fn held_now(cx: &Cx) -> Result<Vec<String>> {
    let found = cx.call("pkg.get_selections", Args::none().with("state", "hold"))?;
    Ok(found.get("hold").and_then(Value::as_list).unwrap_or_default().iter().map(python_str).collect())
}

/// Names and versions of a list of names and `{name: version}`.
fn named(pkgs: &Value) -> Vec<(String, Value, Value)> {
    let pair = |one: &Value| match one {
        Value::Map(map) => map
            .iter()
            .next()
            .map(|(name, version)| (python_str(name), version.clone(), one.clone())),
        other => Some((python_str(other), Value::Nil, other.clone())),
    };
    match pkgs {
        Value::List(list) => list.iter().filter_map(pair).collect(),
        Value::Map(map) => map.keys().map(|name| (python_str(name), Value::Nil, name.clone())).collect(),
        other => pair(other).into_iter().collect(),
    }
}

/// What a call of `pkg.hold` or `pkg.unhold` said of one package.
fn said<'a>(result: &'a Value, name: &str, key: &str) -> Option<&'a Value> {
    result.get(name)?.get(key)
}

struct Told {
    comments: Vec<String>,
    changes: Map,
    result: bool,
}

impl Told {
    fn new() -> Self {
        Self { comments: Vec::new(), changes: Map::new(), result: true }
    }

    fn unhold(&mut self, cx: &Cx, name: &Value, package: &str) -> Result<()> {
        let args = Args::none().with("name", name.clone()).with("pkgs", vec![package]);
        let result = cx.call("pkg.unhold", args)?;
        if !said(&result, package, "result").is_some_and(Value::truthy) {
            self.result = false;
        }
        if let Some(comment) = said(&result, package, "comment").filter(|comment| comment.truthy()) {
            self.comments.push(python_str(comment));
        }
        if let Value::Map(changes) = result {
            self.changes.update(changes);
        }
        Ok(())
    }

    fn outcome(self, name: Value) -> Outcome {
        let mut comment = self.comments.join("\n");
        if self.changes.is_empty() && comment.is_empty() {
            comment = "No changes made".into();
        }
        Outcome { result: Some(self.result), ..Outcome::ok(name, comment) }.with_changes(self.changes)
    }
}

/// Packages are held at the versions they have.
///
/// name: the package, where pkgs is not given
/// version: of use with other systems
/// pkgs: packages, each a name or `{name: version}`
/// replace: let all others go
#[exec]
fn held(
    cx: &Cx,
    name: Value,
    version: Option<Value>,
    pkgs: Option<Value>,
    #[default(false)] replace: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _more = kwargs;
    let replace = replace.truthy();
    if is_empty_list(pkgs.as_ref()) && !replace {
        return Ok(Outcome::ok(name, "No packages to be held provided"));
    }
    let pkgs = pkgs.unwrap_or_else(|| super::ask::packed(&name, version));
    let locks = held_now(cx)?;
    let wanted = named(&pkgs);
    let mut told = Told::new();
    for (package, version, given) in wanted.iter().filter(|(package, ..)| !locks.contains(package)) {
        if cx.test {
            let version =
                if version.truthy() { format!(" (version = {})", python_str(version)) } else { String::new() };
            told.comments.push(format!("The following package would be held: {package}{version}"));
            continue;
        }
        let args = Args::none().with("name", name.clone()).with("pkgs", vec![given.clone()]);
        let result = cx.call("pkg.hold", args)?;
        if said(&result, package, "result").is_some_and(Value::truthy) {
            told.comments.push(format!("Package {package} is now being held"));
        } else {
            told.result = false;
            told.comments.push(format!("Package {package} was not held"));
        }
        if let Value::Map(changes) = result {
            told.changes.update(changes);
        }
    }
    if replace {
        for lock in locks.iter().filter(|lock| !wanted.iter().any(|(package, ..)| package == *lock)) {
            if cx.test {
                told.comments.push(format!("The following package would be unheld: {lock}"));
            } else {
                told.unhold(cx, &name, lock)?;
            }
        }
    }
    Ok(told.outcome(name))
}

/// Packages are held no longer.
///
/// name: the package, where pkgs is not given
/// version: of use with other systems
/// pkgs: packages, each a name or `{name: version}`
/// all: let all packages go
#[exec]
fn unheld(
    cx: &Cx,
    name: Value,
    version: Option<Value>,
    pkgs: Option<Value>,
    #[default(false)] all: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _more = kwargs;
    let all = all.truthy();
    if is_empty_list(pkgs.as_ref()) && !all {
        return Ok(Outcome::ok(name, "No packages to be unheld provided"));
    }
    let pkgs = pkgs.unwrap_or_else(|| Value::List(vec![map! {name.clone() => version}.into()]));
    let wanted = named(&pkgs);
    let mut told = Told::new();
    for lock in held_now(cx)? {
        let asked = wanted.iter().find(|(package, ..)| *package == lock);
        if !all && asked.is_none() {
            continue;
        }
        if cx.test {
            // Stock shows the version of the lock, and apt's locks have none.
            let version = if asked.is_some_and(|(_, v, _)| v.truthy()) { " (version = None)" } else { "" };
            told.comments.push(format!("The following package would be unheld: {lock}{version}"));
        } else {
            told.unhold(cx, &name, &lock)?;
        }
    }
    Ok(told.outcome(name))
}
