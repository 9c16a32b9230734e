//! The source `palletjack`: what Salt reads of `palletjack2salt`'s files, straight from the warehouse; its options; and what is in
//! force when a warehouse changes.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use brine_core::call::{Cx, Registry};
use brine_core::files::NoFiles;
use brine_core::host::NoHost;
use brine_core::{Map, Opts, Value, map};
use brine_pillar::inventory::{self, Conf, Warehouse};
use brine_pillar::{Ask, PillarCache, Pillars, Settled, Wish, compile};
use serde_json::{Value as Json, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// A file or folder of the inventory's test data.
fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory/tests/data").join(path)
}

fn example() -> String {
    data("inputs/example").to_string_lossy().into_owned()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn json(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(n) => serde_json::from_str(&n.to_string()).unwrap(),
        Value::Float(x) => json!(x),
        Value::Str(s) => json!(s),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(map) => {
            Json::Object(map.iter().map(|(k, v)| (k.as_str().expect("a text").to_owned(), json(v))).collect())
        }
        other => panic!("{other:?} is in no pillar of an inventory"),
    }
}

/// What the pillar of a minion holds by these options, with a cache of its own.
fn pillar(id: &str, options: Map) -> Json {
    let cache = tempfile::tempdir().unwrap();
    json(&of(cache.path(), id, options).into())
}

fn opts(cachedir: &Path, options: Map) -> Opts {
    Opts::new(map! {
        "ext_pillar" => vec![Value::from(map! {"palletjack" => options})], "cachedir" => text(cachedir),
        "renderer" => "jinja|yaml", "state_top" => "top.sls",
    })
}

fn of(cachedir: &Path, id: &str, options: Map) -> Map {
    let cx = Cx::new(Arc::new(opts(cachedir, options)), Arc::new(Registry::default()), Arc::new(NoHost));
    let wish = Wish { id: id.into(), ..Wish::default() };
    compile(&cx, Settled::new(&cx.opts, wish), Arc::new(NoFiles)).unwrap()
}

/// What Salt's loader makes of a file of the original.
fn golden(path: &str) -> Json {
    serde_json::from_str(&fs::read_to_string(data(path)).unwrap()).unwrap()
}

