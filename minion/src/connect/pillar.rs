//! Asking a master for this minion's pillar: the request as stock words it, and what may come back.

use super::link::{MasterLink, RequestFailed};
use brine_core::{Map, Opts, Value, map};
use std::time::Duration;

/// What a pillar is asked for with, beside grains and options.
#[derive(Clone, Debug, Default)]
pub struct PillarWish {
    /// Instead of the option `saltenv`.
    pub saltenv: Option<String>,
    /// Instead of the option `pillarenv`.
    pub pillarenv: Option<String>,
    /// Merged over the pillar, for this one time.
    pub over: Option<Map>,
    /// One more source of external pillar.
    pub ext: Option<Value>,
    /// Ask the master to forget what it cached.
    pub clean_cache: bool,
}

/// Why there is no pillar.
#[derive(Debug, thiserror::Error)]
pub enum PillarFailed {
    /// No usable reply.
    #[error("{0}")]
    Request(#[from] RequestFailed),
    /// A reply that is no pillar.
    #[error("Got a bad pillar from master, expecting dict")]
    NoMap,
    /// This machine's own, with `file_client: local`, could not be compiled.
    #[error("{0}")]
    Local(String),
}

/// The `_pillar` load.
pub fn load(opts: &Opts, grains: &Map, wish: PillarWish) -> Map {
    let env = |name: &str| opts.get(name).cloned().unwrap_or_default();
    let saltenv = wish.saltenv.map_or_else(|| env("saltenv"), Value::Str);
    let pillarenv = match wish.pillarenv {
        Some(env) => Value::Str(env),
        None if opts.flag("pillarenv_from_saltenv") => saltenv.clone(),
        None => env("pillarenv"),
    };
    let mut load = map! {
        "id" => opts.str("id"),
        "grains" => grains.clone(),
        "saltenv" => saltenv,
        "pillarenv" => pillarenv,
        "pillar_override" => wish.over.map_or(Value::Nil, Value::Map),
        "extra_minion_data" => extra_minion_data(opts),
        "ver" => "2",
        "cmd" => "_pillar",
    };
    if let Some(ext) = wish.ext {
        load.insert("ext", ext);
    }
    if wish.clean_cache {
        load.insert("clean_cache", true);
    }
    load
}

/// The options named by `pass_to_ext_pillars`, which a master's ext_pillars may see.
fn extra_minion_data(opts: &Opts) -> Map {
    let mut extra = Map::new();
    if let Some(Value::List(names)) = opts.get("pass_to_ext_pillars") {
        for name in names.iter().filter_map(Value::as_str) {
            // `a:b` names a nested option, and is passed nested.
            let mut path = name.split(':');
            let first = path.next().unwrap_or(name);
            if let Some(value) = path.try_fold(opts.get(first), |v, key| v.map(|v| v.get(key))).flatten() {
                nest(&mut extra, name, value.clone());
            }
        }
    }
    extra
}

fn nest(into: &mut Map, path: &str, value: Value) {
    match path.split_once(':') {
        None => drop(into.insert(path, value)),
        Some((first, rest)) => {
            let inner = into.entry_or(first, || Map::new().into());
            if let Some(inner) = inner.as_map_mut() {
                nest(inner, rest, value);
            }
        }
    }
}

/// Asks for the pillar.
pub async fn compile(
    link: &MasterLink,
    load: &Map,
    timeout: Duration,
    tries: u32,
) -> Result<Map, PillarFailed> {
    match link.pillar(load, timeout, tries).await? {
        Value::Map(pillar) => Ok(pillar),
        _ => Err(PillarFailed::NoMap),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pillar_comes_from_the_environment_of_the_options() {
        let opts = Opts::new(map! {"id" => "m1", "saltenv" => "dev", "pillarenv_from_saltenv" => true});
        let load = load(&opts, &Map::new(), PillarWish::default());
        assert_eq!((load.get_str("saltenv"), load.get_str("pillarenv")), (Some("dev"), Some("dev")));
        assert!(!load.contains("ext"));
        let ext = Some(map! {"git" => "x"}.into());
        let load = super::load(&opts, &Map::new(), PillarWish { ext, ..PillarWish::default() });
        assert_eq!(load.get("ext"), Some(&map! {"git" => "x"}.into()));
    }

    #[test]
    fn the_request_is_stocks() {
        let opts = Opts::new(map! {
            "id" => "m1", "saltenv" => Value::Nil, "pillarenv" => "dev",
            "pass_to_ext_pillars" => vec!["a:b", "none"], "a" => map! {"b" => 1, "c" => 2},
        });
        let load = load(&opts, &map! {"os" => "Debian"}, PillarWish::default());
        assert_eq!(
            load,
            map! {
                "id" => "m1", "grains" => map! {"os" => "Debian"}, "saltenv" => Value::Nil, "pillarenv" => "dev",
                "pillar_override" => Value::Nil, "extra_minion_data" => map! {"a" => map! {"b" => 1}}, "ver" => "2",
                "cmd" => "_pillar",
            }
        );
    }
}
