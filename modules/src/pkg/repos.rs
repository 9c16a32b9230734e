//! Repositories that packages come from: listed, found, changed, removed.

use super::apt::{call, code, text, words};
use super::available::refresh;
use super::keys::{NewKey, add, known, launchpad, uses_apt_key};
use super::sources::{Sources, result, same};
use super::debian;
use crate::cmd::which::which;
use brine_core::apt::{Source, ppa_line};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::posixpath::{basename, dirname, join};
use brine_core::text::{is_true, python_str};
use brine_core::{Map, Value, map};

fn grain<'a>(cx: &'a Cx, key: &str) -> &'a str {
    cx.grains.get_str(key).unwrap_or_default()
}

/// The archive that a `ppa:` names, where such are known.
fn ppa<'a>(cx: &Cx, repo: &'a str) -> Option<&'a str> {
    repo.strip_prefix("ppa:").filter(|_| matches!(grain(cx, "os"), "Ubuntu" | "Mint" | "neon"))
}

fn owner_and_name(ppa: &str) -> Result<(&str, &str)> {
    let parts: Vec<&str> = ppa.split('/').collect();
    match parts[..] {
        [owner, name] => Ok((owner, name)),
        [_] => Err(CallError::exception("ValueError", "not enough values to unpack (expected 2, got 1)")),
        _ => Err(CallError::exception("ValueError", "too many values to unpack (expected 2)")),
    }
}

/// The repositories that apt's files name, by address.
///
/// CLI Example: salt '*' pkg.list_repos
#[exec]
fn list_repos(cx: &Cx, kwargs: KwArgs) -> Result<Map> {
    debian(cx)?;
    let _more = kwargs;
    Ok(Sources::read()?.shown())
}

/// What apt's files say of a repository; the definition is one complete line, or a `ppa:` on Ubuntu.
///
/// CLI Example: salt '*' pkg.get_repo "myrepo definition"
#[exec]
fn get_repo(cx: &Cx, repo: String, kwargs: KwArgs) -> Result<Map> {
    debian(cx)?;
    let auth = kwargs.0.get("ppa_auth").filter(|auth| auth.truthy()).map(python_str);
    found(cx, &repo, auth.as_deref())
}

fn found(cx: &Cx, repo: &str, auth: Option<&str>) -> Result<Map> {
    let repo = match ppa(cx, repo) {
        Some(ppa) => {
            let (owner, name) = owner_and_name(ppa)?;
            ppa_line(owner, name, grain(cx, "oscodename"), auth)
        }
        None => repo.to_owned(),
    };
    let sources = Sources::read()?;
    if sources.list.iter().all(|source| source.invalid) {
        return Ok(Map::new());
    }
    let mut wanted = Source::read(&repo, "")?;
    if let Some(auth) = auth {
        for scheme in ["http://", "https://"] {
            if let Some((before, rest)) = wanted.uri.split_once(scheme)
                && !rest.is_empty()
                && !rest.starts_with(auth)
            {
                wanted.uri = format!("{before}{scheme}{auth}@{rest}");
                break;
            }
        }
    }
    // By address, as stock lists them.
    for (_, sources) in sources.shown() {
        for source in sources.as_list().unwrap_or_default() {
            let text = |key: &str| source.get(key).and_then(Value::as_str).unwrap_or_default();
            let candidate = Source {
                kind: text("type").into(),
                uri: text("uri").into(),
                dist: text("dist").into(),
                ..Source::default()
            };
            let comps = source.get("comps").and_then(Value::as_list).unwrap_or_default();
            let shares = wanted.comps.is_empty()
                || wanted.comps.iter().any(|comp| comps.iter().any(|known| known.as_str() == Some(comp)));
            if same(&candidate, &wanted) && shares {
                return Ok(source.as_map().cloned().unwrap_or_default());
            }
        }
    }
    Ok(Map::new())
}

