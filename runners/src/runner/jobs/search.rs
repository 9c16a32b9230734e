//! Jobs found by what they were: the filters of `jobs.list_jobs`.

use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::target::fnmatch;
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, map};
use brine_returners::Returner;

use super::{print_job, source};
use crate::client::split_input;
use crate::dates;
use crate::run::progress;

/// What is looked for; everything given must hold.
#[derive(Default)]
struct Filter {
    metadata: Option<Value>,
    function: Option<Value>,
    target: Option<Value>,
    start_time: Option<Value>,
    end_time: Option<Value>,
}

impl Filter {
    /// Whether a job's description fits, its times apart.
    fn fits(&self, job: &Map) -> bool {
        let given = |filter: &Option<Value>| filter.clone().filter(Value::truthy);
        let matches = |text: &str, patterns: &Value| {
            split_input(patterns).iter().any(|pattern| fnmatch(text, pattern))
        };
        let metadata = given(&self.metadata).is_none_or(|wanted| match (wanted, job.get("Metadata")) {
            (Value::Map(wanted), Some(Value::Map(has))) => wanted.iter().any(|(k, v)| has.get_key(k) == Some(v)),
            (Value::Map(_), _) => false,
            _ => {
                tracing::info!("The search_metadata parameter must be a dictionary");
                false
            }
        });
        let target = given(&self.target).is_none_or(|wanted| match job.get("Target") {
            Some(Value::List(targets)) => targets.iter().any(|target| matches(&python_str(target), &wanted)),
            Some(target) => matches(&python_str(target), &wanted),
            None => false,
        });
        let function = given(&self.function).is_none_or(|wanted| match job.get("Function") {
            // A job of several functions matches by any of them.
            Some(Value::List(funs)) => funs.iter().any(|fun| matches(&python_str(fun), &wanted)),
            Some(fun) => matches(&python_str(fun), &wanted),
            None => false,
        });
        metadata && target && function
    }
}

/// Keeps the jobs that began not before, or not after, a time.
fn keep_since(jobs: &mut Map, time: Option<Value>, keep: fn(std::cmp::Ordering) -> bool) -> Result<()> {
    let Some(time) = time.filter(Value::truthy) else { return Ok(()) };
    if jobs.is_empty() {
        return Ok(());
    }
    let text = match &time {
        Value::Str(text) => text.clone(),
        Value::DateTime(moment) => moment.to_string(),
        other => {
            let kind = python_type(other);
            let text = format!("Parser must be a string or character stream, not {kind}");
            return Err(CallError::Arguments(text));
        }
    };
    let now = dates::now();
    let limit = dates::parse(&text, now)?;
    if limit.zoned {
        return Err(CallError::Arguments("can't compare offset-naive and offset-aware datetimes".into()));
    }
    jobs.retain(|_, job| {
        let began = job.get("StartTime").and_then(Value::as_str).and_then(|began| dates::parse(began, now).ok());
        began.is_some_and(|began| keep(began.moment.cmp(&limit.moment)))
    });
    Ok(())
}

fn find(cx: &Cx, source: &Returner, filter: Filter) -> Result<Map> {
    let mut found = source.has(source.get_jids, "get_jids")?(cx)?;
    found.retain(|_, job| job.as_map().is_some_and(|job| filter.fits(job)));
    keep_since(&mut found, filter.start_time, std::cmp::Ordering::is_ge)?;
    keep_since(&mut found, filter.end_time, std::cmp::Ordering::is_le)?;
    Ok(found)
}

fn begin(cx: &Cx, ext_source: Option<&str>, display_progress: bool) -> Result<&'static Returner> {
    let source = source(cx, ext_source)?;
    if display_progress {
        progress(cx, map! {"message" => format!("Querying returner {} for jobs.", source.name)})?;
    }
    Ok(source)
}

fn wrapped(outputter: Option<Value>, data: impl Into<Value>) -> Value {
    match outputter.filter(Value::truthy) {
        Some(outputter) => map! {"outputter" => outputter, "data" => data.into()}.into(),
        None => data.into(),
    }
}

/// The jobs that the store knows. Those alone that fit: `search_function` and `search_target` are patterns, several with
/// commas or as a list, `search_metadata` a dict of which one entry must be in the job's, `start_time` and `end_time`
/// dates in about any form.
///
/// CLI Example: salt-run jobs.list_jobs search_function='test.*' start_time='2015, Mar 16 19:00'
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn list_jobs(
    cx: &Cx,
    ext_source: Option<String>,
    outputter: Option<Value>,
    search_metadata: Option<Value>,
    search_function: Option<Value>,
    search_target: Option<Value>,
    start_time: Option<Value>,
    end_time: Option<Value>,
    #[default(false)] display_progress: bool,
) -> Result {
    let source = begin(cx, ext_source.as_deref(), display_progress)?;
    let filter = Filter {
        metadata: search_metadata,
        function: search_function,
        target: search_target,
        start_time,
        end_time,
    };
    Ok(wrapped(outputter, find(cx, source, filter)?))
}

/// The newest so many jobs; questions for jobs are left out unless `filter_find_job` is false.
///
/// CLI Example: salt-run jobs.list_jobs_filter 50
#[exec]
pub(super) fn list_jobs_filter(
    cx: &Cx,
    count: usize,
    #[default(true)] filter_find_job: bool,
    ext_source: Option<String>,
    outputter: Option<Value>,
    #[default(false)] display_progress: bool,
) -> Result {
    let source = begin(cx, ext_source.as_deref(), display_progress)?;
    let Some(get_jids_filter) = source.get_jids_filter else {
        let text = format!("'{}.get_jids_filter' returner function not implemented yet.", source.name);
        return Err(CallError::exception("NotImplementedError", text));
    };
    Ok(wrapped(outputter, get_jids_filter(cx, count, filter_find_job)?))
}

/// The last job that fits, with its returns; `False` if there is none.
///
/// CLI Example: salt-run jobs.last_run target=nodename function='cmd.run'
#[exec]
pub(super) fn last_run(
    cx: &Cx,
    ext_source: Option<String>,
    outputter: Option<Value>,
    metadata: Option<Value>,
    function: Option<Value>,
    target: Option<Value>,
    #[default(false)] display_progress: bool,
) -> Result {
    if metadata.as_ref().is_some_and(|given| given.truthy() && given.as_map().is_none()) {
        tracing::info!("The metadata parameter must be specified as a dictionary");
        return Ok(false.into());
    }
    let source = begin(cx, ext_source.as_deref(), display_progress)?;
    let found = find(cx, source, Filter { metadata, function, target, ..Filter::default() })?;
    match found.keys().filter_map(Value::as_str).max() {
        Some(last) => Ok(wrapped(outputter, print_job(cx, last.to_owned(), ext_source)?)),
        None => Ok(false.into()),
    }
}
