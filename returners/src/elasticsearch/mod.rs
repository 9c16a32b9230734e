//! `elasticsearch`: returns, events and jobs as documents of Elasticsearch, in the indexes of stock's module.

mod client;
mod document;

use crate::common::{prep_jid, required};
use crate::loads::loads;
use crate::options::{Spec, options};
use crate::{Returner, json};
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value, clock, map};
use client::Client;

pub(crate) static RETURNER: Returner = Returner {
    name: "elasticsearch",
    doc: "Indexes returns, events and jobs in Elasticsearch. Options below `elasticsearch`:\n\n\
          hosts (or host): 127.0.0.1:9200, text or a list; use_ssl; verify_certs; ca_certs: a file; username; \
          password; timeout: 10; proxies;\n\
          debug_returner_payload: False; doc_type: default; functions_blacklist; index_date: False;\n\
          master_event_index: salt-master-event-cache; master_event_doc_type: default;\n\
          master_job_cache_index: salt-master-job-cache; master_job_cache_doc_type: default;\n\
          number_of_shards: 1; number_of_replicas: 0;\n\
          states_count, states_order_output, states_single_index: False\n\n\
          To use it: salt '*' test.ping --return elasticsearch",
    returner: Some(returner),
    event_return: Some(event_return),
    prep_jid: Some(prep_jid),
    save_load: Some(save_load),
    get_load: Some(get_load),
    ..Returner::NOTHING
};

const NAMES: [&str; 13] = [
    "debug_returner_payload",
    "doc_type",
    "functions_blacklist",
    "index_date",
    "master_event_index",
    "master_event_doc_type",
    "master_job_cache_index",
    "master_job_cache_doc_type",
    "number_of_shards",
    "number_of_replicas",
    "states_count",
    "states_order_output",
    "states_single_index",
];

/// The options of stock's returner module; those of a connection are the client's.
struct Settings(Map);

impl Settings {
    fn of(cx: &Cx, ret: Option<&Map>) -> Result<Self> {
        let spec = Spec {
            name: "elasticsearch",
            attrs: &NAMES.map(|name| (name, name)),
            defaults: map! {
                "debug_returner_payload" => false, "doc_type" => "default", "functions_blacklist" => Vec::<Value>::new(),
                "index_date" => false, "master_event_index" => "salt-master-event-cache",
                "master_event_doc_type" => "default", "master_job_cache_index" => "salt-master-job-cache",
                "master_job_cache_doc_type" => "default", "number_of_shards" => 1, "number_of_replicas" => 0,
                "states_order_output" => false, "states_count" => false, "states_single_index" => false,
            },
            profile: None,
        };
        options(cx, ret, &spec).map(Self)
    }

    fn flag(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(Value::truthy)
    }

    fn text(&self, key: &str) -> String {
        self.0.get(key).map(python_str).unwrap_or_default()
    }

    /// The name of an index, with today's date where that is asked for.
    fn dated(&self, index: String) -> String {
        if self.flag("index_date") { format!("{index}-{}", clock::Clock::now().strftime("%Y.%m.%d")) } else { index }
    }
}

/// Makes an index and its alias if there is none of that name.
fn ensure_index(client: &Client, settings: &Settings, index: &str) -> Result<()> {
    if client.exists(index)? {
        return Ok(());
    }
    let number = |key: &str| settings.0.get(key).cloned().unwrap_or(Value::Nil);
    let shape = map! {"settings" => map! {
        "number_of_shards" => number("number_of_shards"), "number_of_replicas" => number("number_of_replicas"),
    }};
    let first = format!("{index}-v1");
    client.create(&first, &json(&shape.into())?)?;
    client.alias(&first, index)
}

fn returner(cx: &Cx, ret: &Map) -> Result<()> {
    let settings = Settings::of(cx, Some(ret))?;
    let fun = python_str(required(ret, "fun")?);
    let jid = python_str(required(ret, "jid")?);
    let listed = settings.0.get("functions_blacklist").and_then(Value::as_list);
    if listed.is_some_and(|list| list.iter().any(|one| one.as_str() == Some(&fun))) {
        tracing::info!(
            "Won't push new data to Elasticsearch, job with jid={jid} and function={fun} which is in the user-defined \
             list of ignored functions"
        );
        return Ok(());
    }
    let missing = |key: &str| ret.get(key).is_none_or(Value::is_nil);
    if missing("data") && missing("return") {
        tracing::info!("Won't push new data to Elasticsearch, job with jid={jid} was not successful");
        return Ok(());
    }
    let (index, document) = document::of(&settings, ret, &fun)?;
    if settings.flag("debug_returner_payload") {
        tracing::debug!("elasicsearch payload: {}", python_str(&document));
    }
    let client = Client::new(cx)?;
    ensure_index(&client, &settings, &index)?;
    client.index(&index, &settings.text("doc_type"), None, &json(&document)?)
}

/// All events; stock keeps the last of those that come together.
fn event_return(cx: &Cx, events: &[Value]) -> Result<()> {
    let settings = Settings::of(cx, None)?;
    let index = settings.dated(settings.text("master_event_index"));
    let client = Client::new(cx)?;
    ensure_index(&client, &settings, &index)?;
    for event in events {
        let part = |key: &str| event.get(key).cloned().unwrap_or_else(|| "".into());
        let body = json(&map! {"tag" => part("tag"), "data" => part("data")}.into())?;
        client.index(&index, &settings.text("master_event_doc_type"), Some(&client::uuid()?), &body)?;
    }
    Ok(())
}

fn save_load(cx: &Cx, jid: &str, load: &Map, _: Option<&[String]>) -> Result<()> {
    let settings = Settings::of(cx, None)?;
    let index = settings.text("master_job_cache_index");
    let client = Client::new(cx)?;
    ensure_index(&client, &settings, &index)?;
    let body = json(&map! {"jid" => jid, "load" => load.clone()}.into())?;
    client.index(&index, &settings.text("master_job_cache_doc_type"), Some(jid), &body)
}

fn get_load(cx: &Cx, jid: &str) -> Result<Map> {
    let settings = Settings::of(cx, None)?;
    let (index, kind) = (settings.text("master_job_cache_index"), settings.text("master_job_cache_doc_type"));
    let Some(text) = Client::new(cx)?.get(&index, &kind, jid)? else { return Ok(Map::new()) };
    let load = loads(&text)?.get("_source").and_then(|source| source.get("load")).cloned();
    match load {
        Some(Value::Map(load)) => Ok(load),
        _ => Err(CallError::exception("KeyError", "'load'")),
    }
}
