//! Options and escaping; what a real server makes of them is in `tests/ldap.rs`.

use super::options::{Options, fill_dn, fill_filter};
use super::*;
use crate::eauth::{EauthConfig, Secret};
use brine_protocol::{Map, Value, map};

fn options(auth: Map) -> Result<Options, String> {
    Options::of(&Settings { own: Map::new(), auth })
}

#[test]
fn names_are_escaped_where_they_are_filled_in() {
    let filter = |name: &str| fill_filter("uid={{ username }}", name).unwrap();
    assert_eq!(filter("fred"), "uid=fred");
    assert_eq!(filter("*)(uid=root"), r"uid=\2a\29\28uid=root");
    let dn = |name: &str| fill_dn("uid={{username}},ou=p,dc=x", name).unwrap();
    assert_eq!(dn("fred"), "uid=fred,ou=p,dc=x");
    assert_eq!(dn("root,ou=admins"), r"uid=root\2cou\3dadmins,ou=p,dc=x");
    assert_eq!(fill_dn("{{ username }}@x.example", "fred").unwrap(), "fred@x.example");
    // What fills in is not looked at again.
    assert_eq!(fill_dn("{{ username }}@x", "{{ username }}").unwrap(), "{{ username }}@x");
    for template in ["{{ other }}", "{{ username", "{% if 1 %}x{% endif %}", "{{ username | lower }}"] {
        assert!(
            fill_dn(template, "x").is_err() && options(map! {"filter" => template}).is_err(),
            "{template}"
        );
    }
}

#[test]
fn servers_are_what_the_options_say() {
    let urls = |auth: Map| options(auth).unwrap().urls;
    assert_eq!(urls(Map::new()), ["ldap://localhost:389"]);
    assert_eq!(urls(map! {"server" => "d.example", "port" => 390}), ["ldap://d.example:390"]);
    assert_eq!(urls(map! {"tls" => true, "server" => "d"}), ["ldaps://d:636"]);
    assert_eq!(urls(map! {"uri" => "ldaps://a ldaps://b", "server" => "c"}), ["ldaps://a", "ldaps://b"]);
    assert!(options(map! {"tls" => true, "starttls" => true}).is_err());
    assert!(options(map! {"scope" => 3}).is_err() && options(map! {"scope" => 0}).is_ok());
    assert!(options(map! {"groupclass" => "x)(uid=*"}).is_err());
}

#[test]
fn nobody_gets_in_without_a_password_of_his_own() {
    // Stock would take any password, and only look whether the name is in a group.
    assert!(options(map! {"auth_by_group_membership_only" => true, "anonymous" => true}).is_err());
    let login = Login { eauth: "ldap".into(), username: "fred".into(), password: Secret::default() };
    let settings = Settings { auth: map! {"binddn" => "uid={{ username }}"}, own: Map::new() };
    assert!(matches!(auth(&settings, &login), Err(Failure::Refused { .. })));
}

/// Every option `auth.ldap.*` has its place in what a login goes by.
#[test]
fn each_option_of_the_directory_counts() {
    let of = |given: Map| {
        let named = |(k, v): (Value, Value)| (format!("auth.ldap.{}", k.as_str().unwrap()), v);
        let mut opts = given.into_iter().map(named).collect::<Map>();
        opts.insert("external_auth", map! {"ldap" => map! {"fred" => vec![".*"]}});
        let dir = crate::fs::Dir::at("/nowhere");
        let config = EauthConfig::from_opts(
            &brine_core::Opts::new(opts),
            dir,
            brine_protocol::crypt::HashType::Sha256,
        )
        .unwrap();
        Options::of(&config.section("ldap").unwrap().settings)
    };
    let all = of(map! {
        "server" => "s", "port" => 1389, "starttls" => true, "no_verify" => true, "anonymous" => true, "scope" => 1,
        "basedn" => "dc=x", "filter" => "uid={{ username }}", "binddn" => "cn=a", "bindpw" => "b", "groupou" => "G",
        "groupclass" => "c", "accountattributename" => "a", "persontype" => "p", "groupattribute" => "g",
        "activedirectory" => true, "freeipa" => true, "group_basedn" => "ou=G", "group_filter" => "(m={{ username }})",
        "minion_stripdomains" => vec![".x"],
    })
    .unwrap();
    assert_eq!(all.urls, ["ldap://s:1389"]);
    assert!(all.starttls && all.no_verify && all.anonymous && all.activedirectory && all.freeipa);
    assert_eq!((all.scope, all.basedn.as_str()), (ldap3::Scope::OneLevel, "dc=x"));
    assert_eq!(all.filter.as_deref(), Some("uid={{ username }}"));
    assert_eq!((all.binddn.as_deref(), all.bindpw.is_some()), (Some("cn=a"), true));
    assert_eq!((all.groupou.as_deref(), all.groupclass.as_str()), (Some("G"), "c"));
    assert_eq!(
        (all.accountattribute.as_str(), all.persontype.as_str(), all.groupattribute.as_str()),
        ("a", "p", "g")
    );
    assert_eq!((all.group_basedn.as_str(), all.group_filter.as_str()), ("ou=G", "(m={{ username }})"));
    assert_eq!(all.stripdomains, [".x"]);
    assert_eq!(of(map! {"uri" => "ldap://a ldap://b"}).unwrap().urls, ["ldap://a", "ldap://b"]);
    assert_eq!(of(map! {"tls" => true}).unwrap().urls, ["ldaps://localhost:636"]);
    let open = map! {"anonymous" => true, "auth_by_group_membership_only" => true};
    assert!(of(open).is_err(), "any password would do");
}
