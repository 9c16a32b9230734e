//! The `debconf` execution module: answers to the questions that packages ask when they are installed.

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::io::Write;

module! { "debconf": get_selections, set, set_file, set_template, show }

/// Fails in stock's words where there is no debconf.
fn available(cx: &Cx) -> Result<()> {
    let reason = match cx.grains.get_str("os_family") {
        None | Some("Debian") if crate::cmd::which::which("debconf-get-selections").is_some() => return Ok(()),
        None | Some("Debian") => "The debconfmod module could not be loaded: debconf-utils is not installed.",
        Some(_) => "The debconfmod module could not be loaded: unsupported OS family",
    };
    Err(CallError::NotAvailable(format!("'debconf' __virtual__ returned False: {reason}")))
}

/// The answers of `debconf-get-selections`, by package.
fn parse(out: &str, fetchempty: bool) -> Map {
    let blank = |c: char| c == ' ' || c == '\t';
    let word = |text: &str| text.split_once(blank).map(|(word, rest)| (word.to_owned(), rest.trim_start_matches(blank).to_owned()));
    let mut all = Map::new();
    for line in out.split('\n').filter(|line| !line.starts_with('#')) {
        let Some((package, rest)) = word(line).filter(|(package, _)| package.chars().count() > 1) else { continue };
        let Some((question, rest)) = word(&rest) else { continue };
        // The value may be empty, but not what is in front of it.
        let Some((kind, value)) = word(&rest) else { continue };
        if question.is_empty() || kind.is_empty() || (value.is_empty() && !fetchempty) {
            continue;
        }
        if let Value::List(known) = all.entry_or(package, || Value::List(Vec::new())) {
            known.push(vec![question, kind, value].into());
        }
    }
    all
}

fn selections(cx: &Cx, fetchempty: bool) -> Result<Map> {
    available(cx)?;
    let out = cx.call("cmd.run_stdout", Args::positional(["debconf-get-selections"]))?;
    Ok(parse(&python_str(&out), fetchempty))
}

/// All answers, by package: question, type and value.
///
/// fetchempty: whether answers that are empty count
///
/// CLI Example: salt '*' debconf.get_selections
#[exec]
fn get_selections(cx: &Cx, #[default(true)] fetchempty: Value) -> Result<Map> {
    selections(cx, fetchempty.truthy())
}

/// The answers for one package, or `None`.
///
/// CLI Example: salt '*' debconf.show <package name>
#[exec]
fn show(cx: &Cx, name: String) -> Result {
    Ok(selections(cx, true)?.remove(&name).unwrap_or_default())
}

fn load(cx: &Cx, path: &str) -> Result<()> {
    let args = Args::positional([Value::List(vec!["debconf-set-selections".into(), path.into()])])
        .with("python_shell", false);
    cx.call("cmd.run_stdout", args)?;
    Ok(())
}

/// Answer a question of a package.
///
/// CLI Example: salt '*' debconf.set <package> <question> <type> <value>
#[exec]
fn set(cx: &Cx, package: Value, question: Value, type_: Value, value: Value, extra: VarArgs) -> Result<bool> {
    available(cx)?;
    let mut line = [package, question, type_, value].iter().map(python_str).collect::<Vec<_>>();
    line.extend(extra.0.iter().map(python_str));
    // Only we may read it: answers may be passwords.
    let mut file = tempfile::Builder::new().prefix("salt-").tempfile()?;
    file.write_all(line.join(" ").as_bytes())?;
    load(cx, &file.path().to_string_lossy())?;
    Ok(true)
}

/// Answer questions with a rendered template.
///
/// path: the template, a path or URL
/// template: the engine
/// context: what it is given
/// defaults: what it is given where context has nothing
/// saltenv: the environment that path is in
///
/// CLI Example: salt '*' debconf.set_template salt://pathto/pkg.selections.jinja jinja None None
#[exec]
fn set_template(
    cx: &Cx,
    path: Value,
    template: Value,
    context: Value,
    defaults: Value,
    #[default("base")] saltenv: Value,
    kwargs: KwArgs,
) -> Result<bool> {
    available(cx)?;
    let mut args = Args { positional: Vec::new(), keyword: kwargs.clean() };
    for (name, value) in [
        ("path", path), ("dest", "".into()), ("template", template), ("saltenv", saltenv.clone()), ("context", context),
        ("defaults", defaults),
    ] {
        args.keyword.insert(name, value);
    }
    let rendered = cx.call("cp.get_template", args)?;
    from_file(cx, rendered, saltenv)
}

/// Answer questions with a file of answers.
///
/// path: the file, a path or URL
/// saltenv: the environment that path is in
///
/// CLI Example: salt '*' debconf.set_file salt://pathto/pkg.selections
#[exec]
fn set_file(cx: &Cx, path: Value, #[default("base")] saltenv: Value, kwargs: KwArgs) -> Result<bool> {
    available(cx)?;
    let _more = kwargs;
    from_file(cx, path, saltenv)
}

fn from_file(cx: &Cx, path: Value, saltenv: Value) -> Result<bool> {
    let cached = cx.call("cp.cache_file", Args::positional([path, saltenv]))?;
    match cached.as_str().filter(|cached| !cached.is_empty()) {
        Some(cached) => load(cx, cached).map(|()| true),
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn answers_are_read_by_package() {
        let out = "# comment here\ntz\ttzdata/Zones/Etc\tselect\tUTC\ntz\ttz/empty\tstring\t\nd a/b note\nx a b c";
        let list = |items: &[[&str; 3]]| Value::List(items.iter().map(|i| Value::List(i.map(Value::from).to_vec())).collect());
        assert_eq!(parse(out, true), map! {"tz" => list(&[["tzdata/Zones/Etc", "select", "UTC"], ["tz/empty", "string", ""]])});
        assert_eq!(parse(out, false).get("tz").unwrap().as_list().unwrap().len(), 1);
    }
}
