//! `stack`: YAML files that configuration files list, each file's data merged over those before it in the way it says under `__`.

mod merge;

use super::normal::normal;
use super::{Asked, Source};
use brine_python::{Args, Dict, Kind, Obj, Object, PyErr, R, Signature, contains, is_line_end, str};
use brine_render::config::glob;
use brine_render::filters::{find, traverse};
use brine_render::template::Folder;
use std::path::{Path, PathBuf};
use tracing::info;

pub(super) const SOURCE: Source = Source { name: "stack", run };

fn run(asked: &Asked<'_>, args: &Args) -> R {
    let mut files = args.pos.clone();
    let opts = asked.opts();
    let env = ["pillarenv", "saltenv"].into_iter().find_map(|key| opts.get(key).filter(|env| env.truthy()));
    let env = env.map_or_else(|| Obj::str("base"), Obj::from);
    for (name, choices) in &args.kw {
        for file in chosen(asked, name, choices, &env)? {
            let Some(file) = file.as_str() else { return Err(PyErr::attribute(&file, "replace")) };
            files.push(Obj::str(file.replace("__env__", &str(&env)?)));
        }
    }
    let mut stack = Obj::from(Dict::new());
    for file in files {
        // What is no text is no file.
        let Some(file) = file.as_str() else { continue };
        if !Path::new(file).is_file() {
            info!("Ignoring pillar stack cfg \"{file}\": file does not exist");
            continue;
        }
        stack = configured(asked, file, stack)?;
    }
    Ok(stack)
}

/// The files that a condition like `grains:os` chooses.
fn chosen(asked: &Asked<'_>, name: &str, choices: &Obj, env: &Obj) -> R<Vec<Obj>> {
    let Some((kind, key)) = name.split_once(':') else {
        return Err(PyErr::value("not enough values to unpack (expected 2, got 1)"));
    };
    let mut choices = choices.clone();
    if contains(&choices, &Obj::str("__env__"))? {
        let Obj::Dict(given) = &choices else { return Err(PyErr::attribute(&choices, "items")) };
        let renamed = Dict::new();
        for (choice, files) in given.pairs() {
            let choice = if choice.as_str() == Some("__env__") { env.clone() } else { choice };
            renamed.set(choice, files)?;
        }
        choices = renamed.into();
    }
    let data = match kind {
        "pillar" => asked.pillar.clone(),
        "grains" => asked.session.grains().clone(),
        "opts" => asked.template_opts(),
        _ => {
            let text = format!(
                "Unknown traverse option \"{kind}\", should be one of dict_keys(['pillar', 'grains', 'opts'])"
            );
            return Err(PyErr::new(Kind::Other("Exception"), text));
        }
    };
    let value = find(&data, &Obj::str(key), None)?.unwrap_or_default();
    let Obj::Dict(choices) = &choices else { return Err(PyErr::attribute(&choices, "get")) };
    match choices.get(&value)? {
        None => Ok(Vec::new()),
        Some(Obj::List(files)) => Ok(files.borrow().clone()),
        Some(one) => Ok(vec![one]),
    }
}

/// Merges what one configuration file lists over the stack.
fn configured(asked: &Asked<'_>, file: &str, mut stack: Obj) -> R {
    let (folder, name) = file.rsplit_once('/').map_or(("", file), |(folder, name)| (folder, name));
    let own = Dict::new();
    own.set_str("traverse", Obj::other(Traverse));
    own.set_str("cfg_path", Obj::str(file));
    let pillarenv = asked.opts().get("pillarenv").map_or(Obj::None, Obj::from);
    let globals = vec![
        ("__opts__", asked.template_opts()),
        ("__stack__", own.into()),
        ("minion_id", Obj::str(asked.id)),
        ("pillar", asked.pillar.clone()),
        ("pillarenv", pillarenv),
    ];
    let templates = Folder::new(
        asked.session,
        if folder.is_empty() && file.starts_with('/') { "/" } else { folder },
        globals,
        true,
    );
    let listed = templates.render(name, &[("stack", stack.clone())])?;
    for item in lines(&listed)? {
        let Some(item) = item.as_str() else { return Err(PyErr::attribute(&item, "strip")) };
        if item.trim().is_empty() {
            continue;
        }
        let mut paths = glob(&Path::new(folder).join(item));
        paths.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
        if paths.is_empty() {
            info!("Ignoring pillar stack template \"{item}\": can't find from root dir \"{folder}\"");
        }
        for path in paths {
            let shown = path.display();
            let rendered = relative(&path, Path::new(folder)).and_then(|name| {
                templates.render(&name, &[("stack", stack.clone()), ("ymlpath", Obj::str(shown.to_string()))])
            });
            let text = rendered.map_err(|e| {
                let text = format!("Stack pillar template render error in {shown}:\n\"{e}\"");
                PyErr::new(Kind::Other("Exception"), text)
            })?;
            // Stock shows all of the text, which may hold secrets.
            let data = brine_render::yaml::load_obj(&text, "<unicode string>").map_err(|e| {
                let text = format!("Stack pillar yaml parsing error in {shown}:\n{e}");
                PyErr::new(Kind::Other("Exception"), text)
            })?;
            if let Obj::Dict(data) = data {
                stack = merge::dicts(&stack, &data)?;
            }
        }
    }
    Ok(stack)
}

/// What a configuration file lists: the members of a list in YAML, or its lines.
fn lines(text: &str) -> R<Vec<Obj>> {
    if let Ok(Obj::List(list)) = brine_render::yaml::load_obj(text, "<unicode string>") {
        return Ok(list.borrow().clone());
    }
    Ok(text.replace("\r\n", "\n").split_terminator(is_line_end).map(Obj::str).collect())
}

/// The name of a file for the loader of templates, which does not leave its folder.
fn relative(path: &Path, folder: &Path) -> R<String> {
    let (path, folder) = (normal(path), normal(folder));
    if let Ok(inside) = path.strip_prefix(&folder) {
        return Ok(inside.to_string_lossy().into_owned());
    }
    let shared = path.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    let mut name = "../".repeat(folder.components().count() - shared);
    name.push_str(&path.components().skip(shared).collect::<PathBuf>().to_string_lossy());
    Err(PyErr::new(Kind::Other("TemplateNotFound"), name))
}

/// `__stack__['traverse']`
struct Traverse;

impl Object for Traverse {
    fn type_name(&self) -> &str {
        "function"
    }

    fn callable(&self) -> bool {
        true
    }

    fn repr(&self) -> R<Option<String>> {
        Ok(Some("<function traverse_dict_and_list>".into()))
    }

    fn call(&self, _me: &Obj, args: &Args) -> R<Option<Obj>> {
        const SIGNATURE: Signature =
            Signature::new("traverse_dict_and_list", 0, &["data", "key", "default", "delimiter"], 2);
        let a = SIGNATURE.bind(args)?;
        traverse(a.at(0), a.at(1), a.at(2), a.get(3)).map(Some)
    }
}
