//! Files of a master, as our minion and stock's get them: each function of `cp` gives the same and leaves the same on disk, on
//! masters of every version.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use brine_interop_tests::failure::{Failure, same};
use brine_interop_tests::{Fleet, Result, Side, cli, config, daemon, script};
use serde_json::{Value, json};

/// A tree with awkward names, links, empty and large files.
fn tree(at: &Path) -> Result {
    for dir in ["sub/deep", "sub dir", "empty", "web", "other"] {
        fs::create_dir_all(at.join(dir))?;
    }
    let big: Vec<u8> = (0..3_500_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let files: &[(&str, &[u8])] = &[
        ("one", b"one\n"),
        ("nothing", b""),
        ("big", &big),
        ("what?now", b"q"),
        ("a|b", b"pipe"),
        ("\u{fc}n\u{ef} c\u{f6}d\u{e9}", b"u"),
        ("quo'te\"s", b"q"),
        ("sub/deep/file", b"deep\r\nlines\r"),
        ("sub dir/f", b"s"),
        ("subway", b"no part of sub"),
        ("web/init.sls", b"a: {test.nop: []}\n"),
        ("web/x.sls", b"{}"),
        ("tpl", b"id: {{ grains.id }} {{ saltenv }} {{ mine|default('none') }}\n"),
        ("broken", b"{{ nothing.at.all() }}"),
        ("imports", b"{% import 'lib.jinja' as l %}{{ l.a }}\n"),
        ("lib.jinja", b"{% set a = 5 %}"),
    ];
    for (name, contents) in files {
        fs::write(at.join(name), contents)?;
    }
    fs::write(at.join("run.sh"), "#!/bin/sh\necho hi $1\n")?;
    fs::set_permissions(at.join("run.sh"), fs::Permissions::from_mode(0o755))?;
    symlink("one", at.join("link"))?;
    symlink("sub", at.join("linkdir"))?;
    Ok(())
}

/// A server with a file, a redirection to it, one behind a password, and one with a tag. Returns its address.
fn server() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("127.0.0.1:{}", listener.local_addr()?.port());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let lower = head.to_lowercase();
            // user:secret
            let known = lower.contains("authorization: basic dxnlcjpzzwnyzxq=");
            let (status, more, body) = match path.as_str() {
                "/moved" => ("302 Found", "Location: /f\r\n", "elsewhere"),
                "/secret" if !known => ("401 Unauthorized", "", ""),
                "/tag" if lower.contains("if-none-match: \"t1\"") => ("304 Not Modified", "", ""),
                "/tag" => ("200 OK", "ETag: \"t1\"\r\n", "tagged"),
                "/gone" => ("404 Not Found", "", ""),
                _ => ("200 OK", "Content-Type: text/plain\r\n", "over http\n"),
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            // Who has gone needs no answer.
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    Ok(address)
}

/// Functions with their words: `$D` is the side's own folder, `$H` the HTTP server.
const CASES: &[&[&str]] = &[
    &["cp.envs"],
    &["cp.list_master"],
    &["cp.list_master", "prefix=sub"],
    &["cp.list_master", "dev"],
    &["cp.list_master", "nowhere"],
    &["cp.list_master_dirs"],
    &["cp.list_master_dirs", "prefix=sub"],
    &["cp.list_master_symlinks"],
    &["cp.list_states"],
    &["cp.hash_file", "salt://one"],
    &["cp.hash_file", "salt://one?saltenv=dev"],
    &["cp.hash_file", "salt://only", "dev"],
    &["cp.hash_file", "salt://none"],
    &["cp.hash_file", "salt://sub"],
    &["cp.hash_file", "/nonexistent/file"],
    &["cp.stat_file", "salt://run.sh"],
    &["cp.stat_file", "salt://run.sh", "octal=False"],
    &["cp.stat_file", "salt://none"],
    &["cp.stat_file", "/etc/passwd"],
    &["cp.stat_file", "/nonexistent/file"],
    &["cp.is_cached", "salt://one"],
    &["cp.cache_file", "salt://one"],
    &["cp.cache_file", "salt://one?saltenv=dev"],
    &["cp.cache_file", "salt://only", "saltenv=dev"],
    &["cp.cache_file", "salt://nothing"],
    &["cp.cache_file", "salt://big"],
    &["cp.cache_file", "salt://|what?now"],
    &["cp.cache_file", "salt://a|b"],
    &["cp.cache_file", "salt://\u{fc}n\u{ef} c\u{f6}d\u{e9}"],
    &["cp.cache_file", "salt://quo'te\"s"],
    &["cp.cache_file", "salt://sub dir/f"],
    &["cp.cache_file", "salt://link"],
    &["cp.cache_file", "salt://linkdir/deep/file"],
    &["cp.cache_file", "salt://sub"],
    &["cp.cache_file", "salt://none"],
    &["cp.cache_file", "salt://../etc/passwd"],
    &["cp.cache_file", "salt:///etc/passwd"],
    &["cp.cache_file", "/etc/passwd"],
    &["cp.cache_file", "file:///etc/passwd"],
    &["cp.cache_file", "relative/path"],
    &["cp.is_cached", "salt://one"],
    &["cp.is_cached", "salt://|what?now"],
    &["cp.is_cached", "salt://none"],
    &["cp.cache_files", "salt://one,salt://none,salt://tpl"],
    &["cp.cache_files", "[salt://one, salt://run.sh]"],
    &["cp.cache_dir", "salt://sub", "include_empty=True"],
    &["cp.cache_dir", "salt://web/", "include_pat=*.sls", "exclude_pat=E@x"],
    &["cp.cache_dir", "/etc"],
    &["cp.cache_dest", "salt://one"],
    &["cp.cache_dest", "salt://one?saltenv=dev"],
    &["cp.cache_dest", "http://u:p@host:80/a/b?c=d"],
    &["cp.cache_dest", "/etc/passwd"],
    &["cp.get_file", "salt://one", "$D/one"],
    &["cp.get_file", "salt://one", "$D/one"],
    &["cp.get_file", "salt://big", "$D/big", "gzip=5"],
    &["cp.get_file", "salt://nothing", "$D/nothing"],
    &["cp.get_file", "salt://one", "$D"],
    &["cp.get_file", "salt://one", "$D/new/"],
    &["cp.get_file", "salt://one", "$D/no/folder"],
    &["cp.get_file", "salt://one", "$D/made/folder", "makedirs=True"],
    &["cp.get_file", "salt://one", ""],
    &["cp.get_file", "salt://none", "$D/none"],
    &["cp.get_file", "salt://{{ saltenv }}/none", "$D/none", "template=jinja"],
    &["cp.get_file", "salt://{{ 'one' }}", "$D/{{ grains.id }}", "template=jinja"],
    &["cp.get_file", "salt://one", "$D/x", "template=nothing"],
    &["cp.get_file", "/etc/passwd", "$D/passwd"],
    &["cp.get_file_str", "salt://sub/deep/file"],
    &["cp.get_file_str", "salt://none"],
    &["cp.get_file_str", "/etc/hostname"],
    &["cp.get_template", "salt://tpl", "$D/tpl", "mine=5"],
    &["cp.get_template", "salt://tpl", ""],
    &["cp.get_template", "salt://imports", "$D/imports"],
    &["cp.get_template", "salt://tpl", "$D/no/folder/tpl"],
    &["cp.get_template", "salt://tpl", "$D/made/too/tpl", "makedirs=True"],
    &["cp.get_template", "salt://broken", "$D/broken"],
    &["cp.get_template", "salt://none", "$D/none"],
    &["cp.get_template", "salt://tpl", "$D/tpl2", "template=nothing"],
    &["cp.get_dir", "salt://sub", "$D/dir"],
    &["cp.get_dir", "salt://sub/", "$D/dir2", "gzip=3"],
    &["cp.get_dir", "salt://sub/deep", "$D/dir3"],
    &["cp.get_dir", "salt://empty", "$D/dir4"],
    &["cp.get_dir", "salt://none", "$D/dir5"],
    &["cp.get_url", "salt://one", "$D/url"],
    &["cp.get_url", "salt://one"],
    &["cp.get_url", "salt://one", "dest=None"],
    &["cp.get_url", "salt://none", "$D/none"],
    &["cp.get_url", "/etc/hostname", "$D/hostname"],
    &["cp.get_url", "/etc/hostname", "dest=None"],
    &["cp.get_url", "http://$H/f", "$D/http"],
    &["cp.get_url", "http://$H/f", "$D/"],
    &["cp.get_url", "http://$H/f?a=b", "$D/made/http", "makedirs=True"],
    &["cp.get_url", "http://$H/f", "$D/no/http"],
    &["cp.get_url", "http://$H/f", "dest=None"],
    &["cp.get_url", "http://$H/moved", "$D/moved"],
    &["cp.get_url", "http://user:secret@$H/secret", "$D/secret"],
    &["cp.get_url", "http://$H/secret", "$D/nosecret"],
    &["cp.get_url", "http://$H/gone", "$D/gone"],
    &["cp.cache_file", "http://$H/f?a=b"],
    &["cp.cache_file", "http://user:secret@$H/secret"],
    &["cp.cache_file", "http://$H/tag", "use_etag=True"],
    &["cp.cache_file", "http://$H/tag", "use_etag=True"],
    &["cp.is_cached", "http://$H/f?a=b"],
    &["cp.cache_local_file", "$D/one"],
    &["cp.cache_local_file", "$D/one"],
    &["cp.cache_local_file", "/nonexistent/file"],
    &["cp.push", "$D/one"],
    &["cp.push", "$D/big", "upload_path=/elsewhere/large"],
    &["cp.push", "$D/nothing"],
    &["cp.push", "$D/none"],
    &["cp.push", "relative"],
    &["cp.push", "$D/url", "remove_source=True"],
    &["cp.push_dir", "$D/dir"],
    &["cp.push_dir", "$D/made", "upload_path=up", "glob=*er"],
    &["cp.push_dir", "$D/made", "glob=nothing"],
    &["cp.recv", "{a: text}", "$D"],
    &["cp.list_minion"],
];

/// What is below a folder: modes where they are stock's, and contents. In the cache, ours are those of a minion alone.
fn below(dir: &Path, found: &mut BTreeMap<String, String>, root: &Path) -> Result {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    for entry in entries.flatten() {
        let (path, meta) = (entry.path(), entry.metadata()?);
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        let mode = meta.permissions().mode() & if name.starts_with("dest") { 0o7777 } else { 0o700 };
        // Stock leaves empty ones where a server has no file; line ends in the other say nothing.
        if name.ends_with(".part") || name.ends_with(".etag") {
            continue;
        }
        if meta.is_dir() {
            found.insert(name, format!("{mode:o}"));
            below(&path, found, root)?;
        } else {
            // Of one length, so that sizes stay.
            let bytes = String::from_utf8(fs::read(&path)?)
                .map_or_else(|e| e.into_bytes(), |text| text.replace("brine", "stock").into_bytes());
            let sum = bytes.iter().fold(7u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(*b)));
            found.insert(name, format!("{mode:o} {} {sum:x}", bytes.len()));
        }
    }
    Ok(())
}

