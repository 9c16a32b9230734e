//! The `virtualenv` execution module: virtual environments of Python.

use crate::tools::{all_of, code, text};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec, module};
use brine_core::posixpath::{basename, join};
use brine_core::text::{python_repr, python_str};
use brine_core::{Map, Value, map};
use std::path::Path;

module! {
    "virtualenv": create, get_distribution_path, get_resource_content, get_resource_path, get_site_packages, virtualenv_ver
}

fn run_all(cx: &Cx, command: &[String], more: Map) -> Result<Map> {
    let mut args = Args::positional([Value::from(command.to_vec())]).with("python_shell", false);
    args.keyword.update(more);
    all_of(cx, args)
}

fn is_installed(program: &str) -> bool {
    crate::cmd::which::which(program).is_some()
}

/// Whether a program is an interpreter of Python by its name.
fn is_python(program: &str) -> bool {
    let name = basename(program).to_ascii_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    ["python", "pypy"]
        .iter()
        .any(|kind| name.strip_prefix(kind).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.')))
}

/// The numbers of a version.
fn numbers(version: &str) -> Result<Vec<i64>> {
    let end = ["rc", "+ds"].iter().filter_map(|mark| version.find(mark)).min().unwrap_or(version.len());
    let wrong = |part: &str| {
        CallError::exception("ValueError", format!("invalid literal for int() with base 10: '{part}'"))
    };
    version[..end].split('.').map(|part| part.trim().parse().map_err(|_| wrong(part))).collect()
}

/// The version of virtualenv, as numbers.
///
/// venv_bin: the program
/// user: who it runs as
///
/// CLI Example: salt '*' virtualenv.virtualenv_ver /usr/bin/virtualenv
#[exec]
fn virtualenv_ver(cx: &Cx, venv_bin: String, user: Option<Value>, kwargs: KwArgs) -> Result<Vec<Value>> {
    Ok(version_of(cx, venv_bin, user, kwargs.0)?.into_iter().map(Value::from).collect())
}

fn version_of(cx: &Cx, venv_bin: String, user: Option<Value>, kwargs: Map) -> Result<Vec<i64>> {
    let command = vec![venv_bin, "--version".to_owned()];
    let mut more = map! {"runas" => user, "redirect_stderr" => true};
    more.update(kwargs);
    let out = run_all(cx, &command, more)?;
    let said = text(&out, "stdout");
    if code(&out) > 0 || said.trim().is_empty() {
        return Err(CallError::execution(format!(
            "Unable to get the virtualenv version output using '{}'. Returned data: {}",
            python_repr(&command.into()),
            python_repr(&out.into())
        )));
    }
    // Versions from 20 on say their name and place, too.
    let word = |word: &&str| {
        let mut letters = word.chars();
        letters.next().is_some_and(|c| c.is_ascii_digit()) && letters.next().is_some()
    };
    numbers(&said.split_whitespace().filter(word).collect::<String>())
}

/// How a virtual environment is made.
struct Wish {
    system_site_packages: Value,
    distribute: bool,
    clear: Value,
    python: Option<String>,
    extra_search_dir: Option<Value>,
    never_download: Option<Value>,
    prompt: Option<String>,
    symlinks: Option<Value>,
    upgrade: Option<Value>,
}

impl Wish {
    fn python(&self) -> Option<&str> {
        self.python.as_deref().filter(|python| !python.trim().is_empty())
    }

    fn known_python(&self) -> Result<Option<&str>> {
        match self.python() {
            Some(python) if !is_installed(python) => {
                Err(CallError::execution(format!("Cannot find requested python ({python}).")))
            }
            other => Ok(other),
        }
    }

    /// The words of virtualenv's own program.
    fn virtualenv(&self, cx: &Cx, venv_bin: &str, user: Option<Value>, kwargs: &Map) -> Result<Vec<String>> {
        let refused = |name: &str, option: &str| {
            Err(CallError::execution(format!("The `{name}`(`{option}`) option is not supported by '{venv_bin}'")))
        };
        if self.upgrade.is_some() {
            return refused("upgrade", "--upgrade");
        }
        if self.symlinks.is_some() {
            return refused("symlinks", "--symlinks");
        }
        let version = version_of(cx, venv_bin.to_owned(), user, kwargs.clone())?;
        let mut command = vec![venv_bin.to_owned()];
        if self.distribute && version < vec![1, 10] {
            command.push("--distribute".into());
        }
        if let Some(python) = self.known_python()? {
            command.push(format!("--python={python}"));
        }
        let dirs = match &self.extra_search_dir {
            None => Vec::new(),
            Some(Value::List(list)) => list.iter().map(python_str).collect(),
            Some(dirs) => python_str(dirs).split(',').map(|dir| dir.trim().to_owned()).collect::<Vec<_>>(),
        };
        command.extend(dirs.iter().filter(|dir| !dir.is_empty()).map(|dir| format!("--extra-search-dir={dir}")));
        if self.never_download == Some(Value::Bool(true)) {
            if version >= vec![1, 10] && version < vec![14, 0, 0] {
                tracing::info!(
                    "--never-download was deprecated in 1.10.0, but reimplemented in 14.0.0. If this feature is needed, please \
                     install a supported virtualenv version."
                );
            } else {
                command.push("--never-download".into());
            }
        }
        if let Some(prompt) = self.prompt.as_ref().filter(|prompt| !prompt.trim().is_empty()) {
            command.push(format!("--prompt='{prompt}'"));
        }
        Ok(command)
    }

    /// What Python's own `venv` is asked beside where.
    fn venv(&self, venv_bin: &str, by_interpreter: bool, command: &mut Vec<String>) -> Result<()> {
        let refused = |name: &str, option: &str| {
            Err(CallError::execution(format!("The `{name}`(`{option}`) option is not supported by '{venv_bin}'")))
        };
        if !by_interpreter && self.python().is_some() {
            return refused("python", "--python");
        }
        if self.extra_search_dir.as_ref().is_some_and(|dirs| dirs.as_str().is_none_or(|dirs| !dirs.trim().is_empty())) {
            return refused("extra_search_dir", "--extra-search-dir");
        }
        if self.never_download.is_some() {
            return refused("never_download", "--never-download");
        }
        for (given, option) in [(&self.upgrade, "--upgrade"), (&self.symlinks, "--symlinks")] {
            if *given == Some(Value::Bool(true)) {
                command.push(option.into());
            }
        }
        if let Some(prompt) = self.prompt.as_ref().filter(|prompt| !prompt.trim().is_empty()) {
            command.extend(["--prompt".to_owned(), prompt.clone()]);
        }
        Ok(())
    }
}

/// The program that makes virtual environments where none is named.
fn default_program(cx: &Cx) -> String {
    let named = cx.pillar.get("venv_bin").filter(|bin| bin.truthy()).map(python_str);
    let named = named.or_else(|| cx.opts.get("venv_bin").filter(|bin| bin.truthy()).map(python_str));
    named.unwrap_or_else(|| {
        ["virtualenv3", "virtualenv"].into_iter().find_map(crate::cmd::which::which).unwrap_or_else(|| "venv".into())
    })
}

/// Make a virtual environment; returns what `cmd.run_all` does.
///
/// path: where
/// venv_bin: the program: virtualenv, an interpreter of Python, or `venv`
/// system_site_packages: the machine's packages are there, too
/// distribute: of versions of virtualenv long gone
/// clear: empty it first
/// python: the interpreter it is for
/// extra_search_dir, never_download, prompt, symlinks, upgrade: options of the program
/// pip: fetch pip where the program leaves it out
/// user: who the program runs as
/// use_vt: run it on a terminal
/// saltenv: the environment that scripts come from
///
/// CLI Example: salt '*' virtualenv.create /path/to/new/virtualenv
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn create(
    cx: &Cx,
    path: String,
    venv_bin: Option<Value>,
    #[default(false)] system_site_packages: Value,
    #[default(false)] distribute: Value,
    #[default(false)] clear: Value,
    python: Option<Value>,
    extra_search_dir: Option<Value>,
    never_download: Option<Value>,
    prompt: Option<Value>,
    #[default(false)] pip: Value,
    symlinks: Option<Value>,
    upgrade: Option<Value>,
    user: Option<Value>,
    #[default(false)] use_vt: Value,
    #[default("base")] saltenv: Value,
    kwargs: KwArgs,
) -> Result<Map> {
    let kwargs = kwargs.0;
    let program = venv_bin.map_or_else(|| default_program(cx), |bin| python_str(&bin));
    let shown = |value: Option<Value>| value.map(|value| python_str(&value));
    let wish = Wish {
        system_site_packages,
        distribute: distribute.truthy(),
        clear,
        python: shown(python),
        extra_search_dir,
        never_download,
        prompt: shown(prompt),
        symlinks,
        upgrade,
    };
    let by_interpreter = program == "venv" || is_python(&program);
    let uses_venv = by_interpreter || program.contains("venv");
    let mut command = if program == "venv" {
        // Stock takes the Python it runs in. There is none here.
        let python = match wish.known_python()? {
            Some(python) => python.to_owned(),
            None => ["python3", "python"].into_iter().find_map(crate::cmd::which::which).unwrap_or_else(|| "python3".into()),
        };
        vec![python, "-m".into(), "venv".into()]
    } else if is_python(&program) {
        if wish.python().is_some() {
            let text = "Pass the target interpreter either as `venv_bin` or as `python`, not both.";
            return Err(CallError::execution(text));
        }
        if !is_installed(&program) {
            return Err(CallError::execution(format!("Cannot find requested python ({program}).")));
        }
        vec![program.clone(), "-m".into(), "venv".into()]
    } else {
        vec![program.clone()]
    };
    // "venv" in its name makes the program Python's own; "virtualenv" does not have it.
    if !by_interpreter && !program.contains("venv") {
        command = wish.virtualenv(cx, &program, user.clone(), &kwargs)?;
    } else {
        wish.venv(&program, by_interpreter, &mut command)?;
    }
    for (given, option) in [(&wish.clear, "--clear"), (&wish.system_site_packages, "--system-site-packages")] {
        if *given == Value::Bool(true) {
            command.push(option.into());
        }
    }
    command.push(path.clone());
    let before = Path::new(&path).exists();
    let mut more = map! {"runas" => user.clone()};
    more.update(kwargs);
    let mut out = run_all(cx, &command, more)?;
    if code(&out) != 0 {
        if !before && Path::new(&path).is_dir() {
            // Half an environment would look like a whole one. What cannot be removed stays, as in stock.
            let _ = std::fs::remove_dir_all(&path);
        }
        return Ok(out);
    }
    let scripts = Scripts { path: &path, user: user.as_ref(), saltenv: &saltenv, use_vt: &use_vt };
    let missing = |name: &str| !Path::new(&join(&path, &["bin", name])).exists();
    if (pip.truthy() || distribute.truthy()) && !uses_venv && missing("easy_install") {
        scripts.run(cx, "https://bootstrap.pypa.io/ez_setup.py")?;
    }
    if pip.truthy() && missing("pip") {
        let more = scripts.run(cx, "https://bootstrap.pypa.io/get-pip.py")?;
        for key in ["stdout", "stderr"] {
            let joined = format!("{}\n{}", text(&out, key), text(&more, key)).trim().to_owned();
            out.insert(key, joined);
        }
        out.insert("retcode", code(&more));
    }
    Ok(out)
}

/// Scripts that are fetched and run in a virtual environment.
struct Scripts<'a> {
    path: &'a str,
    user: Option<&'a Value>,
    saltenv: &'a Value,
    use_vt: &'a Value,
}

