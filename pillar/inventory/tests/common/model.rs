//! A warehouse as plain data, made at random, and what Pallet Jack's rules make of it, written as literally and slowly as they are told.

use brine_testing::Random;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Kind and full name.
pub(crate) type Name = (String, String);

/// All of a warehouse.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Warehouse {
    pub(crate) pallets: BTreeMap<Name, Pallet>,
    pub(crate) transforms: Vec<Rule>,
}

/// One pallet; its place in the hierarchy is in its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pallet {
    pub(crate) boxes: BTreeMap<String, Map<String, Value>>,
    pub(crate) links: BTreeMap<String, Name>,
}

/// A key with its steps, each an operation with its parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) key: String,
    pub(crate) ops: Vec<(String, Value)>,
}

const KEYS: [&str; 4] = ["a", "b", "c", "d"];

/// A random warehouse without cycles: links lead to pallets that come before.
pub(crate) fn warehouse(random: &mut Random) -> Warehouse {
    let mut out = Warehouse::default();
    for _ in 0..random.below(12) + 1 {
        let name = new_name(random, &out);
        let pallet = pallet(random, &out, &name);
        out.pallets.insert(name, pallet);
    }
    out.transforms = (0..random.below(7)).map(|_| rule(random)).collect();
    out
}

fn new_name(random: &mut Random, so_far: &Warehouse) -> Name {
    loop {
        let leaf = format!("p{}", random.below(30));
        let within: Vec<&Name> = so_far.pallets.keys().collect();
        let name = match within.get(random.below(2 * within.len() + 1)) {
            Some((kind, parent)) => (kind.clone(), format!("{parent}/{leaf}")),
            None => (format!("k{}", random.below(3)), leaf),
        };
        if !so_far.pallets.contains_key(&name) {
            return name;
        }
    }
}

/// Links lead to pallets whose names come before that of the pallet, and of all it lies in: so no cycle can be made by later edits.
fn pallet(random: &mut Random, all: &Warehouse, own: &Name) -> Pallet {
    let mut out = Pallet::default();
    for n in 0..random.below(3) {
        out.boxes.insert(format!("b{n}.yaml"), mapping(random, 3));
    }
    let root = own.1.split('/').next().unwrap().to_owned();
    let before: Vec<&Name> =
        all.pallets.keys().filter(|name| **name < (own.0.clone(), root.clone())).collect();
    for _ in 0..random.below(4) {
        if !before.is_empty() {
            let target = before[random.below(before.len())].clone();
            out.links.insert(format!("l{}", random.below(4)), target);
        }
    }
    out
}

fn mapping(random: &mut Random, depth: usize) -> Map<String, Value> {
    let count = random.below(3) + 1;
    (0..count).map(|_| (KEYS[random.below(4)].to_owned(), value(random, depth - 1))).collect()
}

fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 4 } else { 8 }) {
        0 => json!(""),
        1..=3 => Value::String(format!("v{}", random.below(5))),
        4 => (0..random.below(3)).map(|_| value(random, depth - 1)).collect(),
        _ => Value::Object(mapping(random, depth)),
    }
}

fn path(random: &mut Random) -> String {
    if random.below(6) == 0 {
        return ["pallet.k0", "pallet.k1", "pallet.references.l1", "pallet.boxes"][random.below(4)]
            .to_owned();
    }
    let parts = (0..random.below(3) + 1).map(|_| KEYS[random.below(4)]);
    parts.collect::<Vec<_>>().join(".")
}

fn template(random: &mut Random) -> String {
    let mut out = String::new();
    for _ in 0..random.below(3) + 1 {
        match random.below(4) {
            0 => out.push_str(["x", "#[", "#", "]"][random.below(4)]),
            1 => out.push_str("lit"),
            _ => out.push_str(&format!("#[{}]", path(random))),
        }
    }
    out
}

fn rule(random: &mut Random) -> Rule {
    let ops = (0..random.below(3) + 1).map(|_| match random.below(8) {
        0 => ("inherit".to_owned(), json!("")),
        1 | 2 => ("concatenate".to_owned(), json!(",")),
        3 | 4 => {
            let groups = ["^(?<x>.)", "(?<y>[0-9]+)$", "^(?<x>v)(?<y>z)?", "nothing(?<x>.)"];
            let sources: Map<String, Value> = (0..random.below(2) + 1)
                .map(|n| (format!("s{n}"), json!({"key": path(random), "regexp": groups[random.below(4)]})))
                .collect();
            let produce = [json!("#[x]-#[y]"), json!(["#[x]#[y]", "only #[x]"]), json!(["#[y]", "const"])];
            let produce = produce[random.below(3)].clone();
            ("synthesize_regexp".to_owned(), json!({"sources": sources, "produce": produce}))
        }
        5 => ("synthesize".to_owned(), json!([template(random), template(random)])),
        _ => ("synthesize".to_owned(), json!(template(random))),
    });
    Rule { ops: ops.collect(), key: path(random) }
}

