//! `sse`: server-sent events. What reads along at `/events` gets the notices; see [`crate::stream`].

use crate::conf::{ConfError, Keys};
use crate::queue::Item;
use crate::sinks::template::seen;
use crate::sinks::text::label;
use crate::sinks::{Around, Kind, Outcome, Sink};
use crate::stream::Stream;
use std::sync::Arc;

pub(super) static KIND: Kind = Kind {
    name: "sse",
    doc: "Shows the alerts to whoever reads /events, under the tag brine/alert/NAME.",
    keys: &[],
    batch: 100,
    group_wait: None,
    rate: None,
    make,
};

struct Sse(Arc<Stream>);

fn make(_: &mut Keys<'_>, around: &Around) -> Result<Box<dyn Sink>, ConfError> {
    Ok(Box::new(Sse(Arc::clone(&around.stream))))
}

impl Sink for Sse {
    fn send(&mut self, batch: &[Item]) -> Outcome {
        for item in batch {
            self.0.show(&format!("brine/alert/{}", label(&item.notice, "alertname")), seen(item));
        }
        Outcome::Delivered
    }
}
