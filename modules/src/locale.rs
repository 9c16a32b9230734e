//! The `locale` execution module: the language of the machine, and which languages it knows.

use crate::{settings, tools};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::path::Path;

module! {
    "locale": avail, gen_locale, get_locale, list_avail, set_locale
}

/// What the name of a locale is made of: `ca_ES.UTF-8@valencia UTF-8`.
#[derive(Debug, PartialEq)]
struct Parts {
    language: String,
    territory: String,
    codeset: String,
    modifier: String,
    charmap: String,
}

impl Parts {
    fn of(name: &str) -> Self {
        let cut = |text: &str, at: char| match text.split_once(at) {
            Some((before, after)) => (before.to_owned(), after.to_owned()),
            None => (text.to_owned(), String::new()),
        };
        let (rest, charmap) = cut(name, ' ');
        let (rest, modifier) = cut(&rest, '@');
        let (rest, codeset) = cut(&rest, '.');
        let (language, territory) = cut(&rest, '_');
        Self { language, territory, codeset, modifier, charmap }
    }

    fn joined(&self) -> String {
        let mut name = self.language.clone();
        let parts = [('_', &self.territory), ('.', &self.codeset), ('@', &self.modifier), (' ', &self.charmap)];
        for (before, part) in parts.into_iter().filter(|(_, part)| !part.is_empty()) {
            name.push(before);
            name += part;
        }
        name
    }
}

/// The name as `locale -a` shows it.
fn normal(name: &str) -> String {
    let parts = Parts::of(name);
    let codeset = parts.codeset.to_lowercase().replace('-', "");
    Parts { territory: parts.territory.to_uppercase(), codeset, charmap: String::new(), ..parts }.joined()
}

fn available(cx: &Cx) -> Result<Vec<String>> {
    Ok(tools::run(cx, &["locale", "-a"])?.split('\n').map(str::to_owned).collect())
}

/// The locales that are known here.
///
/// CLI Example: salt '*' locale.list_avail
#[exec]
fn list_avail(cx: &Cx) -> Result<Vec<String>> {
    available(cx)
}

/// Whether a locale is known here, however its name is written.
///
/// CLI Example: salt '*' locale.avail 'en_US.UTF-8'
#[exec]
fn avail(cx: &Cx, locale: String) -> Result<bool> {
    let wanted = normal(&locale);
    let all = cx.call("locale.list_avail", Args::none())?;
    Ok(all.as_list().unwrap_or_default().iter().any(|known| normal(python_str(known).trim()) == wanted))
}

/// What `localectl` says of itself: dicts of what stands behind each of its words.
fn status(said: &str) -> Map {
    let mut all = Map::new();
    let mut key = String::new();
    for line in said.trim().lines() {
        let data = match line.split_once(": ") {
            Some((word, data)) => {
                key = word.trim().to_lowercase().replace(' ', "_");
                data
            }
            None => line.trim(),
        };
        if data.is_empty() || key.is_empty() {
            continue;
        }
        if !data.contains('=') {
            let data = if data == "n/a" { Value::Nil } else { data.into() };
            all.insert(key.as_str(), brine_core::map! { "data" => data });
        } else if let Some((name, value)) = data.split_once('=').filter(|(_, value)| !value.contains('=')) {
            let of = all.entry_or(key.as_str(), || Map::new().into());
            if let Some(of) = of.as_map_mut() {
                of.insert(name, value);
            }
        }
    }
    all
}

fn localectl(cx: &Cx) -> Result<Map> {
    if crate::cmd::which::which("localectl").is_none() {
        return Err(CallError::execution("Unable to find \"localectl\""));
    }
    let out = tools::run_quietly(cx, &["localectl", "status"])?;
    if settings::said(&out, "stderr").contains("Failed to connect to bus: No such file or directory") {
        return Err(CallError::execution("Command \"localectl\" is in a degraded state."));
    }
    let all = status(settings::said(&out, "stdout"));
    if all.is_empty() {
        return Err(CallError::execution("Unable to parse result of \"localectl\""));
    }
    Ok(all)
}

fn family(cx: &Cx, name: &str) -> bool {
    cx.grains.get_str("os_family").is_some_and(|family| family.contains(name))
}

/// The locale of the machine; empty text where none is set.
///
/// CLI Example: salt '*' locale.get_locale
#[exec]
fn get_locale(cx: &Cx) -> Result {
    if settings::booted() {
        let all = localectl(cx)?;
        let system = all.get("system_locale").ok_or_else(|| CallError::exception("KeyError", "'system_locale'"))?;
        return Ok(system.get("LANG").cloned().unwrap_or_else(|| "".into()));
    }
    if !family(cx, "Debian") {
        let code = cx.grains.get("oscodename").map(python_str).unwrap_or_default();
        return Err(CallError::execution(format!("Error: \"{code}\" is unsupported!")));
    }
    let line = tools::run(cx, &["grep", "^LANG=", "/etc/default/locale"])?;
    Ok(match line.split('=').nth(1) {
        Some(locale) => locale.replace('"', "").into(),
        None => {
            tracing::error!("Error occurred while running \"grep\": no LANG in /etc/default/locale");
            "".into()
        }
    })
}

/// Sets the line of a file that says `LANG`, with a line more if there is none.
fn replace_lang(cx: &Cx, path: &str, line: String) -> Result<()> {
    let args = Args::positional([path.to_owned(), "^LANG=.*".to_owned(), line]).with("append_if_not_found", true);
    cx.call("file.replace", args).map(drop)
}

