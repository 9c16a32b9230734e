//! Compiled pillar of minions, and what of it is cached.

use brine_core::call::{Cx, KwArgs, Result, exec, module};
use brine_core::target::{Fleet, check_minions};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_pillar::{Ask, PillarCache, Wish};

use crate::host::{master, pillars};
use crate::run::progress;

module! { "pillar": clear_pillar_cache, show_pillar, show_pillar_cache, show_top }

/// Who is asked about. Without a minion there is no id, and the grains are those of the last minion that anything is known of.
fn ask(cx: &Cx, minion: Option<&str>) -> Result<(Ask, bool)> {
    let data = &master(cx)?.data;
    let known = |id: &str| data.data(id).filter(|_| data.enabled());
    let found = match minion {
        Some(id) => known(id),
        None if data.enabled() => data.cached().last().and_then(|id| known(id)),
        None => None,
    };
    let grains = found.and_then(|data| data.grains.as_map().cloned());
    let known = grains.is_some();
    let wish = Wish { id: minion.unwrap_or_default().to_owned(), saltenv: Some("base".into()), ..Wish::default() };
    Ok((Ask { wish, grains: grains.unwrap_or_default(), clean_cache: false }, known))
}

/// Returns the compiled top data of pillar for a minion.
///
/// CLI Example: salt-run pillar.show_top
#[exec]
fn show_top(cx: &Cx, minion: Option<String>, #[default("base")] saltenv: Option<String>) -> Result {
    let (mut ask, _) = ask(cx, minion.as_deref().filter(|id| !id.is_empty()))?;
    ask.wish.saltenv = saltenv;
    let (top, errors) = pillars(cx)?.top(&ask)?;
    if errors.is_empty() {
        return Ok(top.into());
    }
    progress(cx, map! {"data" => errors.clone(), "outputter" => "nested"})?;
    Ok(errors.into())
}

/// Returns the pillar of a minion, compiled now. Without a name, or with one that nothing is known of, it is what a minion with
/// no grains but these arguments would get. `saltenv` and `pillarenv` choose environments, all other arguments are grains.
///
/// CLI Example: salt-run pillar.show_pillar 'www.example.com'
#[exec]
fn show_pillar(cx: &Cx, #[default("*")] minion: String, kwargs: KwArgs) -> Result<Map> {
    let (mut ask, known) = ask(cx, Some(&minion))?;
    if !known {
        ask.grains.insert("fqdn", minion.as_str());
    }
    for (name, value) in kwargs.clean() {
        match name.as_str() {
            Some("saltenv") => ask.wish.saltenv = text(&value),
            Some("pillarenv") => ask.wish.pillarenv = text(&value),
            _ => drop(ask.grains.insert(name, value)),
        }
    }
    pillars(cx)?.compile_fresh(&ask)
}

fn text(value: &Value) -> Option<String> {
    (!value.is_nil()).then(|| python_str(value))
}

/// What of the cache of these minions is shown, after `clear`, if it is to be.
fn cached(cx: &Cx, minion: &str, kwargs: KwArgs, clear: bool) -> Result {
    let Some(cache) = PillarCache::of(&cx.opts) else {
        tracing::info!("The pillar_cache is set to False or not enabled.");
        return Ok(false.into());
    };
    let pillarenv = kwargs.clean().get("pillarenv").and_then(text);
    let mut shown = Map::new();
    for id in check_minions(&master(cx)?.data, &minion.into(), "glob", ":", true).minions {
        if clear {
            cache.clear(&id);
        }
        if cache.has(&id) {
            let pillar = cache.show(&id, pillarenv.as_deref()).map_or(Value::Nil, Value::Map);
            shown.insert(id, pillar);
        }
    }
    Ok(shown.into())
}

/// Forgets the pillar that is cached of minions, where `pillar_cache` is on. Returns what is left of it.
///
/// CLI Example: salt-run pillar.clear_pillar_cache 'minion'
#[exec]
fn clear_pillar_cache(cx: &Cx, #[default("*")] minion: String, kwargs: KwArgs) -> Result {
    cached(cx, &minion, kwargs, true)
}

