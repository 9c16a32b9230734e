//! What is set in a repository's configuration, or the user's.

use super::words::{fail, stripped, would};
use brine_core::call::{Args, Cx, Given, Result, given};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

const NO_REPO: &str = "Non-global config options require the 'repo' argument to be set";

fn args(given: &Given, key: &str) -> Args {
    let mut args = Args::none().with("cwd", given.value("repo")).with("key", key);
    for key in ["user", "password", "output_encoding"] {
        args = args.with(key, given.value(key));
    }
    args.with("global", given.extra.get("global").cloned().unwrap_or_else(|| false.into()))
}

given! {
    /// A key of the configuration has a value, or several.
    ///
    /// name: the key. value, or multivar: a list. repo: the checkout; without it `global: True` for the configuration of `user`.
    pub(super) fn config_set(name, value = (), multivar = (), repo = (), user = (), password = (), output_encoding = (); kwargs)
        => run_set
}

fn run_set(cx: &Cx, mut given: Given) -> Result {
    let mut ret = Outcome::new(given.value("name"));
    let (value, multivar) = (given.text("value"), given.get("multivar").cloned());
    if value.is_some() && multivar.is_some() {
        return Ok(fail(&ret, "Only one of 'value' and 'multivar' is permitted", &[]).into());
    }
    if let Err(e) = given.only(&["global"]) {
        return Ok(fail(&ret, e.text(), &[]).into());
    }
    let global = given.truthy("global");
    if !global && !given.truthy("repo") {
        return Ok(fail(&ret, NO_REPO, &[]).into());
    }
    let name = given.text("name").unwrap_or_default();
    let many: Option<Vec<Value>> = multivar.map(|many| match many {
        Value::List(list) => list.iter().map(|item| python_str(item).into()).collect(),
        other => python_str(&other).split(',').map(Value::from).collect(),
    });
    let (shown, desired): (String, Vec<Value>) = match (&value, &many) {
        (Some(value), _) => (format!("'{value}'"), vec![value.as_str().into()]),
        (None, Some(many)) => (python_str(&many.clone().into()), many.clone()),
        (None, None) => {
            let text = "cannot access local variable 'desired' where it is not associated with a value";
            return Err(brine_core::CallError::exception("UnboundLocalError", text));
        }
    };
    let desired = Value::List(desired);
    let pre = cx.call("git.config_get", args(&given, &name).with("all", true).with("ignore_retcode", true))?;
    let scope = if global { "Global key " } else { "" };
    if desired == pre {
        ret.comment = format!("{scope}'{name}' is already set to {shown}").into();
        return Ok(ret.into());
    }
    if cx.test {
        ret.changes = map! { "old" => pre.clone(), "new" => desired };
        let how = if pre.is_nil() { "added as" } else { "set to" };
        return Ok(would(&ret, format!("{scope}'{name}' would be {how} {shown}")).into());
    }
    let set = args(&given, &name).with("value", value).with("multivar", many.map_or(Value::Nil, Value::List));
    let lower = if global { "global key " } else { "" };
    let post = match cx.call("git.config_set", set) {
        Ok(post) => post,
        Err(e) if e.is_execution() => {
            let text = format!("Failed to set {lower}'{name}' to {shown}: {}", stripped(&e));
            return Ok(fail(&ret, text, &[]).into());
        }
        Err(e) => return Err(e),
    };
    if pre != post {
        ret.changes.insert(name.as_str(), map! { "old" => pre.clone(), "new" => post.clone() });
    }
    if post != desired {
        return Ok(fail(&ret, format!("Failed to set {lower}'{name}' to {shown}"), &[]).into());
    }
    let how = if pre.is_nil() { "added as" } else { "set to" };
    ret.comment = format!("{scope}'{name}' was {how} {shown}").into();
    Ok(ret.into())
}

