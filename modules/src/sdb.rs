//! The `sdb` execution module: values that live elsewhere, by `sdb://profile/key`.

use brine_core::Value;
use brine_core::call::{Cx, Result, exec, module};
use brine_render::sdb;

module! { "sdb": delete, get, get_or_set_hash, set }

/// Get a value from a db, using a uri in the form of `sdb://<profile>/<key>`. A uri that is not valid is returned as it is,
/// unless `strict=True`.
///
/// CLI Example: salt '*' sdb.get sdb://mymemcached/foo strict=True
#[exec]
fn get(cx: &Cx, uri: Value, #[default(false)] strict: Value) -> Result {
    sdb::get(cx, &uri, strict.truthy())
}

/// Set a value in a db, using a uri in the form of `sdb://<profile>/<key>`. `False` if the uri is not valid.
///
/// CLI Example: salt '*' sdb.set sdb://mymemcached/foo bar
#[exec]
fn set(cx: &Cx, uri: Value, value: Value) -> Result {
    sdb::set(cx, &uri, value)
}

/// Delete a value from a db, using a uri in the form of `sdb://<profile>/<key>`. `False` if the uri is not valid.
///
/// CLI Example: salt '*' sdb.delete sdb://mymemcached/foo
#[exec]
fn delete(cx: &Cx, uri: Value) -> Result {
    sdb::delete(cx, &uri)
}

/// The value in a db; where there is none, a random text of `length` out of `chars` that is stored there.
///
/// CLI Example: salt '*' sdb.get_or_set_hash 'sdb://mymemcached/SECRET_KEY' 50
#[exec]
fn get_or_set_hash(
    cx: &Cx,
    uri: Value,
    #[default(8)] length: i64,
    #[default("abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)")] chars: String,
) -> Result {
    sdb::get_or_set_hash(cx, &uri, length, &chars)
}
