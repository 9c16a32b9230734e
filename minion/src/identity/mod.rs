//! Who this minion is: the configured id, the cached one, or the best name this machine has.

pub mod pki;

use brine_core::{Opts, Value};
use brine_render::config::{FoundId, Names};
use std::fs;
use std::path::PathBuf;

/// Where a detected id is cached.
pub fn cache_file(opts: &Opts) -> PathBuf {
    let root = opts.get("root_dir").and_then(|r| r.as_str()).filter(|r| !r.is_empty()).unwrap_or("/");
    PathBuf::from(root).join("etc/salt/minion_id")
}

/// The id of this machine by stock's rules, for when none is configured. With `cache` it is kept for the next time,
/// unless `minion_id_caching` is off. The names of the machine are asked for only when nothing is cached.
/// `function` is what `id_function` means.
pub fn find_id(
    opts: &Opts,
    names: impl FnOnce() -> Names,
    function: impl FnOnce(&Opts) -> Result<String, String>,
    cache: bool,
) -> Result<FoundId, String> {
    let file = cache_file(opts);
    let caching = opts.get("minion_id_caching").is_none_or(|v| v.truthy());
    if caching && let Ok(text) = fs::read_to_string(&file) {
        let name = text.lines().next().unwrap_or("").trim_start_matches('\u{feff}').trim();
        if !name.is_empty() && name != "localhost" {
            return Ok(FoundId { id: name.to_owned(), is_address: false });
        }
    }
    let mut id = if opts.flag("id_function") { function(opts)? } else { names().best().to_owned() };
    if opts.flag("minion_id_lowercase") {
        id = id.to_lowercase();
    }
    match opts.get("minion_id_remove_domain") {
        Some(Value::Bool(true)) => {
            if let Some((host, _)) = id.split_once('.') {
                id = host.to_owned();
            }
        }
        Some(Value::Str(domain)) if !domain.is_empty() => {
            let suffix = format!(".{domain}").to_uppercase();
            let at = id.len().saturating_sub(suffix.len());
            if id.to_uppercase().ends_with(&suffix) && id.is_char_boundary(at) {
                id.truncate(at);
            }
        }
        _ => {}
    }
    if cache && caching {
        let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, &id));
        if let Err(e) = written {
            tracing::error!("Could not cache minion ID: {e}");
        }
    }
    let is_address = id.parse::<std::net::Ipv4Addr>().is_ok();
    Ok(FoundId { id, is_address })
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::{Map, map};

    fn id(mut extra: Map, root: &std::path::Path) -> String {
        extra.insert("root_dir", root.to_str().unwrap());
        let names = || Names::of(&["Web1.Example.com"], "", &[]);
        find_id(&Opts::new(extra), names, |_| Ok("From.Function".into()), true).unwrap().id
    }

    #[test]
    fn detected_ids_are_trimmed_and_cached() {
        let dir = tempfile::tempdir().unwrap();
        let off = || map! {"minion_id_caching" => false};
        assert_eq!(id(off(), dir.path()), "Web1.Example.com");
        let with = |k: &str, v: Value| {
            let mut m = off();
            m.insert(k, v);
            m
        };
        assert_eq!(id(with("minion_id_lowercase", true.into()), dir.path()), "web1.example.com");
        assert_eq!(id(with("id_function", "t.f".into()), dir.path()), "From.Function");
        assert_eq!(id(with("minion_id_remove_domain", true.into()), dir.path()), "Web1");
        assert_eq!(id(with("minion_id_remove_domain", "example.com".into()), dir.path()), "Web1");
        assert_eq!(id(with("minion_id_remove_domain", "com".into()), dir.path()), "Web1.Example");
        assert!(!dir.path().join("etc/salt/minion_id").exists());
        assert_eq!(id(Map::new(), dir.path()), "Web1.Example.com");
        fs::write(dir.path().join("etc/salt/minion_id"), "\u{feff}other\n").unwrap();
        assert_eq!(id(Map::new(), dir.path()), "other");
    }
}
