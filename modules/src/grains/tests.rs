//! The module against a scratch configuration directory.

use super::*;
use brine_core::Opts;
use brine_core::call::{Args, Registry};
use brine_core::host::NoHost;
use std::sync::Arc;

struct Scratch {
    dir: tempfile::TempDir,
    cx: Cx,
}

fn scratch(grains: Map) -> Scratch {
    let dir = tempfile::tempdir().unwrap();
    let opts = Opts::new(map! {
        "conf_file" => dir.path().join("minion").to_string_lossy().into_owned(),
        "cachedir" => dir.path().to_string_lossy().into_owned(),
        "local" => true,
    });
    let mut cx = Cx::new(Arc::new(opts), Arc::new(Registry::new([&MODULE])), Arc::new(NoHost));
    cx.grains = Arc::new(grains);
    Scratch { dir, cx }
}

impl Scratch {
    fn call(&self, name: &str, args: Args) -> Value {
        self.cx.call(&format!("grains.{name}"), args).unwrap()
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("grains")).unwrap()
    }
}

#[test]
fn what_is_set_is_in_the_file_and_in_the_job() {
    let s = scratch(map! {"os" => "Debian"});
    assert_eq!(s.call("setval", Args::positional(["role", "web"])), map! {"role" => "web"}.into());
    assert_eq!(s.file(), "role: web\n");
    s.call("setvals", Args::none().with("grains", map! {"b" => 1, "a" => vec!["x"]}));
    assert_eq!(s.file(), "a:\n- x\nb: 1\nrole: web\n");
    assert_eq!(s.call("get", Args::positional(["a:0"])), "x".into());
    assert_eq!(s.call("ls", Args::none()), vec!["a", "b", "os", "role"].into());
    let gone = s.call("delkey", Args::positional(["role"]));
    assert_eq!(
        gone,
        map! {"comment" => "", "changes" => map! {"role" => Value::Nil}, "result" => true}.into()
    );
    assert_eq!(s.file(), "a:\n- x\nb: 1\n");
    assert_eq!(s.call("has_value", Args::positional(["role"])), false.into());
}

#[test]
fn lists_grow_and_shrink() {
    let s = scratch(Map::new());
    assert_eq!(
        s.call("append", Args::positional(["apps:web", "nginx"])),
        map! {"apps" => map! {"web" => vec!["nginx"]}}.into()
    );
    assert_eq!(
        s.call("append", Args::positional(["apps:web", "nginx"])),
        "The val nginx was already in the list apps:web".into()
    );
    assert_eq!(s.call("append", Args::positional(["apps", "x"])), "The key apps is not a valid list".into());
    s.call("append", Args::positional(["apps:web", "curl"]));
    s.call("remove", Args::positional(["apps:web", "nginx"]));
    assert_eq!(s.file(), "apps:\n  web:\n  - curl\n");
    assert_eq!(
        s.call("remove", Args::positional(["apps:web", "nginx"])),
        "The val nginx was not in the list apps:web".into()
    );
}

#[test]
fn set_is_careful_with_what_is_there() {
    let s = scratch(map! {"a" => map! {"b" => 1}, "l" => vec!["x"], "t" => "u"});
    let result = |v: &Value| v.get("result").cloned();
    let refused = s.call("set", Args::positional(["a", "x"]));
    assert_eq!(result(&refused), Some(false.into()));
    assert_eq!(
        refused.get("comment"),
        Some(&"The key 'a' exists but is a dict or a list. Use 'force=True' to overwrite.".into())
    );
    let done = s.call("set", Args::positional(["a:c", "2"]));
    assert_eq!(done.get("changes"), Some(&map! {"a" => map! {"b" => 1, "c" => "2"}}.into()));
    let listed = s.call("set", Args::positional(["l:x", "1"]));
    assert_eq!(listed.get("changes"), Some(&map! {"l" => vec![Value::from(map! {"x" => "1"})]}.into()));
    let other = s.call("set", Args::positional(["t:w", "1"]));
    assert_eq!(
        other.get("comment"),
        Some(&"The key 't' value is 'u', which is different from the provided key 'w'. Use 'force=True' to overwrite.".into())
    );
    let same = s.call("set", Args::positional(["t", "u"]));
    assert_eq!(same.get("comment"), Some(&"Grain is already set".into()));
}

#[test]
fn an_unreadable_file_is_left_alone() {
    let s = scratch(Map::new());
    std::fs::write(s.dir.path().join("grains"), "a: [1\n").unwrap();
    let text = s.call("setval", Args::positional(["b", "c"]));
    assert!(text.as_str().unwrap().starts_with("Unable to read existing grains file: "), "{text:?}");
    assert_eq!(s.file(), "a: [1\n");
}

#[test]
fn filter_by_merges_base_and_extra() {
    let s = scratch(map! {"os_family" => "Debian", "many" => vec!["no", "F"]});
    let table = map! {"default" => map! {"A" => map! {"B" => "C"}, "D" => "E"}, "F" => map! {"A" => map! {"B" => "G"}}, "H" => map! {"D" => "I"}};
    let got = s.call(
        "filter_by",
        Args::none()
            .with("lookup_dict", table)
            .with("grain", "many")
            .with("merge", map! {"D" => "J"})
            .with("base", "default"),
    );
    assert_eq!(got, map! {"A" => map! {"B" => "G"}, "D" => "J"}.into());
    let glob = s.call("filter_by", Args::none().with("lookup_dict", map! {"Deb*" => "apt", "*" => "other"}));
    assert_eq!(glob, "apt".into());
}

#[test]
fn sanitized_items_hide_the_machine() {
    let s = scratch(map! {"id" => "m1", "serialnumber" => "12345678", "os" => "Debian"});
    assert_eq!(
        s.call("items", Args::none().with("sanitize", true)),
        map! {"id" => "MINION.DOMAINNAME", "serialnumber" => "123456XX", "os" => "Debian"}.into()
    );
    assert_eq!(
        s.call("item", Args::positional(["os", "none"]).with("default", "d")),
        map! {"os" => "Debian", "none" => "d"}.into()
    );
}