/// Returns the pillar that is cached of minions, where `pillar_cache` is on.
///
/// CLI Example: salt-run pillar.show_pillar_cache 'minion'
#[exec]
fn show_pillar_cache(cx: &Cx, #[default("*")] minion: String, kwargs: KwArgs) -> Result {
    cached(cx, &minion, kwargs, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_protocol::ids::MinionId;
    use std::fs;

    fn cx(dir: &std::path::Path, more: Map) -> Cx {
        fs::create_dir_all(dir.join("pillar")).unwrap();
        fs::create_dir_all(dir.join("cache")).unwrap();
        fs::write(dir.join("pillar/top.sls"), "base:\n  'os:Debian':\n    - match: grain\n    - a\n").unwrap();
        fs::write(dir.join("pillar/a.sls"), "a: {{ grains.os }} {{ grains.fqdn }}\n").unwrap();
        let root = dir.join("pillar").to_string_lossy().into_owned();
        let mut opts = map! {
            "pillar_roots" => map! {"base" => vec![root]}, "state_top" => "top.sls", "renderer" => "jinja|yaml",
            "pillar_cache_backend" => "disk", "pillar_cache_ttl" => 60,
        };
        opts.update(more);
        Fake::default().cx(Kind::Runner, dir, opts)
    }

    #[test]
    fn pillar_is_shown_for_known_grains_and_for_given_ones() {
        let tmp = tempfile::tempdir().unwrap();
        let cx = cx(tmp.path(), Map::new());
        let id = MinionId::parse("m1").unwrap();
        let grains = map! {"os" => "Debian", "fqdn" => "m1.example"};
        master(&cx).unwrap().data.put(&id, grains, Map::new()).unwrap();
        let show = |args| call(&cx, "pillar.show_pillar", args).unwrap();
        assert_eq!(show(Args::positional(["m1"])), map! {"a" => "Debian m1.example"}.into());
        assert_eq!(show(Args::none()), Map::new().into());
        assert_eq!(show(Args::none().with("os", "Debian")), map! {"a" => "Debian *"}.into());
        assert_eq!(show(Args::positional(["m1"]).with("pillarenv", "dev")), Map::new().into());
        let top = map! {"base" => map! {"os:Debian" => vec![Value::from(map! {"match" => "grain"}), "a".into()]}};
        assert_eq!(call(&cx, "pillar.show_top", Args::none()).unwrap(), top.into());
        fs::write(tmp.path().join("pillar/top.sls"), "{{ no.such }}").unwrap();
        let errors = call(&cx, "pillar.show_top", Args::none()).unwrap();
        assert!(python_str(&errors).contains("Rendering Primary Top file failed"));
    }

    #[test]
    fn the_cache_is_shown_and_cleared() {
        let tmp = tempfile::tempdir().unwrap();
        let off = cx(tmp.path(), Map::new());
        assert_eq!(call(&off, "pillar.show_pillar_cache", Args::none()).unwrap(), false.into());
        let cx = cx(tmp.path(), map! {"pillar_cache" => true});
        fs::write(tmp.path().join("pki/minions/m1"), "key").unwrap();
        PillarCache::of(&cx.opts).unwrap().put("m1", None, "", &map! {"a" => 1});
        let show = |args| call(&cx, "pillar.show_pillar_cache", args).unwrap();
        assert_eq!(show(Args::none()), map! {"m1" => map! {"a" => 1}}.into());
        assert_eq!(show(Args::positional(["m*"]).with("pillarenv", "x")), map! {"m1" => Value::Nil}.into());
        assert_eq!(show(Args::positional(["x*"])), Map::new().into());
        let args = Args::positional(["m1"]);
        assert_eq!(call(&cx, "pillar.clear_pillar_cache", args).unwrap(), Map::new().into());
        assert_eq!(show(Args::none()), Map::new().into());
    }
}