/// Remove a repository. A file in `sources.list.d` that names no other goes, too.
///
/// CLI Example: salt '*' pkg.del_repo "myrepo definition"
#[exec]
fn del_repo(cx: &Cx, repo: String, kwargs: KwArgs) -> Result<String> {
    debian(cx)?;
    let given = repo;
    let is_ppa = ppa(cx, &given);
    let repo = match is_ppa {
        Some(ppa) => {
            let (owner, name) = owner_and_name(ppa)?;
            let dist = grain(cx, "oscodename");
            match kwargs.0.get("ppa_auth").map(python_str) {
                // Stock takes its words in this order.
                Some(auth) => ppa_line(dist, owner, name, Some(&auth)),
                None => ppa_line(owner, name, dist, None),
            }
        }
        None => given.clone(),
    };
    let missing = || CallError::execution(format!("Repo {repo} doesn't exist in the sources.list(s)"));
    let mut sources = Sources::read()?;
    if sources.list.iter().all(|source| source.invalid) {
        return Err(missing());
    }
    let wanted = Source::read(&repo, "")?;
    sources.save()?;
    let mut touched: Vec<String> = Vec::new();
    let mut at = 0;
    while at < sources.list.len() {
        let source = &mut sources.list[at];
        at += 1;
        let hit = !source.invalid
            && ((same(source, &wanted) && source.architectures == wanted.architectures)
                || (is_ppa.is_some()
                    && wanted.kind == "deb"
                    && source.kind == "deb-src"
                    && source.uri == wanted.uri
                    && source.dist == wanted.dist));
        let shares = source.comps.iter().any(|comp| wanted.comps.contains(comp))
            || (source.comps.is_empty() && wanted.comps.is_empty());
        if !hit || !shares {
            continue;
        }
        if !touched.contains(&source.file) {
            touched.push(source.file.clone());
        }
        source.comps.retain(|comp| !wanted.comps.contains(comp));
        if source.comps.is_empty() {
            at -= 1;
            sources.list.remove(at);
        }
        sources.save()?;
    }
    if touched.is_empty() {
        return Err(missing());
    }
    let mut said = String::new();
    for file in touched {
        let empty = sources.list.iter().all(|source| source.file != file);
        if empty && file.contains("sources.list.d/") && std::path::Path::new(&file).is_file() {
            // A file that cannot be removed stays, as in stock.
            let _ = std::fs::remove_file(&file);
            said.push_str(&format!("File {file} containing repo '{repo}' has been removed."));
        } else {
            said.push_str(&format!("Repo '{repo}' has been removed from {file}.\n"));
        }
    }
    refresh(cx, &Value::Nil, false)?;
    Ok(said)
}

/// The proxy of the minion's options.
fn proxy(cx: &Cx) -> Result<String> {
    let filled = |key: &str| -> Result<Option<String>> {
        let value = cx.call("config.option", Args::positional([key]))?;
        Ok(Some(value).filter(Value::truthy).map(|value| python_str(&value)))
    };
    let (Some(host), Some(port)) = (filled("proxy_host")?, filled("proxy_port")?) else { return Ok(String::new()) };
    Ok(match (filled("proxy_username")?, filled("proxy_password")?) {
        (Some(user), Some(password)) => format!("http://{user}:{password}@{host}:{port}"),
        _ => format!("http://{host}:{port}"),
    })
}

/// A `ppa:` that is to be added: done by `apt-add-repository`, or turned into a definition and more arguments.
enum Ppa {
    Done(Map),
    Line(String),
}

