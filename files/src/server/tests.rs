//! What each option of the file server does.

use super::FileServer;
use brine_core::{Map, Opts, Value, map};
use brine_protocol::command::MinionCommand as C;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

fn tree(dir: &Path, more: Map) -> std::sync::Arc<FileServer> {
    let at = |name: &str| dir.join(name).to_string_lossy().into_owned();
    fs::create_dir_all(dir.join("root/sub")).unwrap();
    fs::write(dir.join("root/sub/file"), "0123456789").unwrap();
    fs::write(dir.join("outside"), "o").unwrap();
    for (to, link) in [("../outside", "root/out"), ("sub/file", "root/in")] {
        if dir.join(link).symlink_metadata().is_err() {
            symlink(to, dir.join(link)).unwrap();
        }
    }
    let mut opts = map! {"file_roots" => map! {"base" => vec![at("root")]}, "cachedir" => at("cache")};
    opts.update(more);
    FileServer::new(&Opts::new(opts))
}

fn served(server: &FileServer, path: &str) -> Option<Vec<u8>> {
    match server.answer(C::ServeFile, &map! {"path" => path, "saltenv" => "base", "loc" => 0}).get("data") {
        Some(Value::Bytes(data)) => Some(data.clone()),
        _ => None,
    }
}

fn files(server: &FileServer) -> Value {
    server.answer(C::FileList, &map! {"saltenv" => "base"})
}

#[test]
fn each_option_of_the_file_server_counts() {
    let dir = tempfile::tempdir().unwrap();
    let plain = tree(dir.path(), Map::new());
    assert_eq!(served(&plain, "sub/file"), Some(b"0123456789".to_vec()), "file_roots");
    assert_eq!(served(&plain, "out"), Some(b"o".to_vec()));
    assert_eq!(files(&plain), ["in", "out", "sub/file"].into_iter().collect());

    let inside = tree(dir.path(), map! {"fileserver_followsymlinks" => false});
    assert_eq!(served(&inside, "out"), None);
    assert_eq!(served(&inside, "in"), Some(b"0123456789".to_vec()));
    let no_links = tree(dir.path(), map! {"fileserver_ignoresymlinks" => true});
    assert_eq!(files(&no_links), ["sub/file"].into_iter().collect());
    let small = tree(dir.path(), map! {"file_buffer_size" => 4});
    assert_eq!(served(&small, "sub/file"), Some(b"0123".to_vec()));

    assert!(plain.clocks().is_empty() && !plain.tells());
    let told = tree(dir.path(), map! {"fileserver_events" => true, "roots_update_interval" => 7});
    let clocks: Vec<_> = told.clocks().into_iter().map(|(named, every)| (named.tag(), every)).collect();
    assert_eq!(clocks, [("salt/fileserver/roots/update".to_owned(), Duration::from_secs(7))]);
}

#[test]
fn backends_are_those_that_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let names = |server: &FileServer, back: Value| -> Vec<String> {
        server.choose(&back).into_iter().map(|named| named.name.clone()).collect()
    };
    let both = tree(
        dir.path(),
        map! {"fileserver_backend" => vec!["s3fs", "minion", "roots", "x"], "file_recv" => true},
    );
    assert_eq!(names(&both, Value::Nil), ["minion", "roots"]);
    assert_eq!(names(&both, "roots,minionfs,git".into()), ["roots", "minion"]);
    assert_eq!(names(&both, "-minionfs".into()), ["roots"]);
    assert_eq!(names(&both, "-roots,minion".into()), ["minion"]);
    assert_eq!(names(&both, vec!["roots"].into()), ["roots"]);
    assert_eq!(names(&both, 5.into()), Vec::<String>::new());
    let none = tree(dir.path(), map! {"fileserver_backend" => vec!["minion"]});
    assert!(none.backends().is_empty(), "nobody may push");
    assert_eq!(served(&none, "sub/file"), None);
}

#[test]
fn what_vanishes_changes_or_may_not_be_read_is_answered_and_never_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let server = tree(dir.path(), map! {"file_buffer_size" => 4});
    let at = dir.path().join("root/sub/file");
    let next = |loc: i64| {
        let load = map! {"path" => "sub/file", "saltenv" => "base", "loc" => loc};
        server.answer(C::ServeFile, &load)
    };
    assert_eq!(next(0).get("data"), Some(&Value::Bytes(b"0123".to_vec())));
    fs::write(&at, "01").unwrap();
    assert_eq!(
        next(4),
        map! {"data" => Value::Bytes(Vec::new()), "dest" => "sub/file"}.into(),
        "it is shorter now"
    );
    fs::remove_file(&at).unwrap();
    assert_eq!(next(4), map! {"data" => "", "dest" => ""}.into(), "it is gone");
    fs::create_dir(&at).unwrap();
    assert_eq!(next(0), map! {"data" => "", "dest" => ""}.into());
    fs::remove_dir(&at).unwrap();
    nix::unistd::mkfifo(&at, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(next(0), map! {"data" => "", "dest" => ""}.into(), "a pipe");
    fs::remove_file(&at).unwrap();
    fs::write(&at, "").unwrap();
    assert_eq!(
        next(0),
        map! {"data" => Value::Bytes(Vec::new()), "dest" => "sub/file"}.into(),
        "it is empty"
    );
}

#[test]
fn a_large_tree_is_listed_once() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..1000 {
        let folder = dir.path().join(format!("root/{}/{n}", n % 10));
        fs::create_dir_all(&folder).unwrap();
        for m in 0..5 {
            fs::File::create(folder.join(m.to_string())).unwrap();
        }
    }
    let server = tree(dir.path(), Map::new());
    let base = brine_protocol::ids::SaltEnv::parse("base").unwrap();
    let first = server.list(&base).unwrap();
    assert_eq!((first.files.len(), first.dirs.len()), (5003, 1011));
    assert!(std::sync::Arc::ptr_eq(&first, &server.list(&base).unwrap()), "nothing is read again");
    fs::write(dir.path().join("root/3/33/new"), "").unwrap();
    assert_eq!(server.list(&base).unwrap().files.len(), 5004);
}
