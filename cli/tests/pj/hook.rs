//! `pj hook` in repositories that are pushed to.

use crate::around::{Hooked, commit, link, push, read, run_in, script, write};

#[test]
fn a_push_with_errors_is_refused_with_file_and_line() {
    let hooked = Hooked::new("", "--no-refresh");
    assert_eq!(push(&hooked.work, "main").code, 0);
    let good = run_in(&hooked.bare, &["git", "rev-parse", "main"]);
    link(&hooked.work, "system/testvm/rack", "../../rack/nosuch");
    commit(&hooked.work);
    let refused = push(&hooked.work, "main");
    assert_ne!(refused.code, 0);
    for part in [
        "system/testvm/rack:1:1: error: ",
        "[dangling-link]",
        "pj: the push is refused: 1 errors, 0 warnings",
    ] {
        assert!(refused.err.contains(part), "{part}: {}", refused.err);
    }
    assert_eq!(run_in(&hooked.bare, &["git", "rev-parse", "main"]), good);
    std::fs::remove_file(hooked.work.join("system/testvm/rack")).unwrap();
    link(&hooked.work, "system/testvm/rack", "../../rack/1-A-2");
    let fixed = commit(&hooked.work);
    assert_eq!(push(&hooked.work, "main").code, 0);
    assert_eq!(run_in(&hooked.bare, &["git", "rev-parse", "main"]).trim(), fixed);
}

#[test]
fn the_first_push_is_checked_too() {
    let hooked = Hooked::new("", "--no-refresh");
    write(&hooked.work, "system/testvm/role.yaml", "system:\n  role: [web\n");
    commit(&hooked.work);
    let refused = push(&hooked.work, "main");
    assert!(refused.code != 0 && refused.err.contains("system/testvm/role.yaml:"), "{}", refused.err);
}

#[test]
fn other_branches_are_nobodys_business_and_this_one_is_not_deleted() {
    let hooked = Hooked::new("--ref main", "--no-refresh");
    run_in(&hooked.bare, &["git", "config", "receive.denyDeleteCurrent", "ignore"]);
    assert_eq!(push(&hooked.work, "main").code, 0);
    write(&hooked.work, "system/testvm/role.yaml", "system: [\n");
    commit(&hooked.work);
    assert_eq!(push(&hooked.work, "main:other").code, 0);
    assert_eq!(push(&hooked.work, ":other").code, 0);
    let refused = push(&hooked.work, ":main");
    assert!(refused.code != 0 && refused.err.contains("it is not deleted"), "{}", refused.err);
    assert_ne!(push(&hooked.work, "main").code, 0);
}

#[test]
fn warnings_are_told_once_and_refused_if_that_is_wished() {
    let hooked = Hooked::new("", "--no-refresh");
    write(&hooked.work, "system/testvm/role.yaml", "system:\n  since: 0755\n");
    commit(&hooked.work);
    let first = push(&hooked.work, "main");
    assert!(first.code == 0 && first.err.contains("[octal]"), "{}", first.err);
    write(&hooked.work, "system/vmhost1/role.yaml", "system:\n  role: [x]\n");
    commit(&hooked.work);
    let second = push(&hooked.work, "main");
    assert!(second.code == 0 && !second.err.contains("octal"), "{}", second.err);
    let program = env!("CARGO_BIN_EXE_pj");
    script(&hooked.bare.join("hooks/pre-receive"), &format!("exec {program} hook pre-receive --strict"));
    write(&hooked.work, "system/vmhost1/role.yaml", "system:\n  role: [y]\n");
    commit(&hooked.work);
    let strict = push(&hooked.work, "main");
    assert!(strict.code != 0 && strict.err.contains("[octal]"), "{}", strict.err);
}

