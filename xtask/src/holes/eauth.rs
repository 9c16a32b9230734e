//! A table: the holes that external authentication closes.

use super::{Hole, Suite};

pub(super) const SUITES: &[Suite] = &[
    Suite { package: "brine-core", target: &["--lib"], holes: CORE },
    Suite { package: "brine-pam", target: &["--test", "pam"], holes: PAM },
    Suite { package: "brine-store", target: &["--lib"], holes: STORE },
    Suite { package: "brine-master", target: &["--lib"], holes: LIB },
    Suite { package: "brine-master", target: &["--test", "eauth"], holes: REQUESTS },
    Suite { package: "brine-master", target: &["--test", "ldap"], holes: LDAP },
];

const CORE: &[Hole] = &[Hole {
    row: "a user called `*`",
    file: "core/src/auth_rules.rs",
    find: "let hit = user_matches(name, user);",
    put: "let hit = user_matches(user, name);",
    tests: &["rules_are_found_by_name_and_group"],
}];

const PAM: &[Hole] = &[
    Hole {
        row: "2022-22967",
        file: "master/pam/src/ffi.rs",
        find: "PAM_SUCCESS => (Stage::Account, (self.acct_mgmt)(handle, flags)),",
        put: "PAM_SUCCESS => (Stage::Account, PAM_SUCCESS),",
        tests: &["cve_2022_22967_locked_and_expired_accounts_stay_out"],
    },
    Hole {
        row: "an account without a password",
        file: "master/pam/src/ffi.rs",
        find: "let flags = PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK;",
        put: "let flags = PAM_SILENT | (PAM_DISALLOW_NULL_AUTHTOK & 0);",
        tests: &["the_right_password_opens_and_nothing_else_does"],
    },
];

const STORE: &[Hole] = &[
    Hole {
        row: "2021-3144",
        file: "store/src/tokens.rs",
        find: r#"if number(&data, "expire") <= now || !usable"#,
        put: "if !usable",
        tests: &["cve_2021_3144_an_expired_token_is_refused_and_gone"],
    },
    Hole {
        row: "a token becomes a path",
        file: "store/src/tokens.rs",
        find: r#"&& text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))"#,
        put: "",
        tests: &["only_hex_is_a_token"],
    },
];

const LIB: &[Hole] = &[
    Hole {
        row: "2020-25592",
        file: "master/src/eauth/service.rs",
        find: "let data = self.tokens.get(token.as_str()?, now())?;",
        put: r#"let data = token.as_str().and_then(|t| self.tokens.get(t, now()));
        let data = data.unwrap_or(map! {"name" => "gene", "eauth" => "file"});"#,
        tests: &["cve_2020_25592_only_a_token_that_was_made_is_good"],
    },
    Hole {
        row: "a user called `*`",
        file: "core/src/auth_rules.rs",
        find: "let hit = user_matches(name, user);",
        put: "let hit = user_matches(user, name);",
        tests: &["rules_are_those_of_the_name_that_was_proved"],
    },
    Hole {
        row: "names are put into searches",
        file: "master/src/eauth/ldap/options.rs",
        find: "fill(template, &ldap_escape(username))",
        put: "fill(template, username)",
        tests: &["names_are_escaped_where_they_are_filled_in"],
    },
    Hole {
        row: "any password is taken where only groups",
        file: "master/src/eauth/ldap/options.rs",
        find: r#"if flag("auth_by_group_membership_only") && flag("anonymous") {"#,
        put: r#"if flag("auth_by_group_membership_only") && flag("anonymous") && flag("") {"#,
        tests: &["nobody_gets_in_without_a_password_of_his_own"],
    },
];

const LDAP: &[Hole] = &[Hole {
    row: "2020-28972",
    file: "master/src/eauth/ldap/conn.rs",
    find: ".set_no_tls_verify(options.no_verify);",
    put: ".set_no_tls_verify(options.no_verify || !options.urls.is_empty());",
    tests: &["a_server_is_believed_by_its_certificate"],
}];

const REQUESTS: &[Hole] = &[
    Hole {
        row: "2021-3144",
        file: "store/src/tokens.rs",
        find: r#"if number(&data, "expire") <= now || !usable"#,
        put: "if !usable",
        tests: &["cve_2021_3144_a_token_that_expired_is_refused_at_once"],
    },
    Hole {
        row: "a list of functions passes",
        file: "master/src/access.rs",
        find: "let calls = auth_rules::calls(fun, arg).ok_or_else(malformed)?;",
        put: "let mut calls = auth_rules::calls(fun, arg).ok_or_else(malformed)?;
    calls.truncate(1);",
        tests: &["a_login_gets_its_rules_and_no_more"],
    },
    Hole {
        row: "`user:` is the caller's claim",
        file: "master/src/access.rs",
        find: r#"load.insert("user", proved.name.as_str());"#,
        put: r#"let mut proved = proved;
    proved.name = load.get_str("user").unwrap_or_default().to_owned();"#,
        tests: &["a_login_gets_its_rules_and_no_more", "the_blacklist_holds_for_names_that_were_proved"],
    },
    Hole {
        row: "nobody can tell who ran what",
        file: "master/src/access/record.rs",
        find: "outcome,\n    });",
        put: "outcome: Outcome::Allowed,\n    });",
        tests: &["who_asked_for_what_is_on_record"],
    },
];
