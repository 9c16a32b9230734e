//! How packages are named in arguments: by name, as a list, as package files.

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Value, dictlist};

fn normalized(cx: &Cx, name: &Value, normalize: bool) -> Result<Value> {
    if normalize && cx.registry.get("pkg.normalize_name").is_some() {
        return cx.call("pkg.normalize_name", Args::positional([name.clone()]));
    }
    Ok(name.clone())
}

/// A list of names and of maps with one entry each as one map; nothing where it is no such list.
fn repacked(given: &Value) -> Map {
    match given {
        Value::Str(text) => dictlist::repacked(&brine_render::yaml::load(text).unwrap_or_default()),
        other => dictlist::repacked(other),
    }
}

/// Packages with their versions, of a list of names and `{name: version}`.
fn repack(cx: &Cx, pkgs: &Value, normalize: bool) -> Result<Map> {
    let mut all = Map::new();
    for (name, version) in repacked(pkgs) {
        let name = normalized(cx, &python_str(&name).into(), normalize)?;
        all.insert(name, if version.is_nil() { Value::Nil } else { python_str(&version).into() });
    }
    let given = match pkgs {
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Str(text) => text.chars().count(),
        _ => 0,
    };
    if given != all.len() {
        return Err(CallError::invocation(format!(
            "You are passing a list of packages that contains duplicated packages names: {}. This cannot be processed. In \
             case you are targeting different versions of the same package, please target them individually",
            python_str(pkgs)
        )));
    }
    Ok(all)
}

/// Package files by name, of a list of `{name: path}`.
///
/// CLI Example: salt '*' pkg_resource.pack_sources '[{"foo": "salt://foo.deb"}]'
#[exec]
fn pack_sources(cx: &Cx, sources: Value, #[default(true)] normalize: Value) -> Result<Map> {
    let sources = match sources {
        Value::Str(text) => match brine_render::yaml::load(&text) {
            Ok(sources) => sources,
            Err(e) => {
                tracing::error!("{e}");
                return Ok(Map::new());
            }
        },
        other => other,
    };
    let mut all = Map::new();
    let items = match &sources {
        Value::List(items) => items.clone(),
        Value::Map(items) => items.keys().cloned().collect(),
        _ => return Err(CallError::exception("TypeError", "'NoneType' object is not iterable")),
    };
    for item in &items {
        match item {
            Value::Map(one) if one.len() == 1 => {
                for (name, path) in one.iter() {
                    all.insert(normalized(cx, name, normalize.truthy())?, path.clone());
                }
            }
            _ => {
                tracing::error!("Invalid input: {}", python_repr(&sources));
                tracing::error!("Input must be a list of 1-element dicts");
                return Ok(Map::new());
            }
        }
    }
    Ok(all)
}

/// Which packages arguments name, and whether they come from repositories or files.
///
/// name: a package, or several with commas between
/// pkgs: packages, each a name or `{name: version}`
/// sources: package files, each `{name: path or URL}`
/// saltenv: the environment that those are in
/// normalize: whether names lose the machine's own architecture
///
/// Further arguments: version, advisory_ids.
///
/// CLI Example: salt '*' pkg_resource.parse_targets foo,bar
#[exec]
fn parse_targets(
    cx: &Cx,
    name: Option<Value>,
    pkgs: Option<Value>,
    sources: Option<Value>,
    #[default("base")] saltenv: Value,
    #[default(true)] normalize: Value,
    kwargs: KwArgs,
) -> Result<Vec<Value>> {
    let none = || Ok(vec![Value::Nil, Value::Nil]);
    let some = |params: Value, kind: &str| Ok(vec![params, kind.into()]);
    let filled = |value: Option<Value>| value.filter(Value::truthy);
    let (name, pkgs, sources) = (filled(name), filled(pkgs), filled(sources));
    let version = kwargs.0.get("version").cloned().unwrap_or_default();
    let ignored = || {
        if !version.is_nil() {
            tracing::warn!("'version' argument will be ignored for multiple package targets");
        }
    };
    if pkgs.is_some() && sources.is_some() {
        tracing::error!("Only one of \"pkgs\" and \"sources\" can be used.");
        return none();
    }
    if let Some(ids) = kwargs.0.get("advisory_ids") {
        if pkgs.is_some() {
            tracing::error!("Cannot use \"advisory_ids\" and \"pkgs\" at the same time");
            return none();
        }
        let ids = if ids.truthy() { ids.clone() } else { Value::List(vec![name.into()]) };
        return some(ids, "advisory");
    }
    if let Some(pkgs) = pkgs {
        ignored();
        let pkgs = repack(cx, &pkgs, normalize.truthy())?;
        return if pkgs.is_empty() { none() } else { some(pkgs.into(), "repository") };
    }
    if let Some(sources) = sources {
        ignored();
        let sources = pack_sources(cx, sources, normalize)?;
        if sources.is_empty() {
            return none();
        }
        let mut files = Vec::new();
        for (package, path) in sources {
            if cx.call("config.valid_fileproto", Args::positional([path.clone()]))?.truthy() {
                let cached = cx.call("cp.cache_file", Args::positional([path.clone(), saltenv.clone()]))?;
                if !cached.truthy() {
                    return Err(CallError::execution(format!(
                        "Unable to cache source {} for package {}",
                        python_str(&path),
                        python_str(&package)
                    )));
                }
                files.push(cached);
            } else if python_str(&path).starts_with('/') {
                files.push(path);
            } else {
                return Err(CallError::invocation(format!(
                    "Path {} for package {} is either not absolute or an invalid protocol",
                    python_str(&path),
                    python_str(&package)
                )));
            }
        }
        return some(files.into(), "file");
    }
    let Some(name) = name else {
        tracing::error!("No package sources provided");
        return none();
    };
    let mut packed = Map::new();
    for one in python_str(&name).split(',') {
        packed.insert(normalized(cx, &one.into(), normalize.truthy())?, version.clone());
    }
    some(packed.into(), "repository")
}
