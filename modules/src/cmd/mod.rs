//! Running programs: the `cmd` functions and their signatures. How a command is checked, started and waited for is
//! in the files beside.

mod chroot;
mod encoding;
mod given;
mod identity;
mod options;
mod run;
mod script;
mod shells;
mod spawn;
mod template;
mod variants;
mod vt;
mod wait;
pub(crate) mod which;

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use variants::*;

pub(crate) use identity::home;

/// The number of a user.
pub(crate) fn user_id(name: &str) -> Result<u32> {
    let missing = || CallError::execution(format!("User '{name}' is not available"));
    Ok(identity::user(name)?.ok_or_else(missing)?.uid.as_raw())
}

module! {
    "cmd": exec_code, exec_code_all, has_exec, powershell, powershell_all, retcode, run, run_all, run_bg, run_chroot,
    run_stderr, run_stdout, script, script_retcode, shell, shell_info, shells, tty, which, which_bin
}

/// The full path of a program, or `None` if it is not in the search path.
///
/// CLI Example: salt '*' cmd.which cat
#[exec]
fn which(cmd: Value) -> Result {
    Ok(cmd.as_str().and_then(which::which).into())
}

/// The full path of the first of these programs that exists, or `None`.
///
/// CLI Example: salt '*' cmd.which_bin '[pip2, pip, pip-python]'
#[exec]
fn which_bin(cmds: Value) -> Result {
    Ok(match cmds {
        Value::List(names) => names.iter().filter_map(Value::as_str).find_map(which::which).into(),
        Value::Str(name) => which::which(&name).into(),
        _ => Value::Nil,
    })
}

/// Whether a program is in the search path.
///
/// CLI Example: salt '*' cmd.has_exec cat
#[exec]
fn has_exec(cmd: Value) -> Result<bool> {
    Ok(cmd.as_str().and_then(which::which).is_some())
}

/// The shells that `/etc/shells` lists.
///
/// CLI Example: salt '*' cmd.shells
#[exec]
fn shells() -> Result {
    Ok(shells::listed().into())
}

/// Version, path and presence of a shell or script interpreter: bash, zsh, tcsh, powershell, perl, python, ruby, php.
///
/// CLI Example: salt '*' cmd.shell_info bash
#[exec]
fn shell_info(cx: &Cx, shell: String, #[default(false)] list_modules: bool) -> Result<Map> {
    // Modules are listed for PowerShell on Windows only, which this is not.
    let _ = list_modules;
    shells::info(cx, &shell)
}

/// Write text to a terminal of the minion, `tty0` or `pts3` by name.
///
/// CLI Example: salt '*' cmd.tty tty0 'This is a test'
#[exec]
fn tty(device: String, #[default("")] echo: Value) -> Result<Map> {
    let number = |rest: &str| rest.chars().all(|c| c.is_ascii_alphanumeric());
    let path = match (device.strip_prefix("tty"), device.strip_prefix("pts")) {
        (Some(rest), _) if number(rest) => format!("/dev/{device}"),
        (_, Some(rest)) if number(rest.trim_start_matches('/')) => {
            format!("/dev/pts/{}", rest.trim_start_matches('/'))
        }
        _ => return Ok(map! { "Error" => "The specified device is not a valid TTY" }),
    };
    // Stock opens whatever has that name, and would wait for a reader or for room.
    let flags = nix::fcntl::OFlag::O_NONBLOCK | nix::fcntl::OFlag::O_NOCTTY;
    let file = std::fs::File::options().write(true).custom_flags(flags.bits()).open(&path);
    Ok(match file.and_then(|mut file| file.write_all(python_str(&echo).as_bytes())) {
        Ok(()) => map! { "Success" => format!("Message was successfully echoed to {path}") },
        Err(_) => map! { "Error" => format!("Echoing to {path} returned error") },
    })
}

/// Run code in the interpreter `lang` and return its output. Further arguments are those of `cmd.run_all`.
///
/// CLI Example: salt '*' cmd.exec_code ruby 'puts "cheese"'
#[exec]
fn exec_code(cx: &Cx, lang: String, code: String, cwd: Option<Value>, args: Option<Value>, kwargs: KwArgs) -> Result {
    let all = code_all(cx, &lang, &code, cwd, args, kwargs)?;
    Ok(all.get("stdout").cloned().unwrap_or_default())
}

/// Run code in the interpreter `lang` and return all that `cmd.run_all` does.
///
/// CLI Example: salt '*' cmd.exec_code_all ruby 'puts "cheese"'
#[exec]
fn exec_code_all(cx: &Cx, lang: String, code: String, cwd: Option<Value>, args: Option<Value>, kwargs: KwArgs) -> Result {
    code_all(cx, &lang, &code, cwd, args, kwargs)
}

fn code_all(cx: &Cx, lang: &str, code: &str, cwd: Option<Value>, args: Option<Value>, kwargs: KwArgs) -> Result {
    let mut file = tempfile::Builder::new().prefix("__salt.tmp.").tempfile()?;
    file.write_all(code.as_bytes())?;
    if let Some(name) = kwargs.0.get_str("runas") {
        let missing = || CallError::execution(format!("User '{name}' is not available"));
        let user = identity::user(name)?.ok_or_else(missing)?;
        std::os::unix::fs::fchown(&file, Some(user.uid.as_raw()), None)?;
    }
    let path = file.into_temp_path();
    let mut argv = vec![Value::from(lang), path.to_string_lossy().into_owned().into()];
    match args {
        Some(Value::List(list)) => argv.extend(list),
        Some(one @ Value::Str(_)) => argv.push(one),
        _ => {}
    }
    let mut call = Args { positional: vec![argv.into()], keyword: kwargs.0 };
    call.keyword.insert("cwd", cwd);
    call.keyword.insert("python_shell", false);
    cx.call("cmd.run_all", call)
}
