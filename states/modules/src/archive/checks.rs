//! What `archive.extracted` looks at before anything is unpacked: its arguments, the archive, and what is there already.

use super::{Contents, Extracted, Step, Stop, sums};
use crate::file::without_login;
use brine_core::call::Args;
use brine_core::posixpath::{expanduser, join, normpath, realpath, relpath};
use brine_core::text::{python_os_error, python_str};
use brine_core::{Map, Value};
use brine_files::archive::{guess, leads_out};
use brine_files::url::Url;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The archive.
pub(super) struct Source {
    /// URL, or path of what is on this machine.
    pub(super) url: String,
    pub(super) is_local: bool,
    /// `tar`, `zip` or `rar`.
    pub(super) format: String,
    /// Options of the program, if any.
    pub(super) options: Option<String>,
    /// How many folders the options take off the beginning of names.
    strip: Option<u64>,
    /// Whether a zip archive is unpacked by the program.
    pub(super) by_program: bool,
}

/// Whether a path is absolute; one that is not given is.
fn is_absolute(path: &Value) -> bool {
    path.is_nil() || path.as_str().is_some_and(|path| path.starts_with('/'))
}

/// What the option `--strip-components` among others says.
fn strip_of(options: &str) -> Option<u64> {
    for (at, found) in options.match_indices("--strip") {
        let rest = &options[at + found.len()..];
        let rest = rest.strip_prefix("-components").unwrap_or(rest);
        let value = match rest.strip_prefix('=') {
            Some(value) => value,
            None if rest.starts_with(char::is_whitespace) => rest.trim_start(),
            None => continue,
        };
        let value = value.strip_prefix(['"', '\'']).unwrap_or(value);
        let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
        if let Ok(number) = digits.parse() {
            return Some(number);
        }
    }
    None
}

/// Removes a file, a link or a tree. `Ok(false)`: it was not there.
fn remove(path: &str) -> std::result::Result<bool, String> {
    let path = path.trim_end_matches('/');
    let done = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(e) => Err(e),
    };
    match done {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(python_os_error(&e, path)),
    }
}

fn bulleted(items: &[String]) -> String {
    items.iter().map(|item| format!("\n- {item}")).collect()
}

