//! `salt-cp`: files from the master's host to minions, whole and in chunks.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::failure::{Result, hold, same};
use crate::fleet::Fleet;

/// A small text into a file, into a directory, and where there is none.
pub fn whole(fleet: &mut Fleet) -> Result {
    let source = fleet.path("copy.txt");
    fs::write(&source, "héllo\nworld\n")?;
    let source = source.display().to_string();
    let into = fleet.path("m1/got");
    fs::create_dir_all(&into)?;
    let dest = into.join("other.txt").display().to_string();
    let ran = fleet.tool("salt-cp", &["--out=json", "m1", &source, &dest])?.ok()?;
    same("the answer", ran.ret("m1")?, json!({ dest.clone(): true }))?;
    same("the file", fs::read_to_string(&dest)?, "héllo\nworld\n")?;
    let dir = into.display().to_string();
    let ran = fleet.tool("salt-cp", &["--out=json", "-L", "m1,m2", &source, &dir])?.ok()?;
    let landed = into.join("copy.txt").display().to_string();
    same("into a directory", ran.ret("m2")?, json!({ landed.clone(): true }))?;
    let nowhere = into.join("no/such/dir").display().to_string();
    let ran = fleet.tool("salt-cp", &["--out=json", "m1", &source, &nowhere])?.ok()?;
    same("nowhere", ran.ret("m1")?, json!("Destination unavailable"))?;
    fleet.tool("salt-cp", &["m1", &dir, &dir])?.code(1)?.says("is a directory, only files are supported")?;
    fleet.tool("salt-cp", &["m1", &source])?.code(64).map(drop)
}

/// A tree with a large binary file, an empty file and an empty directory; modes go along.
pub fn chunked(fleet: &mut Fleet) -> Result {
    let tree = fleet.path("tree");
    fs::create_dir_all(tree.join("sub/empty"))?;
    // Neither text nor compressible, and no multiple of a chunk.
    let mut state = 1u32;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(250_001)
    .collect();
    fs::write(tree.join("sub/large"), &bytes)?;
    fs::set_permissions(tree.join("sub/large"), fs::Permissions::from_mode(0o750))?;
    fs::write(tree.join("nothing"), "")?;
    for (flags, name) in [(&["-C"][..], "packed"), (&["-C", "-n"][..], "plain")] {
        let dest = fleet.path("m1").join(name);
        let at = |below: &str| dest.join("tree").join(below).display().to_string();
        let (source, dest_text) = (tree.display().to_string(), dest.display().to_string());
        let mut words = vec!["--out=json"];
        words.extend(flags);
        words.extend(["m1", &source, &dest_text]);
        let ran = fleet.tool("salt-cp", &words)?.ok()?;
        let told = ran.ret("m1")?;
        same("the large file", told[at("sub/large")].clone(), json!(true))?;
        same("the empty directory", told[at("sub/empty")].clone(), json!(true))?;
        hold(fs::read(at("sub/large"))? == bytes, || "the large file differs".into())?;
        let mode = fs::metadata(at("sub/large"))?.permissions().mode() & 0o7777;
        same("its mode", mode, 0o750)?;
        hold(fs::metadata(at("sub/empty"))?.is_dir(), || "no directory".into())?;
        // Stock sends nothing of an empty file that it does not compress.
        same("the empty file", fs::metadata(at("nothing")).is_ok(), name == "packed")?;
        fs::remove_dir_all(&dest)?;
    }
    fleet.tool("salt-cp", &["-C", "m1", "/no/such/file", "/tmp/x"])?.code(42).map(drop)
}
