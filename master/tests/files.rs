//! Files over the wire: what minions ask the master's file server, what they push, and what is told of updates.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::fs;

use brine_protocol::{Map, Value, map};
use support::*;

fn ask(cmd: &str, path: &str, loc: i64) -> Map {
    map! {"cmd" => cmd, "path" => path, "saltenv" => "base", "loc" => loc}
}

#[tokio::test(flavor = "multi_thread")]
async fn minions_take_files_and_push_them() {
    let tmp = tempfile::tempdir().unwrap();
    let root = tmp.path().join("tree");
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(root.join("sub/file"), "0123456789").unwrap();
    let roots = map! {"base" => vec![root.to_string_lossy().into_owned()], "dev" => Value::List(Vec::new())};
    let master = TestMaster::start_in(
        tmp,
        map! {
            "file_roots" => roots, "file_buffer_size" => 6, "file_recv" => true, "fileserver_events" => true,
            "roots_update_interval" => 1, "fileserver_backend" => vec!["roots", "minionfs"],
            "minionfs_mountpoint" => "pushed",
        },
    )
    .await;
    let mut bus = master.events().await;
    let m1 = master.accepted("m1", key(0)).await;
    assert_eq!(m1.request(map! {"cmd" => "_file_envs"}).await, vec!["base", "dev"].into());
    let opts = m1.request(map! {"cmd" => "_master_opts", "env_only" => true}).await;
    let none = || Value::List(Vec::new());
    assert_eq!(opts.get("file_roots"), Some(&map! {"base" => none(), "dev" => none()}.into()));
    for (loc, data) in [(0, "012345"), (6, "6789"), (10, "")] {
        let answer = m1.request(ask("_serve_file", "sub/file", loc)).await;
        assert_eq!(answer, map! {"data" => data, "dest" => "sub/file"}.into());
    }
    let hash = m1.request(ask("_file_hash", "sub/file", 0)).await;
    let sha256 = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";
    assert_eq!(hash, map! {"hash_type" => "sha256", "hsum" => sha256}.into());
    assert_eq!(m1.request(map! {"cmd" => "_master_tops", "id" => "m1"}).await, Map::new().into());

    let push = |loc: i64, data: &str| {
        let path: Vec<&str> = vec!["etc", "conf"];
        m1.request(map! {"cmd" => "_file_recv", "id" => "m1", "path" => path, "loc" => loc, "size" => 6, "data" => data})
    };
    assert_eq!(push(0, "one").await, true.into());
    assert_eq!(push(3, "two").await, true.into());
    assert_eq!(fs::read(master.path("cache/minions/m1/files/etc/conf")).unwrap(), b"onetwo");
    let listed = m1.request(map! {"cmd" => "_file_list", "saltenv" => "base", "prefix" => ""}).await;
    assert_eq!(listed, vec!["pushed/m1/etc/conf", "sub/file"].into());
    let answer = m1.request(ask("_serve_file", "pushed/m1/etc/conf", 0)).await;
    assert_eq!(answer.get("data"), Some(&"onetwo".into()));

    let event = bus.next("salt/fileserver/roots/update").await;
    assert_eq!(event.data.get_str("backend"), Some("roots"));
    master.stop().await;
}
