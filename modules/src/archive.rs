//! The `archive` execution module: archives made and unpacked by the programs for them; zip files without a program, and what
//! archives hold, are in files of their own.

mod list;
mod zip;

use crate::tools;
use brine_core::call::{Args, CallError, Cx, Result, exec, module};
use brine_core::shlex;
use brine_core::text::{python_str, splitlines};
use brine_core::{Map, Value};
use brine_render::config::glob;
use std::path::Path;

use list::*;
use zip::*;

module! {
    "archive": cmd_unzip, cmd_zip, gunzip, gzip, is_encrypted, list_, rar, tar, unrar, unzip, zip_
}

/// How a program is run.
struct How {
    cwd: Value,
    template: Value,
    runas: Value,
}

impl How {
    fn args(self, words: Vec<String>) -> Args {
        let words: Vec<Value> = words.into_iter().map(Value::from).collect();
        Args::positional([Value::List(words)])
            .with("cwd", self.cwd)
            .with("template", self.template)
            .with("runas", self.runas)
            .with("python_shell", false)
    }

    /// What the program prints, by lines.
    fn run(self, cx: &Cx, words: Vec<String>) -> Result<Vec<String>> {
        let out = python_str(&cx.call("cmd.run", self.args(words))?);
        Ok(splitlines(&out, false).into_iter().map(str::to_owned).collect())
    }
}

/// A list, or a text with commas.
fn list(given: &Value) -> Vec<String> {
    match given {
        Value::Nil => Vec::new(),
        Value::List(list) => list.iter().map(python_str).collect(),
        other => python_str(other).split(',').map(|part| part.trim().to_owned()).collect(),
    }
}

/// Sources, with what shell patterns among them stand for.
fn sources(given: &Value) -> Vec<String> {
    let expand = |source: String| {
        if !source.contains(['*', '?', '[']) {
            return vec![source];
        }
        glob(Path::new(&source)).into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
    };
    list(given).into_iter().flat_map(expand).collect()
}

/// No more lines than are wished for.
fn trimmed(mut files: Vec<String>, trim: &Value) -> Vec<String> {
    let count = match trim {
        Value::Bool(false) => return files,
        Value::Bool(true) => 100,
        other => other.as_int().and_then(|n| usize::try_from(n).ok()).unwrap_or(100),
    };
    if files.len() > count {
        files.truncate(count);
        files.push(format!("List trimmed after {count} files."));
    }
    files
}

/// Run `tar` on an archive.
///
/// CLI Example: salt '*' archive.tar cjvf /tmp/salt.tar.bz2 /srv/salt
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
#[exec]
fn tar(
    cx: &Cx,
    options: String,
    tarfile: Value,
    #[default(())] sources: Value,
    #[default(())] dest: Value,
    #[default(())] cwd: Value,
    #[default(())] template: Value,
    #[default(())] runas: Value,
) -> Result<Vec<String>> {
    tools::require("tar")?;
    if options.is_empty() {
        return Err(CallError::invocation("Tar options can not be empty"));
    }
    let mut words = vec!["tar".to_owned()];
    words.extend(options.split_whitespace().map(str::to_owned));
    words.push(python_str(&tarfile));
    if dest.truthy() {
        words.extend(["-C".to_owned(), python_str(&dest)]);
    }
    words.extend(self::sources(&sources));
    How { cwd, template, runas }.run(cx, words)
}

fn one_file(cx: &Cx, program: &str, file: &Value, options: &Value, how: How) -> Result<Vec<String>> {
    tools::require(program)?;
    let mut words = vec![program.to_owned()];
    if options.truthy() {
        words.push(python_str(options));
    }
    words.push(python_str(file));
    how.run(cx, words)
}

/// Compress a file with `gzip`.
///
/// CLI Example: salt '*' archive.gzip /tmp/sourcefile.txt
#[exec]
fn gzip(cx: &Cx, sourcefile: Value, #[default(())] template: Value, #[default(())] runas: Value, #[default(())] options: Value) -> Result<Vec<String>> {
    one_file(cx, "gzip", &sourcefile, &options, How { cwd: Value::Nil, template, runas })
}

/// Decompress a file with `gunzip`.
///
/// CLI Example: salt '*' archive.gunzip /tmp/sourcefile.txt.gz
#[exec]
fn gunzip(cx: &Cx, gzipfile: Value, #[default(())] template: Value, #[default(())] runas: Value, #[default(())] options: Value) -> Result<Vec<String>> {
    one_file(cx, "gunzip", &gzipfile, &options, How { cwd: Value::Nil, template, runas })
}

