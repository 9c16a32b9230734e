//! States of the minion's own grains: those of the grains file.

mod list;

use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::target::{Anchor, Regex};
use brine_core::target::DEFAULT_TARGET_DELIM;
use brine_core::text::{python_eq, python_str};
use brine_core::{Map, Value, map};
use list::*;

state_module! {
    "grains": absent, append, exists, list_absent, list_present, make_hashable, present
}

/// A name with colons between its keys, where the user has another sign (a pattern, in stock).
fn with_colons(name: &str, delimiter: &str) -> Result<String> {
    if delimiter == DEFAULT_TARGET_DELIM {
        return Ok(name.to_owned());
    }
    let wrong = |e: brine_core::target::RegexError| CallError::exception("re.error", e.to_string());
    let found = Regex::new(delimiter, Anchor::Search).and_then(|regex| regex.find_all(name)).map_err(wrong)?;
    let (mut out, mut from) = (String::new(), 0);
    for (start, end) in found.iter().filter_map(|spans| spans.first().copied().flatten()) {
        out.push_str(&name[from..start]);
        out.push_str(DEFAULT_TARGET_DELIM);
        from = end;
    }
    out.push_str(&name[from..]);
    Ok(out)
}

/// A grain, `None` where there is none.
fn look_up(cx: &Cx, name: &str) -> Result<Option<Value>> {
    // No grain is this text: it stands for what stock makes an object of its own for.
    let none = Value::from(vec![0u8]);
    let found = cx.call("grains.get", Args::positional([name.into(), none.clone()]))?;
    Ok(Some(found).filter(|found| *found != none))
}

/// What `grains.set` answers, under the state's name.
fn set(cx: &Cx, name: &str, args: Args) -> Result<Map> {
    let Value::Map(mut ret) = cx.call("grains.set", args)? else { return Ok(Map::new()) };
    ret.insert("name", name);
    Ok(ret)
}

/// A grain is there, whatever its value.
///
/// name: the grain, nested ones with `delimiter` between the keys.
#[exec]
fn exists(cx: &Cx, name: String, #[default(DEFAULT_TARGET_DELIM)] delimiter: String) -> Result<Outcome> {
    let name = with_colons(&name, &delimiter)?;
    Ok(match look_up(cx, &name)? {
        Some(_) => Outcome::ok(name, "Grain exists"),
        None => Outcome::failed(name, "Grain does not exist"),
    })
}

/// A grain has a value.
///
/// name: the grain, nested ones with `delimiter` between the keys. value: its value. force: even where a list or dict is lost.
#[exec]
fn present(
    cx: &Cx,
    name: String,
    value: Value,
    #[default(DEFAULT_TARGET_DELIM)] delimiter: String,
    #[default(false)] force: Value,
) -> Result {
    let name = with_colons(&name, &delimiter)?;
    let existing = look_up(cx, &name)?;
    if existing.as_ref().is_some_and(|existing| python_eq(existing, &value)) {
        return Ok(Outcome::ok(name, "Grain is already set").into());
    }
    if cx.test {
        let (comment, changes) = match existing {
            None => (format!("Grain {name} is set to be added"), map! { "new" => name.as_str() }),
            Some(_) => {
                (format!("Grain {name} is set to be changed"), map! { "changed" => map! { name.as_str() => value } })
            }
        };
        return Ok(Outcome::would(name, comment).with_changes(changes).into());
    }
    let args = Args::positional([Value::from(name.as_str()), value.clone()]).with("force", force);
    let mut ret = set(cx, &name, args)?;
    if ret.get("result") == Some(&true.into()) && ret.get("changes").is_some_and(Value::truthy) {
        ret.insert("comment", format!("Set grain {name} to {}", python_str(&value)));
    }
    Ok(ret.into())
}

/// A grain has no value, or is not there.
///
/// name: the grain, nested ones with `delimiter` between the keys. destructive: the key goes too, instead of becoming
/// `None`. force: even where a list or dict is lost.
#[exec]
fn absent(
    cx: &Cx,
    name: String,
    #[default(false)] destructive: Value,
    #[default(DEFAULT_TARGET_DELIM)] delimiter: String,
    #[default(false)] force: Value,
) -> Result {
    let name = with_colons(&name, &delimiter)?;
    let Some(grain) = look_up(cx, &name)? else {
        let comment = format!("Grain {name} does not exist");
        return Ok(Outcome::ok(name, comment).into());
    };
    let all = destructive == Value::Bool(true);
    let deleted = || map! { "deleted" => name.as_str() };
    let emptied = || map! { "grain" => name.as_str(), "value" => () };
    if cx.test {
        let outcome = match (all, grain.is_nil()) {
            (true, _) => {
                Outcome::would(name.as_str(), format!("Grain {name} is set to be deleted")).with_changes(deleted())
            }
            (false, true) => Outcome::would(name.as_str(), ""),
            (false, false) => {
                let comment = format!("Value for grain {name} is set to be deleted (None)");
                Outcome::would(name.as_str(), comment).with_changes(emptied())
            }
        };
        return Ok(outcome.into());
    }
    let args = Args::positional([Value::from(name.as_str()), Value::Nil])
        .with("destructive", destructive)
        .with("force", force);
    let mut ret = set(cx, &name, args)?;
    if ret.get("result").is_some_and(Value::truthy) {
        if all {
            ret.insert("comment", format!("Grain {name} was deleted"));
            ret.insert("changes", deleted());
        } else if !grain.is_nil() {
            ret.insert("comment", format!("Value for grain {name} was set to None"));
            ret.insert("changes", emptied());
        }
    }
    Ok(ret.into())
}
