//! The `shadow` execution module: passwords of this machine's users, and how long they hold. Passwords and their hashes are
//! never logged.

use crate::accounts::{in_root, retcode, rewrite, rooted, run, run_secretly};
use crate::hashutil::file_error;
use brine_core::call::{Args, CallError, Cx, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::time::{SystemTime, UNIX_EPOCH};

module! {
    "shadow": default_hash, del_password, gen_password, info, list_users, lock_password, set_date, set_expire,
    set_inactdays, set_maxdays, set_mindays, set_password, set_warndays, unlock_password
}

/// What the fields after name and password are called.
const NUMBERS: [&str; 6] = ["lstchg", "min", "max", "warn", "inact", "expire"];

/// The lines of the file, each split.
fn lines(root: Option<&str>) -> Result<Vec<Vec<String>>> {
    let path = rooted(root, "/etc/shadow");
    let text = std::fs::read(&path).map_err(|e| file_error(&e, &path.to_string_lossy()))?;
    let text = String::from_utf8_lossy(&text);
    Ok(text.lines().map(|line| line.trim().split(':').map(str::to_owned).collect()).collect())
}

/// A number of the file; -1 where there is none.
fn number(fields: &[String], at: usize) -> Result {
    let text = fields.get(at).ok_or_else(|| CallError::exception("IndexError", "list index out of range"))?;
    if text.is_empty() {
        return Ok((-1).into());
    }
    text.trim().parse::<i64>().map(Value::from).map_err(|_| {
        let text = brine_core::text::python_repr(&text.as_str().into());
        CallError::exception("ValueError", format!("invalid literal for int() with base 10: {text}"))
    })
}

/// What is known of a user's password; empty texts if nothing is.
fn about(name: &str, root: Option<&str>) -> Result<Map> {
    let mut all = map! {"name" => "", "passwd" => ""};
    let found = lines(root).ok().and_then(|lines| lines.into_iter().find(|fields| fields[0] == name));
    let Some(fields) = found else {
        all.extend(NUMBERS.map(|key| (key, "")));
        return Ok(all);
    };
    all.insert("name", name);
    all.insert("passwd", fields.get(1));
    for (at, key) in NUMBERS.iter().enumerate() {
        all.insert(*key, number(&fields, at + 2)?);
    }
    // Stock reads the last field too.
    number(&fields, 8)?;
    Ok(all)
}

fn password(all: &Map) -> &str {
    all.get_str("passwd").unwrap_or_default()
}

/// What stands for no password in the file.
///
/// CLI Example: salt '*' shadow.default_hash
#[exec]
fn default_hash() -> Result<&'static str> {
    Ok("!")
}

/// What is known of a user's password. `root` is the directory of another system.
///
/// CLI Example: salt '*' shadow.info root
#[exec]
fn info(name: String, root: Option<String>) -> Result<Map> {
    about(&name, root.as_deref())
}

/// Sets one of the days; where `checked`, says whether it is so now.
fn set(cx: &Cx, name: &str, key: &str, value: &Value, option: &str, root: Option<&str>, checked: bool) -> Result<bool> {
    let before = about(name, root)?;
    if before.get_str("name").unwrap_or_default().is_empty() {
        return Ok(false);
    }
    if before.get(key) == Some(value) {
        return Ok(true);
    }
    let mut words = vec!["chage".into()];
    in_root(&mut words, "-R", root);
    words.extend([option.into(), value.clone(), name.into()]);
    let done = retcode(cx, words)? == 0;
    if checked { Ok(about(name, root)?.get(key) == Some(value)) } else { Ok(done) }
}

/// Days after a password's end until the account is closed.
///
/// CLI Example: salt '*' shadow.set_inactdays username 7
#[exec]
fn set_inactdays(cx: &Cx, name: String, inactdays: Value, root: Option<String>) -> Result<bool> {
    set(cx, &name, "inact", &inactdays, "-I", root.as_deref(), true)
}

/// Days after which a password must be changed.
///
/// CLI Example: salt '*' shadow.set_maxdays username 90
#[exec]
fn set_maxdays(cx: &Cx, name: String, maxdays: Value, root: Option<String>) -> Result<bool> {
    set(cx, &name, "max", &maxdays, "-M", root.as_deref(), true)
}