fn add_ppa(cx: &Cx, repo: &str, ppa: &str, kwargs: &mut Map, fresh: bool) -> Result<Ppa> {
    let private = kwargs.contains("ppa_auth");
    if which("apt-add-repository").is_some() && !private {
        let known = found(cx, repo, None)?;
        if !known.is_empty() {
            return Ok(Ppa::Done(map! {repo => known}));
        }
        let command = words(&["apt-add-repository", "-y", repo]);
        let mut more = kwargs.clone();
        let proxy = proxy(cx)?;
        if !proxy.is_empty() {
            more.insert("env", map! {"http_proxy" => proxy.as_str(), "https_proxy" => proxy.as_str()});
        }
        let out = call(cx, &command, false, &more)?;
        if code(&out) != 0 {
            return Err(CallError::execution(format!(
                "Unable to add PPA '{ppa}'. '{}' exited with status {}: '{}' ",
                brine_core::text::python_repr(&command.into()),
                code(&out),
                text(&out, "stderr")
            )));
        }
        if fresh {
            refresh(cx, &Value::Nil, false)?;
        }
        return Ok(Ppa::Done(map! {repo => out}));
    }
    let Some((owner, name)) = ppa.split_once('/') else {
        return Err(CallError::execution(format!(
            "Unable to get PPA info from argument. Expected format \"<PPA_OWNER>/<PPA_NAME>\" (e.g. saltstack/salt) not \
             found.  Received '{ppa}' instead."
        )));
    };
    let dist = grain(cx, "oscodename");
    kwargs.insert("dist", dist);
    if !kwargs.contains("file") {
        kwargs.insert("file", format!("/etc/apt/sources.list.d/{owner}-{name}-{dist}.list"));
    }
    let info = launchpad(cx, owner, name)?;
    if !private {
        kwargs.insert("keyid", info.get("signing_key_fingerprint").cloned().unwrap_or_default());
    } else if !kwargs.contains("keyid") {
        return Err(CallError::execution(format!("Private PPAs require a keyid to be specified: {owner}/{name}")));
    }
    kwargs.entry_or("keyserver", || "keyserver.ubuntu.com".into());
    let auth = kwargs.get("ppa_auth").map(python_str);
    if auth.is_some() && !info.get("private").is_some_and(Value::truthy) {
        return Err(CallError::execution(format!("PPA is not private but auth credentials passed: {repo}")));
    }
    Ok(Ppa::Line(ppa_line(owner, name, dist, auth.as_deref())))
}