/// Make a zip file with the program `zip`.
///
/// CLI Example: salt '*' archive.cmd_zip /tmp/zipfile.zip /tmp/sourcefile1,/tmp/sourcefile2
#[exec]
fn cmd_zip(
    cx: &Cx,
    zip_file: Value,
    sources: Value,
    #[default(())] template: Value,
    #[default(())] cwd: Value,
    #[default(())] runas: Value,
) -> Result<Vec<String>> {
    tools::require("zip")?;
    let mut words = vec!["zip".to_owned(), "-r".to_owned(), python_str(&zip_file)];
    words.extend(self::sources(&sources));
    How { cwd, template, runas }.run(cx, words)
}

/// Unpack a zip file with the program `unzip`.
///
/// CLI Example: salt '*' archive.cmd_unzip /tmp/zipfile.zip /home/strongbad/ excludes=file_1,file_2
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
#[exec]
fn cmd_unzip(
    cx: &Cx,
    zip_file: Value,
    dest: Value,
    #[default(())] excludes: Value,
    #[default(())] options: Value,
    #[default(())] template: Value,
    #[default(())] runas: Value,
    #[default(false)] trim_output: Value,
    #[default(())] password: Value,
) -> Result<Vec<String>> {
    tools::require("unzip")?;
    let mut words = vec!["unzip".to_owned()];
    let quiet = password.truthy();
    if quiet {
        words.extend(["-P".to_owned(), python_str(&password)]);
    }
    if options.truthy() {
        words.extend(shlex::split(&python_str(&options))?);
    }
    words.extend([python_str(&zip_file), "-d".to_owned(), python_str(&dest)]);
    if !excludes.is_nil() {
        words.push("-x".to_owned());
        words.extend(list(&excludes));
    }
    let args = How { cwd: Value::Nil, template, runas }
        .args(words)
        .with("redirect_stderr", true)
        .with("output_loglevel", if quiet { "quiet" } else { "debug" });
    let out = match cx.call("cmd.run_all", args)? {
        Value::Map(out) => out,
        _ => Map::new(),
    };
    let said = out.get("stdout").map(python_str).unwrap_or_default();
    if out.get("retcode").and_then(Value::as_int) != Some(0) {
        return Err(CallError::execution(said));
    }
    let files = splitlines(&said, false).into_iter().map(str::to_owned).collect();
    Ok(trimmed(files, &trim_output))
}

/// Make a RAR archive with the program `rar`.
///
/// CLI Example: salt '*' archive.rar /tmp/rarfile.rar /tmp/sourcefile1,/tmp/sourcefile2
#[exec]
fn rar(
    cx: &Cx,
    rarfile: Value,
    sources: Value,
    #[default(())] template: Value,
    #[default(())] cwd: Value,
    #[default(())] runas: Value,
) -> Result<Vec<String>> {
    tools::require("rar")?;
    let mut words: Vec<String> = ["rar", "a", "-idp"].map(str::to_owned).into();
    words.push(python_str(&rarfile));
    words.extend(self::sources(&sources));
    How { cwd, template, runas }.run(cx, words)
}

/// Unpack a RAR archive with the program `unrar` or `rar`.
///
/// CLI Example: salt '*' archive.unrar /tmp/rarfile.rar /home/strongbad/ excludes=file_1,file_2
#[exec]
fn unrar(
    cx: &Cx,
    rarfile: Value,
    dest: Value,
    #[default(())] excludes: Value,
    #[default(())] template: Value,
    #[default(())] runas: Value,
    #[default(false)] trim_output: Value,
) -> Result<Vec<String>> {
    let program = crate::grains_core::read::which("unrar").or_else(|| crate::grains_core::read::which("rar"));
    let Some(program) = program else {
        let text = "None of provided binaries ('unrar', 'rar') was not found in $PATH.";
        return Err(CallError::CommandNotFound(text.into()));
    };
    let mut words = vec![program.to_string_lossy().into_owned(), "x".into(), "-idp".into(), python_str(&rarfile)];
    for exclude in list(&excludes) {
        words.extend(["-x".to_owned(), exclude]);
    }
    words.push(python_str(&dest));
    let files = How { cwd: Value::Nil, template, runas }.run(cx, words)?;
    Ok(trimmed(files, &trim_output))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_cut() {
        assert_eq!(list(&"a, b".into()), ["a", "b"]);
        assert_eq!(sources(&vec!["/a", "b"].into()), ["/a", "b"]);
        let files = || vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(trimmed(files(), &1.into()), ["a", "List trimmed after 1 files."]);
        assert_eq!(trimmed(files(), &true.into()), ["a", "b"]);
    }
}
