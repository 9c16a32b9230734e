//! External authentication: what proves to the master who one is. Asked for at the terminal where the command line does
//! not say; a token is kept in the user's own file.

use crate::exit::{CliError, NO_RETURN, Result};
use crate::startup::Command;
use brine_client::Link;
use brine_client::who::own_name;
use brine_protocol::{Map, Value, map};
use std::fs::OpenOptions;
use std::io::{BufRead, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// The systems that a master may have, with the names of what they ask for.
const SYSTEMS: &[&str] =
    &["auto", "django", "file", "keystone", "ldap", "mysql", "pam", "pki", "rest", "sharedsecret", "yubico"];

/// Lets `link` prove who one is, if the command asks for it: with the token that is kept, or with name and password; with
/// `-T` the master makes a token of these, which is kept.
pub(crate) async fn prove(command: &Command, link: &mut Link) -> Result {
    // Who may read the master's key needs no token.
    if let (Some(token), false) = (kept_token(command), link.has_key()) {
        link.prove(map! {"token" => token});
        return Ok(());
    }
    let Some(system) = command.some("eauth") else { return Ok(()) };
    let Some(mut proofs) = ask(command, system)? else {
        eprintln!("ERROR: Authentication failed");
        return Err(CliError::Code(NO_RETURN));
    };
    if command.on("mktoken") {
        let mut load = proofs.clone();
        load.insert("cmd", "mk_token");
        load.insert("eauth", system);
        let reply = link.request(load).await?;
        if let Some(token) = reply.get("token").and_then(Value::as_str) {
            keep_token(Path::new(command.text("token_file")), token);
            proofs.insert("token", token);
        }
    }
    proofs.insert("eauth", system);
    link.prove(proofs);
    Ok(())
}

/// The token of the user's file, unless it is older than masters keep them.
fn kept_token(command: &Command) -> Option<String> {
    if let Some(given) = command.some("token") {
        return Some(given.to_owned());
    }
    let path = Path::new(command.some("token_file")?);
    let written = std::fs::metadata(path).ok()?.modified().ok()?;
    let lifetime = command.seconds("token_expire", 43_200.0);
    let age = SystemTime::now().duration_since(written).unwrap_or(Duration::ZERO);
    let token = std::fs::read_to_string(path).ok().filter(|_| age < lifetime)?;
    Some(token.trim().to_owned()).filter(|t| !t.is_empty())
}

/// Best effort, as in stock: without the file one is asked again.
fn keep_token(path: &Path, token: &str) {
    let file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path);
    let kept = file.and_then(|mut file| {
        // A file that was there may have been readable by others.
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        file.write_all(token.as_bytes())
    });
    if let Err(e) = kept {
        tracing::warn!("the token is not kept: {}: {e}", path.display());
    }
}

/// Name and password, from the command line or the terminal. None: no such system.
fn ask(command: &Command, system: &str) -> Result<Option<Map>> {
    if !SYSTEMS.contains(&system) {
        println(&format!("The specified external authentication system \"{system}\" is not available"))?;
        println(&format!("Available eauth types: {}", SYSTEMS.join(", ")))?;
        return Ok(None);
    }
    let username = match command.line.get("username").or(command.some("username")) {
        Some(given) => given.to_owned(),
        None => input("username: ")?,
    };
    let username = if username.is_empty() { own_name() } else { username };
    let password = match command.line.get("password").or(command.some("password")) {
        Some(given) => Zeroizing::new(given.to_owned()),
        None => password("password: ")?,
    };
    Ok(Some(map! {"username" => username, "password" => password.as_str()}))
}

fn println(text: &str) -> Result {
    writeln!(std::io::stdout(), "{text}").map_err(|e| CliError::io("standard output", e))
}

/// A line of the user's, after a prompt on standard output. The end of input is a wrong command line.
fn input(prompt: &str) -> Result<String> {
    let io = |e| CliError::io("terminal", e);
    let mut out = std::io::stdout();
    out.write_all(prompt.as_bytes()).and_then(|()| out.flush()).map_err(io)?;
    let mut line = String::new();
    if std::io::stdin().lock().read_line(&mut line).map_err(io)? == 0 {
        return Err(CliError::Client("no user name was given".into()));
    }
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// A line that is not shown, from the terminal; without one, from standard input.
fn password(prompt: &str) -> Result<Zeroizing<String>> {
    use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
    let io = |e: std::io::Error| CliError::io("terminal", e);
    let tty = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let Ok(mut tty) = tty else {
        eprint!("{prompt}");
        return read_secret(&mut std::io::stdin().lock()).map_err(io);
    };
    let shown = tcgetattr(&tty).map_err(|e| io(e.into()))?;
    let mut hidden = shown.clone();
    hidden.local_flags.remove(LocalFlags::ECHO);
    // Before anybody is asked: a quick answer would be shown, and then thrown away.
    tcsetattr(&tty, SetArg::TCSAFLUSH, &hidden).map_err(|e| io(e.into()))?;
    tty.write_all(prompt.as_bytes()).map_err(io)?;
    let read = tty.try_clone().map(std::io::BufReader::new).and_then(|mut r| read_secret(&mut r));
    tcsetattr(&tty, SetArg::TCSAFLUSH, &shown).map_err(|e| io(e.into()))?;
    tty.write_all(b"\n").map_err(io)?;
    read.map_err(io)
}

fn read_secret(from: &mut impl BufRead) -> std::io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    if from.read_line(&mut line)? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    let end = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(end);
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "an old and longer one").unwrap();
        keep_token(&path, "new");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_secret_ends_with_its_line() {
        let mut input: &[u8] = b"pass word\r\nrest";
        assert_eq!(read_secret(&mut input).unwrap().as_str(), "pass word");
        assert!(read_secret(&mut &b""[..]).is_err());
    }
}