/// Adds the key that the arguments name, if they name one.
fn add_key(cx: &Cx, kwargs: &mut Map, saltenv: &Value, aptkey: bool, signedby: &str) -> Result<()> {
    let clean = |kwargs: &Map| {
        let mut args = Args { positional: Vec::new(), keyword: kwargs.clone() };
        args.keyword.insert("python_shell", false);
        args
    };
    if let Some(keyid) = kwargs.remove("keyid") {
        let server = kwargs.remove("keyserver").unwrap_or_default();
        if !keyid.truthy() || !server.truthy() {
            return Err(CallError::exception("NameError", "both keyserver and keyid options required."));
        }
        let server = python_str(&server);
        let no_proxy = cx.call("config.option", Args::positional(["no_proxy"]))?;
        let bypassed = match &no_proxy {
            Value::List(list) => list.iter().any(|host| host.as_str() == Some(&server)),
            Value::Str(hosts) => hosts.contains(&server),
            _ => false,
        };
        let through_proxy = !proxy(cx)?.is_empty() && !bypassed;
        let ids = match keyid {
            Value::List(ids) => ids,
            one => vec![one],
        };
        for id in ids {
            let id = match id {
                // YAML reads a key's hexadecimal id as a number.
                Value::Int(number) => format!("{number:#x}"),
                other => python_str(&other),
            };
            let present = if aptkey {
                let mut args = clean(kwargs);
                args.positional = vec![words(&["apt-key", "export", &id]).into()];
                python_str(&cx.call("cmd.run_stdout", args)?).starts_with("-----BEGIN PGP")
            } else {
                match known(cx, false, dirname(signedby))? {
                    Some(keys) => keys.get(&id).is_some_and(Value::truthy),
                    None => {
                        let text = "'bool' object has no attribute 'get'";
                        return Err(CallError::exception("AttributeError", text));
                    }
                }
            };
            // Stock makes a command for keys through a proxy, and does not run it.
            if present || through_proxy {
                continue;
            }
            if aptkey {
                let command = words(&[
                    "apt-key", "adv", "--batch", "--keyserver", &server, "--logger-fd", "1", "--recv-keys", &id,
                ]);
                let out = call(cx, &command, false, kwargs)?;
                if code(&out) != 0 {
                    let said = text(&out, "stdout");
                    return Err(CallError::execution(format!("Error: key retrieval failed: {said}")));
                }
            } else {
                let key = NewKey {
                    keyserver: Some(server.clone()),
                    keyid: Some(id.clone()),
                    saltenv: saltenv.clone(),
                    keydir: dirname(signedby).to_owned(),
                    keyfile: Some(signedby.to_owned()),
                    ..NewKey::default()
                };
                if !add(cx, key, false)? {
                    return Err(CallError::execution(format!("Error: Could not add key: {id}")));
                }
            }
        }
    } else if let Some(url) = kwargs.get("key_url").cloned() {
        let cached = cx.call("cp.cache_file", Args::positional([url.clone(), saltenv.clone()]))?;
        let Value::Str(mut cached) = cached else {
            let text = format!("expected str, bytes or os.PathLike object, not {}", brine_core::text::python_type(&cached));
            return Err(CallError::exception("TypeError", text));
        };
        if !signedby.is_empty() && basename(&cached) != basename(signedby) {
            let renamed = join(dirname(&cached), &[basename(signedby)]);
            std::fs::rename(&cached, &renamed).map_err(|e| {
                let text = format!("{} -> '{renamed}'", brine_core::text::python_os_error(&e, &cached));
                CallError::exception("FileNotFoundError", text)
            })?;
            cached = renamed;
        }
        if aptkey {
            let mut args = clean(kwargs);
            args.positional = vec![words(&["apt-key", "add", &cached]).into()];
            let said = python_str(&cx.call("cmd.run_stdout", args)?);
            if !said.to_uppercase().starts_with("OK") {
                return Err(CallError::execution(format!("Error: failed to add key from {}", python_str(&url))));
            }
        } else {
            let key = NewKey {
                path: Some(cached.clone()),
                saltenv: "base".into(),
                keydir: dirname(signedby).to_owned(),
                ..NewKey::default()
            };
            if !add(cx, key, false)? {
                return Err(CallError::execution(format!("Error: Could not add key: {cached}")));
            }
        }
    } else if let Some(key) = kwargs.get("key_text").cloned() {
        let mut args = clean(kwargs);
        args.positional = vec![words(&["apt-key", "add", "-"]).into()];
        args.keyword.insert("stdin", key.clone());
        let said = python_str(&cx.call("cmd.run_stdout", args)?);
        if !said.to_uppercase().starts_with("OK") {
            return Err(CallError::execution(format!("Error: failed to add key:\n{}", python_str(&key))));
        }
    }
    Ok(())
}

