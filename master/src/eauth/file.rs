//! `file`: names and passwords in a file of the operator's: plain text, `htpasswd` or `htdigest`.
//!
//! The options stand in the section itself, with `^` before them: `^filename`, `^filetype`, `^hashtype`,
//! `^field_separator`, `^username_field`, `^password_field`, `^realm`. The file is read at each login.

use std::io::Read;

use brine_core::text::python_str;
use brine_protocol::Value;
use brine_protocol::crypt::HashType;
use subtle::ConstantTimeEq;

use super::crypt::{self, Scheme};
use super::{Backend, Failure, Login, Settings, as_they_stand, no_groups};

pub(super) const BACKEND: Backend = Backend {
    name: "file",
    doc: "Reads names and passwords from a file (^filename, ^filetype and others).",
    check: |settings| Options::of(settings).map(drop),
    auth,
    groups: no_groups,
    expand: as_they_stand,
};

/// Largest file that is read.
const MAX: u64 = 16 << 20;

#[derive(Debug)]
enum Kind {
    /// Fields with a separator, and how the password is written (None: as it is).
    Text {
        hash: Option<HashType>,
        separator: String,
        user: usize,
        password: usize,
    },
    Htpasswd,
    Htdigest {
        realm: String,
    },
}

#[derive(Debug)]
struct Options {
    filename: String,
    kind: Kind,
}

impl Options {
    fn of(settings: &Settings) -> Result<Self, String> {
        let text = |key: &str| settings.own.get(key).filter(|v| !v.is_nil()).map(python_str);
        let filename = text("filename").filter(|f| !f.is_empty()).ok_or(
            "salt.auth.file: An authentication file must be specified via external_auth:file:^filename",
        )?;
        let field = |key: &str, default: usize| match settings.own.get(key) {
            None => Ok(default),
            Some(value) => match value {
                Value::Str(text) => text.trim().parse().ok(),
                other => other.as_int().and_then(|n| usize::try_from(n).ok()),
            }
            .filter(|n| *n > 0)
            .ok_or(format!("external_auth:file:^{key} must be a number from 1")),
        };
        let kind = match text("filetype").as_deref() {
            None | Some("text") => Kind::Text {
                hash: match text("hashtype").as_deref() {
                    None | Some("plaintext") => None,
                    Some("md5") => Some(HashType::Md5),
                    Some("sha256") => Some(HashType::Sha256),
                    Some("sha512") => Some(HashType::Sha512),
                    Some(other) => return Err(format!("Hash func '{other}' is not supported.")),
                },
                separator: text("field_separator").filter(|s| !s.is_empty()).unwrap_or_else(|| ":".into()),
                user: field("username_field", 1)? - 1,
                password: field("password_field", 2)? - 1,
            },
            Some("htpasswd") => Kind::Htpasswd,
            Some("htdigest") => Kind::Htdigest {
                realm: text("realm").filter(|r| !r.is_empty()).ok_or(
                    "salt.auth.file: A ^realm must be defined in external_auth:file for htdigest filetype",
                )?,
            },
            Some(other) => return Err(format!("external_auth:file:^filetype {other:?} is unknown")),
        };
        Ok(Self { filename, kind })
    }
}

fn auth(settings: &Settings, login: &Login) -> Result<(), Failure> {
    let options = Options::of(settings).map_err(Failure::Broken)?;
    if login.password.reveal().is_empty() {
        return Err(Failure::refused("empty password"));
    }
    let text = read(&options.filename).map_err(|e| Failure::Broken(format!("{}: {e}", options.filename)))?;
    let good = match &options.kind {
        Kind::Text { hash, separator, user, password } => {
            in_text(&text, login, *hash, separator, (*user, *password))?
        }
        Kind::Htpasswd => in_htpasswd(&text, login)?,
        Kind::Htdigest { realm } => in_htdigest(&text, login, realm),
    };
    if good { Ok(()) } else { Err(Failure::refused("unknown user or wrong password")) }
}

fn read(path: &str) -> std::io::Result<String> {
    let file = std::fs::File::open(path)?;
    let mut bytes = Vec::new();
    file.take(MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn same(a: &str, b: &str) -> bool {
    bool::from(a.as_bytes().ct_eq(b.as_bytes()))
}

/// The first line of a user counts. A line without the fields ends the search, as in stock.
fn in_text(
    text: &str,
    login: &Login,
    hash: Option<HashType>,
    separator: &str,
    (user, password): (usize, usize),
) -> Result<bool, Failure> {
    let given = match hash {
        None => login.password.reveal().to_owned(),
        Some(hash) => hash.hex(login.password.reveal().as_bytes()),
    };
    // A lone CR ends a line too, as Python reads files.
    for line in text.replace("\r\n", "\n").replace('\r', "\n").lines() {
        let fields: Vec<&str> = line.trim().split(separator).collect();
        let lacks = |what: &str| Failure::Broken(format!("a line of the file has no {what} field"));
        let name = fields.get(user).ok_or_else(|| lacks("username"))?;
        let own = fields.get(password).ok_or_else(|| lacks("password"))?;
        if *name == login.username {
            return Ok(same(own, &given));
        }
    }
    Ok(false)
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|l| l.trim_end_matches('\r')).filter(|l| !l.is_empty() && !l.starts_with('#'))
}

fn in_htpasswd(text: &str, login: &Login) -> Result<bool, Failure> {
    let own = entries(text).filter_map(|l| l.split_once(':')).find(|(name, _)| *name == login.username);
    let Some((_, own)) = own else { return Ok(false) };
    match Scheme::of(own) {
        Some(scheme) => Ok(crypt::verify(scheme, own, login.password.reveal())),
        None => Err(Failure::Broken(format!(
            "the password of {} is of a kind that is not checked",
            login.username
        ))),
    }
}

fn in_htdigest(text: &str, login: &Login, realm: &str) -> bool {
    if login.username.contains(':') {
        return false;
    }
    let known = entries(text).find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (name, in_realm, digest) = (fields.next()?, fields.next()?, fields.next()?);
        (name == login.username && in_realm == realm).then_some(digest)
    });
    let given = format!("{}:{realm}:{}", login.username, login.password.reveal());
    known.is_some_and(|known| same(&known.trim().to_ascii_lowercase(), &HashType::Md5.hex(given.as_bytes())))
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
