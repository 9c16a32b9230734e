//! A table: the holes that the daemons close.

use super::{BOUNDED, Hole, Suite};

/// Those of `master` and `minion`.
pub(super) const SUITES: &[Suite] = &[
    Suite { package: "brine-store", target: &["--lib"], holes: STORE },
    Suite { package: "brine-runners", target: &["--lib"], holes: RUNNERS },
    Suite { package: "brine-master", target: &["--lib"], holes: MASTER_LIB },
    Suite { package: "brine-master", target: &["--test", "security"], holes: MASTER },
    Suite { package: "brine-master", target: &["--test", "keys"], holes: KEYS },
    Suite { package: "brine-master", target: &["--test", "restart"], holes: RESTART },
    Suite { package: "brine-master", target: &["--test", "options"], holes: OPTIONS },
    Suite { package: "brine-master", target: &["--test", "jobs"], holes: JOBS },
    Suite { package: "brine-master", target: &["--test", "peers"], holes: PEERS },
    Suite { package: "brine-minion", target: &["--lib"], holes: MINION_LIB },
    Suite { package: "brine-minion", target: &["--test", "call"], holes: CALL },
    Suite { package: "brine-minion", target: &["--test", "daemon"], holes: DAEMON },
    Suite { package: "brine-minion", target: &["--test", "schedule"], holes: SCHEDULE },
];

const RUNNERS: &[Hole] = &[
    Hole {
        row: "the events and the stored return of `auth.mk_token`",
        file: "runners/src/run.rs",
        find: r#"fun.starts_with("auth.")"#,
        put: r#"fun.starts_with("no.such.")"#,
        tests: &["passwords_and_tokens_are_not_told"],
    },
    Hole {
        row: "2021-25282",
        file: "runners/src/places.rs",
        find: "let below_root = directory | OFlag::O_NOFOLLOW;",
        put: "let below_root = directory;",
        tests: &["cve_2021_25282_links_are_not_followed"],
    },
    Hole {
        row: "2021-25282",
        file: "runners/src/roots.rs",
        find: "match places::write(Path::new(root), &relative, data.as_bytes()) {",
        put: "match std::fs::write(Path::new(root).join(relative.as_str()), data) {",
        tests: &["cve_2021_25282_both_roots_are_read_and_written_and_not_left"],
    },
    Hole {
        row: "2021-25282",
        file: "runners/src/wheel/config.rs",
        find: "if file_name.is_empty() || file_name.starts_with('.') || dir.sub(&name).is_err() {",
        put: "if file_name.is_empty() {",
        tests: &["cve_2021_25282_configuration_is_written_in_its_place_only"],
    },
];

const STORE: &[Hole] = &[
    Hole {
        row: "2020-11652",
        file: "store/src/fs/dir.rs",
        find: r#"name == "." || name == ".." || name.contains(['/', '\0'])"#,
        put: r"name.contains('\0')",
        tests: &["a_name_is_one_component_or_nothing"],
    },
    Hole {
        row: "2025-22242",
        file: "store/src/fs/dir.rs",
        find: "if !meta.is_file() {",
        put: "if meta.is_dir() {",
        tests: &["links_pipes_and_large_files_are_not_read"],
    },
    Hole {
        row: "2025-22242",
        file: "store/src/fs/dir.rs",
        find: "OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK",
        put: "OFlag::O_RDONLY | OFlag::O_NONBLOCK",
        tests: &["links_pipes_and_large_files_are_not_read"],
    },
    Hole {
        row: "2025-22242",
        file: "store/src/fs/dir.rs",
        find: "if meta.len() > max {",
        put: "if meta.len() > max.max(1 << 20) {",
        tests: &["links_pipes_and_large_files_are_not_read"],
    },
    Hole {
        row: "an accepted minion fills the disk",
        file: "store/src/jobs/shares.rs",
        find: "|| used.bytes > self.most_bytes {",
        put: "{",
        tests: &["one_minion_fills_its_share_and_takes_nothing_from_others"],
    },
    Hole {
        row: "an accepted minion fills the disk",
        file: "store/src/jobs/shares.rs",
        find: "WHERE unasked AND id = ?1 AND jid",
        put: "WHERE unasked AND ?1 = ?1 AND jid",
        tests: &["one_minion_fills_its_share_and_takes_nothing_from_others"],
    },
];

