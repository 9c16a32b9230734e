//! What the arguments of a `cmd` function mean: checked in stock's order and refused in its words, before anything
//! runs.

use super::given::{Given, retcodes};
use super::spawn::Identity;
use super::{identity, template, which};
use crate::python::shlex;
use brine_core::Cx;
use brine_core::call::{Args, CallError, Result};
use brine_core::target::fnmatch;
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Value};
use nix::unistd::{AccessFlags, access};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A command ready to run.
pub(super) struct Options {
    /// Program and arguments.
    pub(super) argv: Vec<String>,
    /// The command as stock shows it in a timeout's text.
    pub(super) shown: String,
    /// Where it runs.
    pub(super) cwd: PathBuf,
    /// Its whole environment.
    pub(super) env: BTreeMap<String, OsString>,
    /// Who it runs as, if not as us.
    pub(super) identity: Option<Identity>,
    /// Whether a user, group or umask was asked for (stock shows it in an error).
    pub(super) changes_itself: bool,
    /// Its umask.
    pub(super) umask: Option<u32>,
    /// What it reads.
    pub(super) input: Option<Vec<u8>>,
    /// How long it may run.
    pub(super) timeout: Option<Duration>,
    /// Return codes that count as 0.
    pub(super) success_retcodes: Vec<i64>,
    /// Texts in the output that count as success.
    pub(super) success_stdout: Vec<String>,
    /// Texts in the error output that count as success.
    pub(super) success_stderr: Vec<String>,
    /// Whether a shell interprets it.
    pub(super) python_shell: bool,
    /// The shell, if one was asked for.
    pub(super) shell: Option<String>,
}

/// The shell that stock takes when none is named.
pub(crate) fn default_shell() -> String {
    std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".into())
}

impl Options {
    /// Checks everything that can be checked before the command runs.
    pub(super) fn new(cx: &Cx, given: &Given, python_shell: bool) -> Result<Self> {
        let cmd = given.get("cmd").cloned().unwrap_or_default();
        let runas = match given.text("runas") {
            None => cx.job.context("runas").filter(Value::truthy).map(|name| python_str(&name)),
            Some(name) => Some(name).filter(|name| !name.is_empty()),
        };
        let cwd = cwd(given, runas.as_deref())?;
        let shell = given.text("shell").filter(|shell| !shell.is_empty());
        if let Some(shell) = &shell
            && !which::is_executable(Path::new(shell))
        {
            return Err(CallError::execution(format!("The shell {shell} is not available")));
        }
        let (cmd, cwd) = template::render(cx, given, cmd, cwd)?;
        if given.extra.contains("__pub_jid") && !permitted(cx, &cmd)? {
            return Err(CallError::execution(format!(
                "The shell command \"{}\" is not permitted",
                python_str(&cmd)
            )));
        }
        if !is_quiet(given) {
            log_start(&cmd, &cwd, runas.as_deref())?;
        }
        let user = match &runas {
            Some(name) => {
                let missing = || CallError::execution(format!("User '{name}' is not available"));
                Some(identity::user(name)?.ok_or_else(missing)?)
            }
            None => None,
        };
        let group = identity::group(given, runas.as_deref())?;
        let mut env = environment(given);
        if user.is_some() || group.is_some() {
            let mut login =
                identity::login_environment(cx, user.as_ref(), group.as_ref(), shell.as_deref())?;
            login.extend(env);
            if let Some(user) = &user {
                login.insert("USER".into(), user.name.clone().into());
                login.insert("HOME".into(), user.dir.clone().into());
            }
            env = login;
        }
        let env = complete_environment(cx, given, env)?;
        let umask = umask(given)?;
        let identity = identity::identity(user.as_ref(), group.as_ref())?;
        let changes_itself = user.is_some() || group.is_some() || umask.is_some();
        if !cwd.is_absolute() || !cwd.is_dir() {
            return Err(CallError::execution(format!(
                "Specified cwd '{}' either not absolute or does not exist",
                cwd.display()
            )));
        }
        let (argv, shown) = argv(&cmd, given.text("shell").as_deref(), python_shell)?;
        Ok(Self {
            argv,
            shown,
            cwd,
            env,
            identity,
            changes_itself,
            umask,
            input: input(given),
            timeout: timeout(given)?,
            success_retcodes: retcodes(given)?,
            success_stdout: given.split("success_stdout"),
            success_stderr: given.split("success_stderr"),
            python_shell,
            shell,
        })
    }
}

/// Whether the caller asked that nothing be logged.
pub(super) fn is_quiet(given: &Given) -> bool {
    given.text("output_loglevel").is_some_and(|level| level.eq_ignore_ascii_case("quiet"))
}

/// The first word of a command: all of it that is logged, as arguments may hold secrets.
pub(super) fn first_word(cmd: &Value) -> Result<String> {
    let index = || CallError::exception("IndexError", "list index out of range");
    match cmd {
        Value::List(list) => Ok(python_str(list.first().ok_or_else(index)?).trim().to_owned()),
        other => Ok(python_str(other).split_whitespace().next().ok_or_else(index)?.to_owned()),
    }
}

fn log_start(cmd: &Value, cwd: &Path, runas: Option<&str>) -> Result<()> {
    let quote = if matches!(cmd, Value::List(_)) { "" } else { "'" };
    let user = runas.map(|user| format!("as user '{user}' ")).unwrap_or_default();
    let word = first_word(cmd)?;
    tracing::info!("Executing command {quote}{word}{quote} {user}in directory '{}'", cwd.display());
    Ok(())
}

