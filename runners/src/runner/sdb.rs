//! The `sdb` runner: values that live elsewhere, by `sdb://profile/key`, as the master's options have the profiles.

use brine_core::Value;
use brine_core::call::{Cx, Result, exec, module};
use brine_render::sdb;

module! { "sdb": delete, get, get_or_set_hash, set }

/// Get a value from a db, using a uri in the form of sdb://<profile>/<key>. If the uri provided is no such, it is returned
/// as it is.
///
/// CLI Example: salt-run sdb.get sdb://mymemcached/foo
#[exec]
fn get(cx: &Cx, uri: Value) -> Result {
    sdb::get(cx, &uri, false)
}

/// Set a value in a db, using a uri in the form of `sdb://<profile>/<key>`. `False` if the uri is no such.
///
/// CLI Example: salt-run sdb.set sdb://mymemcached/foo bar
#[exec]
fn set(cx: &Cx, uri: Value, value: Value) -> Result {
    sdb::set(cx, &uri, value)
}

/// Delete a value from a db, using a uri in the form of `sdb://<profile>/<key>`. `False` if the uri is no such.
///
/// CLI Example: salt-run sdb.delete sdb://mymemcached/foo
#[exec]
fn delete(cx: &Cx, uri: Value) -> Result {
    sdb::delete(cx, &uri)
}

/// The value in a db; where there is none, a random text of `length` out of `chars` that is stored there.
///
/// CLI Example: salt-run sdb.get_or_set_hash 'SECRET_KEY' 50
#[exec]
fn get_or_set_hash(
    cx: &Cx,
    uri: Value,
    #[default(8)] length: i64,
    #[default("abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)")] chars: String,
) -> Result {
    sdb::get_or_set_hash(cx, &uri, length, &chars)
}

#[cfg(test)]
mod tests {
    use crate::fake::{Fake, call};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_core::map;

    #[test]
    fn values_are_set_and_found() {
        let tmp = tempfile::tempdir().unwrap();
        let more = map! {"db" => map! {"driver" => "sqlite3", "database" => tmp.path().join("db").display().to_string()}};
        let cx = Fake::default().cx(Kind::Runner, tmp.path(), more);
        let run = |fun, args: &[&str]| call(&cx, fun, Args::positional(args.iter().copied())).unwrap();
        assert_eq!(run("sdb.set", &["sdb://db/k", "v"]), true.into());
        assert_eq!(run("sdb.get", &["sdb://db/k"]), "v".into());
        assert_eq!(run("sdb.get", &["k"]), "k".into());
        assert_eq!(run("sdb.get_or_set_hash", &["sdb://db/k"]), "v".into());
        assert_eq!(run("sdb.delete", &["k"]), false.into());
    }
}
