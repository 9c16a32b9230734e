//! One publish: is it a job for this minion, seen for the first time? Then it is run.

use super::attached::Attached;
use crate::jobs::job_cache;
use crate::jobs::reply;
use crate::jobs::returners::Wishes;
use crate::jobs::runner::Job;
use crate::jobs::table::Entry;
use crate::spool::Item;
use brine_core::target::{self, Subject};
use brine_core::{Map, Value};
use brine_protocol::message::publish::{Functions, PublishLoad};
use std::sync::Arc;

/// Takes a decrypted publish.
pub(super) fn handle(attached: &Arc<Attached>, load: Map) {
    let publish = match PublishLoad::parse(load) {
        Ok(publish) => publish,
        Err(e) => {
            tracing::debug!("a publish is ignored: {e}");
            return;
        }
    };
    if !is_for_us(attached, &publish) {
        tracing::trace!("a publish is not for this minion: jid {}", publish.jid);
        return;
    }
    if !attached.minion.recent.lock().first_time(publish.jid.as_str()) {
        tracing::debug!("jid {} was seen before and is not run again", publish.jid);
        return;
    }
    tracing::info!(
        "User {} Executing command {} with jid {}",
        publish.user().unwrap_or("unknown"),
        name(&publish.fun),
        publish.jid
    );
    run(attached, publish);
}

fn name(fun: &Functions) -> String {
    match fun {
        Functions::One(one) => one.clone(),
        Functions::Many(many) => many.join(", "),
    }
}

/// Runs a job; its return goes to this master.
pub(super) fn run(attached: &Arc<Attached>, publish: PublishLoad) {
    if publish.fun == Functions::One("sys.reload_modules".into()) {
        *attached.minion.registry.write() = Arc::new(crate::modules_in_force::registry(&attached.opts));
    }
    let (to, cx) = (attached.clone(), attached.cx());
    let wishes = Wishes::of(&publish, &attached.opts);
    let around = cx.clone();
    let deliver = Box::new(move |ret: Map, entry: Option<Entry>| {
        // Only the returners need a copy.
        let copy = (!wishes.is_empty()).then(|| ret.clone());
        give_back(&to, ret);
        drop(entry);
        if let Some(ret) = copy {
            wishes.give(&around, ret);
        }
    });
    let mut job = Job { cx, publish, deliver };
    if attached.opts.flag("grains_refresh_pre_exec") {
        // That takes a moment, in which the daemon must not stand still.
        let minion = attached.minion.clone();
        drop(attached.minion.handle.spawn_blocking(move || {
            minion.refresh_grains();
            job.cx.grains = minion.grains();
            minion.runner.submit(job);
        }));
    } else {
        attached.minion.runner.submit(job);
    }
}

/// On the job's thread: the return is on disk when this has returned.
fn give_back(attached: &Attached, ret: Map) {
    if attached.opts.flag("cache_jobs") {
        job_cache::store(&attached.opts, &ret);
    }
    if attached.opts.get("pub_ret").is_some_and(|v| !v.truthy()) {
        return;
    }
    let load = reply::load(attached.minion.id.as_str(), ret);
    attached.minion.deliverer.take(Item { master: attached.link.name().to_owned(), load });
}

fn is_for_us(attached: &Attached, publish: &PublishLoad) -> bool {
    let minion = &attached.minion;
    let delimiter = publish.raw.get_str("delimiter").unwrap_or(target::DEFAULT_TARGET_DELIM);
    let (grains, pillar, none) = (minion.grains(), attached.pillar.read().clone(), Map::new());
    let nodegroups = attached.opts.get("nodegroups").and_then(Value::as_map).unwrap_or(&none);
    let subject = Subject { id: minion.id.as_str(), grains: &grains, pillar: &pillar, nodegroups };
    target::matches(&publish.tgt, &publish.tgt_type, delimiter, subject)
}