impl Scripts<'_> {
    fn run(&self, cx: &Cx, source: &str) -> Result<Map> {
        use std::os::unix::fs::PermissionsExt;
        let cached = cx.call("cp.cache_file", Args::positional([Value::from(source), self.saltenv.clone()]))?;
        let contents = std::fs::read(python_str(&cached))?;
        let mut file = tempfile::Builder::new().prefix("__salt.tmp.").tempfile_in(self.path)?;
        std::io::Write::write_all(&mut file, &contents)?;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o500))?;
        if let Some(user) = self.user.filter(|user| user.truthy()) {
            let path = file.path().to_string_lossy().into_owned();
            cx.call("file.chown", Args::positional([Value::from(path), user.clone(), Value::Nil]))?;
        }
        let command = vec![join(self.path, &["bin", "python"]), file.path().to_string_lossy().into_owned()];
        let more = map! {
            "runas" => self.user.cloned(), "cwd" => self.path, "env" => map! {"VIRTUAL_ENV" => self.path},
            "use_vt" => self.use_vt.clone(),
        };
        run_all(cx, &command, more)
    }
}

/// The Python of a virtual environment.
fn python_of(venv: &str) -> Result<String> {
    let python = join(venv, &["bin", "python"]);
    if Path::new(&python).exists() {
        return Ok(python);
    }
    Err(CallError::execution(format!(
        "Path '{venv}' does not appear to be a virtualenv: '{python}' not found."
    )))
}