/// One side's answers, and what it left on disk.
fn run(
    fleet: &Fleet,
    cases: &[&[&str]],
    minion: Side,
    http: &str,
) -> Result<(Vec<Value>, BTreeMap<String, String>)> {
    // Names of one length: they are in files whose sizes are compared.
    let name = if minion.is_ours() { "brine" } else { "stock" };
    config::write_minion(fleet.root(), name, name, &fleet.settings, &[])?;
    // salt-call makes them; stock's library waits for ever without.
    for dir in ["dest", "pki", "cache"] {
        fs::create_dir_all(fleet.path(name).join(dir))?;
    }
    let dest = fleet.path(name).join("dest");
    let root = fleet.path(name).display().to_string();
    let cases: Vec<Vec<String>> = cases
        .iter()
        .map(|words| {
            words.iter().map(|w| w.replace("$D", &dest.display().to_string()).replace("$H", http)).collect()
        })
        .collect();
    let answers = if let Side::Ours = minion {
        let mut all = Vec::new();
        for case in &cases {
            let mut cmd = daemon::command(None, &minion.program("salt-call")?);
            cmd.arg("-c").arg(fleet.path(name)).args(["--out", "json", "-l", "quiet", "--"]).args(case);
            let ran = cli::run(cmd, b"", Duration::from_secs(60))?;
            all.push(match serde_json::from_str::<Value>(&ran.out) {
                Ok(value) => json!({"ret": value["local"]}),
                Err(_) => json!({"error": ran.err.trim()}),
            });
        }
        all
    } else {
        let list = fleet.path("cases.json");
        fs::write(&list, serde_json::to_string(&cases)?)?;
        let args = [root.as_str(), &list.display().to_string()];
        let cmd = script::prepare(fleet, minion, "cp.py", include_str!("../py/cp.py"), &args)?;
        let ran = cli::run(cmd, b"", Duration::from_secs(240))?.ok()?;
        serde_json::from_str(ran.out.lines().last().unwrap_or_default())?
    };
    let text = serde_json::to_string(&answers)?.replace(&root, "$ROOT").replace(name, "$NAME");
    let mut left = BTreeMap::new();
    for dir in ["dest", "cache/files", "cache/localfiles", "cache/extrn_files"] {
        below(&fleet.path(name).join(dir), &mut left, &fleet.path(name))?;
    }
    let pushed = fleet.path("cache/master/minions").join(name);
    below(&pushed.join("files"), &mut left, &pushed)?;
    let left =
        left.into_iter().map(|(path, what)| (path.replace(&root[1..], "ROOT").replace(name, "$NAME"), what));
    Ok((serde_json::from_str(&text)?, left.collect()))
}

