//! The ways to run a command: one engine, and what each function passes to it and returns of it.

use super::given::{Given, command};
use super::options::{default_shell, is_quiet};
use super::run::{Stderr, log_again, run as run_command};
use super::{chroot, script};
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

command! {
    /// Run a command and return its output (errors included, unless `redirect_stderr=False`).
    /// Run as a job, the command is given to a shell; called from elsewhere only with `python_shell=True`.
    ///
    /// cmd: the command, text or a list of arguments. cwd: where it runs (default: the user's home).
    /// stdin: what it reads. runas, group: who it runs as. shell: which shell. env: variables, as a dict or list.
    /// clean_env: nothing of the minion's own environment. prepend_path: a directory in front of `PATH`.
    /// template: `jinja`: command and `cwd` are templates. rstrip: drop blanks at the end of the output.
    /// umask: octal. output_encoding: how to read the output. output_loglevel: at which level it is logged, or `quiet`.
    /// hide_output: return nothing. timeout: seconds until it is killed. reset_system_locale: run it in the C locale.
    /// ignore_retcode: do not fail the job. use_vt: run it on a terminal. bg: do not wait for it.
    /// raise_err: fail when the command does. success_retcodes, success_stdout, success_stderr: what counts as success.
    /// stdin_raw_newlines: leave `\n` in `stdin` as it is. password, encoded_cmd: concern Windows only.
    ///
    /// CLI Example: salt '*' cmd.run "ls -l | awk '/foo/{print \$2}'"
    fn run(
        cmd, cwd = (), stdin = (), runas = (), group = (), shell = default_shell(), python_shell = (),
        env = (), clean_env = false, template = (), rstrip = true, umask = (), output_encoding = (),
        output_loglevel = "debug", log_callback = (), hide_output = false, timeout = (),
        reset_system_locale = true, ignore_retcode = false, saltenv = (), use_vt = false,
        redirect_stderr = true, bg = false, password = (), encoded_cmd = false, raise_err = false,
        prepend_path = (), success_retcodes = (), success_stdout = (), success_stderr = ()
    ) => output
}

command! {
    /// Run a command in a shell and return its output: `cmd.run` with `python_shell=True`.
    ///
    /// CLI Example: salt '*' cmd.shell "ls -l | awk '/foo/{print \$2}'"
    fn shell(
        cmd, cwd = (), stdin = (), runas = (), group = (), shell = default_shell(), env = (),
        clean_env = false, template = (), rstrip = true, umask = (), output_encoding = (),
        output_loglevel = "debug", log_callback = (), hide_output = false, timeout = (),
        reset_system_locale = true, ignore_retcode = false, saltenv = (), use_vt = false, bg = false,
        password = (), prepend_path = (), success_retcodes = (), success_stdout = (), success_stderr = ()
    ) => in_shell
}

command! {
    /// Run a command and return only its standard output. Arguments as for `cmd.run`.
    ///
    /// CLI Example: salt '*' cmd.run_stdout "ls -l"
    fn run_stdout(
        cmd, cwd = (), stdin = (), runas = (), group = (), shell = default_shell(), python_shell = (),
        env = (), clean_env = false, template = (), rstrip = true, umask = (), output_encoding = (),
        output_loglevel = "debug", log_callback = (), hide_output = false, timeout = (),
        reset_system_locale = true, ignore_retcode = false, saltenv = (), use_vt = false, password = (),
        prepend_path = (), success_retcodes = (), success_stdout = (), success_stderr = ()
    ) => standard_output
}

command! {
    /// Run a command and return only its standard error. Arguments as for `cmd.run`.
    ///
    /// CLI Example: salt '*' cmd.run_stderr "ls -l"
    fn run_stderr(
        cmd, cwd = (), stdin = (), runas = (), group = (), shell = default_shell(), python_shell = (),
        env = (), clean_env = false, template = (), rstrip = true, umask = (), output_encoding = (),
        output_loglevel = "debug", log_callback = (), hide_output = false, timeout = (),
        reset_system_locale = true, ignore_retcode = false, saltenv = (), use_vt = false, password = (),
        prepend_path = (), success_retcodes = (), success_stdout = (), success_stderr = ()
    ) => standard_error
}

