//! Starting a job, whoever may start it: choosing its id, keeping it, announcing it, sending it out.
//!
//! Who may start which job is decided by the callers.

use std::sync::Arc;

use brine_core::target::{Checked, DEFAULT_TARGET_DELIM, check_minions};
use brine_protocol::ids::Jid;
use brine_protocol::message::tags;
use brine_protocol::{Map, Value, map};

use crate::jobs::StoreError;
use crate::master::Master;

/// Why a job did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    /// The requested job id cannot be used.
    #[error("Master failed to assign jid")]
    Jid,
    /// It could not be kept, so it was not sent either.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// What is expected of jobs was not so.
    #[error("{0}")]
    Refused(String),
    /// It could not be encrypted or signed.
    #[error("{0}")]
    Crypt(#[from] brine_protocol::crypt::CryptError),
}

/// A job that was sent.
#[derive(Debug)]
pub(crate) struct Started {
    /// Its id.
    pub jid: Jid,
    /// Those expected to answer.
    pub minions: Vec<String>,
    /// Names asked for that are no accepted minions.
    pub missing: Vec<String>,
}

/// Which accepted minions a request's target means.
pub(crate) fn resolve(master: &Master, load: &Map) -> Checked {
    let delimiter = load
        .get("kwargs")
        .and_then(|k| k.get("delimiter"))
        .and_then(Value::as_str)
        .unwrap_or(DEFAULT_TARGET_DELIM);
    let tgt = load.get("tgt").cloned().unwrap_or_default();
    check_minions(&master.data, &tgt, load.get_str("tgt_type").unwrap_or("glob"), delimiter, true)
}

/// The id of a new job: the one asked for, if it may be used, or a new one.
fn choose_jid(master: &Master, load: &Map) -> Result<Jid, JobError> {
    match load.get("jid") {
        Some(Value::Str(text)) if !text.is_empty() => {
            let jid = Jid::parse(text).map_err(|_| JobError::Jid)?;
            // It becomes an event tag of its own, where these words mean something else.
            if [tags::ROTATE, "req", "nocache", "minion_start", "salt", "syndic"].contains(&jid.as_str()) {
                return Err(JobError::Jid);
            }
            Ok(jid)
        }
        Some(v) if v.truthy() => Err(JobError::Jid),
        _ => Ok(master.new_jid()),
    }
}

/// Starts the job that `load` describes for the minions in `checked`. `load` holds no credentials any more.
pub(crate) async fn start(
    master: &Arc<Master>,
    mut load: Map,
    checked: Checked,
) -> Result<Started, JobError> {
    let jid = choose_jid(master, &load)?;
    load.insert("jid", &jid);
    add_external_cache(&mut load, &master.config.opts);
    let Checked { minions, missing } = checked;
    let quiet = match master.expected.get() {
        Some(expected) => {
            expected.before(master, &jid, &mut load, &minions).await.map_err(JobError::Refused)?
        }
        None => None,
    };
    let extra = load.get("kwargs").and_then(Value::as_map).cloned().unwrap_or_default();
    let nocache = extra.get("nocache").is_some_and(Value::truthy);
    master.jobs.begin(&jid, &load, &minions, nocache).await?;
    let kept = master.outlets.job(&jid, &load, &minions, nocache);

    let list: Value = minions.iter().map(String::as_str).collect();
    let lost: Value = missing.iter().map(String::as_str).collect();
    master.events.fire(jid.as_str(), map! {"minions" => list.clone()});
    let get = |key: &str| load.get(key).cloned().unwrap_or_default();
    let announced = map! {
        "jid" => &jid, "tgt_type" => get("tgt_type"), "tgt" => get("tgt"), "user" => get("user"),
        "fun" => get("fun"), "arg" => get("arg"), "minions" => list, "missing" => lost,
    };
    master.events.fire(tags::job_new(&jid), announced);

    let publish = published(&load, &extra, master.config.publish.master_id.as_ref());
    let (sender, names) = (master.clone(), minions.clone());
    // Signing takes a private RSA operation.
    let sent = tokio::task::block_in_place(|| {
        master.events.fire(tags::job_publish(&jid), publish.clone());
        sender.publisher.send(&sender.credentials, &publish, &names)
    });
    sent?;
    master.metrics.published(jid.as_str(), minions.len());
    if let Some(quiet) = quiet {
        quiet.started();
    }
    kept.soon().await;
    tracing::info!(
        "User {} Published command {} with jid {jid}",
        load.get_str("user").unwrap_or("?"),
        load.get("fun").map(brine_core::text::python_str).unwrap_or_default(),
    );
    Ok(Started { jid, minions, missing })
}