given! {
    /// A key of the configuration, or all that fit a pattern, have no value.
    ///
    /// name: the key, or a pattern. value_regex: only values that fit. `all: True`: even several. repo: the checkout; without it
    /// `global: True` for the configuration of `user`.
    pub(super) fn config_unset(name, value_regex = (), repo = (), user = (), password = (), output_encoding = (); kwargs)
        => run_unset
}

/// Keys with their values, for a comment.
fn listed<'m>(matches: impl IntoIterator<Item = (&'m Value, &'m Value)>) -> String {
    let each = matches.into_iter().map(|(key, values)| {
        let values: Vec<String> = values.as_list().unwrap_or_default().iter().map(python_str).collect();
        format!("{} ({})", python_str(key), values.join(", "))
    });
    each.collect::<Vec<_>>().join("; ")
}

fn run_unset(cx: &Cx, mut given: Given) -> Result {
    let mut ret = Outcome::ok(given.value("name"), "No matching keys are set");
    if let Err(e) = given.only(&["global", "all"]) {
        return Ok(fail(&ret, e.text(), &[]).into());
    }
    let all = given.truthy("all");
    if !given.truthy("global") && !given.truthy("repo") {
        return Ok(fail(&ret, NO_REPO, &[]).into());
    }
    let name = given.text("name").unwrap_or_default();
    let regex = given.text("value_regex");
    let key = format!("^{}$", name.trim_start_matches('^').trim_end_matches('$'));
    let matches = |regex: Option<&String>| -> Result<Map> {
        let regex = regex.map_or(Value::Nil, |regex| regex.as_str().into());
        let args = args(&given, &key).with("value_regex", regex).with("ignore_retcode", true);
        Ok(cx.call("git.config_get_regexp", args)?.as_map().cloned().unwrap_or_default())
    };
    let found = matches(regex.as_ref())?;
    if found.is_empty() {
        return Ok(ret.into());
    }
    let several = found.iter().filter(|(_, values)| values.as_list().is_some_and(|values| values.len() > 1));
    let several = listed(several);
    if !all && !several.is_empty() {
        let what = match regex {
            Some(_) => "Multiple values are matched by value_regex for the following keys",
            None => "Multivar(s) matched by the key expression",
        };
        return Ok(fail(&ret, format!("{what} (set 'all' to True to force removal): {several}"), &[]).into());
    }
    if cx.test {
        let text = format!("{} key(s) would have value(s) unset", found.len());
        ret.changes = found;
        return Ok(would(&ret, text).into());
    }
    let pre = if regex.is_none() { found.clone() } else { matches(None)? };
    let mut failed = Vec::new();
    for key in found.keys() {
        let unset = args(&given, &name)
            .with("value_regex", regex.as_deref().map_or(Value::Nil, Value::from))
            .with("all", given.value("all").truthy());
        if let Err(e) = cx.call("git.config_unset", unset) {
            if !e.is_execution() {
                return Err(e);
            }
            let key = python_str(key);
            tracing::error!("Failed to unset '{key}': {}", stripped(&e));
            failed.push(key);
        }
    }
    if !failed.is_empty() {
        let text = format!(
            "Error(s) occurred unsetting values for the following keys (see the minion log for details): {}",
            failed.join(", ")
        );
        return Ok(fail(&ret, text, &[]).into());
    }
    let post = matches(None)?;
    for (key, values) in &pre {
        let Some(left) = post.get_key(key) else {
            ret.changes.insert(key.clone(), values.clone());
            continue;
        };
        let (values, left) = (values.as_list().unwrap_or_default(), left.as_list().unwrap_or_default());
        let gone: Vec<Value> = values.iter().filter(|value| !left.contains(value)).cloned().collect();
        if !gone.is_empty() {
            ret.changes.insert(key.clone(), gone);
        }
    }
    let left = if regex.is_none() { post } else { matches(regex.as_ref())? };
    if !left.is_empty() {
        return Ok(fail(&ret, format!("Failed to unset value(s): {}", listed(&left)), &[]).into());
    }
    ret.comment = "Value(s) successfully unset".into();
    Ok(ret.into())
}
