//! `file.patch`: a patch applied to a file or a folder, by the program `patch`.

use super::common::{error, handed, name_of};
use super::managed::outcome;
use brine_core::call::{Args, Cx, Given, Result, given};
use brine_core::posixpath::dirname;
use brine_core::shlex;
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Opts, Value, map};
use brine_render::out::{Style, format as out_format};
use std::path::Path;

given! {
    /// Apply a patch, unless it has been applied.
    ///
    /// name: the file or folder. source: the patch; source_hash, source_hash_name, skip_verify, template, context, defaults: as for
    /// `file.managed`. options: for the program `patch`. strip: how many folders are cut from the names in the patch, for a folder.
    /// reject_file: what could not be applied is kept there. saltenv: the environment of the source.
    pub(super) fn patch(
        name, source = (), source_hash = (), source_hash_name = (), skip_verify = false, template = (), context = (), defaults = (),
        options = "", reject_file = (), strip = (), saltenv = (); kwargs
    ) => manage
}

/// Whether there is a program of this name.
fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/bin", "/usr/bin", "/usr/local/bin"].map(Into::into);
    std::env::split_paths(&path).chain(usual).any(|dir: std::path::PathBuf| dir.join(program).is_file())
}

/// The options that may be given, and what they say of `strip`.
fn sanitized(options: &str, strip: &mut Option<i64>) -> Result<std::result::Result<Vec<String>, String>> {
    let words = shlex::split(options)?;
    let (mut kept, mut refused, mut at) = (Vec::new(), Vec::new(), 0);
    let invalid = |option: &str| {
        format!("Invalid format for '{option}' CLI option. Consider using the 'strip' option for this state.")
    };
    while let Some(word) = words.get(at) {
        if ["-N", "--forward", "-r", "--reject-file", "-o", "--output"].iter().any(|bad| word.starts_with(bad)) {
            refused.push(word.clone());
        }
        let number = |text: Option<&str>| text.and_then(|text| text.trim().parse().ok());
        if let Some(rest) = word.strip_prefix("-p") {
            let Some(n) = number(Some(rest)) else { return Ok(Err(invalid("-p"))) };
            *strip = Some(n);
        } else if word.starts_with("--strip") {
            let text = if word.contains('=') {
                word.rsplit('=').next()
            } else {
                at += 1;
                words.get(at).map(String::as_str)
            };
            let Some(n) = number(text) else { return Ok(Err(invalid("-strip"))) };
            *strip = Some(n);
        } else {
            kept.push(word.clone());
        }
        at += 1;
    }
    Ok(if refused.is_empty() {
        Ok(kept)
    } else {
        Err(format!("The following CLI options are not allowed: {}", refused.join(", ")))
    })
}

/// Why the file, or the one for rejects, will not do.
fn unfit(name: &str, reject: Option<&str>) -> Option<String> {
    if name.is_empty() {
        return Some("A file/directory to be patched is required".into());
    }
    if !name.starts_with('/') {
        return Some(format!("{name} is not an absolute path"));
    }
    if !Path::new(name).exists() {
        return Some(format!("{name} does not exist"));
    }
    let reject = reject?;
    let folder = dirname(reject);
    if !folder.starts_with('/') {
        return Some(format!("'{reject}' is not an absolute path"));
    }
    (!Path::new(folder).is_dir()).then(|| {
        format!("Parent directory for reject_file '{reject}' either does not exist, or is not a directory")
    })
}

/// The patch that is asked for, from the environment that is asked for.
fn source_of(cx: &Cx, given: &Given, more: &mut Vec<Value>) -> Result<String> {
    let env = cx.saltenv();
    let args = [given.value("source"), given.value("source_hash"), env.into()];
    let found = cx.call("file.source_list", Args::positional(args))?;
    let mut source = found.as_list().and_then(|list| list.first()).map(python_str).unwrap_or_default();
    if let Some(saltenv) = given.text("saltenv").filter(|_| source.starts_with("salt://")) {
        match source.split_once("?saltenv=") {
            Some((_, own)) if own != saltenv => more.push(
                "Ignoring 'saltenv' option in favor of saltenv included in the source URL.".into(),
            ),
            _ => source.push_str(&format!("?saltenv={saltenv}")),
        }
    }
    Ok(source)
}

fn manage(cx: &Cx, given: Given) -> Result<Outcome> {
    let name = name_of(&given);
    if !has("patch") {
        return Ok(error(&name, "patch executable not found on minion"));
    }
    let reject = given.text("reject_file");
    let mut warnings: Vec<Value> = ["hash", "dry_run_first"]
        .iter()
        .filter(|key| given.extra.contains(key))
        .map(|key| format!("The '{key}' argument is no longer used and has been ignored.").into())
        .collect();
    let mut outcome = match unfit(&name, reject.as_deref()) {
        Some(why) => error(&name, why),
        None => apply(cx, &given, &name, reject, &mut warnings)?,
    };
    if !warnings.is_empty() {
        outcome.more.insert("warnings", warnings);
    }
    Ok(outcome)
}

