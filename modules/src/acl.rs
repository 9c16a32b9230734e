//! The `acl` execution module: access control lists of files, by `getfacl` and `setfacl`.

use crate::{python, tools};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

module! {
    "acl": delfacl, getfacl, modfacl, version, wipefacls
}

/// The version of the tools.
///
/// CLI Example: salt '*' acl.version
#[exec]
fn version(cx: &Cx) -> Result<String> {
    installed()?;
    let said = tools::run(cx, &["getfacl", "--version"])?;
    let word = said.lines().next().and_then(|line| line.split_whitespace().nth(1));
    word.map(str::to_owned).ok_or_else(|| CallError::exception("IndexError", "list index out of range"))
}

fn flag(kwargs: &KwArgs, name: &str) -> bool {
    kwargs.0.get(name).is_some_and(Value::truthy)
}

/// The module is none where the tools are not installed.
fn installed() -> Result<()> {
    match crate::cmd::which::which("getfacl") {
        Some(_) => Ok(()),
        None => Err(CallError::NotAvailable(
            "'acl' __virtual__ returned False: The linux_acl execution module cannot be loaded: the getfacl binary is not \
             in the path."
                .to_owned(),
        )),
    }
}

/// Runs a program on files.
fn run(cx: &Cx, words: &[&str], files: &[Value], raise_err: bool) -> Result<String> {
    installed()?;
    if files.is_empty() {
        return Err(CallError::execution("You need to specify at least one file or directory to work with!"));
    }
    let files: Vec<String> = files.iter().map(python_str).collect();
    let words = words.iter().copied().filter(|word| !word.is_empty()).chain(files.iter().map(String::as_str));
    let line: Vec<String> = words.map(python::shlex::quote).collect();
    let args = Args::positional([line.join(" ")]).with("python_shell", false);
    let args = if raise_err { args.with("raise_err", true) } else { args };
    Ok(python_str(&cx.call("cmd.run", args)?))
}

/// One line of a list: its kind (`user`), whom it is about, whether it is a default, and what is allowed.
struct Line<'t> {
    kind: &'t str,
    name: &'t str,
    default: bool,
    allowed: Map,
}

impl<'t> Line<'t> {
    fn of(line: &'t str, owner: &'t str, group: &'t str) -> Option<Self> {
        let mut words: Vec<&str> = line.split(':').collect();
        let default = words[0] == "default";
        if default {
            words.remove(0);
        }
        let (kind, mut name, perms) = (*words.first()?, *words.get(1)?, *words.last()?);
        match kind {
            "user" if name.is_empty() => name = owner,
            "group" if name.is_empty() => name = group,
            _ => {}
        }
        let [read, write, execute] = ["r", "w", "x"].map(|letter| perms.contains(letter));
        let octal = i64::from(read) * 4 + i64::from(write) * 2 + i64::from(execute);
        let allowed = map! {
            "permissions" => map! { "read" => read, "write" => write, "execute" => execute },
            "octal" => octal,
        };
        Some(Self { kind, name, default, allowed })
    }
}

/// What `getfacl` prints, by file.
fn parse(said: &str) -> Map {
    let mut all = Map::new();
    let mut file = Value::from("");
    for line in said.lines().filter(|line| !line.is_empty() && !line.starts_with("getfacl")) {
        if line.starts_with('#') {
            let plain = line.replace("# ", "");
            let mut parts = plain.split(": ");
            let (Some(key), Some(value)) = (parts.next(), parts.next()) else { continue };
            if key == "file" {
                file = value.into();
                let empty = || Value::List(Vec::new());
                all.insert(value, map! { "comment" => Map::new(), "user" => empty(), "group" => empty() });
            }
            let Some(about) = all.get_key_mut(&file).and_then(Value::as_map_mut) else { continue };
            if let Some(comment) = about.get_mut("comment").and_then(Value::as_map_mut) {
                comment.insert(key, value);
            }
            if key == "flags" {
                let set = value.chars().zip(["suid", "sgid", "sticky"]).filter(|(c, _)| matches!(c, 's' | 't'));
                for (_, name) in set {
                    about.insert(name, true);
                }
            }
            continue;
        }
        let Some(about) = all.get_key_mut(&file).and_then(Value::as_map_mut) else { continue };
        let comment = |key: &str| about.get("comment").and_then(|c| c.get(key)).map(python_str).unwrap_or_default();
        let (owner, group) = (comment("owner"), comment("group"));
        let Some(line) = Line::of(line, &owner, &group) else { continue };
        let place = match line.default {
            true => about.entry_or("defaults", || Map::new().into()).as_map_mut(),
            false => Some(about),
        };
        let Some(place) = place else { continue };
        match line.kind {
            "user" | "group" => {
                if let Value::List(list) = place.entry_or(line.kind, || Value::List(Vec::new())) {
                    list.push(Map::from_iter([(line.name, line.allowed)]).into());
                }
            }
            "other" | "mask" => {
                let one: Value = Map::from_iter([("", line.allowed)]).into();
                place.insert(line.kind, Value::List(vec![one]));
            }
            _ => {}
        }
    }
    all
}

