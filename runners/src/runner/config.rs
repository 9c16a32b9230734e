//! The master's options.

use brine_core::Value;
use brine_core::call::{Cx, Result, exec, module};
use brine_core::target::traverse;
use brine_core::text::python_str;

module! { "config": get }

/// The value of an option, or of what lies in it: `file_roots:base`. Where there is none, the default.
///
/// CLI Example: salt-run config.get file_roots:base
#[exec]
fn get(cx: &Cx, key: Value, #[default("")] default: Value, #[default(":")] delimiter: String) -> Result {
    // A list holds the levels apart.
    let (key, delimiter) = match &key {
        Value::List(levels) => (levels.iter().map(python_str).collect::<Vec<_>>().join("\0"), "\0".to_owned()),
        other => (python_str(other), delimiter),
    };
    let options = Value::Map(cx.opts.map().clone());
    match traverse(&options, &key, &delimiter) {
        Some(found) => brine_render::sdb::get(cx, found, false),
        None => Ok(default),
    }
}

#[cfg(test)]
mod tests {
    use crate::fake::{Fake, call, list};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_core::map;

    #[test]
    fn options_are_found_at_any_depth() {
        let tmp = tempfile::tempdir().unwrap();
        let more = map! {"file_roots" => map! {"base" => vec!["/srv/salt"]}, "secret" => "sdb://x/PATH", "x" => map! {"driver" => "env"}};
        let cx = Fake::default().cx(Kind::Runner, tmp.path(), more);
        let get = |args| call(&cx, "config.get", args);
        assert_eq!(get(Args::positional(["file_roots:base:0"])).unwrap(), "/srv/salt".into());
        assert_eq!(get(Args::positional(["file_roots,base"]).with("delimiter", ",")).unwrap(), list(["/srv/salt"]));
        assert_eq!(get(Args { positional: vec![list(["file_roots", "base"])], ..Args::none() }).unwrap(), list(["/srv/salt"]));
        assert_eq!(get(Args::positional(["none"])).unwrap(), "".into());
        assert_eq!(get(Args::positional(["none", "d"])).unwrap(), "d".into());
        assert_eq!(get(Args::positional(["secret"])).unwrap(), std::env::var("PATH").unwrap().into());
    }
}
