//! `smtp`: a mail for each return.
//!
//! The usual text of a mail is filled in here. Templates of people's own need Jinja: until there is one, they are refused,
//! and so is encryption for somebody by GnuPG. A mail is not sent instead.

mod text;

use crate::common::{port, prep_jid};
use brine_dial::Tls;
use crate::options::{Spec, options};
use brine_core::Secret;
use crate::Returner;
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use brine_dial::smtp::{Client, Mail};

pub(crate) static RETURNER: Returner = Returner {
    name: "smtp",
    doc: "Sends the return data by mail. Options, as `smtp: {host: ...}` or `smtp.host: ...`:\n\n\
          from, to (with commas), host: needed; port: 25; username, password; tls: False; subject: Email from Salt;\n\
          fields: members of the return, with commas, that are added to the subject\n\n\
          `template`, `gpgowner`, a `renderer` other than jinja, and a subject that is a template are refused. To use it: \
          salt '*' test.ping --return smtp",
    returner: Some(returner),
    event_return: Some(event_return),
    prep_jid: Some(prep_jid),
    ..Returner::NOTHING
};

fn returner(cx: &Cx, ret: &Map) -> Result<()> {
    let names = [
        "from", "to", "host", "port", "username", "password", "subject", "gpgowner", "fields", "tls", "renderer", "template",
    ];
    let spec = Spec { name: "smtp", attrs: &names.map(|name| (name, name)), defaults: Map::new(), profile: None };
    let found = options(cx, Some(ret), &spec)?;
    let option = |key: &str| found.get(key).filter(|v| v.truthy()).map(python_str);
    let needed = |key: &str| option(key).ok_or_else(|| CallError::execution(format!("smtp.{key} is needed")));
    for (key, why) in [("template", "templates are not rendered yet"), ("gpgowner", "nothing is encrypted by GnuPG")] {
        if option(key).is_some() {
            return Err(CallError::execution(format!("smtp.{key}: {why}; no mail is sent")));
        }
    }
    if let Some(renderer) = option("renderer").filter(|renderer| renderer != "jinja") {
        return Err(CallError::execution(format!("smtp.renderer: there is no '{renderer}'; no mail is sent")));
    }
    let subject = option("subject").unwrap_or_else(|| "Email from Salt".into());
    if ["{{", "{%", "{#"].iter().any(|mark| subject.contains(mark)) {
        return Err(CallError::execution("smtp.subject: templates are not rendered yet; no mail is sent"));
    }
    let fields = found.get("fields").map(python_str).unwrap_or_default();
    let (from, to) = (needed("from")?, needed("to")?);
    let to: Vec<&str> = to.split(',').collect();
    let message = text::message(&from, &to, &text::subject(subject, &fields, ret), &text::body(ret)?);
    let host = needed("host")?;
    let mut client = Client::connect(&host, port(found.get("port").filter(|v| v.truthy()), 25)?)?;
    if found.get("tls") == Some(&Value::Bool(true)) {
        client = client.start_tls(&host, Tls::default().config()?)?;
    }
    if let Some((user, password)) = option("username").zip(option("password")) {
        client.login(&user, &Secret::new(password))?;
    }
    let addresses = to.iter().map(|to| text::address(to)).collect::<Result<Vec<_>>>()?;
    Ok(client.send(&Mail { from: text::address(&from)?, to: addresses, message })?)
}

/// Every event that has data is treated as a return.
fn event_return(cx: &Cx, events: &[Value]) -> Result<()> {
    for event in events {
        if let Some(data) = event.get("data").and_then(Value::as_map).filter(|data| !data.is_empty()) {
            returner(cx, data)?;
        }
    }
    Ok(())
}