/// Minions give their returns to `ext_job_cache` too, whoever starts the job. Clients that read the same option have named it.
fn add_external_cache(load: &mut Map, opts: &brine_core::Opts) {
    let cache = opts.str("ext_job_cache");
    let ret = load.get_str("ret").unwrap_or_default();
    if !cache.is_empty() && !ret.split(',').any(|name| name == cache) {
        let ret = if ret.is_empty() { cache.to_owned() } else { format!("{ret},{cache}") };
        load.insert("ret", ret);
    }
}

/// What minions get to see of a request, in stock's order.
fn published(load: &Map, extra: &Map, master_id: Option<&Value>) -> Map {
    let get = |key: &str| load.get(key).cloned().unwrap_or_default();
    let mut out = Map::new();
    for key in ["fun", "arg", "tgt", "jid", "ret"] {
        out.insert(key, get(key));
    }
    if let Some(id) = extra.get("master_id").or(master_id) {
        out.insert("master_id", id.clone());
    }
    if let Some(delimiter) = extra.get_str("delimiter").filter(|d| *d != DEFAULT_TARGET_DELIM) {
        out.insert("delimiter", delimiter);
    }
    if let Some(id) = extra.get("id") {
        out.insert("id", id.clone());
    }
    for key in ["tgt_type", "to"] {
        if let Some(value) = load.get(key) {
            out.insert(key, value.clone());
        }
    }
    for key in ["ret_config", "metadata", "module_executors", "executor_opts", "ret_kwargs", "start_event"] {
        if let Some(value) = extra.get(key) {
            out.insert(key, value.clone());
        }
    }
    if let Some(user) = load.get("user") {
        out.insert("user", user.clone());
    }
    out
}

/// Sends a `test.ping` to everybody, so that they notice that the key has changed (`ping_on_rotate`).
pub async fn ping_all(master: &Arc<Master>) {
    let load = map! {
        "cmd" => "publish", "fun" => "test.ping", "arg" => Value::List(Vec::new()), "tgt" => "*",
        "tgt_type" => "glob", "ret" => "", "jid" => "", "user" => master.config.user.as_str(),
    };
    let checked = resolve(master, &load);
    if let Err(e) = start(master, load, checked).await {
        tracing::error!("cannot ping the minions: {e}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_names_the_external_job_cache_once() {
        let opts = brine_core::Opts::new(map! {"ext_job_cache" => "redis"});
        for (given, want) in [("", "redis"), ("syslog", "syslog,redis"), ("redis,syslog", "redis,syslog")] {
            let mut load = map! {"ret" => given};
            add_external_cache(&mut load, &opts);
            assert_eq!(load.get_str("ret"), Some(want));
        }
    }

    #[test]
    fn minions_see_what_stock_shows_them_and_nothing_else() {
        let load = map! {
            "cmd" => "publish", "fun" => "test.ping", "arg" => Value::List(vec![]), "tgt" => "*", "jid" => "j",
            "ret" => "", "tgt_type" => "glob", "user" => "root", "to" => 5, "other" => 1,
        };
        let extra =
            map! {"delimiter" => ":", "metadata" => map! {"a" => 1}, "show_jid" => true, "token" => "t"};
        let out = published(&load, &extra, Some(&"m".into()));
        let keys: Vec<_> = out.keys().filter_map(|k| k.as_str()).collect();
        assert_eq!(
            keys,
            ["fun", "arg", "tgt", "jid", "ret", "master_id", "tgt_type", "to", "metadata", "user"]
        );
        let other = map! {"delimiter" => "|", "id" => "m1"};
        let out = published(&load, &other, None);
        assert_eq!((out.get_str("delimiter"), out.get_str("id")), (Some("|"), Some("m1")));
        assert!(!out.contains("master_id"));
    }
}
