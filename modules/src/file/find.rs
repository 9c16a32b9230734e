//! `file.find`: the paths below one that meet some criteria.

use super::find_options::Options;
use crate::python::path::{expanduser, join, split};
use brine_core::call::{Cx, KwArgs, Result, VarArgs, exec};
use brine_core::text::python_str;
use brine_core::Value;
use brine_render::config::glob;
use std::fs;
use std::path::Path;

/// The paths below a path (or those that a shell pattern names) that meet criteria: `name`, `iname`, `regex`, `iregex`, `type`,
/// `owner`, `group`, `size`, `mtime`, `grep`, `mindepth`, `maxdepth`. What is done with them is `print` (of `group`, `md5`,
/// `mode`, `mtime`, `name`, `path`, `size`, `type` or `user`), `delete` or `exec`.
///
/// CLI Example: salt '*' file.find /var mtime=+30d size=+10m print=path,size,mtime
#[exec]
pub(super) fn find(cx: &Cx, path: String, args: VarArgs, kwargs: KwArgs) -> Result {
    let mut given = kwargs.0;
    let said = |word: &str| args.0.iter().any(|arg| arg.as_str() == Some(word));
    if said("delete") {
        given.insert("delete", "f");
    } else if said("print") {
        given.insert("print", "path");
    }
    let options = match Options::new(&given) {
        Ok(options) => options,
        Err(text) => return Ok(format!("error: {text}").into()),
    };
    let mut found = Vec::new();
    for start in glob(Path::new(&expanduser(&path))) {
        let start = start.to_string_lossy().into_owned();
        if options.mindepth < 1 {
            check(cx, &options, &start, &mut found);
        }
        if fs::symlink_metadata(&start).is_ok_and(|meta| !meta.is_symlink() || Path::new(&start).is_dir()) {
            below(cx, &options, &start, 1, &mut found)?;
        }
    }
    found.sort_by(in_order);
    Ok(found.into())
}

/// Texts by themselves, lists by their members.
fn in_order(a: &Value, b: &Value) -> std::cmp::Ordering {
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            let first = a.iter().zip(b).map(|(a, b)| in_order(a, b)).find(|o| o.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (a, b) => python_str(a).cmp(&python_str(b)),
    }
}

/// A folder and what is below it; links to folders are not followed.
fn below(cx: &Cx, options: &Options, dir: &str, depth: i128, found: &mut Vec<Value>) -> Result<()> {
    cx.cancel.check()?;
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    let deep_enough = depth >= options.mindepth && options.maxdepth.is_none_or(|most| most >= depth);
    let mut dirs = Vec::new();
    for entry in entries.flatten() {
        let path = join(dir, &[entry.file_name().to_string_lossy()]);
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            dirs.push(path.clone());
        }
        if deep_enough {
            check(cx, options, &path, found);
        }
    }
    // As deep as the system's own paths go.
    if options.maxdepth.is_none_or(|most| most >= depth) && depth < 2048 {
        for dir in dirs {
            below(cx, options, &dir, depth + 1, found)?;
        }
    }
    Ok(())
}

fn check(cx: &Cx, options: &Options, path: &str, found: &mut Vec<Value>) {
    let Ok(meta) = fs::metadata(path).or_else(|_| fs::symlink_metadata(path)) else { return };
    let name = split(path).1;
    if options.criteria.iter().all(|criterion| criterion.holds(name, path, &meta)) {
        found.extend(options.actions.iter().filter_map(|action| action.run(cx, path, &meta, options.test)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::call::{Args, Registry};
    use brine_core::host::NoHost;
    use brine_core::Opts;
    use std::sync::Arc;

    #[test]
    fn paths_are_found_by_what_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_string_lossy().into_owned();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        for (name, text) in [("a/one.txt", "x"), ("a/b/two.txt", "needle"), ("three.bin", "")] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let registry = Arc::new(Registry::new(crate::ALL.iter().copied()));
        let cx = Cx::new(Arc::new(Opts::default()), registry, Arc::new(NoHost));
        let find = |pairs: &[(&str, &str)]| {
            let mut args = Args::positional([root.as_str()]);
            for (key, value) in pairs {
                args = args.with(key, *value);
            }
            match cx.call("file.find", args).unwrap() {
                Value::List(list) => {
                    list.iter().map(|v| python_str(v).trim_start_matches(&root).to_owned()).collect::<Vec<_>>()
                }
                other => vec![python_str(&other)],
            }
        };
        assert_eq!(find(&[("type", "d")]), ["", "/a", "/a/b"]);
        assert_eq!(find(&[("name", "*.txt")]), ["/a/b/two.txt", "/a/one.txt"]);
        assert_eq!(find(&[("grep", "need")]), ["/a/b/two.txt"]);
        assert_eq!(find(&[("size", "1"), ("type", "f")]), ["/a/one.txt"]);
        assert_eq!(find(&[("name", "T*"), ("print", "name,size")]), Vec::<String>::new());
        assert_eq!(find(&[("iname", "T*"), ("print", "name")]), ["three.bin", "two.txt"]);
        assert_eq!(find(&[("bogus", "x")]), ["error: invalid option \"bogus\""]);
        assert_eq!(find(&[("name", "two*"), ("delete", "f")]), ["/a/b/two.txt"]);
        assert!(!dir.path().join("a/b/two.txt").exists());
        let depth = cx.call("file.find", Args::positional([root.as_str()]).with("maxdepth", 1).with("mindepth", 1));
        assert_eq!(depth.unwrap().as_list().unwrap().len(), 2);
    }
}
