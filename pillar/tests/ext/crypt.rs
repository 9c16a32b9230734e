//! `gpg`: what stands in the pillar so far is decrypted, with a key of the test's own.

use crate::stock::{Case, compare};
use serde_json::json;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

fn gpg(home: &Path, args: &[&str], input: &str) -> String {
    let mut child = Command::new("gpg")
        .args(["--batch", "--quiet", "--no-tty", "--trust-model", "always", "--homedir"])
        .arg(home)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn what_sources_gave_is_decrypted() {
    let dir = tempfile::Builder::new().prefix("bg").tempdir().unwrap();
    let home = dir.path().join("k");
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    gpg(
        &home,
        &["--passphrase", "", "--quick-gen-key", "test@example.org", "default", "default", "never"],
        "",
    );
    let sealed = gpg(&home, &["--armor", "--encrypt", "-r", "test@example.org"], "hidden\n");
    let broken = sealed.replace("\n\n", "\n\nxxxx");
    let data = json!({"a": sealed, "d": {"l": [format!("x {sealed} y"), 1, null], "plain": "text"}, "broken": broken});
    fs::write(dir.path().join("data.json"), data.to_string()).unwrap();
    let source = json!({"cmd_json": format!("cat {}", dir.path().join("data.json").display())});
    let keys = json!({"gpg_keydir": home});
    let mut cases = vec![
        Case::new(json!({"ext_pillar": [source, {"gpg": {}}]})).with(keys.clone()),
        Case::new(json!({"ext_pillar": [{"gpg": {}}, source]})).with(keys.clone()),
        Case::new(json!({"ext_pillar": [source, {"gpg": {"any": 1}}], "gpg_decrypt_must_succeed": true}))
            .with(keys.clone()),
        Case::new(json!({"ext_pillar": [{"gpg": null}]})).with(keys),
    ];
    for case in &mut cases {
        case.functions = true;
    }
    compare(dir.path(), &cases);
    // The agent ends with its folder; told to, it ends now.
    let _gone = Command::new("gpgconf").arg("--homedir").arg(&home).args(["--kill", "all"]).status();
}
