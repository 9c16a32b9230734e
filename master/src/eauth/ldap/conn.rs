//! A connection to one of the servers. Every step has a deadline.

use std::time::Duration;

use ldap3::{LdapConn, LdapConnSettings, LdapError, Scope, SearchEntry};

use super::options::Options;
use crate::eauth::{Failure, Secret};

const CONNECT: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_secs(20);
/// LDAP's `invalidCredentials`, and the codes by which servers refuse accounts that are locked or expired.
const NOT_ALLOWED: [u32; 3] = [49, 53, 19];
const NO_SUCH_OBJECT: u32 = 32;

pub(super) struct Conn(LdapConn);

/// What a search found.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its name.
    pub(super) dn: String,
    attributes: Vec<(String, Vec<String>)>,
}

impl Entry {
    /// The values of an attribute, whose name is compared without case.
    pub(super) fn values(&self, name: &str) -> &[String] {
        self.attributes.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or(&[], |(_, v)| v)
    }
}

fn broken(e: LdapError) -> Failure {
    Failure::Broken(e.to_string())
}

impl Conn {
    /// Connects to the first server that answers, with TLS where the options say so.
    pub(super) fn open(options: &Options) -> Result<Self, Failure> {
        let mut last = Failure::Broken("no server is named".into());
        for url in &options.urls {
            let settings = LdapConnSettings::new()
                .set_conn_timeout(CONNECT)
                .set_starttls(options.starttls)
                .set_no_tls_verify(options.no_verify);
            match LdapConn::with_settings(settings, url) {
                Ok(conn) => return Ok(Self(conn)),
                Err(e) => last = Failure::Broken(format!("{url}: {e}")),
            }
        }
        Err(last)
    }

    /// Binds with a password, which must not be empty: servers take that for an anonymous bind.
    pub(super) fn bind(&mut self, dn: &str, password: &Secret) -> Result<(), Failure> {
        if dn.is_empty() || password.reveal().is_empty() {
            return Err(Failure::refused("a bind without name or password proves nothing"));
        }
        let answer = self.0.with_timeout(STEP).simple_bind(dn, password.reveal()).map_err(broken)?;
        match answer.rc {
            0 => Ok(()),
            rc if NOT_ALLOWED.contains(&rc) => Err(Failure::refused(format!("bind as {dn}: {answer}"))),
            _ => Err(Failure::Broken(format!("bind as {dn}: {answer}"))),
        }
    }

    /// Entries below `base`; referrals are passed over, and a base that does not exist holds none.
    pub(super) fn search(
        &mut self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
    ) -> Result<Vec<Entry>, Failure> {
        let found =
            self.0.with_timeout(STEP).search(base, scope, filter, attributes.to_vec()).map_err(broken)?;
        if found.1.rc == NO_SUCH_OBJECT {
            return Ok(Vec::new());
        }
        let (entries, _) = found.success().map_err(broken)?;
        Ok(entries
            .into_iter()
            .filter(|e| !e.is_ref() && !e.is_intermediate())
            .map(|e| {
                let entry = SearchEntry::construct(e);
                Entry { dn: entry.dn, attributes: entry.attrs.into_iter().collect() }
            })
            .collect())
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        let _ = self.0.unbind();
    }
}