const MASTER_LIB: &[Hole] = &[
    Hole {
        row: "2021-25284",
        file: "master/src/access/on_master.rs",
        find: "!NOT_ARGUMENTS.contains(&k) && !is_credential(k) && ",
        put: "!NOT_ARGUMENTS.contains(&k) && ",
        tests: &["arguments_are_found_in_every_form"],
    },
    Hole {
        row: "2021-25284",
        file: "master/src/keys/user_keys.rs",
        find: "self.keys.iter().map(|(user, _)| user)",
        put: "self.keys.iter().map(|(user, key)| (user, key.reveal()))",
        tests: &["a_key_names_its_owner_and_nothing_else_does"],
    },
    Hole {
        row: "2020-25592",
        file: "master/src/keys/user_keys.rs",
        find: "if bool::from(key.reveal().as_bytes().ct_eq(presented)) {",
        put: "if key.reveal().as_bytes().starts_with(presented) {",
        tests: &["a_key_names_its_owner_and_nothing_else_does"],
    },
    Hole {
        row: "2024-22232",
        file: "files/src/server/answer.rs",
        find: "Request::Nothing => return nothing(),",
        put: r#"Request::Nothing => return Ok(map! {"data" => Value::Bytes(std::fs::read(std::path::Path::new("/srv").join(
            load.get_str("path").unwrap_or_default())).unwrap_or_default()), "dest" => ""}.into()),"#,
        tests: &["cve_2024_22232_no_path_of_a_minion_leaves_the_roots"],
    },
    Hole {
        row: "`_file_find` shows absolute paths",
        file: "files/src/server/answer.rs",
        find: r#""path" => asked.path.as_str(), "rel""#,
        put: r#""path" => found.full.to_string_lossy().into_owned(), "rel""#,
        tests: &["cve_2024_22232_no_path_of_a_minion_leaves_the_roots"],
    },
    Hole {
        row: "2024-38824",
        file: "master/src/requests/receive.rs",
        find: "if !opts.flag(\"file_recv\") {",
        put: "if load.is_empty() {",
        tests: &["cve_2024_38824_nothing_is_received_outside_a_minions_own_directory"],
    },
    Hole {
        row: "2024-38824",
        file: "master/src/requests/receive.rs",
        find: ".custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK)",
        put: ".custom_flags(nix::libc::O_NONBLOCK)",
        tests: &["cve_2024_38824_nothing_is_received_outside_a_minions_own_directory"],
    },
    Hole {
        row: "a session file for any valid id",
        file: "master/src/sessions.rs",
        find: "let born = self.dir.modified(id.as_str())?;",
        put: "let born = self.dir.modified(id.as_str()).or_else(|| {
            let key = AesKey::generate().ok()?;
            self.dir.write(id.as_str(), key.reveal().as_bytes(), 0o600).ok()?;
            self.dir.modified(id.as_str())
        })?;",
        tests: &["keys_outlive_a_restart_and_asking_makes_none"],
    },
    Hole {
        row: "a session outlives the key",
        file: "master/src/sessions.rs",
        find: "if session.of != of || !fits {",
        put: "if !fits {",
        tests: &["a_session_is_of_one_key_alone"],
    },
    Hole {
        row: BOUNDED,
        file: "master/src/gate.rs",
        find: "self.addresses.take(network(from), 1,",
        put: "self.addresses.take(network(from), 0,",
        tests: &["one_address_waits_then_is_turned_away_and_others_are_not"],
    },
    Hole {
        row: BOUNDED,
        file: "master/src/gate.rs",
        find: "self.again.take((network(from), id.clone()), 1,",
        put: "self.again.take((network(from), id.clone()), 0,",
        tests: &["one_minion_at_one_address_signs_in_now_and_then_and_large_refusals_cost_more"],
    },
    Hole {
        row: BOUNDED,
        file: "master/src/gate.rs",
        find: "1 + len / REFUSED_BYTES",
        put: "1 + len / usize::MAX",
        tests: &["one_minion_at_one_address_signs_in_now_and_then_and_large_refusals_cost_more"],
    },
    Hole {
        row: BOUNDED,
        file: "master/src/gate.rs",
        find: "self.refusals.lock().take(1,",
        put: "self.refusals.lock().take(0,",
        tests: &["refusals_share_one_rate"],
    },
    Hole {
        row: BOUNDED,
        file: "master/src/gate.rs",
        find: "let room = known < most;",
        put: "let room = known < usize::MAX - most;",
        tests: &["pending_keys_are_counted_now_and_then_and_never_exceed_the_most"],
    },
];

