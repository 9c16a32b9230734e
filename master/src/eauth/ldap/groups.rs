//! Which groups a user is in: by `posixGroup` and `memberOf`, as Active Directory has it, or as FreeIPA has it.

use ldap3::{Scope, ldap_escape};

use super::conn::Entry;
use super::options::{Options, fill_filter};
use super::{Conn, bind_as, searcher};
use crate::eauth::{Failure, Login, Settings};

pub(super) fn groups(settings: &Settings, login: &Login) -> Result<Vec<String>, Failure> {
    let options = super::options(settings)?;
    let mut conn = match searcher(&options)? {
        Some(conn) => conn,
        None => bind_as(&options, login)?,
    };
    let mut groups = if options.activedirectory {
        active_directory(&mut conn, &options, &login.username)?
    } else if options.freeipa {
        freeipa(&mut conn, &options, &login.username)?
    } else {
        posix(&mut conn, &options, &login.username)?
    };
    let mut seen = std::collections::HashSet::new();
    groups.retain(|g| seen.insert(g.clone()));
    Ok(groups)
}

/// `a` of `cn=a,ou=b`, as stock cuts it.
fn first_value(dn: &str) -> &str {
    let rdn = dn.split(',').next().unwrap_or_default();
    rdn.rsplit('=').next().unwrap_or_default()
}

fn active_directory(conn: &mut Conn, options: &Options, username: &str) -> Result<Vec<String>, Failure> {
    let filter = format!(
        "(&({}={})(objectClass={}))",
        options.accountattribute,
        ldap_escape(username),
        options.persontype
    );
    let found = conn.search(&options.basedn, Scope::Subtree, &filter, &["distinguishedName"])?;
    let Some(user) = found.first() else {
        return Err(Failure::Broken(format!("Could not get distinguished name for user {username}")));
    };
    let filter = format!("(&(member={})(objectClass={}))", ldap_escape(user.dn.as_str()), options.groupclass);
    let attributes = [options.accountattribute.as_str(), "cn"];
    let found = conn.search(&options.basedn, Scope::Subtree, &filter, &attributes)?;
    Ok(found.iter().filter_map(|group| group.values("cn").first().cloned()).collect())
}

fn freeipa(conn: &mut Conn, options: &Options, username: &str) -> Result<Vec<String>, Failure> {
    let filter = fill_filter(&options.group_filter, username).map_err(Failure::Broken)?;
    let attributes = [options.accountattribute.as_str(), &options.groupattribute, "cn"];
    let found = conn.search(&options.group_basedn, Scope::Subtree, &filter, &attributes)?;
    let has_user = |values: &[String]| values.iter().any(|member| first_value(member) == username);
    Ok(found
        .iter()
        .filter(|group| {
            has_user(group.values(&options.accountattribute))
                || has_user(group.values(&options.groupattribute))
        })
        .map(|group| first_value(&group.dn).to_owned())
        .collect())
}

fn posix(conn: &mut Conn, options: &Options, username: &str) -> Result<Vec<String>, Failure> {
    let base = match &options.groupou {
        Some(ou) => format!("ou={ou},{}", options.basedn),
        None => options.basedn.clone(),
    };
    let filter = format!(
        "(&({}={})(objectClass={}))",
        options.accountattribute,
        ldap_escape(username),
        options.groupclass
    );
    let attributes = [options.accountattribute.as_str(), "cn", &options.groupattribute];
    let found = conn.search(&base, Scope::Subtree, &filter, &attributes)?;
    // An entry is a group that names the user, or the user, who names his groups. In stock a user's own `cn`, which he
    // may be able to change, counts as one of his groups.
    let is_user = |entry: &Entry| {
        let (kind, _) = entry.dn.split_once('=').unwrap_or_default();
        kind.eq_ignore_ascii_case(&options.accountattribute)
            || (first_value(&entry.dn) == username && !entry.values(&options.groupattribute).is_empty())
    };
    let naming = found
        .iter()
        .filter(|entry| entry.values(&options.accountattribute).iter().any(|name| name == username))
        .filter(|entry| !is_user(entry))
        .filter_map(|group| group.values("cn").first().cloned());
    let named = found
        .iter()
        .filter(|entry| first_value(&entry.dn) == username)
        .flat_map(|user| user.values(&options.groupattribute))
        .map(|dn| first_value(dn).to_owned());
    Ok(naming.chain(named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_out_of_a_dn() {
        assert_eq!(first_value("cn=ops,ou=Groups,dc=x"), "ops");
        assert_eq!(first_value("fred"), "fred");
        assert_eq!(first_value(""), "");
    }
}