/// Set the locale of the machine.
///
/// CLI Example: salt '*' locale.set_locale 'en_US.UTF-8'
#[exec]
fn set_locale(cx: &Cx, locale: String) -> Result<bool> {
    let release = cx.grains.get("osmajorrelease").and_then(Value::as_int).unwrap_or_default();
    let by_file = cx.grains.get_str("os_family") == Some("Debian") && release >= 13;
    if settings::booted() && !by_file {
        let mut all = match localectl(cx)?.remove("system_locale") {
            Some(Value::Map(all)) => all,
            _ => Map::new(),
        };
        all.insert("LANG", locale.as_str());
        let set = all.iter().filter(|(_, value)| !value.is_nil());
        let words: Vec<String> = set.map(|(k, v)| format!("{}={}", python_str(k), python_str(v))).collect();
        let mut command = vec!["localectl", "set-locale"];
        command.extend(words.iter().map(String::as_str));
        if tools::retcode(cx, &command)? == 0 {
            return Ok(true);
        }
        tracing::debug!("localectl set-locale failed; writing /etc/locale.conf directly");
        if !Path::new("/etc/locale.conf").is_file() {
            cx.call("file.touch", Args::positional(["/etc/locale.conf"]))?;
        }
        replace_lang(cx, "/etc/locale.conf", format!("LANG={locale}"))?;
        return Ok(true);
    }
    if !family(cx, "Debian") {
        return Err(CallError::execution("Error: Unsupported platform!"));
    }
    let program = crate::cmd::which::which("update-locale")
        .ok_or_else(|| CallError::execution("Cannot set locale: \"update-locale\" was not found."))?;
    tools::run(cx, &[&program])?;
    replace_lang(cx, "/etc/default/locale", format!("LANG=\"{locale}\""))?;
    Ok(true)
}

/// Make a locale known, as the machine's own tools do. With `verbose=True`, what they say.
///
/// CLI Example: salt '*' locale.gen_locale 'en_IE.UTF-8 UTF-8'
#[exec]
fn gen_locale(cx: &Cx, locale: String, kwargs: KwArgs) -> Result {
    let verbose = kwargs.0.get("verbose").is_some_and(Value::truthy);
    let (debian, ubuntu) = match cx.grains.get_str("os") {
        Some("Debian") => (true, false),
        Some("Ubuntu") => (false, true),
        _ => (false, false),
    };
    let mut locale = locale;
    let mut parts = Parts::of(&locale);
    let search = format!("{}_{}", parts.language, parts.territory);
    if parts.charmap.is_empty() && !ubuntu {
        parts.charmap = parts.codeset.clone();
        locale = parts.joined();
    }
    let valid = if debian {
        let args = Args::positional(["/usr/share/i18n/SUPPORTED".to_owned(), format!("^{locale}$")]);
        cx.call("file.search", args.with("flags", 8))?.truthy()
    } else {
        let names = std::fs::read_dir("/usr/share/i18n/locales")
            .map_err(|_| CallError::execution(format!("Locale \"{locale}\" is not available.")))?;
        names.flatten().any(|entry| entry.file_name().to_str() == Some(&search))
    };
    if !valid {
        tracing::error!("The provided locale \"{locale}\" is not found");
        return Ok(false.into());
    }
    if Path::new("/etc/locale.gen").exists() {
        let pattern = format!(r"^\s*#\s*{locale}\s*$");
        let args = Args::positional(["/etc/locale.gen".to_owned(), pattern, format!("{locale}\n")]);
        cx.call("file.replace", args.with("append_if_not_found", true))?;
    } else if ubuntu {
        let path = format!("/var/lib/locales/supported.d/{}", parts.language);
        cx.call("file.touch", Args::positional([path.as_str()]))?;
        let args = Args::positional([path.as_str(), &locale, &locale]).with("append_if_not_found", true);
        cx.call("file.replace", args)?;
    }
    let both = format!("{search}.{}", parts.codeset);
    let shown = normal(&locale);
    let words = if crate::cmd::which::which("locale-gen").is_some() {
        vec!["locale-gen", if ubuntu { &shown } else { &locale }]
    } else if crate::cmd::which::which("localedef").is_some() {
        let loud = if verbose { "--verbose" } else { "--quiet" };
        vec!["localedef", "--force", "-i", &search, "-f", &parts.codeset, &both, loud]
    } else {
        let text = "Command \"locale-gen\" or \"localedef\" was not found on this system.";
        return Err(CallError::execution(text));
    };
    let out = tools::run_all(cx, &words)?;
    let code = settings::code(&out);
    if code != 0 {
        tracing::error!("{}", settings::said(&out, "stderr"));
    }
    Ok(if verbose { out.into() } else { (code == 0).into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_and_joined() {
        let name = "ca_es.UTF-8@valencia UTF-8";
        assert_eq!(Parts::of(name).joined(), name);
        assert_eq!(normal(name), "ca_ES.utf8@valencia");
        assert_eq!(normal("C"), "C");
    }

    #[test]
    fn what_localectl_says_is_read() {
        let said = "   System Locale: LANG=de_DE.UTF-8\n                  LANGUAGE=de\n       VC Keymap: n/a\n";
        let all = status(said);
        assert_eq!(all.get("system_locale").unwrap().get("LANGUAGE"), Some(&"de".into()));
        assert_eq!(all.get("vc_keymap").unwrap().get("data"), Some(&Value::Nil));
    }
}
