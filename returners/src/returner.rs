//! What a returner is: a name and the functions of stock's interface that it has.

use brine_core::call::{CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// A returner. A function that stock's module of that name does not have is `None`.
#[derive(Clone, Copy)]
#[expect(clippy::type_complexity, reason = "each type is used once, where its names say most")]
pub struct Returner {
    /// The name that people write: `redis`.
    pub name: &'static str,
    /// What it does and which options it has.
    pub doc: &'static str,
    /// Takes a return: of a minion's job (with `id`, `jid`, `fun`, `fun_args`, `return`, ..., and `ret_config` and
    /// `ret_kwargs` where the caller gave them), or of any minion when the master calls it.
    pub returner: Option<fn(&Cx, &Map) -> Result<()>>,
    /// Takes events, each a map of `tag` and `data`.
    pub event_return: Option<fn(&Cx, &[Value]) -> Result<()>>,
    /// The id of a new job: the one passed, or one of its own. With `nocache` the job's returns are not to be kept.
    pub prep_jid: Option<fn(&Cx, nocache: bool, passed: Option<&str>) -> Result<String>>,
    /// Keeps the load of a publish, and the minions it is for where they are known.
    pub save_load: Option<fn(&Cx, jid: &str, load: &Map, minions: Option<&[String]>) -> Result<()>>,
    /// Keeps more minions of a job; those of a syndic by its id.
    pub save_minions: Option<fn(&Cx, jid: &str, minions: &[String], syndic: Option<&str>) -> Result<()>>,
    /// The load of a job; empty where there is none.
    pub get_load: Option<fn(&Cx, jid: &str) -> Result<Map>>,
    /// What minions returned for a job, by id.
    pub get_jid: Option<fn(&Cx, jid: &str) -> Result<Map>>,
    /// The last return of each minion for a function.
    pub get_fun: Option<fn(&Cx, fun: &str) -> Result<Map>>,
    /// All jobs by id, described as `jobs.list_jobs` shows them (see [`crate::describe`]).
    pub get_jids: Option<fn(&Cx) -> Result<Map>>,
    /// The newest jobs, described.
    pub get_jids_filter: Option<fn(&Cx, count: usize, filter_find_job: bool) -> Result<Vec<Value>>>,
    /// All minions that have returned something.
    pub get_minions: Option<fn(&Cx) -> Result<Vec<Value>>>,
    /// Removes what is older than `keep_jobs_seconds`.
    pub clean_old_jobs: Option<fn(&Cx) -> Result<()>>,
    /// Keeps when the last return of a job came.
    pub update_endtime: Option<fn(&Cx, jid: &str, time: &str) -> Result<()>>,
    /// When the last return of a job came.
    pub get_endtime: Option<fn(&Cx, jid: &str) -> Result<Option<String>>>,
}

impl Returner {
    /// A returner without anything, to start from.
    pub const NOTHING: Self = Self {
        name: "",
        doc: "",
        returner: None,
        event_return: None,
        prep_jid: None,
        save_load: None,
        save_minions: None,
        get_load: None,
        get_jid: None,
        get_fun: None,
        get_jids: None,
        get_jids_filter: None,
        get_minions: None,
        clean_old_jobs: None,
        update_endtime: None,
        get_endtime: None,
    };

    /// The names of the functions it has, sorted.
    pub fn functions(&self) -> Vec<&'static str> {
        let has = [
            ("clean_old_jobs", self.clean_old_jobs.is_some()),
            ("event_return", self.event_return.is_some()),
            ("get_endtime", self.get_endtime.is_some()),
            ("get_fun", self.get_fun.is_some()),
            ("get_jid", self.get_jid.is_some()),
            ("get_jids", self.get_jids.is_some()),
            ("get_jids_filter", self.get_jids_filter.is_some()),
            ("get_load", self.get_load.is_some()),
            ("get_minions", self.get_minions.is_some()),
            ("prep_jid", self.prep_jid.is_some()),
            ("returner", self.returner.is_some()),
            ("save_load", self.save_load.is_some()),
            ("save_minions", self.save_minions.is_some()),
            ("update_endtime", self.update_endtime.is_some()),
        ];
        has.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect()
    }

    /// The parameters of a function of stock's interface, and the defaults of the last of them.
    pub fn parameters(function: &str) -> (&'static [&'static str], Vec<Value>) {
        match function {
            "returner" => (&["ret"], Vec::new()),
            "event_return" => (&["events"], Vec::new()),
            "prep_jid" => (&["nocache", "passed_jid"], vec![false.into(), Value::Nil]),
            "save_load" => (&["jid", "load", "minions"], vec![Value::Nil]),
            "save_minions" => (&["jid", "minions", "syndic_id"], vec![Value::Nil]),
            "get_load" | "get_jid" | "get_endtime" => (&["jid"], Vec::new()),
            "get_fun" => (&["fun"], Vec::new()),
            "get_jids_filter" => (&["count", "filter_find_job"], vec![true.into()]),
            "update_endtime" => (&["jid", "time"], Vec::new()),
            _ => (&[], Vec::new()),
        }
    }

    /// One of its functions, or the error that it has none: `returner.has(returner.get_load, "get_load")?`.
    ///
    /// # Errors
    /// When it does not have it.
    pub fn has<F>(&self, function: Option<F>, name: &str) -> Result<F> {
        function.ok_or_else(|| crate::missing(self.name, name))
    }
}

/// The text of an error as Python's `str(exception)` has it.
pub fn reason(error: &CallError) -> String {
    match error {
        CallError::Exception { message, .. } => message.clone(),
        other => other.to_string(),
    }
}

/// The names of returners in an option or in a job's `ret`: text with commas, or a list. Each once, in order.
pub fn names_in(value: &Value) -> Vec<String> {
    let mut names: Vec<String> = match value {
        Value::Str(text) => text.split(',').map(str::to_owned).collect(),
        Value::List(list) => list.iter().map(python_str).collect(),
        _ => Vec::new(),
    };
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| !name.is_empty() && seen.insert(name.clone()));
    names
}
