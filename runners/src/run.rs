//! One run of a runner or wheel function: its events, its call, its return, and its place in the job store.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use brine_core::call::{Args, CallError, Cx, JobContext, Registry, Result};
use brine_core::state::check_result;
use brine_core::{Map, Opts, Value, map};

use crate::host::{MasterHost, master};
use crate::job_cache;

/// Which kind of function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A runner.
    Runner,
    /// A wheel function.
    Wheel,
}

impl Kind {
    /// As in `fun` of the events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Runner => "runner",
            Self::Wheel => "wheel",
        }
    }

    /// The first part of the tag: `salt/run/...`.
    pub fn tag(self, jid: &str) -> String {
        match self {
            Self::Runner => format!("salt/run/{jid}"),
            Self::Wheel => format!("salt/wheel/{jid}"),
        }
    }

    /// Everything of this kind that can be called.
    pub fn registry(self) -> Registry {
        match self {
            Self::Runner => {
                let mut runners = Registry::new(crate::RUNNERS.iter().copied());
                crate::absent::note(&mut runners);
                runners
            }
            Self::Wheel => Registry::new(crate::WHEEL.iter().copied()),
        }
    }
}

/// One run.
pub struct Run {
    /// What is run.
    pub kind: Kind,
    /// Its id.
    pub jid: String,
    /// Who runs it.
    pub user: String,
    /// The options of the master.
    pub opts: Arc<Opts>,
    /// The functions.
    pub registry: Arc<Registry>,
    /// The master.
    pub host: Arc<MasterHost>,
    /// Whether its progress is of no interest to the person who waits: it is part of another run.
    pub quiet: bool,
}

impl Run {
    /// The event's and the store's data of this run: `fun`, `jid`, `user`, `fun_args`, and after the call `return`, `success`
    /// and perhaps `retcode`. Events are fired when it starts and when it ends.
    pub fn call(&self, fun: &str, args: Args) -> Map {
        self.call_and_tell(fun, args, &mut || {})
    }

    /// The same; `begun` is called once the bus has been told of the run.
    pub fn call_and_tell(&self, fun: &str, args: Args, begun: &mut dyn FnMut()) -> Map {
        let tag = self.kind.tag(&self.jid);
        let mut data = map! {
            "fun" => format!("{}.{fun}", self.kind.name()), "jid" => self.jid.as_str(), "user" => self.user.as_str(),
        };
        data.insert("fun_args", shown(fun, &args));
        self.fire(&format!("{tag}/new"), data.clone());
        begun();
        let mut cx = Cx::new(self.opts.clone(), self.registry.clone(), self.host.clone());
        cx.job = Arc::new(JobContext::new(map! {
            "jid" => self.jid.as_str(), "user" => self.user.as_str(), "tag" => tag.as_str(), "quiet" => self.quiet,
        }));
        outcome(&cx, self.kind, fun, args, &mut data);
        if self.keeps(fun)
            && let Err(e) = self.host.jobs.keep_run(&self.jid, self.opts.str("id"), &data)
        {
            tracing::error!(
                "Could not store job cache info. Job details for this run may be unavailable: {e}"
            );
        }
        if self.keeps(fun) {
            let load = || job_cache::load(&self.jid, self.opts.str("id"), &data);
            if job_cache::wanted(&self.opts) {
                self.host.side.keep_elsewhere(&cx, load());
            } else if job_cache::is_stocks(&self.opts, &self.host.jobs) {
                job_cache::keep(&cx, &load());
            }
        }
        self.fire(&format!("{tag}/ret"), data.clone());
        data
    }

    fn keeps(&self, fun: &str) -> bool {
        match self.kind {
            // What it returns is as good as a password.
            Kind::Runner if is_about_logins(fun) => false,
            Kind::Runner => self.opts.get("runner_returns").is_none_or(Value::truthy),
            Kind::Wheel => true,
        }
    }

    fn fire(&self, tag: &str, data: Map) {
        if let Err(e) = self.host.side.fire(tag, data) {
            tracing::debug!("{tag}: {e}");
        }
    }
}

fn is_about_logins(fun: &str) -> bool {
    fun.starts_with("auth.")
}

/// The arguments as the events and the store have them; what proves who somebody is stands there as stars.
fn shown(fun: &str, args: &Args) -> Vec<Value> {
    let (mut fun_args, mut keyword) = (args.positional.clone(), args.keyword.clone());
    if is_about_logins(fun) {
        fun_args.fill("******".into());
        for key in ["password", "token"] {
            if let Some(value) = keyword.get_mut(key) {
                *value = "******".into();
            }
        }
    }
    if !keyword.is_empty() {
        fun_args.push(keyword.into());
    }
    fun_args
}