fn git(dir: &Path, words: &[&str]) -> String {
    let author = ["-c", "user.name=a", "-c", "user.email=a@b"];
    let out = Command::new("git").args(author).args(words).current_dir(dir).output().unwrap();
    assert!(out.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// A small warehouse: two systems in racks of one room, one of them with two addresses on one interface.
fn plant(dir: &Path) {
    let files = [
        ("transforms.yaml", "- net.dns.fqdn:\n  - synthesize: \"#[pallet.system].example.org\"\n"),
        (
            "_config/PalletJack2Salt/c.yaml",
            "pillar:\n  per-minion:\n    each-subtree: {system: system, place: place}\n",
        ),
        ("room/a/room.yaml", "place: {floor: 1}\n"),
        ("rack/r1/rack.yaml", "place: {height: 42}\n"),
        ("rack/r2/rack.yaml", "place: {height: 12}\n"),
        ("system/web/role.yaml", "system: {role: [web-server], id: web-1}\n"),
        ("system/db/role.yaml", "system: {role: [database], id: 0042, up: yes}\n"),
        ("ipv4_interface/10.0.0.1/i.yaml", "net: {layer2: {name: eth0}, ipv4: {address: 10.0.0.1}}\n"),
        ("ipv4_interface/10.0.0.2/i.yaml", "net: {layer2: {name: eth0}, ipv4: {address: 10.0.0.2}}\n"),
    ];
    for (path, text) in files {
        let file = dir.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    for (link, to) in [
        ("rack/r1/room", "../../room/a"),
        ("rack/r2/room", "../../room/a"),
        ("system/web/rack", "../../rack/r1"),
        ("system/db/rack", "../../rack/r2"),
        ("ipv4_interface/10.0.0.1/system", "../../system/web"),
        ("ipv4_interface/10.0.0.2/system", "../../system/web"),
    ] {
        symlink(to, dir.join(link)).unwrap();
    }
}

/// The same in git, on branch `main`.
fn repository(dir: &Path) {
    plant(dir);
    git(dir, &["init", "-q", "-b", "main"]);
    commit(dir);
}

fn commit(dir: &Path) -> String {
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", "x"]);
    git(dir, &["rev-parse", "HEAD"])
}

#[test]
fn pillar_is_what_salt_reads_of_the_originals_files() {
    let global = golden("sorted/salt-global/palletjack/global.sls.as-salt-loads-it.json");
    for id in ["testvm.example.com", "vmhost1.example.com"] {
        let mut both = golden(&format!("sorted/salt-minion/{id}.yaml.as-salt-loads-it.json"));
        let alone = both.clone();
        assert_eq!(pillar(id, map! {"warehouse" => example(), "global" => false}), alone);
        both["palletjack"]["global"] = global["palletjack"]["global"].clone();
        assert_eq!(pillar(id, map! {"warehouse" => example()}), both);
    }
    // Whoever is in no warehouse gets what is for everybody.
    assert_eq!(pillar("other", map! {"warehouse" => example()}), global);
    assert_eq!(pillar("other", map! {"warehouse" => example(), "global" => false}), json!({}));
}

#[test]
fn values_have_the_types_that_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path());
    let of = |typing: &str| {
        let options = map! {"warehouse" => text(dir.path()), "typing" => typing};
        pillar("db.example.org", options)["palletjack"].clone()
    };
    let retyped = of("retyped");
    assert_eq!(retyped["system"], json!({"role": ["database"], "id": 34, "up": true}));
    assert_eq!(retyped["place"], json!({"floor": 1, "height": 12}));
    assert_eq!(of("strings")["system"], json!({"role": ["database"], "id": "34", "up": "true"}));
    assert_eq!(of("native")["system"], json!({"role": ["database"], "id": 34, "up": true}));
}

/// Every odd value there is: what the original writes of it, read by Salt's loader.
#[test]
fn whatever_the_original_writes_salt_reads_the_same_here() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("system/types")).unwrap();
    fs::copy(data("inputs/edge/t/types/t.yaml"), dir.path().join("system/types/t.yaml")).unwrap();
    fs::write(dir.path().join("transforms.yaml"), "[]\n").unwrap();
    let dump = fs::read_to_string(data("edge/dump_pallet-t.yaml")).unwrap();
    let document = dump.split("---\n").nth(2).unwrap();
    let mut written = json(&brine_render::yaml::load(document).unwrap());
    let options = map! {"warehouse" => text(dir.path()), "key" => "pallet.system", "view" => true};
    let view = pillar("types", options)["palletjack"]["view"].clone();
    assert_eq!(view["v"], written["v"].take());
    assert_eq!(view["v"]["sexa"], json!(45045));
    assert_eq!(view["v"]["macplain"], json!(41_135_085_296_u64));
}

#[test]
fn two_addresses_of_an_interface_are_both_kept() {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path());
    let options = map! {"warehouse" => text(dir.path())};
    let interfaces = &pillar("web.example.org", options)["palletjack"]["ipv4_interfaces"];
    let one = |address: &str| json!({"net": {"ipv4": {"address": address}, "layer2": {"name": "eth0"}}});
    assert_eq!(*interfaces, json!({"eth0": {"10.0.0.1": one("10.0.0.1"), "10.0.0.2": one("10.0.0.2")}}));
}

