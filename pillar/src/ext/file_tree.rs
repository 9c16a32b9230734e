//! `file_tree`: folders as dicts and files as values, from `hosts/<id>` and from `nodegroups/<name>` of the groups the minion is in.

use super::normal::normal;
use super::{Asked, Source, known};
use brine_core::target::fnmatch;
use brine_core::{Map, Value};
use brine_python::{Args, Dict, Kind, Obj, PyErr, R, Signature, str, to_value, truth};
use brine_render::live::dictupdate::merge_recurse;
use brine_render::renderer::{Request, Template, compile_template};
use brine_render::template::Session;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use tracing::{debug, error};

pub(super) const SOURCE: Source = Source { name: "file_tree", run };

const SIGNATURE: Signature = Signature::new(
    "ext_pillar",
    2,
    &[
        "minion_id",
        "pillar",
        "root_dir",
        "follow_dir_links",
        "debug",
        "keep_newline",
        "render_default",
        "renderer_blacklist",
        "renderer_whitelist",
        "template",
    ],
    2,
);

/// How many bytes the files may have in all, how many files and folders there may be, and how deep: links can lead in circles.
const MOST_BYTES: u64 = 256 << 20;
const MOST_ENTRIES: usize = 200_000;
const DEEPEST: usize = 100;

/// What is done to each file.
struct Ways {
    follow: bool,
    /// Patterns of files that keep their last line end; all do where there are none.
    keep: Option<Vec<String>>,
    /// How files are rendered, if they are.
    template: Option<(Rc<Session>, String)>,
}

fn run(asked: &Asked<'_>, args: &Args) -> R {
    let a = SIGNATURE.bind(args)?;
    let nothing = || Ok(Obj::from(Dict::new()));
    let Some(root) = a.some(0).and_then(Obj::as_str).filter(|root| !root.is_empty()) else {
        error!("file_tree: no root_dir specified");
        return nothing();
    };
    let Some(dirs) = roots(asked, root)? else { return nothing() };
    let keep = match a.get(3) {
        None | Some(Obj::Bool(false)) => Some(Vec::new()),
        Some(Obj::Bool(true)) => None,
        Some(Obj::List(list)) => Some(list.borrow().iter().map(str).collect::<R<_>>()?),
        Some(_) => {
            error!(
                "file_tree: keep_newline must be either True/False or a list of file globs. Skipping this ext_pillar"
            );
            return nothing();
        }
    };
    let template = if matches!(a.at(7), Obj::Bool(true)) {
        let mut cx = asked.cx().clone();
        let opts = Arc::make_mut(&mut cx.opts).map_mut();
        opts.insert("renderer_blacklist", to_value(a.at(5))?);
        opts.insert("renderer_whitelist", to_value(a.at(6))?);
        let session = Session::of_pillar(&cx, asked.session.files.clone(), asked.session.pillar().clone());
        Some((session, a.at(4).as_str().unwrap_or_default().to_owned()))
    } else {
        None
    };
    let ways = Ways { follow: a.truth(1, false)?, keep, template };
    let mut all = Obj::from(Dict::new());
    let mut budget = Budget { bytes: MOST_BYTES, entries: MOST_ENTRIES };
    for dir in dirs {
        all = merge_recurse(&all, &of_root(asked, &dir, &ways, &mut budget)?, false)?;
    }
    Ok(all)
}

/// The folders that `root_dir` means: a relative one is under each of the pillar's roots.
fn roots(asked: &Asked<'_>, root: &str) -> R<Option<Vec<PathBuf>>> {
    if root.starts_with('/') {
        return Ok(Some(vec![PathBuf::from(root)]));
    }
    let Some(env) = asked.opts().get("pillarenv").filter(|env| !env.is_nil()) else {
        error!("file_tree: root_dir is relative but pillarenv is not set");
        return Ok(None);
    };
    let roots = asked.opts().get("pillar_roots").and_then(Value::as_map);
    let Some(of_env) = roots.and_then(|roots| roots.iter().find(|(k, _)| *k == env)).map(|(_, dirs)| dirs)
    else {
        error!("file_tree: root_dir is relative but no pillar_roots are specified for its pillarenv");
        return Ok(None);
    };
    let mut dirs: Vec<PathBuf> = Vec::new();
    for of_env in of_env.as_list().unwrap_or_default().iter().filter_map(Value::as_str) {
        let dir = normal(&Path::new(of_env).join(root));
        if dirs.last() != Some(&dir) {
            dirs.push(dir);
        }
    }
    Ok(Some(dirs))
}

