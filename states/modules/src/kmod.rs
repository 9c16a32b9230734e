//! States of kernel modules: loaded or not, now and when the machine starts.

use brine_core::call::{Args, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Map, Value};

state_module! {
    "kmod": absent, present
}

/// Those that the state is about: each once.
fn wanted(name: &Value, mods: Option<Value>) -> (Vec<String>, usize) {
    let Some(Value::List(mods)) = mods else { return (vec![python_str(name)], 1) };
    let mut all: Vec<String> = Vec::new();
    for name in mods.iter().map(python_str) {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    (all, mods.len())
}

fn texts(value: &Value) -> Vec<String> {
    value.as_list().unwrap_or_default().iter().map(python_str).collect()
}

fn listed(cx: &Cx, only_persist: bool) -> Result<Vec<String>> {
    let args = if only_persist { Args::positional([true]) } else { Args::none() };
    Ok(texts(&cx.call("kmod.mod_list", args)?))
}

/// `Kernel module a is ..`, `Kernel modules a, b are ..`; nothing for none.
fn about(start: &str, names: &[String], end: [&str; 2]) -> Option<String> {
    match names {
        [] => None,
        [one] => Some(format!("{start} module {one}{}", end[0])),
        many => Some(format!("{start} modules {}{}", many.join(", "), end[1])),
    }
}

/// What came of trying each module.
#[derive(Default)]
struct Tried {
    yes: Vec<String>,
    no: Vec<String>,
    failed: Vec<String>,
    changes: Map,
}

impl Tried {
    /// Notes what the function of a module returned: what it changed, or what went wrong.
    fn note(&mut self, name: &str, answer: &Value, what: &str) -> Vec<String> {
        let Value::List(_) = answer else {
            self.failed.push(format!("{name}: {}", python_str(answer)));
            return Vec::new();
        };
        let changed = texts(answer);
        if changed.is_empty() {
            self.no.push(name.to_owned());
        } else {
            self.yes.push(name.to_owned());
        }
        for other in &changed {
            self.changes.insert(other.as_str(), what);
        }
        changed
    }

    fn lines(&self, done: &str, verb: &str) -> Vec<String> {
        let mut lines: Vec<String> = about(&format!("{done} kernel"), &self.yes, ["", ""]).into_iter().collect();
        lines.extend(about(&format!("Failed to {verb} kernel"), &self.no, ["", ""]));
        lines.extend(self.failed.iter().map(|failed| format!("Failed to {verb} kernel module {failed}")));
        lines
    }
}

/// A kernel module is loaded, or those of a list are.
///
/// name: the module; persist: load it whenever the machine starts, too; mods: modules instead of the name
#[exec]
fn present(cx: &Cx, name: Value, #[default(false)] persist: bool, mods: Option<Value>) -> Result<Outcome> {
    let mut outcome = Outcome::new(name.clone());
    let (wanted, count) = wanted(&name, mods);
    let mut loaded = listed(cx, false)?;
    if persist {
        let kept = listed(cx, true)?;
        loaded.retain(|name| kept.contains(name));
    }
    let (there, missing): (Vec<String>, Vec<String>) = wanted.into_iter().partition(|name| loaded.contains(name));
    let mut lines: Vec<String> =
        about("Kernel", &there, [" is already present", " are already present"]).into_iter().collect();
    if there.len() == count {
        outcome.comment = lines.join("\n").into();
        return Ok(outcome);
    }
    if cx.test {
        let end = [" is set to be loaded", " are set to be loaded"];
        lines.push(about("Kernel", &missing, end).unwrap_or_else(|| format!("Kernel modules {}", end[1])));
        return Ok(Outcome::would(name, lines.join("\n")));
    }
    let known = texts(&cx.call("kmod.available", Args::none())?);
    let (missing, unavailable): (Vec<String>, Vec<String>) =
        missing.into_iter().partition(|name| known.contains(name));
    lines.extend(about("Kernel", &unavailable, [" is unavailable", " are unavailable"]));
    let mut tried = Tried::default();
    let mut by_others: Vec<String> = Vec::new();
    for name in missing {
        if by_others.contains(&name) {
            tried.yes.push(name);
            continue;
        }
        let args = Args::none().with("mod", name.as_str()).with("persist", persist);
        let answer = cx.call("kmod.load", args)?;
        by_others.extend(tried.note(&name, &answer, "loaded").into_iter().filter(|other| *other != name));
    }
    lines.extend(tried.lines("Loaded", "load"));
    if !(unavailable.is_empty() && tried.no.is_empty() && tried.failed.is_empty()) {
        outcome.result = Some(false);
    }
    outcome.comment = lines.join("\n").into();
    outcome.changes = tried.changes;
    Ok(outcome)
}

/// A kernel module is not loaded, or none of a list is.
///
/// name: the module; persist: do not load it when the machine starts, either; comment: make its line there a comment, rather
/// than remove it; mods: modules instead of the name
#[exec]
fn absent(
    cx: &Cx,
    name: Value,
    #[default(false)] persist: bool,
    #[default(true)] comment: bool,
    mods: Option<Value>,
) -> Result<Outcome> {
    let mut outcome = Outcome::new(name.clone());
    let all = match &mods {
        Some(Value::List(mods)) => mods.iter().map(python_str).collect(),
        _ => vec![python_str(&name)],
    };
    let (wanted, _) = wanted(&name, mods);
    let mut loaded = listed(cx, false)?;
    if persist {
        loaded.extend(listed(cx, true)?);
    }
    let wanted: Vec<String> = wanted.into_iter().filter(|name| loaded.contains(name)).collect();
    if wanted.is_empty() {
        let said = match all.as_slice() {
            [one] => format!("Kernel module {one} is already removed"),
            many => format!("Kernel modules {} are already removed", many.join(", ")),
        };
        outcome.comment = said.into();
        return Ok(outcome);
    }
    if cx.test {
        let said = about("Kernel", &wanted, [" is set to be removed", " are set to be removed"]);
        return Ok(Outcome::would(name, said));
    }
    let mut tried = Tried::default();
    for name in wanted {
        let args = Args::none().with("mod", name.as_str()).with("persist", persist).with("comment", comment);
        let answer = cx.call("kmod.remove", args)?;
        tried.note(&name, &answer, "removed");
    }
    if !(tried.no.is_empty() && tried.failed.is_empty()) {
        outcome.result = Some(false);
    }
    outcome.comment = tried.lines("Removed", "remove").join("\n").into();
    outcome.changes = tried.changes;
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_many_are_told_apart() {
        let names = ["a".to_owned(), "b".to_owned()];
        assert_eq!(about("Kernel", &names[..1], [" is", " are"]).unwrap(), "Kernel module a is");
        assert_eq!(about("Kernel", &names, [" is", " are"]).unwrap(), "Kernel modules a, b are");
        let mut tried = Tried::default();
        tried.note("a", &"Error".into(), "loaded");
        assert_eq!(tried.lines("Loaded", "load"), ["Failed to load kernel module a: Error"]);
    }
}