/// The access control lists of files; with `recursive=True`, of all below.
///
/// CLI Example: salt '*' acl.getfacl /tmp/house/kitchen
#[exec]
fn getfacl(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result<Map> {
    let recursive = if flag(&kwargs, "recursive") { "-R" } else { "" };
    Ok(parse(&run(cx, &["getfacl", "--absolute-names", recursive], &args.0, false)?))
}

/// Remove the access control lists of files; with `recursive=True`, of all below.
///
/// CLI Example: salt '*' acl.wipefacls /tmp/house/kitchen
#[exec]
fn wipefacls(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result<bool> {
    let recursive = if flag(&kwargs, "recursive") { "-R" } else { "" };
    run(cx, &["setfacl", "-b", recursive], &args.0, false)?;
    Ok(true)
}

/// How the tools name a kind of line.
fn prefix(kind: &str) -> String {
    let (default, kind) = match kind.starts_with('d') {
        true => ("d:", kind.replace("default:", "").replace("d:", "")),
        false => ("", kind.to_owned()),
    };
    let short = match kind.as_str() {
        "user" | "u" => "u",
        "group" | "g" => "g",
        "mask" | "m" => "m",
        _ => "",
    };
    format!("{default}{short}")
}

/// Add a line to the access control lists of files, or change it; with `recursive=True`, of all below.
///
/// CLI Example: salt '*' acl.modfacl user myuser rwx /tmp/house/kitchen
#[exec]
fn modfacl(
    cx: &Cx,
    acl_type: String,
    #[default("")] acl_name: String,
    #[default("")] perms: String,
    args: VarArgs,
    kwargs: KwArgs,
) -> Result<bool> {
    let recursive = if flag(&kwargs, "recursive") { "-R" } else { "" };
    let line = format!("{}:{acl_name}:{perms}", prefix(&acl_type));
    run(cx, &["setfacl", recursive, "-m", &line], &args.0, flag(&kwargs, "raise_err"))?;
    Ok(true)
}

/// Remove a line from the access control lists of files; with `recursive=True`, of all below.
///
/// CLI Example: salt '*' acl.delfacl user myuser /tmp/house/kitchen
#[exec]
fn delfacl(
    cx: &Cx,
    acl_type: String,
    #[default("")] acl_name: String,
    args: VarArgs,
    kwargs: KwArgs,
) -> Result<bool> {
    let recursive = if flag(&kwargs, "recursive") { "-R" } else { "" };
    let line = format!("{}:{acl_name}", prefix(&acl_type));
    run(cx, &["setfacl", recursive, "-x", &line], &args.0, false)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_getfacl_prints_is_read() {
        let said = "# file: /t/a\n# owner: root\n# group: adm\n# flags: -s-\nuser::rw-\nuser:joe:r-x\t#effective:r--\n\
            group::r--\nmask::r--\nother::---\ndefault:user::rwx\n";
        let all = parse(said);
        let about = all.get("/t/a").unwrap();
        assert_eq!(about.get("sgid"), Some(&true.into()));
        assert_eq!(about.get("suid"), None);
        assert_eq!(about.get("user").unwrap().as_list().unwrap().len(), 2);
        assert!(about.get("defaults").unwrap().get("user").is_some());
        assert_eq!((prefix("default:user"), prefix("d:g"), prefix("m")), ("d:u".into(), "d:g".into(), "m".into()));
    }
}