/// A fleet of which nothing runs yet, its trees made.
fn fleet(master: Side) -> Result<(Fleet, String)> {
    let fleet = Fleet::new(master, Side::Ours)?;
    let roots = ["srv", "dev"].map(|dir| fleet.path(dir));
    tree(&roots[0])?;
    fs::create_dir_all(&roots[1])?;
    fs::write(roots[1].join("one"), "dev\n")?;
    fs::write(roots[1].join("only"), "dev only\n")?;
    let line = format!("file_roots: {{base: [{}], dev: [{}]}}", roots[0].display(), roots[1].display());
    Ok((fleet, line))
}

fn compare(fleet: &Fleet, cases: &[&[&str]]) -> Result {
    let http = server()?;
    let (want, want_left) = run(fleet, cases, Side::Stock("3006.28"), &http)?;
    // So that the comparison is not one of two failures.
    same("stock's own", &want[21]["ret"], &json!("$ROOT/cache/files/base/one"))?;
    let (got, left) = run(fleet, cases, Side::Ours, &http)?;
    let mut differ = Vec::new();
    for ((case, want), got) in cases.iter().zip(&want).zip(&got) {
        // A set of Python's, in any order.
        let sorted = |v: &Value| match v["ret"].as_array().filter(|_| case[0] == "cp.envs") {
            Some(envs) => {
                let mut envs: Vec<String> = envs.iter().map(Value::to_string).collect();
                envs.sort();
                json!({"ret": envs})
            }
            None => v.clone(),
        };
        let (want, got) = (&sorted(want), &sorted(got));
        // Ours is the whole text, stock's its end.
        let failed = |v: &Value| v["error"].as_str().map(str::to_owned);
        let same = match (failed(want), failed(got)) {
            (Some(want), Some(got)) => got.ends_with(want.trim_start_matches("salt.exceptions.")),
            _ => want == got,
        };
        if !same {
            differ.push(format!("{}\n  stock {want}\n  ours  {got}", case.join(" ")));
        }
    }
    let names: std::collections::BTreeSet<&String> = want_left.keys().chain(left.keys()).collect();
    for name in names {
        let (want, got) = (want_left.get(name), left.get(name));
        if want != got {
            differ.push(format!("on disk {name}\n  stock {want:?}\n  ours  {got:?}"));
        }
    }
    if differ.is_empty() { Ok(()) } else { Err(Failure(differ.join("\n"))) }
}