#[test]
fn after_a_push_the_exports_of_the_settings_are_made() {
    let hooked = Hooked::new("", "--no-refresh");
    let out = tempfile::tempdir().unwrap();
    let dir = out.path().display();
    let settings = format!(
        "ref: main\nexports:\n- knot: {{output: {dir}/k}}\n- kea: {{output: {dir}/kea.conf, service: example-com}}\n\
         - salt: {{minion: {dir}/m}}\n"
    );
    std::fs::write(hooked.bare.join("pj.yaml"), &settings).unwrap();
    let pushed = push(&hooked.work, "main");
    assert!(
        pushed.code == 0 && pushed.err.contains("pj: export knot: 3 files written, 0 removed"),
        "{}",
        pushed.err
    );
    let zone = read(out.path(), "k/zones/example.com.zone");
    let id = run_in(&hooked.bare, &["git", "rev-parse", "main"]);
    assert!(
        zone.contains(";; Branch: refs/heads/main\n") && zone.contains(&format!(";; Commit ID: {id}")),
        "{zone}"
    );
    read(out.path(), "kea.conf");
    run_in(&hooked.work, &["git", "rm", "-rq", "system/testvm", "ipv4_interface/192.168.0.2"]);
    commit(&hooked.work);
    let pushed = push(&hooked.work, "main");
    assert!(pushed.err.contains("pj: export salt: 0 files written, 1 removed"), "{}", pushed.err);
    assert!(!out.path().join("m/testvm.example.com.yaml").exists());
    let program = env!("CARGO_BIN_EXE_pj");
    script(
        &hooked.bare.join("hooks/post-receive"),
        &format!("exec {program} hook post-receive --no-refresh --json"),
    );
    write(&hooked.work, "domain/example.com/more.yaml", "net:\n  dns:\n    ttl: 1h\n");
    commit(&hooked.work);
    let pushed = push(&hooked.work, "main");
    let said: String = pushed.err.lines().filter_map(|l| l.strip_prefix("remote: ")).collect();
    let said: serde_json::Value =
        serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {}", pushed.err));
    assert_eq!(said["exports"]["knot"][0][0]["written"].as_array().unwrap().len(), 2);
    // What is wrong with the settings is told, and refuses no push.
    std::fs::write(hooked.bare.join("pj.yaml"), format!("{settings}bogus: 1\n")).unwrap();
    write(&hooked.work, "README", "x");
    commit(&hooked.work);
    let wrong = push(&hooked.work, "main");
    assert!(wrong.err.contains("pj.yaml: there is no setting bogus"), "{}", wrong.err);
}

#[test]
fn a_warehouse_may_be_a_folder_of_its_repository() {
    let hooked = Hooked::new("--below house", "--no-refresh");
    run_in(&hooked.work, &["sh", "-c", "mkdir house && git mv -k * house/"]);
    link(&hooked.work, "house/system/testvm/rack", "../../rack/nosuch");
    commit(&hooked.work);
    let refused = push(&hooked.work, "main");
    assert!(refused.code != 0 && refused.err.contains(" system/testvm/rack:1:1: error: "), "{}", refused.err);
    std::fs::remove_file(hooked.work.join("house/system/testvm/rack")).unwrap();
    commit(&hooked.work);
    assert_eq!(push(&hooked.work, "main").code, 0);
}

#[test]
fn a_master_on_this_host_is_told() {
    let hooked = Hooked::new("", "");
    let dir = tempfile::tempdir().unwrap();
    let sock = dir.path().join("sock");
    std::fs::create_dir(&sock).unwrap();
    std::fs::write(dir.path().join("master"), format!("sock_dir: {}\n", sock.display())).unwrap();
    std::fs::write(hooked.bare.join("pj.yaml"), format!("config_dir: {}\n", dir.path().display())).unwrap();
    // Without a master nothing is said and nothing fails.
    let alone = push(&hooked.work, "main");
    assert_eq!((alone.code, alone.err.as_str()), (0, ""));
    let listener = std::os::unix::net::UnixListener::bind(sock.join("master_event_pull.ipc")).unwrap();
    let heard = std::thread::spawn(move || {
        use std::io::Read;
        let (mut from, _) = listener.accept().unwrap();
        from.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
        let mut all = Vec::new();
        from.read_to_end(&mut all).unwrap();
        String::from_utf8_lossy(&all).into_owned()
    });
    write(&hooked.work, "README", "x");
    let id = commit(&hooked.work);
    assert_eq!(push(&hooked.work, "main").code, 0);
    let heard = heard.join().unwrap();
    for part in ["brine/inventory/refresh\n\n", &id, "refs/heads/main"] {
        assert!(heard.contains(part), "{part}: {heard:?}");
    }
}