fn apply(
    cx: &Cx,
    given: &Given,
    name: &str,
    reject: Option<String>,
    warnings: &mut Vec<Value>,
) -> Result<Outcome> {
    let mut strip = given.value("strip").as_int();
    let options = match sanitized(&given.text("options").unwrap_or_default(), &mut strip)? {
        Ok(options) => options,
        Err(why) => return Ok(error(name, why)),
    };
    let source = match source_of(cx, given, warnings) {
        Ok(source) => source,
        Err(e) if e.is_execution() => return Ok(error(name, e.text())),
        Err(e) => return Err(e),
    };
    let temporary = || tempfile::NamedTempFile::with_prefix("__salt.tmp.");
    let (patch, rejects, output) = (temporary()?, temporary()?, temporary()?);
    let path = |file: &tempfile::NamedTempFile| file.path().to_string_lossy().into_owned();
    // The patch itself is fetched in test mode, too.
    let mut really = cx.clone();
    really.test = false;
    let args = handed(
        Args::positional([path(&patch)]).with("source", source.clone()),
        given,
        &["source_hash", "source_hash_name", "skip_verify", "template", "context", "defaults"],
    );
    let fetched = match really.call_state("file.managed", args) {
        Ok(fetched) => fetched,
        Err(e) => return Ok(error(name, format!("Failed to cache patch file {source}: {e}"))),
    };
    if !cx.test && !fetched.get("result").is_some_and(Value::truthy) {
        return Ok(outcome(fetched, name));
    }
    let run = |file: &str, more: &[String], dry_run: bool| -> Result<Map> {
        let words: Vec<Value> = options.iter().chain(more).map(|word| Value::from(word.as_str())).collect();
        let args = Args::positional([name, file]).with("options", words).with("dry_run", dry_run);
        match cx.call("file.patch", args)? {
            Value::Map(out) => Ok(out),
            _ => Ok(Map::new()),
        }
    };
    let code = |out: &Map| out.get("retcode").and_then(Value::as_int).unwrap_or(1);
    let stripped: Vec<String> =
        strip.filter(|_| Path::new(name).is_dir()).map(|n| format!("-p{n}")).into_iter().collect();
    let keeps_rejects = reject.is_some();
    let rejects_path = reject.unwrap_or_else(|| path(&rejects));
    let mut look = vec!["-N".into(), "-r".into(), rejects_path.clone(), "-o".into(), path(&output)];
    look.extend(stripped.clone());
    let before = run(&path(&patch), &look, false)?;
    if code(&before) != 0 {
        let back = run(&rejects_path, &["-R".into(), "-f".into()], true)?;
        let said = before.get("stderr").cloned().unwrap_or_default();
        if code(&before) == 2 && said.truthy() {
            return Ok(Outcome::failed(name, said));
        }
        if code(&back) == 0 {
            return Ok(Outcome::ok(name, "Patch was already applied"));
        }
        return Ok(error(name, not_clean(&before, keeps_rejects)));
    }
    if cx.test {
        return Ok(Outcome::would(name, "The patch would be applied").with_changes(before));
    }
    let done = run(&path(&patch), &stripped, false)?;
    let outcome = if code(&done) == 0 {
        Outcome::ok(name, "Patch successfully applied")
    } else {
        error(name, "Failed to apply patch")
    };
    Ok(outcome.with_changes(done))
}

/// What is said of a patch that does not fit.
fn not_clean(before: &Map, keeps_rejects: bool) -> String {
    let mut text =
        "Patch would not apply cleanly, no changes made. Results of dry-run are below.".to_owned();
    if !keeps_rejects {
        text.push_str(" Run state again using the reject_file option to save rejects to a persistent file.");
    }
    let opts = Opts::new(map! {"color" => false});
    let style = Style { nested_indent: 14, ..Style::new(&opts, false) };
    format!("{text}\n\n{}", out_format(&Value::Map(before.clone()), Some("nested"), &opts, &style))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_looked_through() {
        let mut strip = None;
        assert_eq!(sanitized("-l --strip 2 -p1", &mut strip).unwrap().unwrap(), ["-l"]);
        assert_eq!(strip, Some(1));
        assert_eq!(
            sanitized("-N -o x", &mut strip).unwrap().unwrap_err(),
            "The following CLI options are not allowed: -N, -o"
        );
        assert!(sanitized("-px", &mut strip).unwrap().unwrap_err().starts_with("Invalid format for '-p' CLI"));
    }
}