const MASTER: &[Hole] = &[
    Hole {
        row: "2020-11651",
        file: "master/src/access.rs",
        find: "key.and_then(|key| master.users.owner_of(key))",
        put: r#"key.and_then(|key| master.users.owner_of(key)).or(Some("root"))"#,
        tests: &["cve_2020_11651_no_method_is_reachable_without_credentials"],
    },
    Hole {
        row: "2021-25315",
        file: "master/src/keys/user_keys.rs",
        find: "if bool::from(key.reveal().as_bytes().ct_eq(presented)) {",
        put: "if presented.len() < 2 || bool::from(key.reveal().as_bytes().ct_eq(presented)) {",
        tests: &["cve_2020_11651_no_method_is_reachable_without_credentials"],
    },
    Hole {
        row: "2020-25592",
        file: "master/src/access.rs",
        find: r#"let key = load.remove("key");"#,
        put: r#"let key = load.remove("key");
    for name in ["token", "eauth"] {
        load.remove(name);
        if let Some(Value::Map(extra)) = load.get_mut("kwargs") {
            extra.remove(name);
        }
    }"#,
        tests: &["cve_2020_25592_and_2021_25281_no_token_and_no_eauth_is_good"],
    },
    Hole {
        row: "2020-25592",
        file: "master/src/requests/clear.rs",
        find: "Some(C::Ping) => load.into(),",
        put: r#"Some(C::Ping) => load.into(),
        Some(C::GetToken) if load.contains("token") => map! {"name" => "root", "expire" => 0}.into(),"#,
        tests: &["cve_2020_25592_and_2021_25281_no_token_and_no_eauth_is_good"],
    },
    Hole {
        row: "2021-25281",
        file: "master/src/access/on_master.rs",
        find: "        Err(denied) => Err(denied),\n    };",
        put: "        Err(_) => Ok(Caller { name: String::new(), proof: super::Proof::Key, from: peer, rules: None }),
    };",
        tests: &[
            "cve_2020_25592_and_2021_25281_no_token_and_no_eauth_is_good",
            "cve_2020_11651_no_method_is_reachable_without_credentials",
        ],
    },
    Hole {
        row: "2020-11652",
        file: "master/src/requests/auth.rs",
        find: "let mut request = match parse(master, body) {",
        put: r#"if let Ok(Envelope::Clear { load, .. }) = Envelope::from_bytes(body, 0) {
        let named = load.get_str("id").unwrap_or_default();
        let _ = std::fs::write(master.config.paths.cachedir.join("sessions").join(named), "");
    }
    let mut request = match parse(master, body) {"#,
        tests: &["cve_2020_11652_names_from_the_wire_are_no_paths"],
    },
    Hole {
        row: "2020-17490",
        file: "master/src/sessions.rs",
        find: "self.dir.write(id.as_str(), key.reveal().as_bytes(), 0o600)?;",
        put: "self.dir.write(id.as_str(), key.reveal().as_bytes(), 0o644)?;",
        tests: &["cve_2020_17490_keys_and_stores_are_private"],
    },
    Hole {
        row: "key files 0644",
        file: "store/src/minion_data.rs",
        find: "0o600)",
        put: "0o644)",
        tests: &["cve_2020_17490_keys_and_stores_are_private"],
    },
    Hole {
        row: "key files 0644",
        file: "master/src/config/net.rs",
        find: "0o660 } else { 0o600 }",
        put: "0o660 } else { 0o666 }",
        tests: &["cve_2020_17490_keys_and_stores_are_private"],
    },
    Hole {
        row: "2021-25284",
        file: "master/src/access.rs",
        find: r#"let key = load.remove("key");"#,
        put: r#"let key = load.get("key").cloned();"#,
        tests: &["cve_2021_25284_credentials_are_neither_kept_nor_fired"],
    },
    Hole {
        row: "2021-25284",
        file: "master/src/access.rs",
        find: r#"["token", "password", "eauth", "username""#,
        put: r#"["token", "token", "eauth", "eauth""#,
        tests: &["cve_2021_25284_credentials_are_neither_kept_nor_fired"],
    },
    Hole {
        row: "2022-22941",
        file: "master/src/requests/clear.rs",
        find: "&load, &checked.minions)",
        put: "&load, &checked.minions[checked.minions.len().saturating_sub(1)..])",
        tests: &["cve_2022_22941_and_2020_a_user_gets_his_rules_and_no_more"],
    },
    Hole {
        row: "`user:` is the caller's claim",
        file: "master/src/access.rs",
        find: r#"if owner == "root" || "#,
        put: r#"if owner == "root" || claimed == Some("root") || "#,
        tests: &["cve_2022_22941_and_2020_a_user_gets_his_rules_and_no_more"],
    },
    Hole {
        row: "`user:` is the caller's claim",
        file: "master/src/access/on_master.rs",
        find: "let Some(rules) = &caller.rules else { return Ok(()) };",
        put: "let rules = &vec![brine_protocol::Value::from(\"@wheel\"), \"@runner\".into()];",
        tests: &["cve_2022_22941_and_2020_a_user_gets_his_rules_and_no_more"],
    },
    Hole {
        row: "a list of functions passes",
        file: "master/src/access.rs",
        find: "let calls = auth_rules::calls(fun, arg).ok_or_else(malformed)?;",
        put: "let mut calls = auth_rules::calls(fun, arg).ok_or_else(malformed)?;
    calls.truncate(1);",
        tests: &["cve_2022_22941_and_2020_a_user_gets_his_rules_and_no_more"],
    },
    Hole {
        row: "2023-20897",
        file: "master/src/requests/mod.rs",
        find: "Some(Answer::Refused(e.reply()))",
        put: "panic!()",
        tests: &["cve_2023_20897_and_r10_garbage_leaves_the_master_alone"],
    },
    Hole {
        row: "2025-22239",
        file: "master/src/requests/events.rs",
        find: r#"tracing::warn!("Filtering reserved event tag {tag:?} fired by {}", id.as_str());"#,
        put: "master.events.fire(tag, load.clone());",
        tests: &["cve_2025_22239_minions_fire_no_events_of_the_master_or_of_others"],
    },
    Hole {
        row: "2024-38822",
        file: "master/src/requests/minion.rs",
        find: r#"tracing::warn!("{} sent returns of other minions and is no syndic", id.as_str());"#,
        put: r#"let jid = load.get_str("jid").map(brine_protocol::ids::Jid::parse);
            let all = load.get("return").and_then(Value::as_map);
            for (who, ret) in all.into_iter().flatten() {
                if let (Some(Ok(jid)), Some(Ok(who)), Some(ret)) =
                    (&jid, who.as_str().map(MinionId::parse), ret.as_map())
                {
                    let _ = master.jobs.store(jid, &who, ret).await;
                }
            }"#,
        tests: &["cve_2024_38822_every_command_is_the_senders_own"],
    },
    Hole {
        row: "2024-38823",
        file: "master/src/master.rs",
        find: "proved.admit(now, &mut memory)?",
        put: "proved.admit(now, &mut Default::default())?",
        tests: &["cve_2024_38823_a_request_counts_once"],
    },
    Hole {
        row: "2025-62349",
        file: "master/src/requests/mod.rs",
        find: "Envelope::from_bytes(body, master.config.auth.minimum_version)",
        put: "Envelope::from_bytes(body, 0)",
        tests: &["cve_2025_62349_older_protocol_versions_are_refused"],
    },
    Hole {
        row: "any minion answers for others",
        file: "store/src/jobs/mod.rs",
        find: "false => Verdict::Refuse,",
        put: "false => Verdict::Keep,",
        tests: &["jobs_for_others_are_not_answered"],
    },
    Hole {
        row: "the root key crosses the network",
        file: "master/src/access.rs",
        find: "master.local.contains(peer.ip())",
        put: "(master.local.contains(peer.ip()) || !peer.ip().is_unspecified())",
        tests: &["keys_count_only_from_this_host"],
    },
    Hole {
        row: "a publish without credentials",
        file: "master/src/requests/clear.rs",
        find: "let error = denied.publish_error();",
        put: r#"let error = denied.publish_error();
    if let Some(jid) = load.get_str("jid") {
        master.events.fire(format!("salt/job/{jid}/error"), load.clone());
    }"#,
        tests: &["refused_strangers_do_not_reach_the_bus"],
    },
];

