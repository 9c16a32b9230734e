//! Custom modules from the file roots. Brine runs no Python, so none is ever taken over: the result is the empty list,
//! and what lies there and is passed over goes to the log.

use std::path::Path;

use brine_core::call::{Cx, Result, exec, module};
use brine_core::{Map, Value};

use crate::client::split_input;

module! {
    "saltutil": sync_all, sync_cache, sync_clouds, sync_eauth_tokens, sync_engines, sync_executors, sync_fileserver,
    sync_grains, sync_modules, sync_output, sync_pillar, sync_proxymodules, sync_queues, sync_renderers, sync_returners,
    sync_roster, sync_runners, sync_sdb, sync_serializers, sync_states, sync_thorium, sync_tops, sync_utils, sync_wheel
}

/// Kinds of modules: the name in the result of `sync_all`, and the directory's below `_`.
const KINDS: [(&str, &str); 23] = [
    ("clouds", "clouds"),
    ("modules", "modules"),
    ("states", "states"),
    ("grains", "grains"),
    ("renderers", "renderers"),
    ("returners", "returners"),
    ("output", "output"),
    ("proxymodules", "proxy"),
    ("runners", "runners"),
    ("wheel", "wheel"),
    ("engines", "engines"),
    ("thorium", "thorium"),
    ("queues", "queues"),
    ("pillar", "pillar"),
    ("utils", "utils"),
    ("sdb", "sdb"),
    ("cache", "cache"),
    ("fileserver", "fileserver"),
    ("tops", "tops"),
    ("tokens", "tokens"),
    ("serializers", "serializers"),
    ("executors", "executors"),
    ("roster", "roster"),
];

/// Which modules are meant.
struct Wanted {
    saltenv: Value,
    whitelist: Option<Value>,
    blacklist: Option<Value>,
}

/// Says which modules of a kind are passed over.
fn pass_over(cx: &Cx, kind: &str, wanted: &Wanted) -> Vec<String> {
    let names = |list: &Option<Value>| list.as_ref().filter(|v| v.truthy()).map(split_input);
    let (whitelist, blacklist) = (names(&wanted.whitelist), names(&wanted.blacklist));
    let roots = cx.opts.get("file_roots");
    for env in split_input(&wanted.saltenv) {
        for root in roots.and_then(|roots| roots.get(&env)).and_then(Value::as_list).unwrap_or_default() {
            let dir = Path::new(root.as_str().unwrap_or_default()).join(format!("_{kind}"));
            for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let Some(module) = name.strip_suffix(".py").map(str::to_owned) else { continue };
                let meant = whitelist.as_ref().is_none_or(|list| list.contains(&module))
                    && blacklist.as_ref().is_none_or(|list| !list.contains(&module));
                if meant {
                    let path = dir.join(&name);
                    tracing::warn!("{} is passed over: custom modules need Python", path.display());
                }
            }
        }
    }
    Vec::new()
}

/// Every kind of custom modules: to each an empty list.
///
/// CLI Example: salt-run saltutil.sync_all
#[exec]
fn sync_all(
    cx: &Cx,
    #[default("base")] saltenv: Value,
    extmod_whitelist: Option<Map>,
    extmod_blacklist: Option<Map>,
) -> Result<Map> {
    let of = |lists: &Option<Map>, kind: &str| lists.as_ref().and_then(|lists| lists.get(kind)).cloned();
    let mut all = Map::new();
    for (name, kind) in KINDS {
        let wanted = Wanted {
            saltenv: saltenv.clone(),
            whitelist: of(&extmod_whitelist, kind),
            blacklist: of(&extmod_blacklist, kind),
        };
        all.insert(name, pass_over(cx, kind, &wanted));
    }
    Ok(all)
}

macro_rules! syncs {
    ($($name:ident: $kind:literal),* $(,)?) => { $(
        /// Custom modules of one kind from the file roots: an empty list, since they need Python.
        ///
        /// CLI Example: salt-run saltutil.sync_modules
        #[exec]
        fn $name(
            cx: &Cx,
            #[default("base")] saltenv: Value,
            extmod_whitelist: Option<Value>,
            extmod_blacklist: Option<Value>,
        ) -> Result<Vec<String>> {
            let wanted = Wanted { saltenv, whitelist: extmod_whitelist, blacklist: extmod_blacklist };
            Ok(pass_over(cx, $kind, &wanted))
        }
    )* };
}

syncs! {
    sync_cache: "cache", sync_clouds: "clouds", sync_eauth_tokens: "tokens", sync_engines: "engines",
    sync_executors: "executors", sync_fileserver: "fileserver", sync_grains: "grains", sync_modules: "modules",
    sync_output: "output", sync_pillar: "pillar", sync_proxymodules: "proxy", sync_queues: "queues",
    sync_renderers: "renderers", sync_returners: "returners", sync_roster: "roster", sync_runners: "runners",
    sync_sdb: "sdb", sync_serializers: "serializers", sync_states: "states", sync_thorium: "thorium",
    sync_tops: "tops", sync_utils: "utils", sync_wheel: "wheel",
}

#[cfg(test)]
mod tests {
    use crate::fake::{Fake, call, list};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_core::map;

    #[test]
    fn nothing_is_ever_taken_over() {
        let tmp = tempfile::tempdir().unwrap();
        let root = tmp.path().join("srv");
        std::fs::create_dir_all(root.join("_runners")).unwrap();
        std::fs::write(root.join("_runners/mine.py"), "").unwrap();
        let roots = map! {"base" => vec![root.to_string_lossy().into_owned()]};
        let cx = Fake::default().cx(Kind::Runner, tmp.path(), map! {"file_roots" => roots});
        let all = call(&cx, "saltutil.sync_all", Args::none()).unwrap();
        let all = all.as_map().unwrap();
        assert!(all.len() == 23 && all.values().all(|kind| *kind == list([])));
        let one = Args::none().with("saltenv", "base,dev").with("extmod_whitelist", "mine");
        assert_eq!(call(&cx, "saltutil.sync_runners", one).unwrap(), list([]));
    }
}
