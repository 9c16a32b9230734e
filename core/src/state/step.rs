//! What is around one step of a run over low data.

use crate::text::python_str;
use brine_protocol::{Map, Value};
use std::sync::{Arc, Mutex, PoisonError};

/// What the steps of one run share, and no other run sees.
#[derive(Default)]
pub struct Run {
    shared: Mutex<Map>,
    running: Mutex<Map>,
}

impl Run {
    /// Lets `change` see and change what the steps of this run leave each other (stock keeps it by `__instance_id__`), such
    /// as the accumulated lines of files.
    pub fn shared<T>(&self, change: impl FnOnce(&mut Map) -> T) -> T {
        change(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets `look` see and change the results so far, by tag (`__running__`).
    pub fn running<T>(&self, look: impl FnOnce(&mut Map) -> T) -> T {
        look(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One step: the chunk of low data that a state function runs for.
#[derive(Clone, Default)]
pub struct Step {
    /// The chunk, with everything that SLS files and the compiler put into it (`__low__`).
    pub low: Arc<Map>,
    /// All chunks of the run (`__lowstate__`).
    pub chunks: Arc<Vec<Arc<Map>>>,
    /// The run.
    pub run: Arc<Run>,
}

impl Step {
    /// The environment of the chunk's SLS file (`__env__`), `base` where none is named.
    pub fn saltenv(&self) -> &str {
        self.text("__env__").unwrap_or("base")
    }

    /// The name of the chunk's SLS file (`__sls__`).
    pub fn sls(&self) -> &str {
        self.text("__sls__").unwrap_or_default()
    }

    /// The id of the chunk's declaration (`__id__`).
    pub fn id(&self) -> &str {
        self.text("__id__").unwrap_or_default()
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.low.get(key).and_then(Value::as_str)
    }
}

/// The tag of a chunk: what its result is kept by.
pub fn tag(low: &Map) -> String {
    let mut tag = low.get("state").map(python_str).unwrap_or_default();
    for key in ["__id__", "name", "fun"] {
        tag += "_|-";
        match low.get(key) {
            Some(Value::Str(member)) => tag += member,
            other => tag += &other.map(python_str).unwrap_or_default(),
        }
    }
    tag
}