const KEYS: &[Hole] = &[
    Hole {
        row: "trust on first use",
        file: "master/src/keys/master_key.rs",
        find: "if !config.sign_pubkey {",
        put: "if !config.sign_pubkey || !config.use_pubkey_signature {",
        tests: &["the_masters_key_is_signed_when_asked_for"],
    },
    Hole {
        row: "a deleted minion keeps the global key",
        file: "master/src/requests/peer.rs",
        find: "crate::upkeep::rotate(master);",
        put: "",
        tests: &["a_minion_may_give_up_its_key_and_wheel_moves_keys"],
    },
    Hole {
        row: "a deleted minion keeps the global key",
        file: "master/src/side.rs",
        find: "crate::upkeep::rotate(&self.master);",
        put: "",
        tests: &["a_minion_may_give_up_its_key_and_wheel_moves_keys"],
    },
];

const RESTART: &[Hole] = &[
    Hole {
        row: "2024-38823",
        file: "master/src/nonces.rs",
        find: ".filter_map(Seen::from_bytes).collect()",
        put: ".filter_map(Seen::from_bytes).take(0).collect()",
        tests: &["cve_2024_38823_a_request_counts_once_also_after_a_restart"],
    },
    Hole {
        row: "2025-62349",
        file: "master/src/records.rs",
        find: "self.jobs.put_minion(row);",
        put: "drop(row);",
        tests: &["cve_2025_62349_no_version_goes_down_over_a_restart"],
    },
    Hole {
        row: "a session outlives the key",
        file: "master/src/sessions.rs",
        find: "if session.of != of || !fits {",
        put: "if session.of != session.of {",
        tests: &["a_session_ends_with_the_key_it_was_made_for"],
    },
    Hole {
        row: "an accepted minion fills the disk",
        file: "store/src/minion_data.rs",
        find: "if bytes.len() > MOST {",
        put: "if bytes.len() > MOST * 8 {",
        tests: &["one_minion_s_data_is_bounded"],
    },
];

