//! A job as `saltutil.cmd` orders it, in one dict: whom it is for, what is called, and how (all at once, in batches, some of them
//! at random); and what comes back, by minion.

use crate::batch::{Batch, Turn, batch_size, shuffle};
use crate::{Error, Job, Link, Patience, Result, wait};
use brine_core::text::python_str;
use brine_core::{Map, Opts, Value, map};
use brine_render::args::parse_input;
use std::time::Duration;

/// What the order itself says; all else goes along with the job.
const OWN: [&str; 14] = [
    "tgt",
    "fun",
    "arg",
    "timeout",
    "tgt_type",
    "ret",
    "kwarg",
    "batch",
    "subset",
    "batch_wait",
    "failhard",
    "gather_job_timeout",
    "expect_minions",
    "ssh",
];

/// Said where nobody is meant.
const NOBODY: &str = "No minions matched the target. No command was sent, no jid was assigned.";

/// Who orders.
pub struct Client<'a> {
    /// The master.
    pub link: &'a mut Link,
    /// Its options.
    pub opts: &'a Opts,
    /// Says something to the person who waits.
    pub say: &'a (dyn Fn(&str) + Send + Sync),
}

impl Client<'_> {
    /// Has it done. Of each minion `ret`, and `out`, `retcode` and `jid` as far as they are known; or `failed`, where the order
    /// expects all to return.
    ///
    /// # Errors
    /// When the master refuses or goes away, or the order makes no sense.
    pub async fn job(&mut self, order: &Map) -> Result<Map> {
        let get = |key: &str| order.get(key).filter(|v| v.truthy());
        if let Some(size) = get("batch") {
            return self.batch(order, &python_str(size)).await;
        }
        if let Some(subset) = get("subset") {
            let subset = subset.as_int().and_then(|n| usize::try_from(n).ok());
            let subset = subset.ok_or_else(|| Error::Invalid("subset is a number of minions".into()))?;
            let chosen = self.choose(order, subset).await?;
            return self.ask(order, load(order, chosen.into(), "list"), Silent::Told).await;
        }
        let (tgt, kind) = target(order);
        let silent = if get("expect_minions").is_some() { Silent::Failed } else { Silent::LeftOut };
        self.ask(order, load(order, tgt, &kind), silent).await
    }

    /// One job and the part of each minion.
    async fn ask(&mut self, order: &Map, load: Map, silent: Silent) -> Result<Map> {
        let mut all = Map::new();
        let patience = self.patience(order);
        let Some(published) = self.link.publish(load).await? else {
            (self.say)(NOBODY);
            return Ok(all);
        };
        let jid = published.jid.clone();
        let mut job = Job::new(published, patience);
        let each = |id: &str, data: Map| {
            all.insert(id, part(data));
            Ok::<(), Error>(())
        };
        wait(self.link, &mut job, each).await?;
        let expected = order.get("expect_minions").is_some_and(Value::truthy);
        let missing = job.missing();
        for id in missing.iter().filter(|_| expected).chain(job.absent()) {
            let told = match silent {
                Silent::Told => no_return(&jid, job.was_connected(id) == Some(false)),
                Silent::Failed | Silent::LeftOut => map! {"failed" => true},
            };
            all.insert(id.as_str(), told);
        }
        Ok(all)
    }

    /// Some of those that have the function, at random.
    async fn choose(&mut self, order: &Map, how_many: usize) -> Result<Vec<String>> {
        let (tgt, kind) = target(order);
        let question = map! {"fun" => "sys.list_functions"};
        let fun = order.get("fun").cloned().unwrap_or_default();
        let answers = self.ask(&question, load(&question, tgt, &kind), Silent::LeftOut).await?;
        let has = |answer: &Value| {
            answer.get("ret").and_then(Value::as_list).is_some_and(|functions| functions.contains(&fun))
        };
        let mut able: Vec<String> =
            answers.iter().filter(|(_, answer)| has(answer)).map(|(id, _)| python_str(id)).collect();
        shuffle(&mut able);
        able.truncate(how_many);
        Ok(able)
    }

    /// Some minions at a time, as `salt --batch` does it: first everybody is asked whether he is there.
    async fn batch(&mut self, order: &Map, size: &str) -> Result<Map> {
        let patience = self.patience(order);
        let (tgt, kind) = target(order);
        let question = map! {"fun" => "test.ping", "timeout" => order.get("timeout").cloned()};
        let there = self.ask(&question, load(&question, tgt, &kind), Silent::LeftOut).await?;
        let mut there: Vec<String> = there.keys().map(python_str).collect();
        there.sort();
        let mut all = Map::new();
        if there.is_empty() {
            return Ok(all);
        }
        let size = batch_size(size, there.len()).ok_or_else(|| {
            Error::Invalid(format!(
                "Invalid batch data sent: {size}\nData must be in the form of %10, 10% or 3"
            ))
        })?;
        let rest = order.get("batch_wait").and_then(Value::as_float).filter(|n| *n > 0.0).unwrap_or(0.0);
        let rest = Duration::try_from_secs_f64(rest).unwrap_or(Duration::MAX);
        let failhard = order.get("failhard").map_or_else(|| self.opts.flag("failhard"), Value::truthy);
        let mut batch = Batch::new(there, size, rest, patience);
        while let Some(turn) = batch.next(self.link).await? {
            let (id, value, bad) = match turn {
                Turn::Go(ids) => {
                    let load = load(order, ids.clone().into(), "list");
                    batch.started(ids, self.link.publish(load).await?);
                    continue;
                }
                // As in stock, who is given up counts as an empty return.
                Turn::Lost(id) => (id, Map::new().into(), false),
                Turn::Return(id, mut data) => {
                    let bad = data.get("retcode").is_some_and(Value::truthy);
                    (id, data.remove("return").unwrap_or_default(), bad)
                }
            };
            if !all.contains(&id) {
                let out = value.get("out").cloned().unwrap_or_else(|| "highstate".into());
                all.insert(id, map! {"out" => out, "ret" => value});
            }
            if bad && failhard {
                break;
            }
        }
        Ok(all)
    }

    fn patience(&self, order: &Map) -> Patience {
        let seconds = |key: &str, default: f64| {
            let given = order.get(key).and_then(Value::as_float).filter(|n| *n > 0.0);
            let n = given.or_else(|| self.opts.float(key)).unwrap_or(default);
            Duration::try_from_secs_f64(n).unwrap_or(Duration::from_secs(5))
        };
        Patience { timeout: seconds("timeout", 5.0), gather_timeout: seconds("gather_job_timeout", 10.0) }
    }
}

