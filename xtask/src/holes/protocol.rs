//! A table: the holes that `protocol` closes.

use super::{Hole, Suite};

/// Those of `protocol`, as its own tests see them but for the last.
pub(super) const SUITES: &[Suite] = &[
    Suite { package: "brine-protocol", target: &["--test", "security"], holes: SECURITY },
    Suite { package: "brine-protocol", target: &["--test", "handshake"], holes: HANDSHAKE },
    Suite { package: "brine-protocol", target: &["--test", "fuzz_smoke"], holes: FUZZ },
    Suite { package: "brine-protocol", target: &["--lib"], holes: LIB },
    // Nothing in the master can skip this check: there is no other way to the type that proves a sender.
    Suite { package: "brine-master", target: &["--test", "security"], holes: SENDERS },
];

const SECURITY: &[Hole] = &[
    Hole {
        row: "2020-11651",
        file: "protocol/src/command.rs",
        find: r#"        Auth = "_auth","#,
        put: r#"        Auth = "_auth",
        /// Of the master's own.
        Prepare = "_prep_auth_info","#,
        tests: &["cve_2020_11651_no_method_is_reachable_by_name"],
    },
    Hole {
        row: "2020-11651",
        file: "protocol/src/command.rs",
        find: r#"        Return = "_return","#,
        put: r#"        Return = "_return",
        /// Of the master's own.
        RunFunc = "run_func","#,
        tests: &["cve_2020_11651_no_method_is_reachable_by_name"],
    },
    Hole {
        row: "2020-11652",
        file: "protocol/src/ids.rs",
        find: r#""." | ".." => return Err(IdError::Dot),"#,
        put: r#""." => return Err(IdError::Dot),"#,
        tests: &["cve_2020_11652_2021_25282_2024_22232_2024_38824_no_wire_text_leaves_its_root"],
    },
    Hole {
        row: "2020-11652",
        file: "protocol/src/ids.rs",
        find: r#""" => return Err(IdError::Empty),"#,
        put: r#""" => {}"#,
        tests: &["cve_2020_11652_2021_25282_2024_22232_2024_38824_no_wire_text_leaves_its_root"],
    },
    Hole {
        row: "2025-22238",
        file: "protocol/src/ids.rs",
        find: r"c == '\\' || c.is_control()",
        put: r"c == '\0'",
        tests: &["cve_2020_11652_2021_25282_2024_22232_2024_38824_no_wire_text_leaves_its_root"],
    },
    Hole {
        row: "2024-22231",
        file: "protocol/src/ids.rs",
        find: r"matches!(c, '/' | '\\') || c.is_control()",
        put: r"c == '\0'",
        tests: &[
            "cve_2024_22231_an_id_is_one_visible_name",
            "cve_2020_11652_2021_25282_2024_22232_2024_38824_no_wire_text_leaves_its_root",
        ],
    },
    Hole {
        row: "2024-22231",
        file: "protocol/src/ids.rs",
        find: "if text.starts_with('.') {",
        put: r#"if text == "." || text == ".." {"#,
        tests: &["cve_2024_22231_an_id_is_one_visible_name"],
    },
    Hole {
        row: "2025-22242",
        file: "protocol/src/ids.rs",
        find: "!text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')",
        put: r"text.contains('\0')",
        tests: &["cve_2025_22242_a_jid_is_no_path"],
    },
    Hole {
        row: "2022-22934",
        file: "protocol/src/pillar.rs",
        find: "master.verify(data, signature, sig)?;",
        put: "let _ = master.verify(data, signature, sig);",
        tests: &["cve_2022_22934_a_pillar_is_signed_and_bound_to_its_request"],
    },
    Hole {
        row: "2022-22934",
        file: "protocol/src/pillar.rs",
        find: "!= Some(sealed_key)",
        put: ".is_none()",
        tests: &["cve_2022_22934_a_pillar_is_signed_and_bound_to_its_request"],
    },
    Hole {
        row: "2022-22934",
        file: "protocol/src/pillar.rs",
        find: "!= Some(nonce.as_str())",
        put: ".is_none()",
        tests: &["cve_2022_22934_a_pillar_is_signed_and_bound_to_its_request"],
    },
    Hole {
        row: "2022-22934",
        file: "protocol/src/pillar.rs",
        find: r#"let data = signed.get("data")"#,
        put: r#"if signed.get("sig").is_none() {
        return Ok(signed);
    }
    let data = signed.get("data")"#,
        tests: &["cve_2022_22934_a_pillar_is_signed_and_bound_to_its_request"],
    },
    Hole {
        row: "2022-22935",
        file: "protocol/src/auth/minion.rs",
        find: ".map_err(|_| Outcome::Signature)?;",
        put: ".ok();",
        tests: &["cve_2022_22935_auth_replies_are_signed_and_strangers_cannot_end_a_minion"],
    },
    Hole {
        row: "2022-22935",
        file: "protocol/src/auth/minion.rs",
        find: "master.is_some() && master == self.stored",
        put: "master.is_none() || master == self.stored",
        tests: &["cve_2022_22935_auth_replies_are_signed_and_strangers_cannot_end_a_minion"],
    },
    Hole {
        row: "2022-22935",
        file: "protocol/src/auth/minion.rs",
        find: "if !bool::from(nonce.ct_eq(self.nonce.as_str().as_bytes())) {",
        put: "if nonce.is_empty() {",
        tests: &["cve_2022_22935_an_auth_reply_answers_one_request"],
    },
    Hole {
        row: "2022-22936",
        file: "protocol/src/crypt/aes.rs",
        find: "if !bool::from(found.ct_eq(nonce.as_str().as_bytes())) {",
        put: "if found.len() != nonce.as_str().len() {",
        tests: &["cve_2022_22936_replies_and_jobs_cannot_be_replayed"],
    },
    Hole {
        row: "2022-22936",
        file: "protocol/src/message/publish.rs",
        find: "if found > self.last =>",
        put: "if found > 0 =>",
        tests: &["cve_2022_22936_replies_and_jobs_cannot_be_replayed"],
    },
    Hole {
        row: "2023-20897",
        file: "protocol/src/msgpack.rs",
        find: "Marker::Reserved => return Err(DecodeError::Reserved),\n        })",
        put: "Marker::Reserved => panic!(),\n        })",
        tests: &["cve_2023_20897_every_bad_request_gets_an_answer"],
    },
    Hole {
        row: "2023-20897",
        file: "protocol/src/msgpack.rs",
        find: "self.bytes.get(self.at..end).ok_or(DecodeError::Incomplete)?",
        put: "&self.bytes[self.at..end]",
        tests: &["cve_2023_20897_every_bad_request_gets_an_answer"],
    },
    Hole {
        row: "2024-38822",
        file: "protocol/src/request.rs",
        find: "None if version > 2 => Err(RequestError::Token),",
        put: "None if version > 2 => Ok(Proof::Token),",
        tests: &["cve_2024_38822_no_minion_speaks_as_another"],
    },
    Hole {
        row: "2024-38822",
        file: "protocol/src/request.rs",
        find: "accepted.verify_x931(crate::crypt::rsa::TOKEN, tok).map_err(|_| RequestError::Token)?;",
        put: "let _ = accepted.verify_x931(crate::crypt::rsa::TOKEN, tok);",
        tests: &["cve_2024_38822_no_minion_speaks_as_another"],
    },
    Hole {
        row: "2024-38822",
        file: "protocol/src/request.rs",
        find: r#"if load.get_str("id") != outer.as_ref().map(MinionId::as_str) {"#,
        put: r#"if load.get_str("id").is_none() {"#,
        tests: &["cve_2024_38822_no_minion_speaks_as_another"],
    },
    Hole {
        row: "2024-38823",
        file: "protocol/src/request.rs",
        find: "if !fresh && !request.command.is_some_and(MinionCommand::is_question) {",
        put: "if !fresh && request.version < 2 {",
        tests: &["cve_2024_38823_acts_are_not_done_twice"],
    },
    Hole {
        row: "2025-62349",
        file: "protocol/src/request.rs",
        find: "if version < seen {",
        put: "if version < seen.min(2) {",
        tests: &["cve_2025_62349_downgrade_even_where_version_2_is_allowed"],
    },
    Hole {
        row: "2025-62349",
        file: "protocol/src/envelope.rs",
        find: "configured.clamp(2, 255)",
        put: "configured.clamp(0, 255)",
        tests: &["cve_2025_62349_downgrade_even_where_version_2_is_allowed"],
    },
    Hole {
        row: "a session file for any valid id",
        file: "protocol/src/request.rs",
        find: "keys.session(outer).ok_or(RequestError::NoSession)?",
        put: "keys.session(outer).map_or_else(AesKey::generate, Ok).map_err(RequestError::Crypt)?",
        tests: &["weakness_no_session_before_acceptance"],
    },
    Hole {
        row: "one key for all publishes",
        file: "protocol/src/message/publish.rs",
        find: "self.signed |= signature.is_some();",
        put: "",
        tests: &["weakness_global_key_does_not_forge_jobs"],
    },
    Hole {
        row: "one key for all publishes",
        file: "protocol/src/message/publish.rs",
        find: ".map_err(|_| PublishError::Signature)?;",
        put: ".ok();",
        tests: &["weakness_global_key_does_not_forge_jobs"],
    },
    Hole {
        row: "any minion answers for others",
        file: "protocol/src/message/events.rs",
        find: r#"data.insert("id", minion);"#,
        put: "",
        tests: &["weakness_returns_belong_to_their_sender"],
    },
    Hole {
        row: "any minion answers for others",
        file: "protocol/src/message/returns.rs",
        find: r#"let get = |key: &str|"#,
        put: r#"let claimed = raw.get_str("resource_id").and_then(|id| MinionId::parse(id).ok());
        let minion = claimed.map_or(minion, Authenticated::new);
        let get = |key: &str|"#,
        tests: &["weakness_returns_belong_to_their_sender"],
    },
    Hole {
        row: "2021-25284",
        file: "protocol/src/crypt/aes.rs",
        find: r#"f.write_str("AesKey(..)")"#,
        put: "f.write_str(&self.text)",
        tests: &["cve_2021_25284_secrets_do_not_print"],
    },
];