#[test]
fn a_missing_subtree_is_left_out_and_found() {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path());
    fs::remove_file(dir.path().join("system/db/role.yaml")).unwrap();
    let of = |id: &str| pillar(id, map! {"warehouse" => text(dir.path())})["palletjack"].clone();
    assert_eq!(of("db.example.org"), json!({"ipv4_interfaces": {}, "place": {"floor": 1, "height": 12}}));
    assert_eq!(of("web.example.org")["system"]["role"], json!(["web-server"]));
    let origin = brine_inventory::Origin::Directory(dir.path().to_owned());
    let snapshot = brine_inventory::Snapshot::load(&origin, &mut |_| ()).unwrap();
    let found = brine_inventory::salt::findings(&snapshot);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].code, found[0].message.contains("no key system")), ("missing-subtree", true));
}

#[test]
fn options_add_view_groups_key_and_revision() {
    let dir = tempfile::tempdir().unwrap();
    repository(dir.path());
    let revision = git(dir.path(), &["rev-parse", "HEAD"]);
    let with = |id: &str, more: Map| {
        let mut options = map! {"warehouse" => text(dir.path()), "ref" => "main"};
        options.update(more);
        pillar(id, options)
    };
    let plain = with("web.example.org", Map::new());
    assert_eq!(plain["palletjack_revision"], json!(revision));
    assert_eq!(plain["palletjack"].get("view"), None);
    assert_eq!(plain["palletjack"].get("nodegroups"), None);
    assert_eq!(with("web.example.org", map! {"revision" => false}).get("palletjack_revision"), None);
    let at = with("web.example.org", map! {"revision" => "palletjack:revision"});
    assert_eq!(at["palletjack"]["revision"], json!(revision));
    let view = with("web.example.org", map! {"view" => true});
    assert_eq!(view["palletjack"]["view"]["pallet"]["room"], json!("a"));
    assert_eq!(view["palletjack"]["view"]["pallet"]["boxes"], json!(["role.yaml"]));
    let groups = |more: Value| {
        with("web.example.org", map! {"nodegroups" => more})["palletjack"].get("nodegroups").cloned()
    };
    assert_eq!(groups(true.into()), Some(json!(["rack/r1", "room/a"])));
    assert_eq!(groups(vec!["room"].into()), Some(json!(["room/a"])));
    assert_eq!(groups(false.into()), None);
    // Another key, whose values are texts.
    let keyed = |id: &str| with(id, map! {"key" => "system.id"})["palletjack"].clone();
    assert_eq!(keyed("34")["system"]["role"], json!(["database"]));
    assert_eq!(keyed("web-1")["system"]["role"], json!(["web-server"]));
    assert_eq!(keyed("web.example.org"), Json::Null);
    assert_eq!(with("../../system/web", Map::new()).get("palletjack"), None);
}

#[test]
fn a_warehouse_may_be_a_folder_of_a_repository() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("site/warehouse");
    plant(&inner);
    git(dir.path(), &["init", "-q", "-b", "main"]);
    commit(dir.path());
    git(dir.path(), &["clone", "-q", "--bare", ".", "bare.git"]);
    fs::write(inner.join("system/web/role.yaml"), "broken: [\n").unwrap();
    let role = |options: Map| pillar("web.example.org", options)["palletjack"]["system"]["role"].clone();
    let want = json!(["web-server"]);
    assert_eq!(role(map! {"warehouse" => text(&inner), "ref" => "main"}), want);
    assert_eq!(
        role(map! {"warehouse" => text(dir.path()), "ref" => "main", "below" => "site/warehouse"}),
        want
    );
    let bare = text(&dir.path().join("bare.git"));
    assert_eq!(role(map! {"warehouse" => bare, "ref" => "main", "below" => "site/warehouse"}), want);
    // Without a reference, files count as they lie there.
    let broken = pillar("web.example.org", map! {"warehouse" => text(&inner)});
    let error = broken["_errors"][0].as_str().unwrap();
    assert!(error.starts_with("Failed to load ext_pillar palletjack: system/web/role.yaml:"), "{error}");
    let missing = pillar("web.example.org", map! {"warehouse" => text(&inner), "ref" => "none"});
    assert!(missing["_errors"][0].as_str().unwrap().contains("no revision \"none\""), "{missing}");
    let wrong = pillar("web.example.org", map! {"warehouse" => text(&inner), "branch" => "main"});
    assert_eq!(wrong["_errors"], json!(["Failed to load ext_pillar palletjack: unknown option branch"]));
}

