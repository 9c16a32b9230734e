//! What `git config` reads and writes.

use super::program::{Git, expanded, lines, pair};
use brine_core::call::{CallError, Cx, Given, Result, given};
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// Checks what all of these take beside their parameters.
fn prepared(given: &mut Given, known: &[&str]) -> Result<bool> {
    given.only(known)?;
    let global = given.truthy("global");
    if given.get("cwd").is_none() && !global {
        return Err(CallError::invocation("'cwd' argument required unless global=True"));
    }
    Ok(global)
}

fn scope(global: bool) -> &'static str {
    if global { "--global" } else { "--local" }
}

fn looked_up(cx: &Cx, given: &mut Given, way: &str, value_regex: Option<Value>) -> Result<Map> {
    let global = prepared(given, &["all", "global"])?;
    let git = Git::new(cx, given, &["config", scope(global), way])?;
    git.arg(given.value("key")).args(value_regex).run_softly()
}

given! {
    /// A value of the configuration, the last one of several; all of them, as a list, with `all=True`. `None` where there is
    /// none. `global=True` reads the user's configuration.
    ///
    /// CLI Example: salt myminion git.config_get user.name cwd=/path/to/repo
    pub(super) fn config_get(key, cwd = (), user = (), password = (), ignore_retcode = false, output_encoding = (); kwargs)
        => run_config_get
}

fn run_config_get(cx: &Cx, mut given: Given) -> Result {
    let all = given.truthy("all");
    given.extra.remove("all");
    let found = looked_up(cx, &mut given, "--get-all", None)?;
    if found.get("retcode") == Some(&1.into()) {
        return Ok(Value::Nil);
    }
    let values = lines(&found.get("stdout").map(python_str).unwrap_or_default());
    if all {
        return Ok(values);
    }
    Ok(values.as_list().and_then(<[Value]>::last).cloned().unwrap_or_else(|| "".into()))
}

given! {
    /// The values of all keys that fit a pattern, each a list. value_regex: only values that fit.
    ///
    /// CLI Example: salt myminion git.config_get_regexp '^gitconfig' cwd=/path/to/repo
    pub(super) fn config_get_regexp(key, value_regex = (), cwd = (), user = (), password = (), ignore_retcode = false,
        output_encoding = (); kwargs) => run_config_get_regexp
}

fn run_config_get_regexp(cx: &Cx, mut given: Given) -> Result {
    // Stock refuses `all` here.
    if given.extra.contains("all") {
        given.only(&["global"])?;
    }
    let regex = given.get("value_regex").map(|regex| python_str(regex).into());
    let found = looked_up(cx, &mut given, "--get-regexp", regex)?;
    let mut all = Map::new();
    if found.get("retcode") != Some(&1.into()) {
        let stdout = found.get("stdout").map(python_str).unwrap_or_default();
        for (key, value) in stdout.lines().filter_map(pair) {
            if let Value::List(values) = all.entry_or(key, || Value::List(Vec::new())) {
                values.push(value.into());
            }
        }
    }
    Ok(all.into())
}

given! {
    /// Set a value of the configuration, or several (`multivar`). `add=True`: beside those there are. `global=True`: the
    /// user's configuration. Returns the values that the key has then.
    ///
    /// CLI Example: salt myminion git.config_set user.email me@example.com cwd=/path/to/repo
    pub(super) fn config_set(key, value = (), multivar = (), cwd = (), user = (), password = (), ignore_retcode = false,
        output_encoding = (); kwargs) => run_config_set
}

fn run_config_set(cx: &Cx, mut given: Given) -> Result {
    let global = prepared(&mut given, &["add", "global"])?;
    let (value, multivar) = (given.get("value").cloned(), given.get("multivar").cloned());
    let key = given.value("key");
    let git = |way: &str, value: Value| -> Result<()> {
        let git = Git::new(cx, &given, &["config"])?.flag(global, "--global");
        git.arg(way).arg(key.clone()).arg(value).run().map(drop)
    };
    match (value, multivar) {
        (Some(_), Some(_)) => {
            return Err(CallError::invocation("Only one of 'value' and 'multivar' is permitted"));
        }
        (Some(value), None) => git(if given.truthy("add") { "--add" } else { "--replace-all" }, value)?,
        (None, Some(many)) => {
            let many = match many {
                Value::List(list) => list.iter().map(|item| python_str(item).into()).collect(),
                other => super::program::split(&other),
            };
            for (i, value) in many.into_iter().enumerate() {
                git(if i == 0 { "--replace-all" } else { "--add" }, value)?;
            }
        }
        (None, None) => {
            return Err(CallError::exception("TypeError", "'NoneType' object is not iterable"));
        }
    }
    given.extra = [("all", true), ("global", global)].into_iter().collect();
    if let Some(cwd) = given.get("cwd") {
        given.set("cwd", expanded(cwd, given.get("user"))?);
    }
    run_config_get(cx, given)
}

given! {
    /// Remove a key of the configuration; where it has several values, those that fit `value_regex`, or all with `all=True`.
    /// `global=True`: of the user's configuration.
    ///
    /// CLI Example: salt myminion git.config_unset foo.bar cwd=/path/to/repo all=True
    pub(super) fn config_unset(key, value_regex = (), cwd = (), user = (), password = (), ignore_retcode = false,
        output_encoding = (); kwargs) => run_config_unset
}

fn run_config_unset(cx: &Cx, mut given: Given) -> Result {
    let global = prepared(&mut given, &["all", "global"])?;
    let way = if given.truthy("all") { "--unset-all" } else { "--unset" };
    let regex = given.get("value_regex").cloned();
    let key = python_str(&given.value("key"));
    let git = Git::new(cx, &given, &["config", way, scope(global)])?.arg(given.value("key")).args(regex.clone());
    let done = git.run_softly()?;
    let text = match done.get("retcode").and_then(Value::as_int) {
        Some(0) => return Ok(true.into()),
        Some(1) => "Section or key is invalid".to_owned(),
        Some(5) => {
            given.extra = Map::new();
            if run_config_get(cx, given)?.is_nil() {
                format!("Key '{key}' does not exist")
            } else {
                let more = if regex.is_some() { " and value_regex matches multiple values" } else { "" };
                format!("Multiple values exist for key '{key}'{more}")
            }
        }
        Some(6) => "The value_regex is invalid".to_owned(),
        code => {
            let code = code.unwrap_or_default();
            let mut text = format!("Failed to unset key '{key}', git config returned exit code {code}");
            if let Some(said) = done.get("stderr").filter(|said| said.truthy()) {
                text += &format!("; {}", python_str(said));
            }
            text
        }
    };
    Err(CallError::execution(text))
}