const HANDSHAKE: &[Hole] = &[
    Hole {
        row: "the client chooses SHA-1",
        file: "protocol/src/crypt/rsa.rs",
        find: "pkcs1v15_sign_with_rng::<Sha224, _>",
        put: "pkcs1v15_sign_with_rng::<Sha1, _>",
        tests: &["pending_then_accepted_with_every_pair_of_algorithms"],
    },
    Hole {
        row: "the client chooses SHA-1",
        file: "protocol/src/crypt/rsa.rs",
        find: "self.0.oaep_decrypt_with_rng::<Sha224, _>",
        put: "self.0.oaep_decrypt_with_rng::<Sha1, _>",
        tests: &["pending_then_accepted_with_every_pair_of_algorithms"],
    },
    Hole {
        row: "trust on first use",
        file: "protocol/src/auth/minion.rs",
        find: "if !same_finger(",
        put: "if configured.is_empty() && !same_finger(",
        tests: &["master_finger_is_checked"],
    },
];

const FUZZ: &[Hole] = &[Hole {
    row: "2023-20897",
    file: "protocol/src/crypt/aes.rs",
    find: "data.len().checked_sub(MAC).ok_or(CryptError::Length)?",
    put: "data.len() - MAC",
    tests: &["bounded_runs_of_every_target"],
}];