const OPTIONS: &[Hole] = &[Hole {
    row: "no timed rotation",
    file: "master/src/upkeep.rs",
    find: "rotated.elapsed() >= life",
    put: "rotated.elapsed() >= life * 1000",
    tests: &["keys_end_with_publish_session"],
}];

const JOBS: &[Hole] = &[Hole {
    row: "no timed rotation",
    file: "master/src/upkeep.rs",
    find: "if let Err(e) = master.publisher.rotate(&master.credentials) {",
    put: "if let Err(e) = Ok::<(), std::io::Error>(()) {",
    tests: &["a_rotated_key_reaches_minions_by_authenticating_again"],
}];

const PEERS: &[Hole] = &[
    Hole {
        row: "`fun` rules of `peer`",
        file: "master/src/requests/peer.rs",
        find: "let calls = auth_rules::calls(&fun_value, &arg)?;",
        put: r#"let begins = |rule: &Value| rule.as_str().is_some_and(|rule| fun.starts_with(rule));
    let fun_value = if rules.iter().any(begins) { "test.echo".into() } else { fun_value };
    let calls = auth_rules::calls(&fun_value, &arg)?;"#,
        tests: &["peers_publish_what_their_rules_say"],
    },
    Hole {
        row: "`fun` rules of `peer`",
        file: "master/src/requests/peer.rs",
        find: ".any(|rule| rule.as_str().is_some_and(|pattern| whole(pattern, fun)));",
        put: ".any(|rule| rule.as_str().is_some_and(|rule| fun.starts_with(rule)));",
        tests: &["runners_are_run_for_those_whose_rules_say_so"],
    },
    Hole {
        row: "`fun` rules of `peer`",
        file: "master/src/requests/peer.rs",
        find: "Ok(Some(owner)) if owner == id.as_str().as_bytes() => {}",
        put: "Ok(Some(_)) => {}",
        tests: &["peers_publish_what_their_rules_say"],
    },
];