/// Days before which a password may not be changed again.
///
/// CLI Example: salt '*' shadow.set_mindays username 7
#[exec]
fn set_mindays(cx: &Cx, name: String, mindays: Value, root: Option<String>) -> Result<bool> {
    set(cx, &name, "min", &mindays, "-m", root.as_deref(), true)
}

/// Days of warning before a password must be changed.
///
/// CLI Example: salt '*' shadow.set_warndays username 7
#[exec]
fn set_warndays(cx: &Cx, name: String, warndays: Value, root: Option<String>) -> Result<bool> {
    set(cx, &name, "warn", &warndays, "-W", root.as_deref(), true)
}

/// When the password was changed: days since 1970, or a date; 0: it must be changed at the next login.
///
/// CLI Example: salt '*' shadow.set_date username 0
#[exec]
fn set_date(cx: &Cx, name: String, date: Value, root: Option<String>) -> Result<bool> {
    set(cx, &name, "lstchg", &date, "-d", root.as_deref(), false)
}

/// When the account ends: days since 1970, or a date; -1: never.
///
/// CLI Example: salt '*' shadow.set_expire username -1
#[exec]
fn set_expire(cx: &Cx, name: String, expire: Value, root: Option<String>) -> Result<bool> {
    set(cx, &name, "expire", &expire, "-E", root.as_deref(), false)
}

/// The hash of a password as the file holds it: `sha512`, `sha256`, `blowfish`, `md5` or `crypt`; the salt is random unless
/// given.
///
/// CLI Example: salt '*' shadow.gen_password 'I_am_password' crypt_salt='I_am_salt' algorithm=sha256
#[exec]
fn gen_password(
    password: Value,
    crypt_salt: Option<String>,
    #[default("sha512")] algorithm: Option<String>,
) -> Result {
    match password {
        Value::Nil => crate::random::password_hash(crypt_salt, None, algorithm),
        Value::Str(password) => crate::random::password_hash(crypt_salt, Some(password), algorithm),
        other => Err(CallError::Arguments(format!(
            "crypt() argument 1 must be str, not {}",
            brine_core::text::python_type(&other)
        ))),
    }
}

/// Take the password away: whoever knows the name may log in where that is allowed.
///
/// CLI Example: salt '*' shadow.del_password username
#[exec]
fn del_password(cx: &Cx, name: String, root: Option<String>) -> Result<bool> {
    let root = root.as_deref();
    let mut words = vec!["passwd".into()];
    in_root(&mut words, "-R", root);
    words.extend(["-d".into(), name.as_str().into()]);
    run_secretly(cx, words)?;
    let now = about(&name, root)?;
    Ok(password(&now).is_empty() && now.get_str("name") == Some(&name))
}

/// Locks or unlocks, unless it is so already.
fn lock(cx: &Cx, name: &str, locked: bool, root: Option<&str>) -> Result<bool> {
    let is = |all: &Map| password(all).starts_with('!') == locked;
    let before = about(name, root)?;
    if before.get_str("name").unwrap_or_default().is_empty() {
        return Ok(false);
    }
    if is(&before) {
        return Ok(true);
    }
    let mut words = vec!["passwd".into()];
    in_root(&mut words, "-R", root);
    words.extend([if locked { "-l" } else { "-u" }.into(), name.into()]);
    run(cx, words)?;
    Ok(is(&about(name, root)?))
}

/// Lock the password, so that nobody may use it.
///
/// CLI Example: salt '*' shadow.lock_password username
#[exec]
fn lock_password(cx: &Cx, name: String, root: Option<String>) -> Result<bool> {
    lock(cx, &name, true, root.as_deref())
}

/// Unlock the password.
///
/// CLI Example: salt '*' shadow.unlock_password username
#[exec]
fn unlock_password(cx: &Cx, name: String, root: Option<String>) -> Result<bool> {
    lock(cx, &name, false, root.as_deref())
}

/// Today, in days since 1970.
fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / 86400)
}

