//! The master as a minion of itself, which is what applies orchestrations (stock's `MasterMinion`): execution modules and states,
//! with the master's options over a minion's defaults, and its files and pillar from this machine.
//!
//! Here are the surroundings of such calls. What they ask of the master (jobs, runners, wheel functions, events) is done by the
//! master that the runner works for.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brine_core::call::{Args, CallError, Cancel, Cx, JobContext, Result};
use brine_core::files::Files;
use brine_core::host::{Events, Host, JobStore, MasterClient, Refresh};
use brine_core::options::Daemon;
use brine_core::text::python_str;
use brine_core::{Map, Opts, Value, map};
use brine_files::Client;
use brine_pillar::{Ask, Pillars, Wish};
use brine_render::args::{load_args_and_kwargs, parse_input};

use crate::host::{MasterHost, master};
use crate::run::{Kind, Run};

/// A call's surroundings on the minion that the master of this runner is; `job` is what the call belongs to.
///
/// # Errors
/// Where there is no master.
pub fn minion(cx: &Cx, job: Map) -> Result<Cx> {
    let host: Arc<dyn Any + Send + Sync> = cx.host.clone();
    let Ok(master) = host.downcast::<MasterHost>() else {
        master(cx)?;
        return Err(CallError::execution("This function runs on a master only."));
    };
    let mut all = Daemon::Minion.defaults();
    all.update(cx.opts.map().clone());
    all.insert("file_client", "local");
    let opts = Arc::new(Opts::new(all));
    let grains = Arc::new((master.execution.grains)(&opts));
    let files: Arc<dyn Files> = Arc::new(Client::of_this_machine(&opts));
    let registry = master.execution.registry.clone();
    let host = MasterMinion {
        master_opts: cx.opts.clone(),
        opts: opts.clone(),
        grains: grains.clone(),
        files,
        master,
        runner: cx.clone(),
        cancel: cx.cancel.clone(),
    };
    let mut inner = Cx::new(opts, registry, Arc::new(host));
    inner.grains = grains;
    inner.job = Arc::new(JobContext::new(job));
    inner.cancel = cx.cancel.clone();
    Ok(inner)
}

/// What is around a call on that minion.
struct MasterMinion {
    master: Arc<MasterHost>,
    master_opts: Arc<Opts>,
    opts: Arc<Opts>,
    grains: Arc<Map>,
    files: Arc<dyn Files>,
    /// The run that all is for.
    runner: Cx,
    cancel: Cancel,
}

impl MasterMinion {
    /// Runs a runner or wheel function as part of this run. As stock's `saltutil.runner` and `saltutil.wheel`: where the function has
    /// a `saltenv` it is that of the state, and the run that all is for is told what is called.
    fn run(&self, kind: Kind, order: &Map) -> Result {
        let fun = order.get("fun").map(python_str).unwrap_or_default();
        let registry = match kind {
            Kind::Runner if self.runner.registry.get(&fun).is_some() => self.runner.registry.clone(),
            kind => Arc::new(kind.registry()),
        };
        let function = registry.get(&fun).ok_or_else(|| registry.missing(&fun))?;
        let mut kwarg = order.get("kwarg").and_then(Value::as_map).cloned().unwrap_or_default();
        if let Some(saltenv) = order.get("saltenv")
            && function.params.iter().any(|param| param.name == "saltenv")
        {
            kwarg.insert("saltenv", saltenv.clone());
        }
        let arg = order.get("arg").and_then(Value::as_list).unwrap_or_default();
        if let Some(jid) = order.get("jid").filter(|jid| jid.truthy()) {
            let told = match kind {
                Kind::Runner => {
                    map! {"type" => "runner", "name" => &fun, "args" => arg.to_vec(), "kwargs" => kwarg.clone()}
                }
                Kind::Wheel => map! {"type" => "wheel", "name" => &fun, "args" => kwarg.clone()},
            };
            self.fire_local(&format!("salt/run/{}/args", python_str(jid)), told)?;
        }
        let mut words = Vec::new();
        for word in arg {
            match word {
                Value::Str(text) => words.extend(parse_input(std::slice::from_ref(text), &[])),
                other => words.push(other.clone()),
            }
        }
        let mut args: Args = load_args_and_kwargs(&words);
        args.keyword.update(kwarg);
        let user = order.get("user").map_or_else(|| "UNKNOWN".to_owned(), python_str);
        if kind == Kind::Runner && function.takes_kwargs() {
            args.keyword.insert("__pub_user", user.as_str());
        }
        let unknown = function.unknown_keywords(&args.keyword);
        if !unknown.is_empty() {
            return Err(CallError::unknown_keywords(unknown));
        }
        let run = Run {
            kind,
            jid: brine_core::jid::gen_jid(SystemTime::now()),
            user,
            opts: self.master_opts.clone(),
            registry,
            host: self.master.clone(),
            quiet: true,
        };
        let mut data = run.call(&fun, args);
        if order.get("full_return").is_some_and(Value::truthy) {
            return Ok(data.into());
        }
        Ok(data.remove("return").unwrap_or_default())
    }
}

impl Host for MasterMinion {
    fn master_request(&self, load: Map, timeout: Duration) -> Result<Value> {
        self.master.master_request(load, timeout)
    }

    fn fire_local(&self, tag: &str, data: Map) -> Result<()> {
        self.master.fire_local(tag, data)
    }

    fn refresh(&self, what: Refresh, wait: Option<Duration>) -> Result<()> {
        self.master.refresh(what, wait)
    }

    fn grains(&self) -> Result<Map> {
        Ok((self.master.execution.grains)(&self.opts))
    }

    fn compile_pillar(
        &self,
        saltenv: Option<&str>,
        pillarenv: Option<&str>,
        over: Option<Map>,
    ) -> Result<Map> {
        let registry = self.master.execution.registry.clone();
        let pillars = Pillars::new(self.opts.clone(), registry, self.master.clone(), self.files.clone());
        let wish = Wish {
            id: self.opts.str("id").to_owned(),
            saltenv: saltenv.map(str::to_owned),
            pillarenv: pillarenv.map(str::to_owned),
            over,
            ..Wish::default()
        };
        pillars.compile_fresh(&Ask { wish, grains: self.grains.as_ref().clone(), clean_cache: false })
    }

    fn running(&self) -> Vec<Map> {
        self.master.running()
    }

    fn signal_job(&self, jid: &str, signal: i32) -> Value {
        self.master.signal_job(jid, signal)
    }

    fn master(&self) -> Option<String> {
        None
    }

    fn files(&self) -> Arc<dyn Files> {
        self.files.clone()
    }

    fn job_store(&self) -> Option<&dyn JobStore> {
        self.master.job_store()
    }

    fn watch(&self, node: &str, sock_dir: Option<&str>) -> Result<Box<dyn Events>> {
        self.master.watch(node, sock_dir)
    }

    fn master_client(&self, client: MasterClient, order: Map) -> Result<Value> {
        self.cancel.check()?;
        match client {
            MasterClient::Runner => self.run(Kind::Runner, &order),
            MasterClient::Wheel => self.run(Kind::Wheel, &order),
            MasterClient::Local => self.master.side.job(&order).map(Value::from),
        }
    }
}
