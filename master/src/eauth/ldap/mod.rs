//! `ldap`: a directory is asked by binding as the user; groups and computers are searched in it.
//!
//! The options are stock's `auth.ldap.*`. The user's DN is searched with the account `binddn` and `bindpw`, or is
//! `binddn` with `{{ username }}` filled in. Names that come from a caller are escaped wherever they are filled in, and a
//! bind without a password, which servers take for an anonymous one, is never tried.

mod conn;
mod expand;
mod groups;
mod options;
#[cfg(test)]
mod tests;

use super::{Backend, Failure, Login, Settings};
use conn::Conn;
use options::{Options, fill_dn, fill_filter};

pub(super) const BACKEND: Backend = Backend {
    name: "ldap",
    doc: "Binds to a directory as the user (auth.ldap.*).",
    check: |settings| Options::of(settings).map(drop),
    auth,
    groups: groups::groups,
    expand: expand::expand,
};

fn options(settings: &Settings) -> Result<Options, Failure> {
    Options::of(settings).map_err(Failure::Broken)
}

fn auth(settings: &Settings, login: &Login) -> Result<(), Failure> {
    bind_as(&options(settings)?, login).map(drop)
}

/// A connection that is the user's.
fn bind_as(options: &Options, login: &Login) -> Result<Conn, Failure> {
    if login.password.reveal().is_empty() {
        return Err(Failure::refused("empty password"));
    }
    let dn = user_dn(options, &login.username)?;
    let mut conn = Conn::open(options)?;
    conn.bind(&dn, &login.password)?;
    Ok(conn)
}

/// A connection that may search: bound as the account of the options, or as nobody where that is what they say.
fn searcher(options: &Options) -> Result<Option<Conn>, Failure> {
    match (&options.binddn, &options.bindpw) {
        (Some(dn), Some(password)) => {
            let mut conn = Conn::open(options)?;
            // A refusal here is the operator's affair, not the user's.
            conn.bind(dn, password).map_err(|e| Failure::Broken(format!("bind as {dn}: {e}")))?;
            Ok(Some(conn))
        }
        (None, _) if options.anonymous => Conn::open(options).map(Some),
        _ => Ok(None),
    }
}

/// The user's name in the directory.
fn user_dn(options: &Options, username: &str) -> Result<String, Failure> {
    let Some(mut conn) = searcher(options)? else {
        let Some(template) = &options.binddn else {
            return Err(Failure::Broken("auth.ldap.binddn is not set".into()));
        };
        return fill_dn(template, username).map_err(Failure::Broken);
    };
    let Some(filter) = &options.filter else {
        return Err(Failure::Broken("auth.ldap.filter is not set".into()));
    };
    let filter = fill_filter(filter, username).map_err(Failure::Broken)?;
    let mut found = conn.search(&options.basedn, options.scope, &filter, &["1.1"])?;
    match (found.pop(), found.is_empty()) {
        (Some(entry), true) => Ok(entry.dn),
        (None, _) => Err(Failure::refused(format!("Unable to find user {username}"))),
        _ => Err(Failure::refused(format!("LDAP lookup found multiple results for user {username}"))),
    }
}