#[test]
fn a_broken_commit_never_comes_into_force_also_after_a_restart() {
    let (dir, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    repository(dir.path());
    let good = git(dir.path(), &["rev-parse", "HEAD"]);
    let options = || map! {"warehouse" => text(dir.path()), "ref" => "main"};
    let revision = |cache: &Path| {
        let pillar = of(cache, "web.example.org", options());
        assert_eq!(pillar.get("_errors"), None);
        pillar.get_str("palletjack_revision").unwrap().to_owned()
    };
    assert_eq!(revision(cache.path()), good);
    symlink("../../rack/none", dir.path().join("system/web/rack2")).unwrap();
    let broken = commit(dir.path());
    assert_eq!(revision(cache.path()), good);
    let conf = Conf::read(&options().into()).unwrap();
    let warehouse = |cache: &Path| Warehouse::at(&conf.place, &opts(cache, options()));
    let told = warehouse(cache.path()).refresh();
    assert!(told.changed.is_none() && told.refused.is_none(), "it was told already");
    // As after a restart: a process that has nothing in memory, and the same files.
    let later = tempfile::tempdir().unwrap();
    let kept = fs::read_dir(cache.path().join("inventory")).unwrap().map(|entry| entry.unwrap().path());
    fs::create_dir(later.path().join("inventory")).unwrap();
    kept.for_each(|file| {
        drop(fs::copy(&file, later.path().join("inventory").join(file.file_name().unwrap())))
    });
    let told = warehouse(later.path()).refresh();
    let refused = told.refused.unwrap();
    assert_eq!(refused.revision, Some(broken));
    assert!(refused.why[0].contains("system/web/rack2"), "{:?}", refused.why);
    assert_eq!(told.changed.unwrap().1.revision(), Some(&*good));
    assert_eq!(revision(later.path()), good);
    // Where nothing good is known there is nothing to serve.
    let fresh = tempfile::tempdir().unwrap();
    let pillar = of(fresh.path(), "web.example.org", options());
    assert!(pillar.contains("_errors") && !pillar.contains("palletjack"));
    fs::remove_file(dir.path().join("system/web/rack2")).unwrap();
    let mended = commit(dir.path());
    for cache in [cache.path(), later.path(), fresh.path()] {
        assert_eq!(revision(cache), mended);
    }
}

#[test]
fn a_change_concerns_those_whose_pillar_differs() {
    let (dir, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    repository(dir.path());
    let options = |more: Map| {
        let mut options = map! {"warehouse" => text(dir.path()), "ref" => "main"};
        options.update(more);
        options
    };
    let confs = vec![Conf::read(&options(Map::new()).into()).unwrap()];
    let native = vec![Conf::read(&options(map! {"typing" => "native"}).into()).unwrap()];
    let warehouse = Warehouse::at(&confs[0].place, &opts(cache.path(), options(Map::new())));
    let ids: Vec<String> = ["db.example.org", "web.example.org", "other"].map(str::to_owned).to_vec();
    let first = warehouse.edition().unwrap();
    let mut last = first.clone();
    let mut after = |path: &str, text: &str| {
        let file = dir.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        commit(dir.path());
        let (old, new) = warehouse.refresh().changed.unwrap();
        assert_eq!(old.unwrap().revision(), last.revision());
        let whom = |confs: &[Conf]| inventory::changed(confs, &last, &new, &ids);
        let both = (whom(&confs), whom(&native));
        last = new;
        both
    };
    let (db, web) = ("db.example.org".to_owned(), "web.example.org".to_owned());
    assert_eq!(after("README", "x"), (vec![], vec![]));
    assert_eq!(after("rack/r2/rack.yaml", "place: {height: 13}\n").0, vec![db.clone()]);
    assert_eq!(after("room/a/room.yaml", "place: {floor: 2}\n").0, vec![db.clone(), web.clone()]);
    // What nobody gets concerns nobody.
    assert_eq!(after("rack/r1/more.yaml", "owner: me\n").0, Vec::<String>::new());
    // The same value in other words, and the same keys in another order.
    assert_eq!(after("rack/r1/rack.yaml", "place: {height: 0x2a}\n"), (vec![], vec![]));
    assert_eq!(after("rack/r1/rack.yaml", "place: {height: \"42\"}\n"), (vec![], vec![web.clone()]));
    assert_eq!(
        after("system/db/role.yaml", "system: {up: yes, id: 34, role: [database]}\n").0,
        Vec::<String>::new()
    );
    let global = "pillar:\n  global:\n    each-pallet: {rooms: room}\n";
    assert_eq!(after("_config/PalletJack2Salt/g.yaml", global).0, ids);
    assert_eq!(warehouse.edition_at(first.revision().unwrap()).unwrap().revision(), first.revision());
}

#[test]
fn cached_pillar_is_not_older_than_the_inventory() {
    let (dir, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    repository(dir.path());
    fs::create_dir_all(cache.path().join("pki")).unwrap();
    for backend in ["memory", "disk"] {
        let mut all = opts(cache.path(), map! {"warehouse" => text(dir.path()), "ref" => "main"});
        all.map_mut().update(map! {
            "pillar_cache" => true, "pillar_cache_backend" => backend, "pillar_cache_ttl" => 3600,
            "pki_dir" => text(&cache.path().join("pki")),
        });
        let kept = PillarCache::of(&all).map(Arc::new);
        let pillars = Pillars::new(Arc::new(all), Arc::default(), Arc::new(NoHost), Arc::new(NoFiles))
            .with_cache(kept.clone());
        let height = || {
            let wish = Wish { id: "db.example.org".into(), ..Wish::default() };
            let pillar = pillars.compile(&Ask { wish, ..Ask::default() }).unwrap();
            json(&pillar.into())["palletjack"]["place"]["height"].clone()
        };
        for n in [20, 21] {
            fs::write(
                dir.path().join("rack/r2/rack.yaml"),
                format!("place: {{height: {n}}}\nby: {backend}\n"),
            )
            .unwrap();
            commit(dir.path());
            assert_eq!(height(), json!(n), "{backend}");
            assert!(kept.as_ref().unwrap().has("db.example.org"));
            assert_eq!(height(), json!(n), "{backend}");
        }
    }
}

#[test]
fn a_folder_is_read_again_when_it_changed() {
    let (dir, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    plant(dir.path());
    let options = map! {"warehouse" => text(dir.path())};
    let conf = Conf::read(&options.clone().into()).unwrap();
    let warehouse = Warehouse::at(&conf.place, &opts(cache.path(), options));
    assert!(warehouse.refresh().changed.is_some());
    assert!(warehouse.refresh().changed.is_none());
    fs::write(dir.path().join("room/a/room.yaml"), "place: {floor: 7}\n").unwrap();
    let (_, new) = warehouse.refresh().changed.unwrap();
    let web = new.snapshot().find("system", "web").unwrap();
    assert_eq!(new.snapshot().view(web).get("place.floor").unwrap().str(), Some("7"));
    fs::write(dir.path().join("room/a/room.yaml"), "place: [\n").unwrap();
    let refused = warehouse.refresh().refused.unwrap();
    assert!(refused.why[0].starts_with("room/a/room.yaml:"), "{:?}", refused.why);
    assert!(warehouse.refresh().refused.is_none(), "that was said");
    assert!(Arc::ptr_eq(&warehouse.edition().unwrap(), &new), "the last good one stays");
}