const MINION_LIB: &[Hole] = &[
    Hole {
        row: "2020-17490",
        file: "minion/src/identity/pki.rs",
        find: "0o400)?;",
        put: "0o644)?;",
        tests: &["a_pair_is_made_once_with_private_modes"],
    },
    Hole {
        row: "key files 0644",
        file: "minion/src/jobs/proc_files.rs",
        find: "0o600)?;",
        put: "0o644)?;",
        tests: &["a_file_lists_the_load_with_the_pid_in_front"],
    },
];

const CALL: &[Hole] = &[Hole {
    row: "2024-37088",
    file: "minion/src/call/run.rs",
    find: "pillar = Some(connected.pillar(&opts, &grains, None)?);",
    put: "pillar = Some(connected.pillar(&opts, &grains, None).unwrap_or_default());",
    tests: &["cve_2022_22934_and_2024_37088_a_call_with_a_bad_pillar_fails"],
}];

const DAEMON: &[Hole] = &[
    Hole {
        row: "2022-22936",
        file: "minion/src/daemon/master.rs",
        find: "let Ok(message) = msgpack::decode(body) else { return None };",
        put: "let Ok(message) = msgpack::decode(body) else { return None };
        if let Some(session) = attached.link.session() {
            self.receiver = PublishReceiver::new(session.aes.clone(), session.master.clone(), false);
        }",
        tests: &["replayed_and_unsigned_publishes_are_refused"],
    },
    Hole {
        row: "trust on first use",
        file: "minion/src/connect/link.rs",
        find: "let stored = self.pki.master()?;",
        put: "let stored: Option<String> = None;",
        tests: &["another_master_s_key_is_not_obeyed"],
    },
    Hole {
        row: "unsigned refusals",
        file: "minion/src/daemon/master.rs",
        find: "matches!(error, AuthError::Rejected { authenticated: true }) &&",
        put: "matches!(error, AuthError::Rejected { .. }) &&",
        tests: &["a_stranger_s_refusal_does_not_end_a_minion"],
    },
];

const SCHEDULE: &[Hole] = &[Hole {
    row: "whoever may run `event.fire`",
    file: "minion/src/daemon/bus.rs",
    find: "                event.tag
            );
        }",
    put: "                event.tag
            );
            super::schedule::manage(minion, &event.data);
        }",
    tests: &["whoever_may_only_fire_events_cannot_add_jobs"],
}];
