//! The git program: how it is started, what it may do, and how long.
//!
//! Its words are fixed ones of ours. URLs, refspecs, proxies and the like go to it as configuration in its environment
//! (`GIT_CONFIG_COUNT`), which is made anew for each call; so nothing that a configuration holds can be read as an option, and
//! nothing of it stands in the list of processes. The configuration of the user and the system counts where ours does not.

use super::conf::{Auth, Remote};
use brine_core::Secret;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The variables of our own environment that git gets.
const PASSED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
];

/// Answers git's and ssh's questions for names and passwords, each only if it is asked on behalf of the place it was set for.
const ASKPASS: &str = r#"#!/bin/sh
# Made by salt-master. Answers questions of git and ssh from the environment.
case "$1" in
"Username for '$BRINE_GIT_SCHEME://$BRINE_GIT_HOST': ") printf '%s\n' "$BRINE_GIT_USER" ;;
"Password for '$BRINE_GIT_SCHEME://"*"@$BRINE_GIT_HOST': ") printf '%s\n' "$BRINE_GIT_PASSWORD" ;;
"Enter passphrase for "*) printf '%s\n' "$BRINE_GIT_PASSPHRASE" ;;
*) exit 1 ;;
esac
"#;

/// How much git may say about what went wrong.
const MOST_WORDS: u64 = 64 << 10;