command! {
    /// Run a command and return a dict of `pid`, `retcode`, `stdout` and `stderr`. Arguments as for `cmd.run`.
    ///
    /// CLI Example: salt '*' cmd.run_all "ls -l"
    fn run_all(
        cmd, cwd = (), stdin = (), runas = (), group = (), shell = default_shell(), python_shell = (),
        env = (), clean_env = false, template = (), rstrip = true, umask = (), output_encoding = (),
        output_loglevel = "debug", log_callback = (), hide_output = false, timeout = (),
        reset_system_locale = true, ignore_retcode = false, saltenv = (), use_vt = false,
        redirect_stderr = false, password = (), encoded_cmd = false, prepend_path = (),
        success_retcodes = (), success_stdout = (), success_stderr = ()
    ) => all
}

command! {
    /// Run a command and return its return code. Arguments as for `cmd.run`.
    ///
    /// CLI Example: salt '*' cmd.retcode "file /bin/bash"
    fn retcode(
        cmd, cwd = (), stdin = (), runas = (), group = (), shell = default_shell(), python_shell = (),
        env = (), clean_env = false, template = (), umask = (), output_encoding = (),
        output_loglevel = "debug", log_callback = (), timeout = (), reset_system_locale = true,
        ignore_retcode = false, saltenv = (), use_vt = false, password = (), success_retcodes = (),
        success_stdout = (), success_stderr = ()
    ) => code
}

command! {
    /// Start a command in the background and return its `pid`; nobody waits for it or sees its output.
    ///
    /// CLI Example: salt '*' cmd.run_bg "/opt/tool/long-job"
    fn run_bg(
        cmd, cwd = (), runas = (), group = (), shell = default_shell(), python_shell = (), env = (),
        clean_env = false, template = (), umask = (), timeout = (), output_encoding = (),
        output_loglevel = "debug", log_callback = (), reset_system_locale = true, ignore_retcode = false,
        saltenv = (), password = (), prepend_path = (), success_retcodes = (), success_stdout = (),
        success_stderr = ()
    ) => background
}

command! {
    /// Fetch a script (`salt://`, a URL, or a path on the minion), run it there and return what `cmd.run_all` does.
    /// `args` are its arguments, text or a list; all others are as for `cmd.run`. The copy is private and removed afterwards.
    ///
    /// CLI Example: salt '*' cmd.script salt://scripts/runme.sh 'arg1 arg2 "arg 3"'
    fn script(
        source, args = (), cwd = (), stdin = (), runas = (), group = (), shell = default_shell(),
        python_shell = (), env = (), template = (), umask = (), output_encoding = (),
        output_loglevel = "debug", log_callback = (), hide_output = false, timeout = (),
        reset_system_locale = true, saltenv = (), use_vt = false, bg = false, password = (),
        success_retcodes = (), success_stdout = (), success_stderr = ()
    ) => run_script
}

command! {
    /// Fetch and run a script as `cmd.script` does and return only its return code.
    ///
    /// CLI Example: salt '*' cmd.script_retcode salt://scripts/runme.sh template=None
    fn script_retcode(
        source, args = (), cwd = (), stdin = (), runas = (), group = (), shell = default_shell(),
        python_shell = (), env = (), template = "jinja", umask = (), timeout = (),
        reset_system_locale = true, saltenv = (), output_encoding = (), output_loglevel = "debug",
        log_callback = (), use_vt = false, password = (), success_retcodes = (), success_stdout = (),
        success_stderr = ()
    ) => script_code
}

command! {
    /// Run a command with `root` as its root directory, with `/dev`, `/proc`, `/sys` and `binds` mounted there for as long,
    /// and return what `cmd.run_all` does. Processes left in there are ended.
    ///
    /// CLI Example: salt '*' cmd.run_chroot /var/lib/lxc/container_name/rootfs 'sh /tmp/bootstrap.sh'
    fn run_chroot(
        root, cmd, cwd = (), stdin = (), runas = (), group = (), shell = default_shell(),
        python_shell = true, binds = (), env = (), clean_env = false, template = (), rstrip = true,
        umask = (), output_encoding = (), output_loglevel = "quiet", log_callback = (), hide_output = false,
        timeout = (), reset_system_locale = true, ignore_retcode = false, saltenv = (), use_vt = false,
        bg = false, success_retcodes = (), success_stdout = (), success_stderr = ()
    ) => chroot::run
}

