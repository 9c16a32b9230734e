//! What is around a call in a test: files, and a master that answers by a function.

use brine_core::call::Result;
use brine_core::files::{Files, NoFiles};
use brine_core::host::{Host, NoHost, Refresh};
use brine_protocol::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

type Answer = Box<dyn Fn(Map) -> Result<Value> + Send + Sync>;
type Jobs = Box<dyn Fn() -> Vec<Map> + Send + Sync>;

/// A program without a daemon: as [`NoHost`], but with what a test gives it.
pub struct Around {
    files: Arc<dyn Files>,
    master: Option<Answer>,
    jobs: Option<Jobs>,
}

impl Around {
    /// With these files.
    pub fn files(files: Arc<dyn Files>) -> Self {
        Self { files, master: None, jobs: None }
    }

    /// With a master that answers requests so.
    pub fn master(answer: impl Fn(Map) -> Result<Value> + Send + Sync + 'static) -> Self {
        Self { files: Arc::new(NoFiles), master: Some(Box::new(answer)), jobs: None }
    }

    /// The same with these files.
    #[must_use]
    pub fn and_files(self, files: Arc<dyn Files>) -> Self {
        Self { files, ..self }
    }

    /// The same where these jobs run.
    #[must_use]
    pub fn and_jobs(self, jobs: impl Fn() -> Vec<Map> + Send + Sync + 'static) -> Self {
        Self { jobs: Some(Box::new(jobs)), ..self }
    }
}

impl Host for Around {
    fn files(&self) -> Arc<dyn Files> {
        self.files.clone()
    }

    fn master_request(&self, load: Map, timeout: Duration) -> Result<Value> {
        match &self.master {
            Some(answer) => answer(load),
            None => NoHost.master_request(load, timeout),
        }
    }

    fn fire_local(&self, tag: &str, data: Map) -> Result<()> {
        NoHost.fire_local(tag, data)
    }

    fn refresh(&self, what: Refresh, wait: Option<Duration>) -> Result<()> {
        NoHost.refresh(what, wait)
    }

    fn compile_pillar(
        &self,
        saltenv: Option<&str>,
        pillarenv: Option<&str>,
        over: Option<Map>,
    ) -> Result<Map> {
        NoHost.compile_pillar(saltenv, pillarenv, over)
    }

    fn running(&self) -> Vec<Map> {
        self.jobs.as_ref().map_or_else(|| NoHost.running(), |jobs| jobs())
    }

    fn signal_job(&self, jid: &str, signal: i32) -> Value {
        NoHost.signal_job(jid, signal)
    }

    fn master(&self) -> Option<String> {
        NoHost.master()
    }
}