const LIB: &[Hole] = &[
    Hole {
        row: "2025-22236",
        file: "protocol/src/message/tags.rs",
        find: r#"["salt", what, ..] => !OF_MASTERS.contains(what),"#,
        put: r#"["salt", what, ..] => what != "?","#,
        tests: &[
            "cve_2025_22236_a_minion_cannot_order_jobs_through_the_bus",
            "cve_2025_22239_minions_fire_only_tags_of_their_own",
        ],
    },
    Hole {
        row: "2025-22239",
        file: "protocol/src/message/tags.rs",
        find: r#"["salt", "beacon" | "minion" | "syndic", who, ..] => *who == id,"#,
        put: r#"["salt", "beacon" | "minion" | "syndic", ..] => true,"#,
        tests: &["cve_2025_22239_minions_fire_only_tags_of_their_own"],
    },
    Hole {
        row: "a minion may fire any tag",
        file: "protocol/src/message/tags.rs",
        find: "*bare != ROTATE && !is_generated_jid(bare)",
        put: "!bare.is_empty()",
        tests: &["cve_2025_22239_minions_fire_only_tags_of_their_own"],
    },
    Hole {
        row: "2025-62349",
        file: "protocol/src/envelope.rs",
        find: "if version < minimum_auth_version {",
        put: "if version < minimum_auth_version.min(2) {",
        tests: &["cve_2025_62349_downgrade_is_refused_before_decryption"],
    },
    Hole {
        row: "version 2 where",
        file: "protocol/src/envelope.rs",
        find: r#"let version = version(body.get("version"));"#,
        put: r#"let version = version(body.get("version")).max(2);"#,
        tests: &["cve_2025_62349_downgrade_is_refused_before_decryption"],
    },
    Hole {
        row: "the token is constant",
        file: "protocol/src/replay.rs",
        find: "nonce.as_str().to_ascii_lowercase()",
        put: "nonce.as_str()",
        tests: &["pairs_are_seen_once_and_memory_is_bounded"],
    },
    Hole {
        row: "the token is constant",
        file: "protocol/src/replay.rs",
        find: "while self.order.len() > self.capacity {",
        put: "while self.order.len() > self.capacity * 100 {",
        tests: &["pairs_are_seen_once_and_memory_is_bounded"],
    },
    Hole {
        row: "padding unchecked",
        file: "protocol/src/crypt/aes.rs",
        find: ".decrypt_padded::<Pkcs7>(&mut plain)\n            .map(<[u8]>::len);",
        put: ".decrypt_padded::<cbc::cipher::block_padding::NoPadding>(&mut plain)
            .map(|p| p.len().saturating_sub(p.last().map_or(0, |n| usize::from(*n))));",
        tests: &["padding_is_validated_where_stock_only_trusts_the_last_byte"],
    },
    Hole {
        row: "padding unchecked",
        file: "protocol/src/msgpack.rs",
        find: "self.items = self.items.checked_sub(1).ok_or(DecodeError::Items)?;",
        put: "self.items = self.items.saturating_sub(1);",
        tests: &["bombs_are_refused_without_allocation"],
    },
    Hole {
        row: "padding unchecked",
        file: "protocol/src/msgpack.rs",
        find: "if open.len() > limits.depth {",
        put: "if open.len() > usize::MAX - limits.depth {",
        tests: &["bombs_are_refused_without_allocation"],
    },
];

const SENDERS: &[Hole] = &[Hole {
    row: "2024-38825",
    file: "protocol/src/request.rs",
    find: "accepted.verify_x931(crate::crypt::rsa::TOKEN, tok).map_err(|_| RequestError::Token)?;",
    put: "let _ = accepted.verify_x931(crate::crypt::rsa::TOKEN, tok);",
    tests: &["cve_2024_38825_a_public_key_proves_nothing"],
}];