/// Changes something at random.
pub(crate) fn edit(random: &mut Random, warehouse: &mut Warehouse) {
    let names: Vec<Name> = warehouse.pallets.keys().cloned().collect();
    let add = names.is_empty() || random.once_in(10);
    let name = names.get(random.below(names.len().max(1))).cloned().unwrap_or_default();
    match random.below(9) {
        _ if add => {
            let name = new_name(random, warehouse);
            let new = pallet(random, warehouse, &name);
            warehouse.pallets.insert(name, new);
        }
        0 | 1 if names.len() > 2 => {
            let below = format!("{}/", name.1);
            let gone = |other: &Name| *other == name || other.0 == name.0 && other.1.starts_with(&below);
            warehouse.pallets.retain(|other, _| !gone(other));
            for pallet in warehouse.pallets.values_mut() {
                pallet.links.retain(|_, target| !gone(target));
            }
        }
        2 => warehouse.transforms = (0..random.below(4)).map(|_| rule(random)).collect(),
        3 | 4 => {
            let links = pallet(random, warehouse, &name).links;
            warehouse.pallets.get_mut(&name).unwrap().links = links;
        }
        _ => {
            let boxes = pallet(random, warehouse, &name).boxes;
            warehouse.pallets.get_mut(&name).unwrap().boxes = boxes;
        }
    }
}

impl Warehouse {
    /// Writes it, changing only what differs.
    pub(crate) fn write(&self, at: &Path) {
        let mut keep = vec![at.join("transforms.yaml")];
        put(&keep[0], &self.transforms_text());
        for ((kind, full_name), pallet) in &self.pallets {
            let folder = at.join(kind).join(full_name);
            fs::create_dir_all(&folder).unwrap();
            // Git keeps no empty folders.
            put(&folder.join("README"), "");
            keep.push(folder.join("README"));
            for (name, content) in &pallet.boxes {
                put(&folder.join(name), &Value::Object(content.clone()).to_string());
                keep.push(folder.join(name));
            }
            for (name, (kind, target)) in &pallet.links {
                let up = "../".repeat(full_name.matches('/').count() + 2);
                let (link, target) = (folder.join(name), format!("{up}{kind}/{target}"));
                if fs::read_link(&link).ok().as_deref() != Some(Path::new(&target)) {
                    let _ = fs::remove_file(&link);
                    symlink(target, &link).unwrap();
                }
                keep.push(link);
            }
        }
        sweep(at, &keep);
    }

    fn transforms_text(&self) -> String {
        let step = |(op, param): &(String, Value)| json!({ op: param });
        let rule = |rule: &Rule| json!({ &rule.key: rule.ops.iter().map(step).collect::<Vec<_>>() });
        Value::Array(self.transforms.iter().map(rule).collect()).to_string()
    }

    /// The view of every pallet.
    pub(crate) fn views(&self) -> BTreeMap<Name, Value> {
        let mut done = BTreeMap::new();
        for name in self.pallets.keys() {
            self.view(name, &mut done);
        }
        done
    }

    /// Pallets from which a pallet inherits directly, each with what the edge says, in the order in which they count.
    pub(crate) fn edges(&self, name: &Name) -> Vec<(Name, String)> {
        let links = self.pallets[name].links.iter().map(|(link, target)| (target.clone(), link.clone()));
        let parent = name.1.rsplit_once('/').map(|(parent, _)| (name.0.clone(), parent.to_owned()));
        links.chain(parent.map(|parent| (parent, "_parent".to_owned()))).collect()
    }

    fn view(&self, name: &Name, done: &mut BTreeMap<Name, Value>) -> Value {
        if let Some(view) = done.get(name) {
            return view.clone();
        }
        let mut inherited = json!({});
        for (parent, link) in self.edges(name) {
            merge(&mut inherited, &self.view(&parent, done));
            merge(&mut inherited, &json!({"pallet": {"references": {link: parent.1}}}));
        }
        let mut own = json!({});
        for content in self.pallets[name].boxes.values() {
            merge(&mut own, &Value::Object(content.clone()));
        }
        let leaf = name.1.rsplit('/').next().unwrap();
        let boxes: Vec<&String> = self.pallets[name].boxes.keys().collect();
        merge(&mut own, &json!({"pallet": {&name.0: leaf, "boxes": boxes}}));
        for rule in &self.transforms {
            transform(rule, &inherited, &mut own);
        }
        merge(&mut inherited, &own);
        done.insert(name.clone(), inherited.clone());
        inherited
    }
}