/// What becomes of minions that were expected and do not return.
enum Silent {
    /// Nothing, but of those in a list that nobody knows.
    LeftOut,
    /// They failed.
    Failed,
    /// The words that `salt` has for them.
    Told,
}

/// Whom an order is for.
fn target(order: &Map) -> (Value, String) {
    let kind = order.get_str("tgt_type").unwrap_or("glob").to_owned();
    (order.get("tgt").cloned().unwrap_or_default(), kind)
}

/// The publish of an order for these minions.
fn load(order: &Map, tgt: Value, tgt_type: &str) -> Map {
    let get = |key: &str| order.get(key).cloned().unwrap_or_default();
    let ret = order.get("ret").cloned().unwrap_or_else(|| "".into());
    let along = |(key, _): &(&Value, &Value)| {
        key.as_str().is_some_and(|key| !OWN.contains(&key) && !key.starts_with('_'))
    };
    let along: Map = order.iter().filter(along).map(|(key, value)| (key.clone(), value.clone())).collect();
    map! {
        "fun" => get("fun"), "arg" => arguments(get("arg"), &get("kwarg")), "tgt" => tgt, "tgt_type" => tgt_type,
        "ret" => ret, "jid" => "", "kwargs" => along,
    }
}

/// The arguments of a job: texts are read as a command line's words, and keyword arguments stand marked at the end.
fn arguments(arg: Value, kwarg: &Value) -> Vec<Value> {
    let words = match arg {
        Value::List(words) => words,
        Value::Nil => Vec::new(),
        one => vec![one],
    };
    let mut arg = Vec::new();
    for word in words {
        match word {
            Value::Str(text) => arg.extend(parse_input(&[text], &[])),
            other => arg.push(other),
        }
    }
    if let Some(kwarg) = kwarg.as_map().filter(|k| !k.is_empty()) {
        let mut marked = kwarg.clone();
        marked.insert("__kwarg__", true);
        arg.push(marked.into());
    }
    arg
}

/// One minion's part of the result.
fn part(mut data: Map) -> Map {
    let mut part = map! {"ret" => data.remove("return").unwrap_or_default()};
    for key in ["out", "retcode", "jid"] {
        if let Some(value) = data.remove(key) {
            part.insert(key, value);
        }
    }
    part
}

/// The part of a minion that did not return, as `salt` shows it.
fn no_return(jid: &str, is_away: bool) -> Map {
    let why = if is_away {
        "Minion did not return. [Not connected]".to_owned()
    } else {
        format!(
            "Minion did not return. [No response]\nThe minions may not have all finished running and any remaining minions will \
             return upon completion. To look up the return data for this job later, run the following command:\n\nsalt-run \
             jobs.lookup_jid {jid}"
        )
    };
    map! {"out" => "no_return", "ret" => why, "retcode" => 1}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_a_command_line_s_words() {
        let given = vec![Value::from("5"), "k=v".into(), Value::List(vec![1.into()])];
        let want: Vec<Value> = vec![
            5.into(),
            map! {"__kwarg__" => true, "k" => "v"}.into(),
            Value::List(vec![1.into()]),
            map! {"x" => 1, "__kwarg__" => true}.into(),
        ];
        let arg = arguments(given.into(), &map! {"x" => 1}.into());
        assert_eq!(arg.len(), want.len());
        for (got, want) in arg.iter().zip(&want) {
            assert!(got == want || got.as_map().is_some_and(|m| m.len() == 2), "{got:?} {want:?}");
        }
        assert_eq!(arguments(Value::Nil, &Value::Nil), Vec::<Value>::new());
        assert_eq!(arguments("a".into(), &Value::Nil), vec![Value::from("a")]);
    }

    #[test]
    fn what_the_order_does_not_know_goes_along_with_the_job() {
        let order = map! {"tgt" => "*", "fun" => "test.ping", "ret_config" => "alt", "ssh" => false, "_cmd_meta" => true};
        let load = load(&order, "a".into(), "list");
        assert_eq!(load.get("kwargs"), Some(&map! {"ret_config" => "alt"}.into()));
        assert_eq!(load.get_str("tgt"), Some("a"));
    }
}
