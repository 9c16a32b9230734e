//! What is shown over HTTP: the numbers, and the events of the bus. Off unless `alerts: listen` says where.

use std::sync::Arc;

use brine_alerts::pages::{Pages, PagesConf, PagesError};
use brine_alerts::stream::Stream;

use super::{Metrics, page};
use crate::events::Tap;
use crate::master::Master;

/// What is to be shown, and what it is made of.
#[derive(Debug)]
pub struct Shown {
    conf: Option<PagesConf>,
    stream: Arc<Stream>,
}

impl Shown {
    /// As the configuration says.
    pub fn new(conf: Option<PagesConf>) -> Self {
        let stream = Stream::new(conf.as_ref().is_some_and(PagesConf::has_events));
        Self { conf, stream }
    }

    /// The events, for sinks that show alerts among them.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// What takes events off the bus; nothing where nothing is shown.
    pub fn tap(&self, metrics: &Arc<Metrics>) -> Option<Arc<dyn Tap>> {
        self.conf.as_ref()?;
        Some(Arc::new(ShownTap { metrics: Arc::clone(metrics), stream: Arc::clone(&self.stream) }))
    }

    /// Serves, until what this gives is dropped.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(&self, master: &Arc<Master>) -> Result<Option<Pages>, PagesError> {
        let Some(conf) = self.conf.clone() else { return Ok(None) };
        // The master ends when nobody needs it: this does not.
        let (master, stream) = (Arc::downgrade(master), Arc::clone(&self.stream));
        let metrics =
            move || master.upgrade().map(|master| page(&master, stream.readers())).unwrap_or_default();
        let pages = Pages::start(conf, &self.stream, metrics)?;
        if let Some(addr) = pages.addr() {
            tracing::info!("metrics and events are shown at {addr}");
        }
        Ok(Some(pages))
    }
}

#[derive(Debug)]
struct ShownTap {
    metrics: Arc<Metrics>,
    stream: Arc<Stream>,
}

impl Tap for ShownTap {
    fn put(&self, tag: &str, body: &[u8]) {
        self.metrics.event(tag);
        self.stream.pass(tag, body);
    }
}
