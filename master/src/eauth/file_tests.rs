//! Files as operators have them.

use super::super::Secret;
use super::*;
use brine_protocol::{Map, map};
use std::io::Write;

fn ask(content: &str, own: Map, username: &str, password: &str) -> Result<(), Failure> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    let mut own = own;
    own.insert("filename", file.path().to_str().unwrap());
    let settings = Settings { own, auth: Map::new() };
    let login =
        Login { eauth: "file".into(), username: username.into(), password: Secret::new(password.into()) };
    auth(&settings, &login)
}

fn good(content: &str, own: Map, username: &str, password: &str) -> bool {
    ask(content, own, username, password).is_ok()
}

#[test]
fn text_is_names_and_passwords() {
    let text = "dean:goneFishing\ngene:OceanMan\ngene:second\nempty:\n";
    assert!(good(text, Map::new(), "dean", "goneFishing") && good(text, Map::new(), "gene", "OceanMan"));
    for (user, password) in [
        ("gene", "second"),
        ("dean", "OceanMan"),
        ("dean", ""),
        ("empty", ""),
        ("nobody", "x"),
        ("Dean", "goneFishing"),
    ] {
        assert!(!good(text, Map::new(), user, password), "{user} {password}");
    }
}

#[test]
fn fields_and_digests_are_configured() {
    let text = "46|trey|16a0034f90b06bf3c5982ed8ac41aab4\n2001|page|14fce21db306a43d3b680da1a527847a\n";
    let own = || {
        map! {"filetype" => "text", "hashtype" => "md5", "username_field" => 2, "password_field" => 3,
        "field_separator" => "|"}
    };
    let digest = HashType::Md5.hex(b"secret");
    let text = format!("{text}7|jon|{digest}\n");
    assert!(good(&text, own(), "jon", "secret"));
    assert!(!good(&text, own(), "jon", &digest) && !good(&text, own(), "7", &digest));
    for hash in ["sha256", "sha512"] {
        let digest = HashType::parse(hash).unwrap().hex(b"secret");
        assert!(good(&format!("jon:{digest}"), map! {"hashtype" => hash}, "jon", "secret"));
    }
    // A line that lacks a field is a fault of the file, and nobody's password.
    assert!(matches!(ask("x\njon:y\n", Map::new(), "jon", "y"), Err(Failure::Broken(_))));
}

#[test]
fn apaches_files_are_read() {
    let text = "# users\n\ncory:{SHA}s32/8V2nS3k47YMIIIaVJh7dOeU=\nanna:$apr1$abcdefgh$N8RXdsm52bQ7uY0lLWL030\nold:abCDefGHijk12\n";
    let own = || map! {"filetype" => "htpasswd"};
    assert!(good(text, own(), "cory", "goneFishing") && good(text, own(), "anna", "goneFishing"));
    assert!(!good(text, own(), "cory", "x") && !good(text, own(), "# users", ""));
    assert!(matches!(ask(text, own(), "old", "abCDefGHijk12"), Err(Failure::Broken(_))));
    let digest = HashType::Md5.hex(b"cory:here:secret");
    let text = format!("cory:there:{}\ncory:here:{digest}\n", HashType::Md5.hex(b"cory:there:other"));
    let own = || map! {"filetype" => "htdigest", "realm" => "here"};
    assert!(good(&text, own(), "cory", "secret") && !good(&text, own(), "cory", "other"));
    assert!(!good(&text, own(), "cory:here", "secret"));
}

#[test]
fn options_that_cannot_be_used_are_said() {
    let check = |own: Map| (BACKEND.check)(&Settings { own, auth: Map::new() });
    assert!(check(map! {"filename" => "/x"}).is_ok());
    for own in [
        map! {},
        map! {"filename" => ""},
        map! {"filename" => "/x", "filetype" => "csv"},
        map! {"filename" => "/x", "filetype" => "htdigest"},
        map! {"filename" => "/x", "hashtype" => "crc32"},
        map! {"filename" => "/x", "username_field" => 0},
        map! {"filename" => "/x", "password_field" => "two"},
    ] {
        assert!(check(own.clone()).is_err(), "{own:?}");
    }
    assert!(check(map! {"filename" => "/x", "username_field" => "2"}).is_ok());
}