/// What a line of Python prints within a virtual environment.
fn printed(cx: &Cx, venv: &str, line: String) -> Result<String> {
    let out = cx.call("cmd.exec_code_all", Args::positional([python_of(venv)?, line]))?;
    let out = out.as_map().cloned().unwrap_or_default();
    if code(&out) != 0 {
        return Err(CallError::execution(format!("{}\n{}", text(&out, "stdout"), text(&out, "stderr"))));
    }
    Ok(text(&out, "stdout"))
}

/// Text that goes into a line of Python must be no code: none of the words that stock refuses, and nothing that ends the text
/// it stands in.
fn harmless(words: &[&str]) -> Result<()> {
    const WRONG: [&str; 12] =
        ["import", ";", "subprocess", "eval", "open", "file", "exec", "input", "'", "\"", "\\", "\n"];
    match words.iter().find(|word| WRONG.iter().any(|wrong| word.contains(wrong))) {
        Some(word) => Err(CallError::invocation(format!("Unsafe python code detected in '{word}'"))),
        None => Ok(()),
    }
}

/// Where packages of a virtual environment are.
///
/// CLI Example: salt '*' virtualenv.get_site_packages /path/to/my/venv
#[exec]
fn get_site_packages(cx: &Cx, venv: String) -> Result<String> {
    printed(cx, &venv, "import sysconfig; print(sysconfig.get_path(\"purelib\"))".into())
}