fn of_root(asked: &Asked<'_>, root: &Path, ways: &Ways, budget: &mut Budget) -> R {
    debug!("file_tree: reading {}", root.display());
    let mut pillar = Obj::from(Dict::new());
    if !root.is_dir() {
        error!("file_tree: root_dir {} does not exist or is not a directory", root.display());
        return Ok(pillar);
    }
    let none = Map::new();
    let groups = asked.opts().get("nodegroups").and_then(Value::as_map).unwrap_or(&none);
    let folder = root.join("nodegroups");
    if folder.exists() && !groups.is_empty() {
        for name in names(&folder)? {
            let Some(group) = groups.get(&name) else { continue };
            if known::is_in(asked, groups, group)? {
                pillar = merge_recurse(&pillar, &tree(&folder.join(name), ways, budget)?, false)?;
            }
        }
    }
    if asked.id.contains('/') || matches!(asked.id, "" | "." | "..") {
        return Err(PyErr::value("the minion's id is no name of a folder"));
    }
    let host = root.join("hosts").join(asked.id);
    if !host.exists() {
        return Ok(pillar);
    }
    if !host.is_dir() {
        error!("file_tree: {} exists, but is not a directory", host.display());
        return Ok(pillar);
    }
    merge_recurse(&pillar, &tree(&host, ways, budget)?, false)
}

struct Budget {
    bytes: u64,
    entries: usize,
}

impl Budget {
    fn entry(&mut self) -> R<()> {
        let left = self.entries.checked_sub(1);
        self.entries = left.ok_or_else(|| PyErr::new(Kind::Limit, "too many files, or links in a circle"))?;
        Ok(())
    }
}

/// The names in a folder, sorted, without those that are no text.
fn names(folder: &Path) -> R<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => {
            error!("file_tree: Error reading {}: {e}", folder.display());
            return Ok(Vec::new());
        }
    };
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn tree(top: &Path, ways: &Ways, budget: &mut Budget) -> R {
    let pillar = Dict::new();
    folder(top, "", &pillar, ways, budget, 0)?;
    Ok(pillar.into())
}

/// Puts what is in a folder into a dict: folders first, then files, as stock does.
fn folder(at: &Path, prefix: &str, into: &Dict, ways: &Ways, budget: &mut Budget, depth: usize) -> R<()> {
    if depth > DEEPEST {
        return Err(PyErr::new(Kind::Limit, "folders are nested too deep, or links go in a circle"));
    }
    let (mut dirs, mut files) = (Vec::new(), Vec::new());
    for name in names(at)? {
        budget.entry()?;
        let path = at.join(&name);
        if path.is_dir() { dirs.push((name, path)) } else { files.push((name, path)) }
    }
    let mut inner = Vec::new();
    for (name, path) in dirs {
        let dict = Rc::new(Dict::new());
        into.set(Obj::str(&name), Obj::Dict(dict.clone()))?;
        if ways.follow || !path.is_symlink() {
            inner.push((name, path, dict));
        }
    }
    for (name, path) in files {
        if !path.is_file() {
            error!("file_tree: {}: not a regular file", path.display());
            continue;
        }
        let size = path.metadata().map_or(0, |meta| meta.len());
        let left = budget.bytes.checked_sub(size);
        budget.bytes = left.ok_or_else(|| PyErr::new(Kind::Limit, "files are too large"))?;
        match std::fs::read(&path) {
            Ok(contents) => drop(into.set(Obj::str(&name), value(contents, prefix, &name, ways)?)?),
            Err(e) => error!("file_tree: Error reading {}: {e}", path.display()),
        }
    }
    for (name, path, dict) in inner {
        let prefix = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        folder(&path, &prefix, &dict, ways, budget, depth + 1)?;
    }
    Ok(())
}

fn value(mut contents: Vec<u8>, prefix: &str, name: &str, ways: &Ways) -> R {
    let path = if prefix.is_empty() { format!("./{name}") } else { format!("{prefix}/{name}") };
    let cut = ways.keep.as_ref().is_some_and(|keep| !keep.iter().any(|pattern| fnmatch(&path, pattern)));
    if cut && contents.last() == Some(&b'\n') {
        contents.pop();
    }
    let Some((session, pipe)) = &ways.template else { return Ok(Obj::bytes(contents)) };
    let text = brine_python::decode_utf8(contents)?;
    // A file that holds nothing is rendered to nothing.
    if !truth(&Obj::str(text.trim()))? {
        return Ok(Dict::new().into());
    }
    let request = Request::new(Template::Text(&text), pipe);
    Ok(session.enter(|| compile_template(session, &request))?.data.into_value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_plain() {
        assert_eq!(normal(Path::new("/srv/./pillar/../tree")), Path::new("/srv/tree"));
    }
}