/// The directory asked for, or the home of whoever runs it if that can be read, or the root.
fn cwd(given: &Given, runas: Option<&str>) -> Result<PathBuf> {
    if let Some(cwd) = given.text("cwd").filter(|cwd| !cwd.is_empty()) {
        return Ok(cwd.into());
    }
    let home = PathBuf::from(identity::home(runas)?);
    let readable = access(&home, AccessFlags::R_OK).is_ok() && home.is_dir();
    Ok(if readable { home } else { "/".into() })
}

/// `cmd_blacklist_glob` and `cmd_whitelist_glob`.
fn permitted(cx: &Cx, cmd: &Value) -> Result<bool> {
    let text = match cmd {
        Value::List(list) => list.iter().map(python_str).collect::<Vec<_>>().join(" "),
        other => python_str(other),
    };
    let globs = |key: &str| -> Result<Vec<String>> {
        Ok(match cx.call("config.get", Args::positional([key]))? {
            Value::List(list) => list.iter().map(python_str).collect(),
            Value::Str(one) if !one.is_empty() => vec![one],
            _ => Vec::new(),
        })
    };
    if globs("cmd_blacklist_glob")?.iter().any(|glob| fnmatch(&text, glob)) {
        return Ok(false);
    }
    let allowed = globs("cmd_whitelist_glob")?;
    Ok(allowed.is_empty() || allowed.iter().any(|glob| fnmatch(&text, glob)))
}

/// The `env` argument: a map, or a list of maps with one entry each.
fn environment(given: &Given) -> BTreeMap<String, OsString> {
    let pairs = match given.get("env") {
        Some(Value::Map(map)) => map.clone(),
        Some(Value::List(list)) => {
            list.iter().filter_map(Value::as_map).fold(Map::new(), |mut all, one| {
                all.update(one.clone());
                all
            })
        }
        _ => Map::new(),
    };
    let text = |value: &Value| if value.is_nil() { String::new() } else { python_str(value) };
    pairs.iter().map(|(key, value)| (python_str(key), text(value).into())).collect()
}

/// Locale, the minion's own environment, and the path in front.
fn complete_environment(
    cx: &Cx,
    given: &Given,
    mut env: BTreeMap<String, OsString>,
) -> Result<BTreeMap<String, OsString>> {
    if given.flag_or("reset_system_locale", true) {
        const LOCALE: &str = "LC_CTYPE LC_NUMERIC LC_TIME LC_COLLATE LC_MONETARY LC_MESSAGES LC_PAPER LC_NAME \
                              LC_ADDRESS LC_TELEPHONE LC_MEASUREMENT LC_IDENTIFICATION LANGUAGE";
        for name in LOCALE.split_whitespace() {
            env.entry(name.into()).or_insert_with(|| "C".into());
        }
    }
    let notify = env.contains_key("NOTIFY_SOCKET");
    if !given.flag("clean_env") {
        let mut all = crate::environ::current(cx);
        all.extend(env);
        env = all;
    }
    if let Some(front) = given.text("prepend_path").filter(|front| !front.is_empty()) {
        let path = env.get("PATH").ok_or_else(|| CallError::exception("KeyError", "'PATH'"))?;
        let mut all = OsString::from(front + ":");
        all.push(path);
        env.insert("PATH".into(), all);
    }
    if !notify {
        env.remove("NOTIFY_SOCKET");
    }
    Ok(env)
}

fn umask(given: &Given) -> Result<Option<u32>> {
    let Some(text) = given.text("umask") else { return Ok(None) };
    let digits = text.trim_start_matches('0');
    if digits.is_empty() {
        return Err(CallError::execution("Zero umask is not allowed."));
    }
    let wrong = |_| CallError::execution(format!("Invalid umask: '{text}'"));
    u32::from_str_radix(digits, 8).map(Some).map_err(wrong)
}

/// The program and its arguments, and the command as stock shows it.
fn argv(cmd: &Value, shell: Option<&str>, python_shell: bool) -> Result<(Vec<String>, String)> {
    let list = |list: &[Value]| list.iter().map(python_str).collect::<Vec<_>>();
    if python_shell {
        let mut argv = vec![shell.unwrap_or("/bin/sh").to_owned(), "-c".to_owned()];
        match cmd {
            Value::List(items) => argv.extend(list(items)),
            other => argv.push(python_str(other)),
        }
        return Ok((argv, python_str(cmd)));
    }
    let argv = match cmd {
        Value::List(items) => list(items),
        Value::Map(map) => map.keys().map(python_str).collect(),
        Value::Str(text) if shell.is_none() => vec![text.clone()],
        Value::Nil => Vec::new(),
        other => shlex::split(&python_str(other))?,
    };
    if argv.is_empty() {
        return Err(CallError::exception("IndexError", "list index out of range"));
    }
    let shown = match (cmd, shell) {
        (Value::Str(text), None) => text.clone(),
        _ => python_repr(&Value::from(argv.clone())),
    };
    Ok((argv, shown))
}

fn input(given: &Given) -> Option<Vec<u8>> {
    let text = given.text("stdin")?;
    // A newline typed as `\n` on a command line.
    Some(if given.flag("stdin_raw_newlines") { text } else { text.replace("\\n", "\n") }.into_bytes())
}

fn timeout(given: &Given) -> Result<Option<Duration>> {
    let Some(value) = given.get("timeout").filter(|value| value.truthy()) else { return Ok(None) };
    let seconds = match value {
        Value::Bool(_) => 1.0,
        other => other.as_float().ok_or_else(|| {
            let text = format!("Error: timeout {} must be a number", python_str(other));
            CallError::exception("TimedProcTimeoutError", text)
        })?,
    };
    // A negative time is up at once; one beyond the clock's range is never up.
    Ok(Duration::try_from_secs_f64(seconds.max(0.0)).ok())
}
