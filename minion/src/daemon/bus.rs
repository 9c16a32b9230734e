//! The daemon's side of the local event bus: readers see every event, and the daemon obeys some tags.
//!
//! Only the owner may open the sockets, and nothing that reveals a key is obeyed from here. What changes the schedule or the
//! beacons, and so runs commands, is obeyed from programs of the owner alone: a job's `event.fire` is not enough, or whoever may only fire events
//! could run everything.

use super::attached::Attached;
use super::state::Minion;
use crate::local_bus;
use brine_core::call::Cancel;
use brine_core::host::Refresh;
use brine_core::{Map, Value};
use brine_net::NetError;
use brine_net::ipc::{EventBus, EventBusOptions};
use brine_protocol::message::events::Event;
use std::sync::Arc;
use std::time::Duration;

/// What saltutil waits for after a pillar refresh.
const PILLAR_DONE: &str = "/salt/minion/minion_pillar_refresh_complete";
/// What saltutil waits for after a module refresh.
const MODULES_DONE: &str = "/salt/minion/minion_mod_refresh_complete";

/// Bytes a reader may be behind: the bus carries small events.
const MAX_BEHIND: usize = 8 << 20;

/// Opens the bus, and obeys what is fired on it as long as the daemon lives.
pub(super) fn open(minion: &Arc<Minion>) -> Result<(), NetError> {
    let (publish, pull) = local_bus::paths(&minion.opts);
    let mut options = EventBusOptions::new(publish, pull);
    options.max_behind = MAX_BEHIND;
    let (bus, mut fired) = EventBus::bind(options)?;
    *minion.bus.lock() = Some(bus);
    let minion = minion.clone();
    tokio::spawn(async move {
        while let Some(event) = fired.recv().await {
            match Event::from_body(&event.body) {
                Ok(event) if event.tag.starts_with("manage_schedule") => {
                    show(&minion, &event);
                    super::schedule::manage(&minion, &event.data);
                }
                Ok(event) if event.tag.starts_with("manage_beacons") => {
                    show(&minion, &event);
                    super::beacons::manage(&minion, &event.data);
                }
                Ok(event) => fire(&minion, event),
                Err(e) => tracing::debug!("a malformed event on the local bus is ignored: {e}"),
            }
        }
    });
    Ok(())
}

/// Shows an event that a job fires to every reader, and obeys it as far as jobs are obeyed.
pub(super) fn fire_from_job(minion: &Arc<Minion>, event: Event) {
    for what in ["schedule", "beacons"] {
        if event.tag.starts_with(&format!("manage_{what}")) {
            tracing::warn!(
                "a job's event '{}' does not change the {what}; the module {what} does",
                event.tag
            );
        }
    }
    fire(minion, event);
}

fn fire(minion: &Arc<Minion>, event: Event) {
    show(minion, &event);
    obey(minion, event);
}

/// Large values are cut for the readers (`max_event_size`); what is obeyed is whole.
fn show(minion: &Minion, event: &Event) {
    if let Some(bus) = minion.bus.lock().as_ref().filter(|bus| bus.readers() > 0) {
        let max = minion.opts.int("max_event_size").unwrap_or(1 << 20);
        bus.publish(&event.clone().to_trimmed_body(usize::try_from(max).unwrap_or(0)));
    }
}

/// Shows an event of the daemon's own to every reader.
pub(super) fn tell(minion: &Minion, tag: &str, data: Map) {
    show(minion, &local_bus::stamped(tag, data));
}

fn obey(minion: &Arc<Minion>, event: Event) {
    let Event { tag, data } = event;
    let is = |prefix: &str| tag.starts_with(prefix);
    let flag = |name: &str| data.get(name).is_some_and(Value::truthy);
    if is("module_refresh") {
        refresh_modules(minion, flag("notify"));
    } else if is("pillar_refresh") {
        spawn_pillar(minion, flag("clean_cache"));
    } else if is("grains_refresh") {
        let (minion, forced) = (minion.clone(), flag("force_refresh"));
        minion.handle.clone().spawn(async move { refresh_grains(&minion, forced).await });
    } else if is("environ_setenv") {
        if let Some(Value::Map(environ)) = data.get("environ") {
            brine_modules::apply_environ(environ, flag("false_unsets"), flag("clear_all"));
        }
    } else if is("_minion_mine") {
        to_masters(minion, data, |attached, load| async move { attached.send_mine(load).await });
    } else if is("fire_master") {
        to_masters(minion, data, |attached, data| async move {
            if let Some(load) = forwarded(&data) {
                attached.fire_master(load).await;
            }
        });
    } else if is("_salt_error") {
        let load = super::attached::event(&tag, data);
        to_masters(minion, load, |attached, load| async move { attached.fire_master(load).await });
    } else if is("beacons_refresh") {
        minion.beacons.refresh();
    }
    // matchers_refresh: there is nothing that would have to be read again.
}