/// Git for one repository.
#[derive(Clone, Debug)]
pub(crate) struct Git {
    dir: PathBuf,
    config: Vec<(&'static str, String)>,
    env: Vec<(&'static str, Secret)>,
}

impl Git {
    /// For a repository (`.git`) and what is fetched into it. `askpass` is where the program that answers lies.
    pub(crate) fn new(dir: PathBuf, remote: &Remote, askpass: &Path) -> Self {
        // Not `origin`: a clone of stock's has that in its own configuration, and both would count.
        let mut config: Vec<(&'static str, String)> =
            vec![("remote.brine.url", remote.url.clone()), ("http.sslVerify", remote.ssl_verify.to_string())];
        for (key, value) in [
            ("protocol.allow", "never"),
            ("protocol.https.allow", "always"),
            ("protocol.http.allow", "always"),
            ("protocol.ssh.allow", "always"),
            ("protocol.git.allow", "always"),
            ("protocol.file.allow", "always"),
            ("core.hooksPath", "/dev/null"),
            ("core.fsmonitor", "false"),
            ("core.quotePath", "false"),
            ("fetch.recurseSubmodules", "false"),
            ("remote.brine.followRemoteHEAD", "never"),
            ("remote.brine.prune", "true"),
            ("gc.autoDetach", "false"),
            ("maintenance.autoDetach", "false"),
            // A server that stops sending is given up.
            ("http.lowSpeedLimit", "1"),
            ("http.lowSpeedTime", "60"),
        ] {
            config.push((key, value.into()));
        }
        config.push(("safe.directory", dir.to_string_lossy().into_owned()));
        config.extend(remote.refspecs.iter().map(|spec| ("remote.brine.fetch", spec.clone())));
        if !remote.proxy.is_empty() {
            config.push(("http.proxy", remote.proxy.clone()));
        }
        let mut env: Vec<(&'static str, Secret)> = Vec::new();
        let mut set = |key, value: &str| env.push((key, Secret::new(value.to_owned())));
        let mut ssh = "ssh -o BatchMode=yes".to_owned();
        match &remote.auth {
            Auth::None => config.push(("credential.interactive", "false".into())),
            Auth::Password { user, password, origin } => {
                config.push(("credential.username", user.clone()));
                // No helper is asked, and none is told.
                config.push(("credential.helper", String::new()));
                let (scheme, host) = origin.split_once("://").unwrap_or_default();
                set("GIT_ASKPASS", &askpass.to_string_lossy());
                set("BRINE_GIT_SCHEME", scheme);
                set("BRINE_GIT_HOST", host);
                set("BRINE_GIT_USER", user);
                set("BRINE_GIT_PASSWORD", password.reveal());
            }
            Auth::Key { privkey, passphrase } => {
                ssh = format!("ssh -o IdentitiesOnly=yes -i {}", quoted(&privkey.to_string_lossy()));
                if passphrase.reveal().is_empty() {
                    ssh.push_str(" -o BatchMode=yes");
                } else {
                    set("SSH_ASKPASS", &askpass.to_string_lossy());
                    set("SSH_ASKPASS_REQUIRE", "force");
                    set("DISPLAY", ":0");
                    set("BRINE_GIT_PASSPHRASE", passphrase.reveal());
                }
            }
        }
        ssh.push_str(
            " -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no -o StrictHostKeyChecking=yes \
             -o ControlMaster=no -o ControlPath=none -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=4",
        );
        set("GIT_SSH_COMMAND", &ssh);
        Self { dir, config, env }
    }

    /// Writes the program that answers.
    pub(crate) fn write_askpass(at: &Path) -> io::Result<()> {
        if std::fs::read(at).is_ok_and(|now| now == ASKPASS.as_bytes()) {
            return Ok(());
        }
        let folder = at.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let mut new = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .tempfile_in(folder)?;
        io::Write::write_all(&mut new, ASKPASS.as_bytes())?;
        new.persist(at).map_err(|e| e.error)?;
        Ok(())
    }

    /// The repository.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A call that is not made yet, with nothing to read.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(words).env_clear().current_dir("/").stdin(Stdio::null()).process_group(0);
        command.envs(PASSED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.envs([
            ("LC_ALL", "C"),
            ("LANGUAGE", "C"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_OPTIONAL_LOCKS", "0"),
        ]);
        command.env("GIT_DIR", &self.dir).env("GIT_CONFIG_COUNT", self.config.len().to_string());
        for (n, (key, value)) in self.config.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{n}"), key).env(format!("GIT_CONFIG_VALUE_{n}"), value);
        }
        command.envs(self.env.iter().map(|(key, value)| (key, value.reveal())));
        command
    }

    /// What a call prints, if it ends well and in time, and prints no more than `most` bytes.
    ///
    /// # Errors
    /// Why it did not, without secrets.
    pub(crate) fn output(&self, words: &[&str], most: u64, longest: Duration) -> Result<Vec<u8>, String> {
        let mut command = self.command(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let what = words.first().copied().unwrap_or_default();
        let mut child = Running(command.spawn().map_err(|e| format!("git could not be started: {e}"))?);
        let deadline = Instant::now() + longest;
        let (Some(out), Some(err)) = (child.0.stdout.take(), child.0.stderr.take()) else {
            return Err("git has no output".into());
        };
        let (done, printed) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            let read = out.take(most + 1).read_to_end(&mut all);
            // The other end may have given up.
            let _ = done.send(read.map(|_| all));
        });
        let words = std::thread::spawn(move || {
            let mut all = Vec::new();
            let mut err = err.take(MOST_WORDS);
            let _ = err.read_to_end(&mut all);
            // What is too much is thrown away, so that git can go on.
            let _ = io::copy(err.get_mut(), &mut io::sink());
            all
        });
        let printed = printed.recv_timeout(longest);
        let slow = || format!("git {what} took longer than {} seconds", longest.as_secs());
        let all = printed.map_err(|_| slow())?.map_err(|e| format!("git {what}: {e}"))?;
        if all.len() as u64 > most {
            return Err(format!("git {what} said more than {most} bytes"));
        }
        let status = child.wait(deadline).map_err(|e| format!("git {what}: {e}"))?.ok_or_else(slow)?;
        let _ = reader.join();
        if status.success() {
            return Ok(all);
        }
        let words = words.join().unwrap_or_default();
        Err(self.without_secrets(String::from_utf8_lossy(&words).trim()))
    }

    /// A text with the secrets replaced that were given to git.
    fn without_secrets(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (key, value) in &self.env {
            if matches!(*key, "BRINE_GIT_PASSWORD" | "BRINE_GIT_PASSPHRASE") && !value.reveal().is_empty() {
                text = text.replace(value.reveal(), "<redacted>");
            }
        }
        let url = self.config.iter().find(|(key, _)| *key == "remote.brine.url").map(|(_, url)| url.as_str());
        let login = url.and_then(|url| url.split_once("://")?.1.split('/').next()?.rsplit_once('@'));
        if let Some((_, password)) = login.and_then(|(login, _)| login.split_once(':'))
            && !password.is_empty()
        {
            text = text.replace(password, "<redacted>");
        }
        text
    }
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A call that ends with its owner, with all that it started.
struct Running(Child);

impl Running {
    fn wait(&mut self, deadline: Instant) -> io::Result<Option<std::process::ExitStatus>> {
        // It has closed its output, so it is about to end.
        let mut pause = Duration::from_micros(200);
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            if let Ok(pid) = i32::try_from(self.0.id()) {
                let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
            }
            let _ = self.0.wait();
        }
    }
}

/// A file that nobody else can read, empty.
pub(crate) fn touch(at: &Path) -> io::Result<()> {
    let file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(at)?;
    file.set_modified(std::time::SystemTime::now())
}
