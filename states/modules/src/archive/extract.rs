//! The unpacking itself: here for tar archives, by functions of `archive` for others, by the program `tar` where it is given
//! options.

use super::checks::Source;
use super::{Extracted, Step, handed};
use brine_core::call::{Args, CallError};
use brine_core::text::{python_str, splitlines};
use brine_core::{Map, Value, shlex};
use brine_files::archive::tar;
use std::path::Path;

/// The words of the program `tar` for the options that a user gave, between its name and the archive.
fn words(options: &str) -> Result<Vec<String>, CallError> {
    let mut short = "xv".to_owned();
    let mut long = Vec::new();
    let given = shlex::split(options)?;
    let given = given.into_iter().filter(|word| !matches!(word.as_str(), "v" | "-v" | "--verbose"));
    for (at, word) in given.enumerate() {
        if word.starts_with('-') || at > 0 {
            long.push(word);
        } else {
            short.extend(word.chars().filter(|letter| !matches!(letter, 'x' | 'f')));
        }
    }
    long.insert(0, short);
    Ok(long)
}

impl Extracted<'_> {
    /// Unpacks the archive. Returns the files that are shown. `made`: the folder is new, and goes again if nothing comes into it.
    pub(super) fn extract(&mut self, source: &Source, cached: &str, made: bool) -> Step<Value> {
        let (folder, trim) = (self.folder.clone(), self.given.value("trim_output"));
        let more = self.given.extra.clone();
        let common = Args::positional([cached, folder.as_str()]).with("trim_output", trim.clone());
        let called = match source.format.as_str() {
            "zip" => {
                let options = source.options.clone().map_or(Value::Nil, Value::from);
                let args = common.with("options", options).with("password", self.given.value("password"));
                let (function, args) = match source.by_program {
                    true => ("archive.cmd_unzip", args),
                    false => ("archive.unzip", args.with("extract_perms", self.given.value("extract_perms"))),
                };
                self.call(function, handed(args, &more))
            }
            "rar" => self.call("archive.unrar", handed(common, &more)),
            _ => match &source.options {
                Some(options) => return self.by_program(options, cached),
                None => return self.tar(cached, made),
            },
        };
        self.caught(called)
    }

    fn trimmed(&self, files: Vec<String>) -> Value {
        let all: Vec<Value> = files.into_iter().map(Value::from).collect();
        let trim = self.given.value("trim_output");
        match trim.as_int().filter(|_| trim.truthy()) {
            // Python counts from the end what is below zero.
            Some(count) if count < 0 => {
                let left = all.len().saturating_sub(usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX));
                all[..left].to_vec().into()
            }
            Some(count) => all.into_iter().take(usize::try_from(count).unwrap_or(usize::MAX)).collect::<Vec<_>>().into(),
            None => all.into(),
        }
    }

    fn tar(&mut self, cached: &str, made: bool) -> Step<Value> {
        let fault = match tar::extract(Path::new(cached), Path::new(&self.folder)) {
            Ok(names) => return Ok(self.trimmed(names)),
            Err(fault) => fault,
        };
        match fault {
            tar::Fault::Other(e) if e.is_execution() => self.fail(e.text()),
            tar::Fault::Other(e) => Err(e.into()),
            tar::Fault::NotTar => {
                if made {
                    // It stays where something is in it.
                    let _ = std::fs::remove_dir(&self.folder);
                }
                self.fail(
                    "Failed to read from tar archive using Python's native tar file support. If archive is compressed using something \
                     other than gzip or bzip2, the 'options' argument may be required to pass the correct options to the tar command \
                     in order to extract the archive.",
                )
            }
        }
    }

    fn by_program(&mut self, options: &str, cached: &str) -> Step<Value> {
        if !self.call("cmd.which", Args::positional(["tar"]))?.truthy() {
            return self.fail("tar command not available, it might not be installed on minion");
        }
        let mut command = vec!["tar".to_owned()];
        command.extend(words(options)?);
        command.extend(["-f".to_owned(), cached.to_owned()]);
        let command: Vec<Value> = command.into_iter().map(Value::from).collect();
        let run = |words: Vec<Value>| Args::positional([Value::List(words)]).with("python_shell", false);
        let results = match self.call("cmd.run_all", run(command).with("cwd", self.folder.as_str()))? {
            Value::Map(results) => results,
            _ => Map::new(),
        };
        if results.get("retcode").and_then(Value::as_int) != Some(0) {
            self.ret.changes = results;
            return self.fail("");
        }
        let version = self.call("cmd.run", run(["tar", "--version"].map(Value::from).into()))?;
        let said = if python_str(&version).contains("bsdtar") { "stderr" } else { "stdout" };
        let said = results.get(said).map(python_str).unwrap_or_default();
        let files = self.trimmed(splitlines(&said, false).into_iter().map(str::to_owned).collect());
        Ok(if files.truthy() { files } else { "no tar output so far".into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_words_of_tar() {
        assert_eq!(words("J").unwrap(), ["xvJ"]);
        assert_eq!(words("xzf --strip-components=1").unwrap(), ["xvz", "--strip-components=1"]);
        assert_eq!(words("-v --no-same-owner x").unwrap(), ["xv", "--no-same-owner", "x"]);
        assert_eq!(words("").unwrap(), ["xv"]);
    }
}