fn on(version: &str) -> Result {
    let (mut fleet, roots) = fleet(Side::parse(version)?)?;
    fleet.settings.master_lines = vec!["auto_accept: true".into(), "file_recv: true".into(), roots];
    fleet.start_master()?;
    compare(&fleet, CASES)
}

#[test]
fn of_3006() -> Result {
    on("3006")
}

#[test]
fn of_3007() -> Result {
    on("3007")
}

#[test]
fn of_3008() -> Result {
    on("3008")
}

#[test]
fn of_ours() -> Result {
    on("ours")
}

#[test]
fn of_this_machine() -> Result {
    let (mut fleet, roots) = fleet(Side::Ours)?;
    fleet.settings.minion_lines = vec!["file_client: local".into(), roots];
    let cases: Vec<&[&str]> = CASES.iter().copied().filter(|case| !case[0].starts_with("cp.push")).collect();
    compare(&fleet, &cases)
}

/// What a stock minion gets and leaves on disk, of a master.
fn taken(minion: Side, master: &str, cases: &[&[&str]]) -> Result<(Vec<Value>, BTreeMap<String, String>)> {
    let (mut fleet, roots) = fleet(Side::parse(master)?)?;
    let large: Vec<u8> = (0..64u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    fs::write(fleet.path("srv").join("large"), large)?;
    for name in ["back\\slash", "new\nline", " sp ace ", "tab\there", "..dots", "%41", "#x", "*"] {
        fs::write(fleet.path("srv").join(name), name)?;
    }
    symlink("nowhere", fleet.path("srv").join("dangling"))?;
    fleet.settings.master_lines = vec!["auto_accept: true".into(), "file_recv: true".into(), roots];
    fleet.start_master()?;
    run(&fleet, cases, minion, &server()?)
}

/// Stock's minions of one version, on our master and on one of their own.
fn by_stock(version: &'static str) -> Result {
    let cases: &[&[&str]] = &[
        &["cp.list_master"],
        &["cp.list_master", "prefix=sub"],
        &["cp.list_master_dirs"],
        &["cp.list_master_symlinks"],
        &["cp.list_states"],
        &["cp.hash_file", "salt://large"],
        &["cp.hash_file", "salt://none"],
        &["cp.get_file", "salt://large", "$D/large"],
        &["cp.get_file", "salt://big", "$D/big", "gzip=5"],
        &["cp.get_file", "salt://nothing", "$D/nothing"],
        &["cp.get_file", "salt://one?saltenv=dev", "$D/dev"],
        &["cp.get_file", "salt://|what?now", "$D/what"],
        &["cp.get_file", "salt://back\\slash", "$D/back"],
        &["cp.get_file", "salt://dangling", "$D/dangling"],
        &["cp.get_dir", "salt://sub", "$D/dir"],
        &["cp.get_dir", "salt://web", "$D/web"],
        &["cp.cache_master"],
        &["cp.push", "$D/big"],
        &["cp.push", "$D/nothing"],
    ];
    let minion = Side::Stock(version);
    let (want, want_left) = taken(minion, &version[..4], cases)?;
    let (got, left) = taken(minion, "ours", cases)?;
    same("a large file came", &want[7]["ret"], &json!("$ROOT/dest/large"))?;
    for ((case, want), got) in cases.iter().zip(&want).zip(&got) {
        same(&case.join(" "), want, got)?;
    }
    // Pushed files are private here.
    let plain = |left: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        left.iter()
            .filter(|(path, _)| !path.starts_with("files/"))
            .map(|(p, w)| (p.clone(), w.clone()))
            .collect()
    };
    let pushed = |left: &BTreeMap<String, String>| left.keys().filter(|p| p.starts_with("files/")).count();
    same("on disk", &plain(&want_left), &plain(&left))?;
    same("pushed", &pushed(&want_left), &pushed(&left))
}

#[test]
fn by_stock_3006() -> Result {
    by_stock("3006.28")
}

#[test]
fn by_stock_3007() -> Result {
    by_stock("3007.15")
}

#[test]
fn by_stock_3008() -> Result {
    by_stock("3008.3")
}