/// What `fire_master` on the local bus asks to send on.
fn forwarded(data: &Map) -> Option<Map> {
    let mut load = Map::new();
    load.insert("pretag", data.get("pretag").cloned().unwrap_or_default());
    let given = |name: &str| data.get(name).filter(|v| v.truthy()).cloned();
    if let Some(events) = given("events") {
        load.insert("events", events);
    } else {
        load.insert("data", given("data").unwrap_or_else(|| Map::new().into()));
        load.insert("tag", given("tag")?);
    }
    Some(load)
}

/// Does something for each connected master, side by side.
fn to_masters<F>(minion: &Arc<Minion>, data: Map, act: impl Fn(Arc<Attached>, Map) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    for attached in minion.attached() {
        if attached.is_connected() {
            minion.handle.spawn(act(attached, data.clone()));
        }
    }
}

/// A new registry in force.
pub(super) fn refresh_modules(minion: &Minion, notify: bool) {
    *minion.registry.write() = Arc::new(crate::modules_in_force::registry(&minion.opts));
    minion.beacons.refresh();
    if notify {
        tell(minion, MODULES_DONE, brine_core::map! {"complete" => true});
    }
}

fn spawn_pillar(minion: &Arc<Minion>, clean_cache: bool) {
    let this = minion.clone();
    minion.handle.spawn(async move { refresh_pillar(&this, clean_cache).await });
}

/// Pillar read anew from every master; readers of the bus are told when it is in force.
pub(super) async fn refresh_pillar(minion: &Arc<Minion>, clean_cache: bool) {
    refresh_modules(minion, false);
    for attached in minion.attached() {
        if let Err(e) = attached.refresh_pillar(clean_cache).await {
            tracing::error!("Pillar data could not be refreshed. One or more masters may be down! ({e})");
        }
    }
    tell(minion, PILLAR_DONE, brine_core::map! {"complete" => true});
}

/// Grains collected anew; when they changed (or `forced`) the pillar follows, since masters target by them.
pub(super) async fn refresh_grains(minion: &Arc<Minion>, forced: bool) {
    let before = minion.grains();
    let this = minion.clone();
    if let Err(e) = tokio::task::spawn_blocking(move || this.refresh_grains()).await {
        tracing::error!("grains could not be collected: {e}");
        return;
    }
    if forced || *before != *minion.grains() {
        refresh_pillar(minion, false).await;
    }
}

/// Does what a call asked for; with `wait`, returns when it is in force or the time is over.
pub(super) fn refresh(
    minion: &Arc<Minion>,
    cancel: &Cancel,
    what: Refresh,
    wait: Option<Duration>,
) -> brine_core::call::Result<()> {
    let this = minion.clone();
    let work = async move {
        match what {
            Refresh::Grains => refresh_grains(&this, false).await,
            Refresh::Modules => refresh_modules(&this, true),
            Refresh::Pillar { clean_cache } => refresh_pillar(&this, clean_cache).await,
            Refresh::Mine => this.attached().iter().for_each(super::mine::update),
            Refresh::Beacons => this.beacons.refresh(),
            Refresh::Matchers => {}
        }
    };
    // The sequence of two requests counts: grains are awaited, since the pillar that follows is asked for with them.
    let wait = if what == Refresh::Grains { Some(wait.unwrap_or(Duration::from_secs(30))) } else { wait };
    // The work goes on when the wait for it is over, or the job that waits is killed.
    let work = minion.handle.spawn(work);
    match wait {
        Some(limit) => minion.wait(cancel, async move { drop(tokio::time::timeout(limit, work).await) }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn what_is_forwarded_to_the_master() {
        let one =
            map! {"data" => map! {"a" => 1}, "tag" => "t", "events" => Value::Nil, "pretag" => Value::Nil};
        assert_eq!(
            forwarded(&one),
            Some(map! {"pretag" => Value::Nil, "data" => map! {"a" => 1}, "tag" => "t"})
        );
        let many = map! {"data" => Value::Nil, "tag" => Value::Nil, "events" => vec![Value::from(map! {"tag" => "x"})], "pretag" => "p"};
        assert_eq!(forwarded(&many).unwrap().get_str("pretag"), Some("p"));
        assert_eq!(forwarded(&map! {"data" => "x"}), None, "an event without a tag is none");
    }
}
