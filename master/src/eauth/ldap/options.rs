//! Stock's options `auth.ldap.*`, and the filling in of names.

use brine_core::text::python_str;
use brine_protocol::Value;
use ldap3::{Scope, dn_escape, ldap_escape};

use crate::eauth::{Secret, Settings};

#[derive(Clone, Debug)]
pub(super) struct Options {
    /// Servers, tried in this order.
    pub(super) urls: Vec<String>,
    pub(super) starttls: bool,
    pub(super) no_verify: bool,
    pub(super) anonymous: bool,
    pub(super) scope: Scope,
    pub(super) basedn: String,
    pub(super) filter: Option<String>,
    pub(super) binddn: Option<String>,
    pub(super) bindpw: Option<Secret>,
    pub(super) groupou: Option<String>,
    pub(super) groupclass: String,
    pub(super) accountattribute: String,
    pub(super) persontype: String,
    pub(super) groupattribute: String,
    pub(super) activedirectory: bool,
    pub(super) freeipa: bool,
    pub(super) group_basedn: String,
    pub(super) group_filter: String,
    pub(super) stripdomains: Vec<String>,
}

impl Options {
    pub(super) fn of(settings: &Settings) -> Result<Self, String> {
        let get = |key: &str| settings.auth.get(key);
        let text = |key: &str| get(key).filter(|v| v.truthy()).map(python_str);
        let flag = |key: &str| get(key).is_some_and(Value::truthy);
        let attribute = |key: &str, default: &str| match text(key) {
            None => Ok(default.to_owned()),
            // These stand in filters as they are.
            Some(name) if name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-;.".contains(&b)) => Ok(name),
            Some(name) => Err(format!("auth.ldap.{key}: {name:?} is no name of an attribute or class")),
        };
        if flag("auth_by_group_membership_only") && flag("anonymous") {
            return Err(
                "auth.ldap.auth_by_group_membership_only with auth.ldap.anonymous would take any password; \
                        it is not available"
                    .into(),
            );
        }
        let (tls, starttls) = (flag("tls"), flag("starttls"));
        if tls && starttls {
            return Err(
                "Cannot bind with both starttls and tls enabled. Please enable only one of the protocols"
                    .into(),
            );
        }
        let urls = match text("uri") {
            Some(uri) => uri.split([' ', ',']).filter(|u| !u.is_empty()).map(str::to_owned).collect(),
            None => {
                let (scheme, port) = if tls { ("ldaps", "636") } else { ("ldap", "389") };
                let server = text("server").unwrap_or_else(|| "localhost".into());
                vec![format!("{scheme}://{server}:{}", text("port").unwrap_or_else(|| port.into()))]
            }
        };
        let scope = match text("scope").as_deref() {
            Some("0") => Scope::Base,
            Some("1") => Scope::OneLevel,
            None if get("scope").is_some_and(|v| v.as_int() == Some(0)) => Scope::Base,
            None | Some("2") => Scope::Subtree,
            Some(other) => return Err(format!("auth.ldap.scope: {other} is none of 0, 1, 2")),
        };
        // Absent is its default; empty or false is no such part.
        let groupou = if get("groupou").is_some() { text("groupou") } else { Some("Groups".into()) };
        let options = Self {
            urls,
            starttls,
            no_verify: flag("no_verify"),
            anonymous: flag("anonymous"),
            scope,
            basedn: text("basedn").unwrap_or_default(),
            filter: text("filter"),
            binddn: text("binddn"),
            bindpw: text("bindpw").map(Secret::new),
            groupou,
            groupclass: attribute("groupclass", "posixGroup")?,
            accountattribute: attribute("accountattributename", "memberUid")?,
            persontype: attribute("persontype", "person")?,
            groupattribute: attribute("groupattribute", "memberOf")?,
            activedirectory: flag("activedirectory"),
            freeipa: flag("freeipa"),
            group_basedn: text("group_basedn").unwrap_or_default(),
            group_filter: text("group_filter").unwrap_or_default(),
            stripdomains: match get("minion_stripdomains") {
                Some(Value::List(list)) => list.iter().map(python_str).collect(),
                _ => Vec::new(),
            },
        };
        // Mistakes show when the master starts, not when somebody logs in.
        let template = if options.bindpw.is_none() { options.binddn.as_deref() } else { None };
        fill_dn(template.unwrap_or_default(), "x")?;
        for filter in [options.filter.as_deref().unwrap_or_default(), &options.group_filter] {
            fill_filter(filter, "x")?;
        }
        Ok(options)
    }
}

/// Puts text in the place of `{{ username }}`.
fn fill(template: &str, username: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or_else(|| format!("{template}: no end of {{{{"))?;
        if name.trim() != "username" {
            return Err(format!("{template}: only {{{{ username }}}} can be filled in"));
        }
        out.push_str(before);
        out.push_str(username);
        rest = after;
    }
    if template.contains("{%") {
        return Err(format!("{template}: only {{{{ username }}}} can be filled in"));
    }
    out.push_str(rest);
    Ok(out)
}

/// A DN with the name in it, escaped; or a name of another form (`{{ username }}@domain`), in which nothing has to be.
pub(super) fn fill_dn(template: &str, username: &str) -> Result<String, String> {
    if template.contains('=') { fill(template, &dn_escape(username)) } else { fill(template, username) }
}

/// A filter with the name in it, escaped.
pub(super) fn fill_filter(template: &str, username: &str) -> Result<String, String> {
    fill(template, &ldap_escape(username))
}
