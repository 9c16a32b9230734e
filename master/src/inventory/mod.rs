//! What this master does with inventories (the source `palletjack` of `ext_pillar`): each is read at the start and whenever it may
//! have changed, beside all requests, and exactly the minions whose part of it differs are told to fetch their pillar.
//!
//! A change is noticed by the kernel ([`watch`]) or said by a hook (the event [`tags::INVENTORY_REFRESH`]). What an edition with
//! errors comes to is decided in `brine_pillar::inventory`: the last good one stays. Both are told on the event bus.

mod tell;
mod watch;

use std::sync::Arc;

use brine_pillar::inventory::{self, Conf, Edition, Refreshed, Refusal, Warehouse};
use brine_protocol::message::tags;
use brine_protocol::{Map, Value, map};
use tokio::task::JoinSet;

use crate::master::Master;
use watch::Watch;

pub(crate) use tell::Owed;

/// Serves every inventory of the configuration, for ever; returns where there is none.
pub(crate) async fn run(master: Arc<Master>) {
    let mut confs: Vec<Conf> = Vec::new();
    for conf in Conf::all(&master.config.opts) {
        match conf {
            Ok(conf) => confs.push(conf),
            Err(e) => tracing::error!("ext_pillar: palletjack: {e}"),
        }
    }
    let mut all = JoinSet::new();
    while let Some(first) = confs.first() {
        let place = first.place.clone();
        let (same, others) = confs.into_iter().partition(|conf| conf.place == place);
        confs = others;
        let warehouse = Warehouse::at(&place, &master.config.opts);
        all.spawn(follow(master.clone(), warehouse, same));
    }
    if !all.is_empty() {
        all.spawn(tell::again(master));
    }
    while all.join_next().await.is_some() {}
}

/// Follows one warehouse, for ever. `confs` are the entries that it is in.
async fn follow(master: Arc<Master>, warehouse: Arc<Warehouse>, confs: Vec<Conf>) {
    let confs: Arc<[Conf]> = confs.into();
    let mut asked = master.events.inventory_asked();
    let watch = match Watch::new(warehouse.place().clone()) {
        Ok(watch) => Some(Arc::new(watch)),
        Err(e) => {
            tracing::warn!("the inventory is not watched: {e}");
            None
        }
    };
    let (mut first, mut arm) = (true, true);
    loop {
        if arm && let Some(watch) = &watch {
            let (watch, warehouse) = (watch.clone(), warehouse.clone());
            let armed = tokio::task::spawn_blocking(move || {
                let armed = watch.arm();
                // Where the kernel does not watch, whoever asks for pillar looks.
                warehouse.watch(armed.is_ok());
                armed
            });
            if let Ok(Err(e)) = armed.await {
                tracing::warn!(
                    "the inventory is not watched: {e}. Each request for pillar looks at it instead; \
                     fs.inotify.max_user_watches may be too small"
                );
            }
        }
        refresh(&master, &warehouse, &confs, first).await;
        first = false;
        arm = tokio::select! {
            folders = changed(watch.as_deref()) => folders,
            told = asked.changed() => {
                if told.is_err() {
                    return;
                }
                // What the kernel was about to say is not waited for, so folders may have come.
                true
            }
        };
    }
}

/// When the kernel says that something changed; never, where it is not asked. Whether folders came or went.
async fn changed(watch: Option<&Watch>) -> bool {
    if let Some(watch) = watch {
        match watch.changed().await {
            Ok(folders) => return folders,
            Err(e) => tracing::error!("the inventory is no longer watched: {e}"),
        }
    }
    std::future::pending().await
}

/// What a look at a warehouse came to, and whom it concerns.
struct Found {
    refreshed: Refreshed,
    /// The edition that minions have, if another one is in force now, and who must be told.
    news: Option<News>,
}

struct News {
    before: Option<String>,
    now: Arc<Edition>,
    minions: Vec<String>,
}

/// Looks for a newer edition, and tells of it. `first` is for what happened while no master ran.
async fn refresh(master: &Arc<Master>, warehouse: &Arc<Warehouse>, confs: &Arc<[Conf]>, first: bool) {
    let work = {
        let (master, warehouse, confs) = (master.clone(), warehouse.clone(), confs.clone());
        move || look(&master, &warehouse, &confs, first)
    };
    let found = match tokio::task::spawn_blocking(work).await {
        Ok(found) => found,
        Err(e) => {
            tracing::error!("reading the inventory panicked: {e}");
            return;
        }
    };
    if let Some(refusal) = &found.refreshed.refused {
        refused(master, warehouse, refusal);
    }
    let Some(news) = found.news else { return };
    let mut event = described(warehouse);
    event.insert("revision", news.now.revision());
    event.insert("previous", news.before);
    event.insert("minions", news.minions.iter().map(String::as_str).collect::<Value>());
    let told = tell::of_change(master, news.minions).await;
    if let Some(jid) = told {
        event.insert("jid", jid);
    }
    // Who is away now must be told after a restart as well.
    if let Some(revision) = news.now.revision()
        && !master.owed.has_absent()
    {
        warehouse.set_told(revision);
    }
    master.events.fire(tags::INVENTORY_CHANGED, event);
}

fn look(master: &Master, warehouse: &Warehouse, confs: &[Conf], first: bool) -> Found {
    let refreshed = warehouse.refresh();
    let ids = || master.data.accepted_ids();
    let news = match &refreshed.changed {
        // Somebody may have asked for pillar before this, so that it is in force already.
        _ if first && warehouse.place().reference.is_some() => since_told(warehouse, confs, ids),
        Some((Some(old), new)) => Some(News {
            before: old.revision().map(str::to_owned),
            now: new.clone(),
            minions: inventory::changed(confs, old, new, &ids()),
        }),
        _ => None,
    };
    Found { refreshed, news }
}

/// What changed since minions were told last, by a master that ran before this one.
fn since_told(warehouse: &Warehouse, confs: &[Conf], ids: impl Fn() -> Arc<Vec<String>>) -> Option<News> {
    let now = warehouse.edition().ok()?;
    let revision = now.revision()?.to_owned();
    let Some(before) = warehouse.told() else {
        // The first master with this inventory: minions have nothing of it, and nobody knows what they have instead.
        warehouse.set_told(&revision);
        return None;
    };
    if before == revision {
        return None;
    }
    let minions = match warehouse.edition_at(&before) {
        Some(old) => inventory::changed(confs, &old, &now, &ids()),
        // That revision is gone from the repository: nobody knows whom the change concerns.
        None => ids().to_vec(),
    };
    Some(News { before: Some(before), now, minions })
}

fn refused(master: &Master, warehouse: &Warehouse, refusal: &Refusal) {
    tracing::error!("the inventory is refused, what was in force stays: {refusal}");
    let mut event = described(warehouse);
    event.insert("revision", refusal.revision.clone());
    event.insert(
        "in_force",
        warehouse.edition().ok().and_then(|edition| edition.revision().map(str::to_owned)),
    );
    event.insert("errors", refusal.why.iter().map(String::as_str).collect::<Value>());
    master.events.fire(tags::INVENTORY_REFUSED, event);
}

/// Which warehouse an event is about.
fn described(warehouse: &Warehouse) -> Map {
    let place = warehouse.place();
    map! {"warehouse" => place.warehouse.to_string_lossy().into_owned(), "ref" => place.reference.clone()}
}
