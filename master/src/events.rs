//! Firing events on the master's bus, and passing on what other programs fire.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brine_core::jid::{stamp, time_of};
use brine_net::NetError;
use brine_net::ipc::{EventBus, EventBusOptions, FiredEvents, Framing};
use brine_protocol::Map;
use brine_protocol::ids::Jid;
use brine_protocol::message::events::Event;
use brine_protocol::message::tags;
use tokio::sync::watch;

use crate::config::BusConfig;

/// What 3007's `salt` may take from publishing a job to looking at its events.
const SLOW_CLIENT: Duration = Duration::from_millis(50);

/// Whoever gets every event beside the bus: `event_return`, the reactor, alerts.
pub trait Tap: Send + Sync + std::fmt::Debug {
    /// Takes an event, as the bus has it, without waiting for anything.
    fn put(&self, tag: &str, body: &[u8]);

    /// Is told what somebody asks of the reactor, with the key that he proves himself by; nobody else sees that key.
    fn manage(&self, _tag: &str, _data: &Map) {}
}

/// The bus. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Events {
    bus: Arc<EventBus>,
    /// Clients of 3007 and later are served.
    bare: bool,
    /// `max_event_size`
    max_event: usize,
    taps: Arc<[Arc<dyn Tap>]>,
    /// How often a program of this host said that an inventory may have changed.
    inventory: watch::Sender<u64>,
}

impl Events {
    /// Opens both sockets.
    ///
    /// # Errors
    /// When a socket cannot be made.
    pub fn bind(config: &BusConfig, taps: Vec<Arc<dyn Tap>>) -> Result<(Self, FiredEvents), NetError> {
        let options = EventBusOptions {
            pub_mode: config.pub_mode,
            framing: config.framing,
            max_body: config.max_body,
            max_behind: config.max_behind,
            ..EventBusOptions::new(&config.pub_path, &config.pull_path)
        };
        let (bus, fired) = EventBus::bind(options)?;
        Ok((
            Self {
                bus: Arc::new(bus),
                bare: config.framing == Framing::Bare,
                max_event: config.max_event,
                taps: taps.into(),
                inventory: watch::channel(0).0,
            },
            fired,
        ))
    }

    /// Fires an event; `_stamp` is added, and large values are cut as `max_event_size` has it. Costs next to nothing
    /// while nobody listens.
    pub fn fire(&self, tag: impl Into<String>, mut data: Map) {
        if self.bus.readers() == 0 && self.taps.is_empty() {
            return;
        }
        data.insert("_stamp", stamp(SystemTime::now()));
        let tag = tag.into();
        let body = Event::new(tag.as_str(), data).to_trimmed_body(self.max_event);
        self.pass_on(&tag, &body);
    }

    fn pass_on(&self, tag: &str, body: &[u8]) {
        if tag.contains(tags::MANAGE_REACTORS)
            && let Ok(asked) = Event::from_body(body)
            && asked.data.contains("key")
        {
            let mut told = asked.clone();
            told.data.remove("key");
            self.show(tag, &told.to_body());
            self.taps.iter().for_each(|tap| tap.manage(tag, &asked.data));
            return;
        }
        self.show(tag, body);
    }

    fn show(&self, tag: &str, body: &[u8]) {
        self.bus.publish(body);
        for tap in &*self.taps {
            tap.put(tag, body);
        }
    }

    /// Changes whenever a program of this host says that an inventory may have changed ([`tags::INVENTORY_REFRESH`]).
    pub fn inventory_asked(&self) -> watch::Receiver<u64> {
        self.inventory.subscribe()
    }

    /// Fires the return of a job.
    ///
    /// 3007's `salt` does not see events that reach it before the answer to its publish: its stream swallows them, and it
    /// looks again only when more come, or after its timeout. A return that is so quick waits for such a client.
    pub fn fire_return(&self, jid: &Jid, tag: String, data: Map) {
        let age = time_of(jid.as_str()).and_then(|t| t.elapsed().ok());
        match age.and_then(|age| SLOW_CLIENT.checked_sub(age)) {
            Some(wait) if self.bare && self.bus.readers() > 0 => {
                let events = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(wait).await;
                    events.fire(tag, data);
                });
            }
            _ => self.fire(tag, data),
        }
    }

    /// Passes on what programs of this host fire, until the bus is gone. Who may fire is decided by the socket's mode;
    /// bodies are passed on as they are, if they are events at all: in stock too, whoever fires cuts.
    pub async fn relay(self, mut fired: FiredEvents) {
        while let Some(event) = fired.recv().await {
            match brine_protocol::message::events::split(&event.body) {
                Ok((tag, _)) => {
                    self.pass_on(tag, &event.body);
                    if tag == tags::INVENTORY_REFRESH {
                        self.inventory.send_modify(|asked| *asked = asked.wrapping_add(1));
                    }
                }
                Err(e) => tracing::warn!("a program of uid {} fired no event: {e}", event.sender.uid()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_net::ipc::EventPusher;
    use brine_protocol::map;

    /// Keeps what it gets.
    #[derive(Debug, Default)]
    struct Kept(parking_lot::Mutex<Vec<(&'static str, Map)>>);

    impl Tap for Kept {
        fn put(&self, _tag: &str, body: &[u8]) {
            self.0.lock().push(("put", Event::from_body(body).unwrap().data));
        }

        fn manage(&self, _tag: &str, data: &Map) {
            self.0.lock().push(("manage", data.clone()));
        }
    }

    fn config(dir: &std::path::Path) -> BusConfig {
        BusConfig {
            pub_path: dir.join("pub.ipc"),
            pull_path: dir.join("pull.ipc"),
            pub_mode: 0o600,
            framing: Framing::Prefixed,
            max_body: 1 << 20,
            max_behind: 1 << 20,
            max_event: 1 << 20,
        }
    }

    #[tokio::test]
    async fn the_key_of_who_manages_reactors_is_told_to_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        let kept = Arc::new(Kept::default());
        let (events, _fired) = Events::bind(&config, vec![kept.clone()]).unwrap();
        events.pass_on(
            "a/salt/reactors/manage/list",
            &Event::new("a/salt/reactors/manage/list", map! {"key" => "k", "a" => 1}).to_body(),
        );
        events.pass_on(
            "salt/reactors/manage/x",
            &Event::new("salt/reactors/manage/x", map! {"b" => 1}).to_body(),
        );
        let want =
            [("put", map! {"a" => 1}), ("manage", map! {"key" => "k", "a" => 1}), ("put", map! {"b" => 1})];
        assert_eq!(*kept.0.lock(), want);
    }

    #[tokio::test]
    async fn a_program_of_this_host_can_say_that_an_inventory_is_new() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        let (events, fired) = Events::bind(&config, Vec::new()).unwrap();
        let mut asked = events.inventory_asked();
        tokio::spawn(events.relay(fired));
        let mut pusher = EventPusher::connect(&config.pull_path, Framing::Prefixed).await.unwrap();
        pusher.push(&Event::new("other", map! {"a" => 1}).to_body()).await.unwrap();
        let wait = |asked: watch::Receiver<u64>, most| async move {
            let mut asked = asked;
            tokio::time::timeout(Duration::from_millis(most), asked.changed()).await.is_ok()
        };
        assert!(!wait(asked.clone(), 100).await);
        pusher.push(&Event::new(tags::INVENTORY_REFRESH, map! {}).to_body()).await.unwrap();
        assert!(wait(asked.clone(), 10_000).await);
        asked.mark_unchanged();
        assert!(!wait(asked, 100).await);
    }
}