/// Where a package is in a virtual environment.
///
/// CLI Example: salt '*' virtualenv.get_distribution_path /path/to/my/venv my_distribution
#[exec]
fn get_distribution_path(cx: &Cx, venv: String, distribution: String) -> Result<String> {
    harmless(&[&distribution])?;
    let line = format!("import pkg_resources; print(pkg_resources.get_distribution('{distribution}').location)");
    printed(cx, &venv, line)
}

fn resource(cx: &Cx, venv: &str, function: &str, package: Option<Value>, resource: Option<Value>) -> Result<String> {
    let shown = |value: Option<Value>| value.map_or_else(|| "None".into(), |value| python_str(&value));
    let (package, resource) = (shown(package), shown(resource));
    harmless(&[&package, &resource])?;
    printed(cx, venv, format!("import pkg_resources; print(pkg_resources.{function}('{package}', '{resource}'))"))
}

/// Where a file that belongs to a package is in a virtual environment.
///
/// CLI Example: salt '*' virtualenv.get_resource_path /path/to/my/venv my_package my/resource.xml
#[exec]
fn get_resource_path(cx: &Cx, venv: String, package: Option<Value>, resource: Option<Value>) -> Result<String> {
    self::resource(cx, &venv, "resource_filename", package, resource)
}

/// What is in a file that belongs to a package in a virtual environment.
///
/// CLI Example: salt '*' virtualenv.get_resource_content /path/to/my/venv my_package my/resource.xml
#[exec]
fn get_resource_content(cx: &Cx, venv: String, package: Option<Value>, resource: Option<Value>) -> Result<String> {
    self::resource(cx, &venv, "resource_string", package, resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_are_known_by_name() {
        assert!(is_python("/usr/bin/python3.11") && is_python("pypy3") && is_python("Python.exe"));
        assert!(!is_python("pyvenv") && !is_python("python3-x") && !is_python("virtualenv"));
        assert_eq!(numbers("20.17.1+ds").unwrap(), [20, 17, 1]);
        assert_eq!(numbers("1.10rc1").unwrap(), [1, 10]);
        assert!(numbers("x").is_err());
    }

    #[test]
    fn text_cannot_leave_its_place_in_a_line_of_python() {
        assert!(harmless(&["my_package", "my/resource.xml", "a-b"]).is_ok());
        for word in ["x')", "a\"", "a\\", "a\nb", "a;b", "import"] {
            assert!(harmless(&[word]).is_err(), "{word}");
        }
    }
}