/// Add a repository, or change what is said of one. The definition is one complete line, or a `ppa:` on Ubuntu.
///
/// saltenv: the environment that key_url is in
/// aptkey: whether to use `apt-key`, where there is one
///
/// Further arguments: architectures, comps, dist, type, file, disabled, enabled, keyserver, keyid, key_url, key_text,
/// consolidate, comments, ppa_auth, refresh (True).
///
/// CLI Example: salt '*' pkg.mod_repo 'myrepo definition' comps=main,universe
#[exec]
fn mod_repo(
    cx: &Cx,
    repo: String,
    #[default("base")] saltenv: Value,
    #[default(true)] aptkey: Value,
    kwargs: KwArgs,
) -> Result<Map> {
    debian(cx)?;
    let mut kwargs = kwargs.0;
    let fresh = kwargs.get("refresh_db").or_else(|| kwargs.get("refresh")).is_none_or(Value::truthy);
    let aptkey = uses_apt_key(aptkey.truthy());
    let mut repo = repo;
    if let Some(name) = repo.strip_prefix("ppa:") {
        let Some(name) = ppa(cx, &repo).map(|_| name.to_owned()) else {
            return Err(CallError::execution(format!("cannot parse \"ppa:\" style repo definitions: {repo}")));
        };
        match add_ppa(cx, &repo, &name, &mut kwargs, fresh)? {
            Ppa::Done(done) => return Ok(done),
            Ppa::Line(line) => repo = line,
        }
    }
    let mut sources = Sources::read()?;
    if kwargs.get("consolidate").is_some_and(Value::truthy) {
        sources = sources.consolidate()?;
    }
    let wanted = Source::read(&repo, brine_core::apt::MAIN_FILE)?;
    if wanted.invalid {
        return Err(CallError::invocation(format!(
            "Name {repo} is not valid. This must be the complete repo entry as seen in the sources file"
        )));
    }
    if !aptkey && wanted.signedby.is_empty() {
        return Err(CallError::invocation("missing 'signedby' option when apt-key is missing"));
    }
    kwargs.insert("signedby", wanted.signedby.as_str());
    add_key(cx, &mut kwargs, &saltenv, aptkey, &wanted.signedby)?;

    let split = |value: &Value| -> Vec<String> { python_str(value).split(',').map(|one| one.trim().to_owned()).collect() };
    let mut comps = wanted.comps.clone();
    match kwargs.get("comps").map(split) {
        Some(given) => {
            comps.extend(given.iter().filter(|comp| !wanted.comps.contains(comp)).cloned());
            kwargs.insert("comps", given);
        }
        None => {
            kwargs.insert("comps", comps.clone());
        }
    }
    let architectures = match kwargs.get("architectures") {
        Some(given) => python_str(given).split(',').map(str::to_owned).collect(),
        None => wanted.architectures.clone(),
    };
    kwargs.insert("architectures", architectures.clone());
    if let Some(disabled) = kwargs.get("disabled").map(is_true) {
        kwargs.insert("disabled", disabled);
    } else if let Some(enabled) = kwargs.get("enabled").map(is_true) {
        kwargs.insert("disabled", !enabled);
    }
    let kind = kwargs.get("type").map(python_str);
    let dist = kwargs.get("dist").map(python_str);
    let at = sources.list.iter().position(|source| {
        let by_arguments = Some(&source.dist) == dist.as_ref() && Some(&source.kind) == kind.as_ref();
        (same(source, &wanted) || by_arguments)
            && (comps.iter().any(|comp| source.comps.contains(comp))
                || source.comps.is_empty()
                || source.architectures != architectures)
    });
    let at = at.unwrap_or_else(|| {
        sources.list.push(wanted.clone());
        sources.list.len() - 1
    });
    let source = &mut sources.list[at];
    if let Some(comments) = kwargs.get("comments") {
        source.comment = combined(comments);
    }
    source.line = format!("{}\n", wanted.line.strip_suffix('\n').unwrap_or(&wanted.line));
    source.change(&kwargs, false)?;
    if source.uri != wanted.uri {
        source.uri.clone_from(&wanted.uri);
        source.line = source.written()?;
    }
    let ret = result(&repo, source);
    sources.save()?;
    if fresh {
        refresh(cx, &Value::Nil, false)?;
    }
    Ok(ret)
}

/// Comments as one text.
fn combined(comments: &Value) -> String {
    match comments {
        Value::List(list) => list.iter().map(python_str).collect::<Vec<_>>().join(" ").trim().to_owned(),
        other => python_str(other).trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_one_text() {
        assert_eq!(combined(&vec!["a", "b "].into()), "a b");
        assert_eq!(combined(&Value::Int(5)), "5");
        assert!(owner_and_name("a/b/c").is_err());
    }
}
