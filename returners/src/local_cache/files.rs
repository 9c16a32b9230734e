//! Jobs and returns as files: a directory for each job, named by a hash of its id, in it one for each minion.

use super::{is_question, part_of};
use crate::common::required_text;
use crate::describe::{describe_jid, describe_jid_ext};
use brine_core::call::{CallError, Cx, Result};
use brine_core::{Map, Value};
use brine_protocol::crypt::HashType;
use brine_protocol::msgpack::{Dialect, decode, encode, encode_map};
use brine_store::fs::Dir;
use brine_store::jobs::JobFiles;
use std::time::{Duration, SystemTime};

const DIR_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o600;
/// The largest file that is read.
const LARGEST: u64 = 1 << 30;

fn hash(cx: &Cx) -> Result<HashType> {
    match cx.opts.str("hash_type") {
        "" => Ok(HashType::default()),
        name => HashType::parse(name)
            .ok_or_else(|| CallError::exception("AttributeError", format!("module 'hashlib' has no attribute '{name}'"))),
    }
}

fn root(cx: &Cx) -> Dir {
    Dir::at(cx.opts.path("cachedir").join("jobs"))
}

/// A job's directory. Its name is a hash, so a job id is never part of a path.
fn job_dir(cx: &Cx, jid: &str) -> Result<Dir> {
    let hex = hash(cx)?.hex(jid.as_bytes());
    Ok(root(cx).sub(&hex[..2])?.sub(&hex[2..])?)
}

fn read(dir: &Dir, name: &str) -> Result<Option<Value>> {
    Ok(dir.read(name, LARGEST)?.and_then(|bytes| decode(&bytes).ok()))
}

fn write(dir: &Dir, name: &str, value: &Value) -> Result<()> {
    Ok(dir.write(name, &encode(value, Dialect::New), FILE_MODE)?)
}

pub(super) fn prep_jid(cx: &Cx, jid: &str, nocache: bool) -> Result<()> {
    let dir = job_dir(cx, jid)?;
    dir.ensure(DIR_MODE)?;
    dir.write("jid", jid.as_bytes(), FILE_MODE)?;
    if nocache {
        dir.write("nocache", b"", FILE_MODE)?;
    }
    Ok(())
}

pub(super) fn returner(cx: &Cx, load: &Map) -> Result<()> {
    let (mut jid, id) = (required_text(load, "jid")?.to_owned(), required_text(load, "id")?);
    if jid == "req" {
        jid = super::prep_jid(cx, load.get("nocache").is_some_and(Value::truthy), None)?;
    }
    let dir = job_dir(cx, &jid)?;
    if dir.has("nocache") {
        return Ok(());
    }
    let dir = dir.sub(id)?;
    if dir.path().is_dir() {
        tracing::debug!("Duplicate return from minion {id} for jid {jid}; the first one stays");
        return Ok(());
    }
    dir.ensure(DIR_MODE)?;
    dir.write("return.p", &encode_map(&part_of(load, &["return", "retcode", "success"]), Dialect::New), FILE_MODE)?;
    match load.get("out") {
        Some(out) => write(&dir, "out.p", out),
        None => Ok(()),
    }
}

pub(super) fn save_load(cx: &Cx, jid: &str, load: &Map, minions: Option<&[String]>) -> Result<()> {
    let dir = job_dir(cx, jid)?;
    dir.ensure(DIR_MODE)?;
    dir.write(".load.p", &encode_map(load, Dialect::New), FILE_MODE)?;
    match (load.get("tgt"), minions) {
        (Some(tgt), Some(minions)) if tgt.as_str() != Some("") => save_minions(cx, jid, minions, None),
        _ => Ok(()),
    }
}

pub(super) fn save_minions(cx: &Cx, jid: &str, minions: &[String], syndic: Option<&str>) -> Result<()> {
    let dir = job_dir(cx, jid)?;
    dir.ensure(DIR_MODE)?;
    let name = syndic.map_or_else(|| ".minions.p".to_owned(), |id| format!(".minions.{id}.p"));
    write(&dir, &name, &minions.iter().map(String::as_str).collect())
}

