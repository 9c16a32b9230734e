//! Options and escaping; what a real server makes of them is in `tests/ldap.rs`.

use super::options::{Options, fill_dn, fill_filter};
use super::*;
use crate::eauth::Secret;
use brine_protocol::{Map, map};

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
