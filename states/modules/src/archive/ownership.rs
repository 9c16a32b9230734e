//! Whose the unpacked files are.

use super::{Contents, Extracted, Step};
use brine_core::Value;
use brine_core::call::Args;
use brine_core::state::Outcome;
use brine_core::text::python_str;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

/// What could not be given to anybody.
#[derive(Default)]
pub(super) struct Left {
    missing: Vec<String>,
    failed: Vec<String>,
}

impl Extracted<'_> {
    /// Gives files and folders to user and group, or says that it would.
    pub(super) fn ownership(&mut self, contents: &Contents) -> Step<Left> {
        let mut left = Left::default();
        let owners: Vec<&str> = ["user", "group"].into_iter().filter(|key| self.given.truthy(key)).collect();
        if owners.is_empty() {
            return Ok(left);
        }
        let (mut dirs, mut others) = (contents.top_dirs.clone(), contents.top_files.clone());
        others.extend(contents.top_links.iter().cloned());
        if let Some(only) = self.given.set_to("enforce_ownership_on").map(python_str) {
            (dirs, others) = (Vec::new(), Vec::new());
            if Path::new(&only).is_dir() { dirs.push(only) } else { others.push(only) }
        }
        for name in dirs {
            let path = self.below(&name);
            if !Path::new(&path).is_dir() {
                if !self.cx.test {
                    left.missing.push(path);
                }
                continue;
            }
            let args = Args::positional([path.as_str()])
                .with("user", self.given.value("user"))
                .with("group", self.given.value("group"))
                .with("recurse", owners.clone());
            let done = self.cx.call_state("file.directory", args)?;
            if done.get("changes").is_some_and(Value::truthy) {
                self.ret.changes.insert("updated ownership", true);
            }
            if !done.get("result").is_some_and(Value::truthy) {
                left.failed.push(path);
            }
        }
        for name in others {
            self.give(&name, &mut left);
        }
        Ok(left)
    }

    fn give(&mut self, name: &str, left: &mut Left) {
        let path = self.below(name);
        let meta = match fs::symlink_metadata(&path) {
            Ok(meta) => meta,
            Err(_) if self.cx.test => return,
            Err(e) => {
                if e.kind() == ErrorKind::NotFound {
                    left.missing.push(path.clone());
                }
                left.failed.push(path);
                return;
            }
        };
        let other = |wanted: Option<u32>, is: u32| wanted.is_some_and(|wanted| wanted != is);
        if !other(self.uid, meta.uid()) && !other(self.gid, meta.gid()) {
            return;
        }
        if self.cx.test || lchown(&path, self.uid, self.gid).is_ok() {
            self.ret.changes.insert("updated ownership", true);
        } else {
            left.failed.push(name.to_owned());
        }
    }
}

/// Says what could not be given to anybody. `by_mark`: a path decides whether to unpack, so that something may be missing.
pub(super) fn tell(ret: &mut Outcome, left: &Left, by_mark: bool) {
    let mut comment = python_str(&ret.comment);
    let listed = |items: &[String]| -> String { items.iter().map(|item| format!("\n- {item}")).collect() };
    if !left.missing.is_empty() {
        if !by_mark {
            ret.result = Some(false);
        }
        comment += "\n\nWhile trying to enforce user/group ownership, the following paths were missing:\n";
        comment += &listed(&left.missing);
    }
    if !left.failed.is_empty() {
        ret.result = Some(false);
        comment +=
            "\n\nWhile trying to enforce user/group ownership, Salt was unable to change ownership on the following paths:\n";
        comment += &listed(&left.failed);
    }
    ret.comment = comment.into();
}
