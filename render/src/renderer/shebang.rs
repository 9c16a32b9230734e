//! Which renderers a file asks for: its first line, or the default, as a list of stages.

use super::{Renderer, find};
use brine_core::{Opts, Value};
use brine_python::{Kind, PyErr, R};
use tracing::{error, warn};

/// Names from before there were pipelines.
const OLD_STYLE: &[(&str, &str)] = &[
    ("yaml_jinja", "jinja|yaml"),
    ("yaml_mako", "mako|yaml"),
    ("yaml_wempy", "wempy|yaml"),
    ("json_jinja", "jinja|json"),
    ("json_mako", "mako|json"),
    ("json_wempy", "wempy|json"),
    ("yamlex_jinja", "jinja|yamlex"),
    ("yamlexyamlex_mako", "mako|yamlexyamlex"),
    ("yamlexyamlex_wempy", "wempy|yamlexyamlex"),
];

/// One stage of a pipeline.
pub struct Stage {
    /// The renderer.
    pub renderer: &'static Renderer,
    /// What stands after its name.
    pub argline: String,
}

/// The stages of a text like `jinja|yaml -o`; none if one of them does not exist. Those that `renderer_blacklist` and
/// `renderer_whitelist` do not allow are left out.
pub fn check_render_pipe_str(pipe: &str, opts: &Opts) -> Vec<Stage> {
    let old = OLD_STYLE.iter().find(|(name, _)| *name == pipe).map(|(_, new)| *new);
    let mut stages = Vec::new();
    for part in old.unwrap_or(pipe).split('|').map(|p| p.trim_matches(super::data::space)) {
        let (name, argline) = part.split_once(' ').unwrap_or((part, ""));
        if !allowed(name, opts) {
            warn!("The renderer \"{name}\" is disallowed by configuration and will be skipped.");
            continue;
        }
        let Some(renderer) = find(name) else {
            error!("The renderer \"{pipe}\" is not available");
            return Vec::new();
        };
        stages.push(Stage { renderer, argline: argline.trim().to_owned() });
    }
    stages
}

/// Whether the options let a renderer be used.
fn allowed(name: &str, opts: &Opts) -> bool {
    let names = |key: &str| opts.get(key).filter(|v| v.truthy());
    names("renderer_whitelist").is_none_or(|list| lists(list, name))
        && !names("renderer_blacklist").is_some_and(|list| lists(list, name))
}

/// Python's `name in list`; in a text it is what stands anywhere in it.
fn lists(list: &Value, name: &str) -> bool {
    match list {
        Value::Str(text) => text.contains(name),
        Value::Map(map) => map.contains(name),
        Value::List(items) => items.iter().any(|item| item.as_str() == Some(name)),
        _ => false,
    }
}

/// Whether the option `renderer` can be used at all: what is asked before anything is rendered.
///
/// # Errors
/// `LoaderError`, in stock's words.
pub fn check(opts: &Opts) -> R<()> {
    let renderer = default_pipe(opts);
    if check_render_pipe_str(&renderer, opts).is_empty() {
        let text = format!(
            "The renderer {renderer} is unavailable, this error is often because the needed software is unavailable"
        );
        error!("{text}");
        return Err(PyErr::new(Kind::Other("LoaderError"), text));
    }
    Ok(())
}

/// The option `renderer`: the pipeline of files that name none.
pub fn default_pipe(opts: &Opts) -> String {
    opts.get("renderer").and_then(Value::as_str).unwrap_or("jinja|yaml").to_owned()
}

/// The pipeline that a first line names; `None` for any other line.
pub(super) fn named(line: &str) -> Option<&str> {
    let pipe = line.strip_prefix("#!")?;
    if pipe.starts_with('/') { None } else { Some(pipe.trim_end_matches(super::data::space)) }
}