/// Fires an event of the progress of the run that this call belongs to, and shows it to whoever waits.
pub(crate) fn progress(cx: &Cx, data: Map) -> Result<()> {
    let side = &master(cx)?.side;
    if let Some(tag) = cx.job.publish.get_str("tag") {
        side.fire(&format!("{tag}/progress"), data.clone())?;
    }
    if !cx.job.publish.get("quiet").is_some_and(Value::truthy) {
        side.progress(&data);
    }
    Ok(())
}

/// Calls the function and puts `return`, `success` and `retcode` into `data`, as stock words them.
pub fn outcome(cx: &Cx, kind: Kind, fun: &str, args: Args, data: &mut Map) {
    let called = catch_unwind(AssertUnwindSafe(|| cx.call(fun, args)));
    let result = called.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic");
        tracing::error!("{fun} panicked: {text}");
        Err(CallError::exception("RuntimeError", text))
    });
    match result {
        Ok(value) => {
            let retcode = cx.job.context("retcode").as_ref().and_then(Value::as_int).unwrap_or(0);
            // What a runner packs with an outputter for it is taken for the result of states.
            let success = match value.get("data") {
                Some(states) => check_result(states, false),
                None => retcode == 0,
            };
            data.insert("return", value);
            data.insert("success", success);
        }
        // Stock's `SaltInvocationError` is a `TypeError` too.
        Err(CallError::Arguments(e) | CallError::Invocation(e)) => {
            let doc = cx.registry.get(fun).map_or("", |f| f.doc);
            data.insert("return", format!("\nPassed invalid arguments: {e}\n\nUsage:\n{doc}"));
            data.insert("success", true);
        }
        Err(CallError::Exception { kind: "salt.exceptions.NotImplemented", message }) => {
            data.insert("return", message);
            data.insert("success", false);
            data.insert("retcode", 1);
        }
        Err(e) => {
            data.insert("return", format!("Exception occurred in {} {fun}: {}", kind.name(), e.traceback()));
            data.insert("success", false);
            data.insert("retcode", 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Fake;

    fn ran(fun: &str, args: Args) -> (Map, Fake) {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let run = Run {
            kind: Kind::Runner,
            jid: "1".into(),
            user: "ann".into(),
            opts: cx.opts.clone(),
            registry: cx.registry.clone(),
            host: MasterHost::new(&cx.opts, Box::new(fake.clone())),
            quiet: false,
        };
        (run.call(fun, args), fake)
    }

    #[test]
    fn a_run_is_told_from_beginning_to_end() {
        let (data, fake) = ran("test.arg", Args::positional(["a"]).with("k", 1));
        let keys: Vec<&str> = data.keys().filter_map(Value::as_str).collect();
        assert_eq!(keys, ["fun", "jid", "user", "fun_args", "return", "success"]);
        let fired = &fake.record.lock().fired;
        assert_eq!((fired[0].0.as_str(), fired[1].0.as_str()), ("salt/run/1/new", "salt/run/1/ret"));
        assert!(!fired[0].1.contains("return") && fired[1].1 == data);
    }

    #[test]
    fn passwords_and_tokens_are_not_told() {
        let args = Args::none().with("username", "u").with("password", "secret");
        let (data, fake) = ran("auth.mk_token", args);
        let told: Vec<Value> = vec![map! {"username" => "u", "password" => "******"}.into()];
        assert_eq!(data.get("fun_args"), Some(&told.into()));
        assert!(!format!("{:?}", fake.record.lock().fired).contains("secret"));
        let (data, _) = ran("auth.del_token", Args::positional(["secret"]));
        assert_eq!(data.get("fun_args"), Some(&vec!["******"].into()));
    }

    #[test]
    fn failures_are_worded_as_stocks() {
        let (wrong, _) = ran("test.metasyntactic", Args::positional(["a", "b"]));
        assert!(
            wrong.get_str("return").unwrap().starts_with("\nPassed invalid arguments: metasyntactic() takes")
        );
        assert_eq!(wrong.get("success"), Some(&true.into()));
        let (failed, _) = ran("error.error", Args::positional(["ValueError", "m"]));
        let text =
            "Exception occurred in runner error.error: Traceback (most recent call last):\nValueError: m\n";
        assert_eq!((failed.get_str("return"), failed.get("retcode")), (Some(text), Some(&1.into())));
        let (bare, _) = ran("error.error", Args::positional(["NotImplemented", "m"]));
        assert_eq!((bare.get_str("return"), bare.get("success")), (Some("m"), Some(&false.into())));
    }
}