pub(super) fn get_load(cx: &Cx, jid: &str) -> Result<Map> {
    let dir = job_dir(cx, jid)?;
    let Some(Value::Map(mut load)) = read(&dir, ".load.p")? else { return Ok(Map::new()) };
    let mut minions: Vec<String> = Vec::new();
    let entries = std::fs::read_dir(dir.path())?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    for name in entries.filter(|name| name.starts_with(".minions.") && name.ends_with('p')) {
        let list = read(&dir, &name)?.unwrap_or_default();
        minions.extend(list.as_list().unwrap_or_default().iter().filter_map(|id| id.as_str().map(str::to_owned)));
    }
    minions.sort();
    minions.dedup();
    if !minions.is_empty() {
        load.insert("Minions", minions);
    }
    Ok(load)
}

pub(super) fn get_jid(cx: &Cx, jid: &str) -> Result<Map> {
    let dir = job_dir(cx, jid)?;
    let mut all = Map::new();
    let mut ids = dir.dirs()?;
    ids.sort();
    for id in ids {
        let minion = dir.sub(&id)?;
        let mut ret = match read(&minion, "return.p")? {
            None => continue,
            Some(Value::Map(ret)) if ret.contains("return") => ret,
            // Very old files hold the value alone.
            Some(value) => [("return", value)].into_iter().collect(),
        };
        if let Some(out) = read(&minion, "out.p")? {
            ret.insert("out", out);
        }
        all.insert(id, ret);
    }
    Ok(all)
}

/// Every job that has a load, without those that `known` says are elsewhere: its id and the load, oldest first.
fn jobs(cx: &Cx, known: &dyn Fn(&str) -> bool) -> Result<Vec<(String, Map)>> {
    let mut jobs = Vec::new();
    let root = root(cx);
    for top in root.dirs()? {
        let top = root.sub(&top)?;
        for name in top.dirs()? {
            let dir = top.sub(&name)?;
            // Far smaller than the load.
            if dir.read("jid", 4096)?.is_some_and(|jid| known(&String::from_utf8_lossy(&jid))) {
                continue;
            }
            if let Some(Value::Map(load)) = read(&dir, ".load.p")?
                && let Some(jid) = load.get_str("jid").filter(|jid| !known(jid)).map(str::to_owned)
            {
                jobs.push((jid, load));
            }
        }
    }
    jobs.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(jobs)
}

pub(super) fn get_jids(cx: &Cx, known: &dyn Fn(&str) -> bool) -> Result<Map> {
    let mut all = Map::new();
    for (jid, load) in jobs(cx, known)? {
        let mut described = describe_jid(&jid, &load);
        if cx.opts.flag("job_cache_store_endtime")
            && let Some(end) = get_endtime(cx, &jid)?
        {
            described.insert("EndTime", end);
        }
        all.insert(jid, described);
    }
    Ok(all)
}

pub(super) fn get_jids_filter(
    cx: &Cx,
    count: usize,
    filter_find_job: bool,
    known: &dyn Fn(&str) -> bool,
) -> Result<Vec<Value>> {
    let mut jobs = jobs(cx, known)?;
    jobs.retain(|(_, load)| !(filter_find_job && is_question(load)));
    let newest = jobs.iter().skip(jobs.len().saturating_sub(count));
    Ok(newest.map(|(jid, load)| describe_jid_ext(jid, load).into()).collect())
}

pub(super) fn clean_old_jobs(cx: &Cx) -> Result<()> {
    let keep = cx.opts.int("keep_jobs_seconds").and_then(|n| u64::try_from(n).ok()).unwrap_or(86_400);
    if keep > 0 {
        JobFiles::at(root(cx).path().to_owned(), hash(cx)?).prune(SystemTime::now(), Duration::from_secs(keep))?;
    }
    Ok(())
}

pub(super) fn update_endtime(cx: &Cx, jid: &str, time: &str) -> Result<()> {
    let dir = job_dir(cx, jid)?;
    dir.ensure(DIR_MODE)?;
    Ok(dir.write("endtime", time.as_bytes(), FILE_MODE)?)
}

pub(super) fn get_endtime(cx: &Cx, jid: &str) -> Result<Option<String>> {
    let bytes = job_dir(cx, jid)?.read("endtime", 4096)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim_matches('\n').to_owned()))
}