/// The file with another password for one of its users, whose line is mended where it is too long or too short.
fn changed(text: &[u8], name: &str, password: &str, today: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 128);
    let mut found = false;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let fields = String::from_utf8_lossy(line);
        let mut fields: Vec<&str> = fields.trim().split(':').take(9).collect();
        if fields[0] != name {
            out.extend_from_slice(line);
            continue;
        }
        found = true;
        fields.resize(9, "");
        let day = today.to_string();
        (fields[1], fields[2]) = (password, &day);
        out.extend_from_slice(fields.join(":").as_bytes());
        out.push(b'\n');
    }
    if !found {
        tracing::warn!("shadow entry not present for user {name}, adding");
        out.extend_from_slice(format!("{name}:{password}:{today}::::::\n").as_bytes());
    }
    out
}

/// Set the password of a user: a hash, as `shadow.gen_password` makes it. `use_usermod`: by `usermod`, whose arguments
/// everybody on the machine may see.
///
/// CLI Example: salt '*' shadow.set_password root '$1$UYCIxa628.9qXjpQCjM4a..'
#[exec]
fn set_password(
    cx: &Cx,
    name: String,
    password: String,
    #[default(false)] use_usermod: bool,
    root: Option<String>,
) -> Result {
    let known = cx.call("cmd.retcode", Args::positional([vec!["id", &name]]).with("ignore_retcode", true))?;
    if known.as_int() != Some(0) {
        tracing::warn!("user {name} does not exist, cannot set password");
        return Ok(false.into());
    }
    let root = root.as_deref();
    if use_usermod {
        let mut words = vec!["usermod".into()];
        in_root(&mut words, "-R", root);
        words.extend(["-p".into(), password.as_str().into(), name.as_str().into()]);
        run_secretly(cx, words)?;
    } else {
        // A line of the file is what may not be broken.
        if password.contains([':', '\n']) {
            return Err(CallError::invocation("A password hash has no colon and no line feed"));
        }
        let path = rooted(root, "/etc/shadow");
        if !path.is_file() {
            return Ok(Map::new().into());
        }
        let text = std::fs::read(&path).map_err(|e| file_error(&e, &path.to_string_lossy()))?;
        rewrite(&path, &changed(&text, &name, &password, today()))?;
    }
    Ok((about(&name, root)?.get_str("passwd") == Some(&password)).into())
}

/// The names of all who have a line in the file.
///
/// CLI Example: salt '*' shadow.list_users
#[exec]
fn list_users(root: Option<String>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for fields in lines(root.as_deref())? {
        for at in 2..9 {
            number(&fields, at)?;
        }
        names.push(python_str(&fields[0].as_str().into()));
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_changes_and_is_mended() {
        let before = b"root:*:1:0:99999:7:::\na:x:2\nb:y:3:0:99999:7:::\n";
        let after = String::from_utf8(changed(before, "a", "$6$s$h", 20000)).unwrap();
        assert_eq!(after, "root:*:1:0:99999:7:::\na:$6$s$h:20000::::::\nb:y:3:0:99999:7:::\n");
        let added = String::from_utf8(changed(b"", "c", "!", 1)).unwrap();
        assert_eq!(added, "c:!:1::::::\n");
    }

    #[test]
    fn what_is_known_comes_from_the_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(dir.path().join("etc/shadow"), "a:$6$x:100:0:99999:7::200:\nb:!:::::::\nc:x:y::::::\n").unwrap();
        let root = dir.path().to_str();
        let of = |name: &str| about(name, root).unwrap();
        assert_eq!(of("a").get("expire"), Some(&200.into()));
        assert_eq!(of("a").get("inact"), Some(&(-1).into()));
        assert_eq!(of("b").get("lstchg"), Some(&(-1).into()));
        assert_eq!(of("d").get("lstchg"), Some(&"".into()));
        assert_eq!(about("c", root).unwrap_err().to_string(), "ValueError: invalid literal for int() with base 10: 'y'");
        assert_eq!(about("a", Some("/no/such/root")).unwrap().get_str("name"), Some(""));
    }
}
