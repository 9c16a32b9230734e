//! Which classes a node has, in what order, and what they hold.

use super::super::Asked;
use brine_python::{Args, Dict, Kind, Obj, PyErr, R, call_method, contains, eq, getitem, setitem, truth};
use brine_render::config::glob;
use brine_render::live::dictupdate::deepcopy;
use brine_render::template::Folder;
use std::path::{Path, PathBuf};

/// How deep classes may be within each other, and folders; links can lead in circles.
const DEEPEST: usize = 100;

/// A folder with `nodes` and `classes`.
pub(super) struct Tree<'a> {
    pub(super) asked: &'a Asked<'a>,
    pub(super) path: &'a Path,
}

/// What the classes of a node make together.
pub(super) struct Found {
    /// Their pillars, under the key `pillars`.
    pub(super) pillars: Dict,
    /// The names of the classes.
    pub(super) classes: Vec<Obj>,
    /// The names of states, each once.
    pub(super) states: Vec<Obj>,
    pub(super) environment: Obj,
}

fn text(key: &str) -> Obj {
    Obj::str(key)
}

/// Python's `value.get(key, {})`.
fn get(value: &Obj, key: &str) -> R {
    call_method(value, "get", &Args::of([text(key), Dict::new().into()]))
}

impl Tree<'_> {
    pub(super) fn of_minion(&self) -> R<Found> {
        let node = match self.node(&self.path.join("nodes"), 0) {
            Some(file) => self.read(&file)?,
            None => {
                tracing::warn!("{}: Node definition not found", self.asked.id);
                Dict::new().into()
            }
        };
        merge(self.asked.pillar, &get(&deepcopy(&node)?, "pillars")?, 0)?;
        let mut all = self.expand(&node, &mut Vec::new(), Vec::new(), 0)?;
        if truth(&node)? {
            match all.iter_mut().find(|(name, _)| name == self.asked.id) {
                Some(class) => class.1 = node,
                None => all.push((self.asked.id.to_owned(), node)),
            }
        }
        let pillars = Dict::new();
        let (mut listed, mut environment) = (Vec::new(), Obj::str(""));
        let merged = Obj::from(pillars);
        for (_, class) in &all {
            if contains(class, &text("pillars"))? {
                merge(&merged, class, 0)?;
            }
            if contains(class, &text("states"))? {
                listed.extend(getitem(class, &text("states"))?.items()?);
            }
            if contains(class, &text("environment"))? {
                environment = getitem(class, &text("environment"))?;
            }
        }
        let mut states: Vec<Obj> = Vec::new();
        for state in listed {
            if !contains(&Obj::list(states.clone()), &state)? {
                states.push(state);
            }
        }
        let count = all.len().saturating_sub(1);
        let classes = all.iter().take(count).map(|(name, _)| text(name)).collect();
        let pillars = Dict::new();
        pillars.update(&merged)?;
        Ok(Found { pillars, classes, states, environment })
    }

    /// The node's file, wherever it is below a folder; the last of several.
    fn node(&self, folder: &Path, depth: usize) -> Option<PathBuf> {
        let name = format!("{}.yml", self.asked.id);
        if depth > DEEPEST || name.contains('/') {
            return None;
        }
        let mut found = Some(folder.join(&name)).filter(|file| file.exists() && !file.is_dir());
        let mut folders: Vec<PathBuf> = std::fs::read_dir(folder)
            .ok()?
            .filter_map(|e| Some(e.ok()?.path()))
            .filter(|p| p.is_dir())
            .collect();
        folders.sort();
        for inner in folders {
            found = self.node(&inner, depth + 1).or(found);
        }
        found
    }

    /// The data of a file that is a template.
    fn read(&self, file: &Path) -> R {
        let parts = file.parent().zip(file.file_name());
        let (folder, name) = parts.ok_or_else(|| PyErr::new(Kind::Other("OSError"), "no file"))?;
        let globals = vec![
            ("__opts__", self.asked.template_opts()),
            ("__pillar__", self.asked.pillar.clone()),
            ("minion_id", text(self.asked.id)),
        ];
        let folder = folder.to_string_lossy();
        let rendered =
            Folder::new(self.asked.session, &folder, globals, false).render(&name.to_string_lossy(), &[])?;
        brine_render::yaml::load_obj(&rendered, "<unicode string>").map_err(|e| {
            tracing::error!("{} is no YAML", file.display());
            PyErr::new(Kind::Other("YAMLError"), e.to_string())
        })
    }

    /// The places where a class may be: its own name, its folders, the `init` in its folder.
    fn places(&self, class: &str) -> [PathBuf; 3] {
        let classes = self.path.join("classes");
        let folders = class.replace('.', "/");
        [
            classes.join(format!("{class}.yml")),
            classes.join(format!("{folders}.yml")),
            classes.join(folders).join("init.yml"),
        ]
    }

    /// Classes with patterns replaced by what is there, each once.
    fn globbed(&self, classes: &Obj) -> R<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        let top = self.path.join("classes");
        for class in classes.items()? {
            let Some(class) = class.as_str() else { return Err(PyErr::attribute(&class, "replace")) };
            let found: Vec<PathBuf> = self.places(class).iter().flat_map(|place| glob(place)).collect();
            if found.is_empty() {
                tracing::warn!("{class}: Class globbing did not yield any results");
            }
            for file in found {
                let Ok(inside) = file.strip_prefix(&top) else { continue };
                let inside = inside.to_string_lossy();
                let name = inside.strip_suffix(".yml").unwrap_or(&inside).replace('/', ".");
                let name = name.strip_suffix(".init").unwrap_or(&name).to_owned();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }

    /// What a class holds.
    fn class(&self, class: &str) -> R {
        // A part without a name, or `..`, is no folder below.
        for place in self.places(class) {
            let inside =
                place.strip_prefix(self.path.join("classes")).ok().and_then(Path::to_str).unwrap_or("..");
            let named = inside.split('/').all(|part| !matches!(part, "" | "." | ".."));
            if named && place.exists() && !place.is_dir() {
                return self.read(&place);
            }
        }
        tracing::warn!("{class}: Class definition not found");
        Ok(Dict::new().into())
    }

    /// Classes with those that they name before them.
    fn expand(
        &self,
        node: &Obj,
        seen: &mut Vec<String>,
        given: Vec<Obj>,
        depth: usize,
    ) -> R<Vec<(String, Obj)>> {
        if depth > DEEPEST {
            return Err(PyErr::recursion(""));
        }
        let mut wanted = Obj::list(given);
        if !truth(&wanted)? && contains(node, &text("classes"))? {
            wanted = getitem(node, &text("classes"))?;
        }
        let mut expanded: Vec<(String, Obj)> = Vec::new();
        for name in self.globbed(&wanted)? {
            if seen.contains(&name) {
                continue;
            }
            seen.push(name.clone());
            let mut data = self.class(&name)?;
            if matches!(data, Obj::None) {
                data = Dict::new().into();
            }
            let pillars = get(&data, "pillars")?;
            if truth(&pillars)? {
                merge(self.asked.pillar, &pillars, 0)?;
            }
            let mut own = Vec::new();
            if contains(&data, &text("classes"))? {
                let inner = getitem(&data, &text("classes"))?.items()?;
                own = self.expand(&Dict::new().into(), seen, inner, depth + 1)?;
            }
            own.retain(|(n, _)| *n != name);
            own.push((name, data));
            for (name, data) in own {
                match expanded.iter_mut().find(|(n, _)| *n == name) {
                    Some(before) => before.1 = data,
                    None => expanded.push((name, data)),
                }
            }
        }
        Ok(expanded)
    }
}