fn put(at: &Path, text: &str) {
    if fs::read_to_string(at).ok().as_deref() != Some(text) {
        fs::write(at, text).unwrap();
    }
}

/// Removes what is not to be kept.
fn sweep(at: &Path, keep: &[std::path::PathBuf]) {
    for entry in fs::read_dir(at).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.ends_with(".git") || keep.contains(&path) {
            continue;
        }
        if !entry.file_type().unwrap().is_dir() {
            fs::remove_file(&path).unwrap();
        } else if keep.iter().any(|kept| kept.starts_with(&path)) {
            sweep(&path, keep);
        } else {
            fs::remove_dir_all(&path).unwrap();
        }
    }
}

/// Deep in mappings; anything else is replaced whole.
fn merge(own: &mut Value, over: &Value) {
    match (own, over) {
        (Value::Object(own), Value::Object(over)) => {
            for (key, value) in over {
                match own.get_mut(key) {
                    Some(own) => merge(own, value),
                    None => {
                        own.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (own, over) => *own = over.clone(),
    }
}

fn lookup<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, key| value.as_object()?.get(key))
}

/// One rule on one pallet.
fn transform(rule: &Rule, inherited: &Value, own: &mut Value) {
    for (op, param) in &rule.ops {
        let mut view = inherited.clone();
        merge(&mut view, own);
        let local = lookup(own, &rule.key);
        let made = match &**op {
            "inherit" if lookup(&view, &rule.key).is_some() => return,
            "synthesize" if local.is_none() => synthesize(param, &|path| lookup(&view, path).map(to_s)),
            "synthesize_regexp" if local.is_none() => synthesize_regexp(param, &view),
            "concatenate" => local.and_then(Value::as_array).map(|items| join(items)),
            _ => None,
        };
        if let Some(made) = made {
            assign(own, &rule.key, made);
            return;
        }
    }
}

/// A value of the pallet's own in the way stays, and nothing is assigned.
fn assign(own: &mut Value, path: &str, made: String) {
    let (way, last) =
        path.rsplit_once('.').map_or((Vec::new(), path), |(way, last)| (way.split('.').collect(), last));
    let mut at = &*own;
    for key in &way {
        match at.get(key) {
            Some(inner) if inner.is_object() => at = inner,
            Some(_) => return,
            None => break,
        }
    }
    let mut at = own;
    for key in way {
        at = at.as_object_mut().unwrap().entry(key).or_insert(json!({}));
    }
    at.as_object_mut().unwrap().insert(last.to_owned(), Value::String(made));
}

fn synthesize(param: &Value, found: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let alternatives = param.as_array().cloned().unwrap_or_else(|| vec![param.clone()]);
    let shape = regex();
    alternatives.iter().find_map(|text| {
        let mut rest = text.as_str().unwrap();
        let mut out = String::new();
        while let Some(hit) = shape.captures(rest).unwrap() {
            let whole = hit.get(0).unwrap();
            out.push_str(&rest[..whole.start()]);
            out.push_str(&found(hit.get(1).unwrap().as_str())?);
            rest = &rest[whole.end()..];
        }
        Some(out + rest)
    })
}

fn regex() -> fancy_regex::Regex {
    fancy_regex::Regex::new(r"#\[([A-Za-z0-9._-]+)\]").unwrap()
}

fn synthesize_regexp(param: &Value, view: &Value) -> Option<String> {
    let mut captures: BTreeMap<String, Option<String>> = BTreeMap::new();
    for source in param["sources"].as_object().unwrap().values() {
        // A value that is no text makes Pallet Jack crash; here nothing is made.
        let text = lookup(view, source["key"].as_str().unwrap())?.as_str()?;
        let regexp = fancy_regex::Regex::new(source["regexp"].as_str().unwrap()).unwrap();
        if let Some(hit) = regexp.captures(text).unwrap() {
            for name in regexp.capture_names().flatten() {
                captures.insert(name.to_string(), hit.name(name).map(|m| m.as_str().to_owned()));
            }
        }
    }
    synthesize(&param["produce"], &|name| captures.get(name).cloned().flatten())
}

/// Ruby's `to_s`: that of a list or a mapping is its `inspect`.
fn to_s(value: &Value) -> String {
    value.as_str().map_or_else(|| inspect(value), str::to_owned)
}

fn inspect(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(inspect).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let pair = |(key, value): (&String, &Value)| format!("{key:?}=>{}", inspect(value));
            format!("{{{}}}", map.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        // No text here has anything to be escaped.
        other => other.to_string(),
    }
}

fn join(items: &[Value]) -> String {
    let text = |value: &Value| value.as_array().map_or_else(|| to_s(value), |items| join(items));
    items.iter().map(text).collect::<Vec<_>>().join(",")
}
