//! What is asked for, and the options as they are while pillar is compiled.

use brine_core::text::python_str;
use brine_core::{Map, Opts, Value};
use std::sync::Arc;

/// The key of `pillar_roots` that stands for every environment.
const ANY: &str = "__env__";

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Whose pillar.
    pub id: String,
    /// The state environment.
    pub saltenv: Option<String>,
    /// The pillar environment; without one the option's.
    pub pillarenv: Option<String>,
    /// Data that goes over all else (`pillar=` on the command line).
    pub over: Option<Map>,
    /// The pillar in force, if there is one already: unless `ssh_merge_pillar` is off, what is compiled goes over it.
    pub kept: Option<Map>,
    /// A source of external pillar that the minion asks for besides those of the options: its name and what it is given.
    pub ext: Option<Value>,
    /// Options of the minion that sources of external pillar may see (`extra_minion_data`).
    pub extra: Map,
}

/// Options as pillar's templates see them, and the folders of each environment.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The options.
    pub opts: Arc<Opts>,
    /// `pillar_roots` with `__env__` put in the environment's place.
    pub roots: Map,
    pub(crate) wish: Wish,
    /// The id in the options that were given: a master's own.
    pub(crate) own_id: Value,
}

impl Settled {
    /// Options and folders for a wish.
    pub fn new(opts: &Opts, wish: Wish) -> Self {
        let mut opts = opts.clone();
        let pillarenv = match &wish.pillarenv {
            Some(env) => env.as_str().into(),
            None if opts.flag("pillarenv_from_saltenv") => wish.saltenv.clone().into(),
            None => opts.get("pillarenv").cloned().unwrap_or_default(),
        };
        let saltenv = match &wish.saltenv {
            Some(env) => env.as_str().into(),
            None => opts.get("saltenv").cloned().unwrap_or_default(),
        };
        let env =
            [&pillarenv, &saltenv].into_iter().find(|env| env.truthy()).map_or("base".into(), python_str);
        let roots = roots(opts.get("pillar_roots").and_then(Value::as_map), &env);
        let own_id = opts.get("id").cloned().unwrap_or_default();
        if let Some(ext) = &wish.ext {
            crate::ext::on_demand(&mut opts, ext);
        }
        let map = opts.map_mut();
        map.insert("file_client", "local");
        map.insert("pillarenv", pillarenv);
        map.insert("saltenv", saltenv);
        map.insert("id", &wish.id);
        map.insert("minion_id", &wish.id);
        map.insert("pillar_roots", roots.clone());
        Self { opts: Arc::new(opts), roots, wish, own_id }
    }

    /// The path of the top file.
    pub(crate) fn top(&self) -> &str {
        let top = self.opts.str("state_top");
        let top = top.strip_prefix("salt://").or_else(|| top.strip_prefix('/')).unwrap_or(top);
        if top.is_empty() { "top.sls" } else { top }
    }

    /// The pillar environment, if there is one.
    pub(crate) fn pillarenv(&self) -> Option<String> {
        self.opts.get("pillarenv").filter(|env| env.truthy()).map(python_str)
    }

    /// Every environment: `base`, and those that have folders.
    pub(crate) fn envs(&self) -> Vec<String> {
        let mut envs = vec!["base".to_owned()];
        envs.extend(self.roots.keys().map(python_str).filter(|env| env != "base"));
        envs
    }
}

/// `pillar_roots` for one environment: `__env__`, if it is there, becomes that environment unless it has folders of its own.
fn roots(roots: Option<&Map>, env: &str) -> Map {
    let mut roots = roots.cloned().unwrap_or_default();
    if let Some(any) = roots.remove(ANY)
        && !roots.contains(env)
        // A name that says more than one folder's is no folder.
        && !env.split('/').any(|part| matches!(part, "" | "." | ".."))
    {
        tracing::debug!("pillar environment '{env}' maps to __env__ pillar_roots directory");
        let dirs = any.as_list().unwrap_or_default();
        let dirs: Vec<String> = dirs.iter().map(|dir| python_str(dir).replace(ANY, env)).collect();
        roots.insert(env, dirs);
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn environments_come_from_the_wish_or_the_options() {
        let opts = Opts::new(map! {
            "pillarenv" => Value::Nil,
            "saltenv" => "dev",
            "state_top" => "salt://top.sls",
            "pillar_roots" => map! {"base" => vec!["/a"], "__env__" => vec!["/e/__env__"]},
        });
        let settled = |wish| Settled::new(&opts, wish);
        let plain = settled(Wish { id: "m".into(), ..Wish::default() });
        assert_eq!(plain.roots, map! {"base" => vec!["/a"], "dev" => vec!["/e/dev"]});
        assert_eq!((plain.top(), plain.pillarenv()), ("top.sls", None));
        assert_eq!(plain.envs(), ["base", "dev"]);
        let other = settled(Wish { pillarenv: Some("qa".into()), ..Wish::default() });
        assert_eq!(other.pillarenv().as_deref(), Some("qa"));
        assert_eq!(other.roots.get("qa"), Some(&vec!["/e/qa"].into()));
        let base = settled(Wish { saltenv: Some("base".into()), ..Wish::default() });
        assert_eq!(base.envs(), ["base"]);
        assert!(!settled(Wish { saltenv: Some("..".into()), ..Wish::default() }).roots.contains(".."));

        let from = Opts::new(map! {"pillarenv_from_saltenv" => true, "pillarenv" => "x"});
        let wish = Wish { saltenv: Some("y".into()), ..Wish::default() };
        assert_eq!(Settled::new(&from, wish).pillarenv().as_deref(), Some("y"));
    }
}