/// Merges `over` into `into`, in place: lists are put behind each other, or replaced where the new one begins with `^`.
pub(super) fn merge(into: &Obj, over: &Obj, depth: usize) -> R<()> {
    if depth > DEEPEST {
        return Err(PyErr::recursion(""));
    }
    for key in over.items()? {
        let new = getitem(over, &key)?;
        let first_says =
            |list: &brine_python::List| matches!(list.borrow().first().and_then(Obj::as_str), Some("^"));
        if contains(into, &key)? {
            let old = getitem(into, &key)?;
            match (&old, &new) {
                (Obj::List(before), Obj::List(list)) => {
                    if list.borrow().is_empty() {
                        return Err(PyErr::new(Kind::IndexError, "list index out of range"));
                    }
                    if first_says(list) {
                        list.borrow_mut().remove(0);
                        setitem(into, &key, new.clone())?;
                    } else {
                        let more = list.borrow().clone();
                        before.borrow_mut().extend(more);
                    }
                }
                (Obj::Dict(_), Obj::Dict(_)) => merge(&old, &new, depth + 1)?,
                _ if eq(&old, &new)? => {}
                _ => setitem(into, &key, new)?,
            }
            continue;
        }
        let new = match &new {
            Obj::List(list) if first_says(list) => Obj::list(list.borrow()[1..].to_vec()),
            Obj::Dict(_) => {
                let inner = Obj::from(Dict::new());
                setitem(into, &key, inner.clone())?;
                merge(&inner, &new, depth + 1)?;
                continue;
            }
            _ => new,
        };
        setitem(into, &key, new)?;
    }
    Ok(())
}