command! {
    /// Run a PowerShell command and return its output as data. Windows only: refused here.
    ///
    /// CLI Example: salt '*' cmd.powershell "$PSVersionTable.CLRVersion"
    fn powershell(
        cmd, cwd = (), stdin = (), runas = (), shell = "powershell", env = (), clean_env = false,
        template = (), rstrip = true, umask = (), output_encoding = (), output_loglevel = "debug",
        hide_output = false, timeout = (), reset_system_locale = true, ignore_retcode = false, saltenv = (),
        use_vt = false, password = (), depth = (), encode_cmd = false, success_retcodes = (),
        success_stdout = (), success_stderr = ()
    ) => no_powershell
}

command! {
    /// Run a PowerShell command and return all of its results as data. Windows only: refused here.
    ///
    /// CLI Example: salt '*' cmd.powershell_all "Get-ChildItem"
    fn powershell_all(
        cmd, cwd = (), stdin = (), runas = (), shell = "powershell", env = (), clean_env = false,
        template = (), rstrip = true, umask = (), output_encoding = (), output_loglevel = "debug",
        quiet = false, timeout = (), reset_system_locale = true, ignore_retcode = false, saltenv = (),
        use_vt = false, password = (), depth = (), encode_cmd = false, force_list = false,
        success_retcodes = (), success_stdout = (), success_stderr = ()
    ) => no_powershell
}

/// `run`: the output, and a failure only where `raise_err` asks for one.
fn output(cx: &Cx, given: Given) -> Result {
    let stderr = if given.flag("redirect_stderr") { Stderr::Merged } else { Stderr::Apart };
    let mut result = run_command(cx, &given, stderr)?;
    let stdout = result.remove("stdout").unwrap_or_default();
    let retcode = result.remove("retcode").unwrap_or_default();
    let failed = !given.flag("ignore_retcode") && retcode != Value::Int(0);
    if !is_quiet(&given) {
        log_again(&given, failed, &retcode, stdout.as_str().unwrap_or_default())?;
    }
    let stdout = if given.flag("hide_output") { Value::from("") } else { stdout };
    if failed && given.flag("raise_err") && !is_quiet(&given) {
        return Err(CallError::execution(python_str(&stdout)));
    }
    Ok(stdout)
}

fn in_shell(cx: &Cx, mut given: Given) -> Result {
    let python_shell = given.take("python_shell");
    given.set("python_shell", if python_shell.is_nil() { true.into() } else { python_shell });
    given.set("redirect_stderr", true);
    output(cx, given)
}

fn standard_output(cx: &Cx, given: Given) -> Result {
    stream(cx, given, "stdout")
}

fn standard_error(cx: &Cx, given: Given) -> Result {
    stream(cx, given, "stderr")
}

fn stream(cx: &Cx, given: Given, which: &str) -> Result {
    let mut result = run_command(cx, &given, Stderr::Apart)?;
    Ok(if given.flag("hide_output") { "".into() } else { result.remove(which).unwrap_or_default() })
}

fn all(cx: &Cx, given: Given) -> Result {
    let stderr = if given.flag("redirect_stderr") { Stderr::Merged } else { Stderr::Apart };
    let mut result = run_command(cx, &given, stderr)?;
    hide(&given, &mut result);
    Ok(result.into())
}

/// Empties the output for `hide_output`.
pub(super) fn hide(given: &Given, result: &mut Map) {
    if given.flag("hide_output") {
        result.insert("stdout", "");
        result.insert("stderr", "");
    }
}

fn code(cx: &Cx, given: Given) -> Result {
    Ok(run_command(cx, &given, Stderr::Merged)?.remove("retcode").unwrap_or_default())
}

fn background(cx: &Cx, mut given: Given) -> Result {
    given.set("bg", true);
    given.set("with_communicate", false);
    let mut result = run_command(cx, &given, Stderr::Apart)?;
    Ok(map! { "pid" => result.remove("pid") }.into())
}

fn run_script(cx: &Cx, given: Given) -> Result {
    script::script(cx, given).map(Value::from)
}

fn script_code(cx: &Cx, given: Given) -> Result {
    let missing = || CallError::exception("KeyError", "'retcode'");
    script::script(cx, given)?.remove("retcode").ok_or_else(missing)
}

fn no_powershell(_: &Cx, given: Given) -> Result {
    if !matches!(given.text("shell").as_deref(), Some("powershell" | "pwsh")) {
        return Err(CallError::execution(
            "Must specify a valid powershell binary. Must be 'powershell' or 'pwsh'",
        ));
    }
    Err(CallError::CommandNotFound("PowerShell commands run on Windows only".into()))
}