impl Extracted<'_> {
    /// Whether the archive stays in the cache.
    pub(super) fn keeping(&mut self) -> Step {
        if self.given.truthy("skip_files_list_verify") && self.given.truthy("skip_verify") {
            return self.fail("Only one of \"skip_files_list_verify\" and \"skip_verify\" can be set to True");
        }
        let (keep_source, keep) = (self.given.extra.remove("keep_source"), self.given.extra.remove("keep"));
        if keep_source.is_some() && keep.is_some() {
            self.warn(
                "Both 'keep_source' and 'keep' were used. Since these both do the same thing, 'keep' was ignored.",
            );
        }
        self.keep_source = keep_source.or(keep).is_none_or(|keep| keep.truthy());
        Ok(())
    }

    /// The folder, other paths, and whose it all is.
    pub(super) fn places(&mut self) -> Step {
        let name = self.given.value("name");
        if !is_absolute(&name) {
            return self.fail(format!("{} is not an absolute path", python_str(&name)));
        }
        let folder = python_str(&name).trim_end_matches('/').to_owned();
        if Path::new(&folder).is_file() {
            return self.fail(format!("{folder} exists and is not a directory"));
        }
        self.folder = folder + "/";
        if !is_absolute(&self.given.value("if_missing")) {
            return self.fail("Value for 'if_missing' is not an absolute path");
        }
        let only = self.given.value("enforce_ownership_on");
        if !is_absolute(&only) {
            return self.fail("Value for 'enforce_ownership_on' is not an absolute path");
        }
        if !only.is_nil() && relpath(&python_str(&only), &self.folder).starts_with("../") {
            return self.fail(format!("Value for 'enforce_ownership_on' must be within {}", self.folder));
        }
        if self.is_there() {
            let path = self.given.text("if_missing").unwrap_or_default();
            return self.end(Some(true), format!("Path {path} exists"));
        }
        self.uid = self.number("user", "file.user_to_uid", "User")?;
        self.gid = self.number("group", "file.group_to_gid", "Group")?;
        if self.given.truthy("source_hash_update") && !self.given.truthy("source_hash") {
            self.warn("The 'source_hash_update' argument is ignored when 'source_hash' is not also specified.");
        }
        Ok(())
    }

    fn number(&mut self, key: &str, function: &str, shown: &str) -> Step<Option<u32>> {
        let Some(name) = self.given.set_to(key).cloned() else { return Ok(None) };
        let id = self.call(function, Args::positional([name.clone()]))?;
        match id.as_int().and_then(|id| u32::try_from(id).ok()) {
            Some(id) => Ok(Some(id)),
            None => self.fail(format!("{shown} {} does not exist", python_str(&name))),
        }
    }

    /// Which archive it is, of what kind, and how it is unpacked.
    pub(super) fn source(&mut self) -> Step<Source> {
        let (given, hash) = (self.given.value("source"), self.given.value("source_hash"));
        let found = self.call("file.source_list", Args::positional([given.clone(), hash, self.saltenv.as_str().into()]));
        let found = self.caught(found)?;
        let url = found.as_list().and_then(|found| found.first()).filter(|url| url.truthy()).map(python_str);
        let Some(mut url) = url else { return self.fail(format!("Invalid source \"{}\"", python_str(&given))) };
        let parsed = Url::parse(&url, true);
        let mut scheme = parsed.scheme.as_str();
        let mut path = join(&parsed.netloc, &[parsed.path.as_str()]).trim_end_matches('/').to_owned();
        if !scheme.is_empty() && "abcdefghijklmnopqrstuvwxyz".contains(scheme) {
            path = format!("{scheme}:{path}");
            scheme = "file";
        }
        let basename = if path.is_empty() { parsed.netloc.clone() } else { path.clone() };
        let is_local = matches!(scheme, "" | "file");
        if is_local {
            url = realpath(&expanduser(&path));
            if !Path::new(&url).is_file() {
                return self.fail(format!("Source file '{}' does not exist", without_login(&url)));
            }
        }
        let format = self.format(&basename)?;
        let options = self.given.get("options").map(python_str);
        let strip = options.as_deref().filter(|_| format == "tar").and_then(strip_of);
        let mut source = Source { url, is_local, format, options, strip, by_program: false };
        self.program(&mut source)?;
        self.trim()?;
        Ok(source)
    }

    fn format(&mut self, basename: &str) -> Step<String> {
        let format = match self.given.set_to("archive_format") {
            Some(format) => python_str(format).to_lowercase(),
            None => match guess(basename) {
                Some(format) => format.to_owned(),
                None => {
                    return self.fail(
                        "Could not guess archive_format from the value of the 'source' argument. Please set this archive_format to \
                         one of the following: tar, rar, zip",
                    );
                }
            },
        };
        if !matches!(format.as_str(), "tar" | "rar" | "zip") {
            return self.fail(format!(
                "Invalid archive_format '{format}'. Either set it to a supported value (tar, rar, zip) or remove this argument and the \
                 archive format will be guessed based on file extension."
            ));
        }
        Ok(format)
    }

    /// Whether the program `unzip` does it, and what goes with what.
    fn program(&mut self, source: &mut Source) -> Step {
        let has_options = source.options.as_ref().is_some_and(|options| !options.is_empty());
        let password = self.given.truthy("password");
        let mut by_program = self.given.get("use_cmd_unzip").map(Value::truthy);
        if source.format != "zip" {
            if password {
                return self.fail("The 'password' argument is only supported for zip archives");
            }
            if has_options && source.format != "tar" {
                return self
                    .fail("The 'options' argument is only compatible with the following archive formats: tar, zip");
            }
            return Ok(());
        }
        if has_options && by_program == Some(false) {
            return self.fail(
                "'use_cmd_unzip' cannot be set to False if CLI options are being specified (via the 'options' argument). Either remove \
                 'use_cmd_unzip', or set it to True.",
            );
        }
        if has_options {
            by_program = Some(true);
        }
        if password && by_program == Some(true) {
            self.warn(
                "Using a password in combination with setting 'use_cmd_unzip' to True is considered insecure. It is recommended to \
                 remove the 'use_cmd_unzip' argument (or set it to False) and allow Salt to extract the archive using Python's built-in \
                 ZIP file support.",
            );
        }
        source.by_program = by_program == Some(true);
        Ok(())
    }

    /// How many files are shown, as a number.
    fn trim(&mut self) -> Step {
        let count = match self.given.value("trim_output") {
            Value::Bool(true) => 100,
            Value::Str(text) if !text.is_empty() => match text.trim().parse::<i64>() {
                Ok(count) => count,
                Err(_) => {
                    let text = format!(
                        "invalid literal for int() with base 10: {}",
                        brine_core::text::python_repr(&text.into())
                    );
                    return Err(brine_core::CallError::exception("ValueError", text).into());
                }
            },
            other if !other.truthy() || other.as_int().is_some() => return Ok(()),
            _ => return self.fail("Invalid value for trim_output, must be True/False or an integer"),
        };
        self.given.set("trim_output", count);
        Ok(())
    }

    /// The checksum that the archive is to have.
    pub(super) fn sum(&mut self, source: &Source) -> Step<Map> {
        if !self.given.truthy("source_hash") {
            return Ok(Map::new());
        }
        let args = Args::none()
            .with("source", source.url.as_str())
            .with("source_hash", self.given.value("source_hash"))
            .with("source_hash_name", self.given.value("source_hash_name"))
            .with("saltenv", self.saltenv.as_str());
        let found = self.call("file.get_source_sum", args);
        match self.caught(found)? {
            Value::Map(sum) => Ok(sum),
            _ => Ok(Map::new()),
        }
    }

    /// The path of the archive in the cache; empty where it is not.
    fn is_cached(&self, source: &Source) -> Step<String> {
        let args = Args::positional([source.url.as_str()]).with("saltenv", self.saltenv.as_str());
        Ok(python_str(&self.call("cp.is_cached", args)?))
    }

    /// Ends the state where the checksum alone says that all is as it was.
    pub(super) fn skip_by_sum(&mut self, source: &Source, sum: &Map) -> Step {
        if !self.given.truthy("skip_files_list_verify") {
            return Ok(());
        }
        let mut cached = if source.is_local { source.url.clone() } else { self.is_cached(source)? };
        if cached.is_empty() {
            // Where it would be.
            let parsed = Url::parse(&source.url, true);
            let cache = self.cx.opts.path("cachedir");
            let parts = ["extrn_files", &self.saltenv, &parsed.netloc, parsed.path.trim_start_matches('/')];
            cached = normpath(&join(&cache.to_string_lossy(), &parts));
        }
        let was = sums::read(self.cx, &cached, None);
        let same = was.is_some_and(|was| sum.get_str("hsum") == Some(was.sum.as_str()));
        if !same {
            return Ok(());
        }
        let result = if self.cx.test { None } else { Some(true) };
        let url = without_login(&source.url);
        self.end(
            result,
            format!(
                "Archive {url} existing source sum is the same as the expected one and skip_files_list_verify argument was set to True. \
                 Extraction is not needed"
            ),
        )
    }

    /// The path of the archive on this machine.
    pub(super) fn cached(&mut self, source: &Source) -> Step<String> {
        if source.is_local {
            return Ok(source.url.clone());
        }
        let url = without_login(&source.url);
        if self.cx.test {
            return self.end(
                None,
                format!("Archive {url} would be cached (if necessary) and checked to discover if extraction is needed"),
            );
        }
        let mut args = Args::positional([source.url.as_str()]);
        for key in ["source_hash", "source_hash_name", "skip_verify", "use_etag"] {
            args = args.with(key, self.given.value(key));
        }
        match self.cx.call_state("file.cached", args.with("saltenv", self.saltenv.as_str())) {
            Ok(ret) if ret.get("result").is_some_and(Value::truthy) => self.is_cached(source),
            Ok(ret) => Err(Stop::Done(Box::new(crate::file::outcome(ret, &source.url)))),
            Err(brine_core::CallError::Cancelled) => Err(brine_core::CallError::Cancelled.into()),
            Err(e) => self.fail(format!("Failed to cache {url}: {}", e.text())),
        }
    }

    /// What the archive holds, if it may be unpacked.
    pub(super) fn contents(&mut self, source: &Source, cached: &str) -> Step<Contents> {
        let use_etag = self.given.value("use_etag");
        if source.format == "zip" && !self.given.truthy("password") {
            let args = Args::positional([cached]).with("clean", false).with("saltenv", self.saltenv.as_str());
            match self.call("archive.is_encrypted", args.with("use_etag", use_etag.clone())) {
                Ok(encrypted) if encrypted.truthy() => {
                    let url = without_login(&source.url);
                    return self.fail(format!(
                        "Archive {url} is password-protected, but no password was specified. Please set the 'password' argument."
                    ));
                }
                Ok(_) => {}
                // It is no zip archive: told below.
                Err(e) if e.is_execution() => {}
                Err(e) => return Err(e.into()),
            }
        }
        let args = Args::positional([cached])
            .with("archive_format", source.format.as_str())
            .with("options", self.given.value("list_options"))
            .with("strip_components", source.strip.map_or(Value::Nil, Value::from))
            .with("clean", false)
            .with("verbose", true)
            .with("use_etag", use_etag);
        let contents = match self.call("archive.list", args) {
            Ok(listed) => Contents::of(&listed),
            Err(e) if e.is_execution() => {
                let text = self.workarounds(&e.text(), &source.format);
                return self.fail(text);
            }
            Err(e) => return Err(e.into()),
        };
        if self.given.truthy("enforce_toplevel") && (contents.top_dirs.len() > 1 || !contents.top_files.is_empty()) {
            let (format, folder) = (&source.format, &self.folder);
            let text = format!(
                "Archive does not have a single top-level directory. To allow this archive to be extracted, set 'enforce_toplevel' to \
                 False. To avoid a '{format}-bomb' it may also be advisable to set a top-level directory by adding it to the 'name' \
                 value (for example, setting 'name' to {folder}some_dir instead of {folder})."
            );
            return self.fail(text);
        }
        if self.given.truthy("clean") && self.given.truthy("clean_parent") {
            return self.fail("Only one of 'clean' and 'clean_parent' can be set to True");
        }
        let out: Vec<String> = contents.all().filter(|name| leads_out(name)).cloned().collect();
        if !out.is_empty() {
            let text = format!("The below paths of the archive lead out of {}:\n{}", self.folder, bulleted(&out));
            return self.fail(text);
        }
        Ok(contents)
    }

    /// Why an archive could not be listed, and what can be done about it.
    fn workarounds(&self, why: &str, format: &str) -> String {
        let mut wanted = Vec::new();
        if !self.given.truthy("if_missing") {
            wanted.push("'if_missing' must be set".to_owned());
        }
        let owned = self.given.truthy("user") || self.given.truthy("group");
        if owned && !self.given.truthy("enforce_ownership_on") {
            wanted.push("Ownership cannot be managed without setting 'enforce_ownership_on'.".to_owned());
        }
        if wanted.is_empty() {
            return why.to_owned();
        }
        let advice = if format == "tar" {
            "If the source archive is a tar archive compressed using a compression type not natively supported by the tar command, then \
             setting the 'list_options' argument may allow the contents to be listed. Otherwise, if Salt is unable to determine the \
             files/directories in the archive, the following workaround(s) would need to be used for this state to proceed"
        } else {
            "The following workarounds must be used for this state to proceed"
        };
        format!("{why}\n\n{advice} (assuming the source file is a valid {format} archive):\n{}", bulleted(&wanted))
    }

    /// Looks at what is there: whether something is missing, or of another kind.
    pub(super) fn look(&mut self, contents: &Contents, needed: &mut bool, missing: &mut bool) -> Step {
        let mut wrong = Vec::new();
        type Fits = fn(&fs::Metadata) -> bool;
        let kinds: [(&[String], Fits); 3] = [
            (&contents.dirs, fs::Metadata::is_dir),
            (&contents.files, |meta| !meta.is_symlink() && !meta.is_dir()),
            (&contents.links, fs::Metadata::is_symlink),
        ];
        for (names, fits) in kinds {
            for name in names {
                let path = normpath(&self.below(name.trim_start_matches('/')));
                match fs::symlink_metadata(&path) {
                    Ok(meta) if fits(&meta) => {}
                    Ok(_) => wrong.push(name.clone()),
                    Err(e) if e.kind() == ErrorKind::NotFound => (*needed, *missing) = (true, true),
                    // Below something that is no folder, which is told by itself.
                    Err(e) if e.kind() == ErrorKind::NotADirectory => {}
                    Err(e) => return self.fail(python_os_error(&e, &path)),
                }
            }
        }
        if wrong.is_empty() { Ok(()) } else { self.wrong_kinds(&wrong, needed) }
    }

    /// Some paths are of another kind.
    fn wrong_kinds(&mut self, wrong: &[String], needed: &mut bool) -> Step {
        let listed: Vec<String> = wrong.iter().map(|name| format!("- {name}")).collect();
        let listed = format!("\n\n{}", listed.join("\n"));
        let comment = format!(
            "The below paths (relative to {}) exist, but are the incorrect type (file instead of directory, symlink instead of file, \
             etc.).",
            self.folder
        );
        let (clean, parent) = (self.given.truthy("clean"), self.given.truthy("clean_parent"));
        if self.cx.test && clean {
            return self.end(
                None,
                format!(
                    "{comment} Since the 'clean' option is enabled, the destination paths would be cleared and the archive would be \
                     extracted.{listed}"
                ),
            );
        }
        if self.cx.test && parent {
            return self.end(
                None,
                format!(
                    "{comment} Since the 'clean_parent' option is enabled, the destination parent directory would be removed first and \
                     then re-created and the archive would be extracted"
                ),
            );
        }
        if clean {
            return Ok(());
        }
        if !self.given.truthy("force") {
            return self.fail(format!(
                "{comment} To proceed with extraction, set 'force' to True. Note that this will remove these paths before \
                 extracting.{listed}"
            ));
        }
        let mut errors = Vec::new();
        for name in wrong {
            let path = self.below(name);
            match remove(&path) {
                Ok(true) => {
                    self.removed(path);
                    *needed = true;
                }
                Ok(false) => {}
                Err(e) => errors.push(e),
            }
        }
        if errors.is_empty() {
            return Ok(());
        }
        self.fail(format!(
            "One or more paths existed by were the incorrect type (i.e. file instead of directory or vice-versa), but could not be \
             removed. The following errors were observed:\n{}",
            bulleted(&errors)
        ))
    }

    fn removed(&mut self, path: String) {
        let removed = self.ret.changes.entry_or("removed", || Value::List(Vec::new()));
        if let Value::List(removed) = removed {
            removed.push(path.into());
        }
    }

    /// Whether an archive of this machine has the checksum that it is to have.
    pub(super) fn check_sum(&mut self, source: &Source, sum: &Map) -> Step {
        if !source.is_local || !self.given.truthy("source_hash") || self.given.truthy("skip_verify") {
            return Ok(());
        }
        let wanted = sum.get("hsum").cloned().unwrap_or_default();
        let fits = self.call("file.check_hash", Args::positional([source.url.as_str().into(), wanted.clone()]))?;
        if fits.truthy() {
            return Ok(());
        }
        let url = without_login(&source.url);
        self.fail(format!("{url} does not match the desired source_hash {}", python_str(&wanted)))
    }

    /// Removes what is to go before.
    pub(super) fn clean(&mut self, contents: &Contents) -> Step {
        let folder = self.folder.clone();
        if self.given.truthy("clean_parent") {
            match remove(&folder) {
                Ok(true) => {
                    let text = format!("Directory {folder} was removed prior to the extraction");
                    self.ret.changes.entry_or("removed", || text.into());
                }
                Ok(false) => {}
                Err(e) => {
                    let text =
                        format!("Unable to remove the directory {folder}. The following errors were observed:\n\n- {e}");
                    return self.fail(text);
                }
            }
        }
        if !self.given.truthy("clean") {
            return Ok(());
        }
        let mut errors = Vec::new();
        for name in contents.top_dirs.iter().chain(&contents.top_files) {
            let path = self.below(name);
            match remove(&path) {
                Ok(true) => self.removed(path),
                Ok(false) => {}
                Err(e) => errors.push(e),
            }
        }
        if errors.is_empty() {
            return Ok(());
        }
        self.fail(format!(
            "One or more paths could not be cleaned. The following errors were observed:\n{}",
            bulleted(&errors)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_looked_through_for_the_one() {
        assert_eq!(strip_of("--strip-components=2"), Some(2));
        assert_eq!(strip_of("z --strip '1'"), Some(1));
        assert_eq!(strip_of("--strip-components \"3\" -v"), Some(3));
        assert_eq!(strip_of("--strippish=1"), None);
        assert_eq!(strip_of("xz"), None);
    }
}
