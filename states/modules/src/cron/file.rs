//! `cron.file`: a whole crontab from a file.

use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::io::Write;

/// See that a user's crontab is a file.
///
/// name: the source. source_hash, source_hash_name, template, context, defaults, backup: as for `file.managed`. user: whose.
/// replace: also where there is a crontab.
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn file(
    cx: &Cx,
    name: Value,
    #[default("")] source_hash: Value,
    source_hash_name: Option<Value>,
    #[default("root")] user: Value,
    template: Option<Value>,
    context: Option<Value>,
    #[default(true)] replace: bool,
    defaults: Option<Value>,
    #[default("")] backup: Value,
    kwargs: KwArgs,
) -> Result {
    let shown = python_str(&user);
    let info = cx.call("user.info", Args::positional([user.clone()])).unwrap_or_default();
    let group = info.get("groups").and_then(Value::as_list).and_then(|groups| groups.first());
    let Some(group) = group.cloned() else {
        return Ok(Outcome::failed(name, format!("Could not identify group for user {shown}")).into());
    };
    // The crontab as it is, for the functions of files to compare with.
    let mut now = tempfile::Builder::new().prefix("__salt.tmp.").tempfile()?;
    let mut raw = python_str(&cx.call("cron.raw_cron", Args::positional([user.clone()]))?);
    if !raw.ends_with('\n') {
        raw.push('\n');
    }
    now.write_all(raw.as_bytes())?;
    let path = now.into_temp_path();
    let path = Value::from(path.to_string_lossy().into_owned());
    if !replace {
        return Ok(Outcome::ok(name, format!("User {shown} already has a crontab. No changes made")).into());
    }
    let saltenv = Value::from(cx.saltenv());
    let common = map! {
        "name" => path.clone(),
        "user" => user.clone(),
        "group" => group.clone(),
        "mode" => "0600",
        "attrs" => "",
        "saltenv" => saltenv.clone(),
    };
    let with = |more: Map| {
        let mut keyword = common.clone();
        keyword.update(more);
        Args { positional: Vec::new(), keyword }
    };
    let source_of = |source: &Value, hash: &Value| {
        let mut all = map! {
            "source" => source.clone(),
            "source_hash" => hash.clone(),
            "source_hash_name" => source_hash_name.clone(),
            "template" => template.clone(),
            "context" => context.clone(),
            "defaults" => defaults.clone(),
        };
        all.update(kwargs.clean());
        all
    };
    if cx.test {
        let answer = cx.call("file.check_managed", with(source_of(&name, &source_hash)))?;
        let parts = answer.as_list().unwrap_or_default();
        let result = parts.first().and_then(Value::as_bool);
        let comment = parts.get(1).cloned().unwrap_or_default();
        return Ok(Outcome { result, ..Outcome::ok(name, comment) }.into());
    }
    let listed = cx.call("file.source_list", Args::positional([name.clone(), source_hash, saltenv]))?;
    let [source, hash] = listed.as_list().unwrap_or_default() else {
        return Ok(Outcome::failed(name, "Unable to manage file: file.source_list gave no source").into());
    };
    let unable = |e: brine_core::call::CallError| Outcome::failed(name.clone(), format!("Unable to manage file: {e}"));
    let mut wanted = source_of(source, hash);
    wanted.insert("skip_verify", false);
    let got = match cx.call("file.get_managed", with(wanted)) {
        Ok(got) => got,
        Err(e) => return Ok(unable(e).into()),
    };
    let part = |at: usize| got.as_list().and_then(|parts| parts.get(at)).cloned().unwrap_or_default();
    if part(2).truthy() {
        return Ok(Outcome::failed(name, part(2)).into());
    }
    let ret = Value::from(Outcome::new(name.clone()));
    let more = map! {
        "sfn" => part(0),
        "ret" => ret,
        "source" => source.clone(),
        "source_sum" => part(1),
        "backup" => backup,
    };
    let mut ret = match cx.call("file.manage_file", with(more)) {
        Ok(Value::Map(ret)) => ret,
        Ok(_) => Map::new(),
        Err(e) => return Ok(unable(e).into()),
    };
    if ret.get("changes").is_some_and(|changes| changes.get("diff").is_some()) {
        let out = cx.call("cron.write_cron_file_verbose", Args::positional([user, path.clone()]))?;
        if out.get("retcode").and_then(Value::as_int) == Some(0) {
            ret.extend([("comment", Value::from(format!("Crontab for user {shown} was updated"))), ("result", true.into())]);
        } else {
            let error = out.get("stderr").map(python_str).unwrap_or_default();
            let text = format!("Unable to update user {shown} crontab {}. Error: {error}", python_str(&path));
            ret.extend([("comment", Value::from(text)), ("result", false.into()), ("changes", Map::new().into())]);
        }
    } else if ret.get("result").is_some_and(Value::truthy) {
        let text = format!("Crontab for user {shown} is in the correct state");
        ret.extend([("comment", Value::from(text)), ("changes", Map::new().into())]);
    }
    Ok(ret.into())
}
