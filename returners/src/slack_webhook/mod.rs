//! `slack_webhook`: a message to a channel of Slack for each return.

mod message;

use crate::common::port;
use brine_dial::http::{Http, Way};
use brine_dial::Fault;
use crate::options::{Spec, options};
use crate::{Returner, json};
use brine_core::call::{Cx, Result};
use brine_core::text::python_str;
use brine_core::url::quote_plus;
use brine_core::{Map, Opts, Value, map};

pub(crate) static RETURNER: Returner = Returner {
    name: "slack_webhook",
    doc: "Posts a message to Slack through an incoming webhook. Options, as `slack_webhook: {webhook: ...}` or \
          `slack_webhook.webhook: ...`:\n\n\
          webhook: what follows https://hooks.slack.com/services/, or a whole address (needed);\n\
          success_title: '{id} | Succeeded'; failure_title: '{id} | Failed': with grains in braces;\n\
          author_icon: the address of a small picture; show_tasks: False: list changed and failed states\n\n\
          `proxy_host`, `proxy_port`, `proxy_username`, `proxy_password`, `no_proxy`, `ca_bundle`, `verify_ssl`, \
          `http_connect_timeout`, `http_request_timeout` and `http_max_body` hold for it. To use it: salt '*' test.ping --return \
          slack_webhook",
    returner: Some(|cx, ret| post(cx, ret, None)),
    event_return: Some(event_return),
    ..Returner::NOTHING
};

const BASE: &str = "https://hooks.slack.com/services/";

fn post(cx: &Cx, ret: &Map, author: Option<&str>) -> Result<()> {
    let spec = Spec {
        name: "slack_webhook",
        attrs: &[
            ("webhook", "webhook"),
            ("success_title", "success_title"),
            ("failure_title", "failure_title"),
            ("author_icon", "author_icon"),
            ("show_tasks", "show_tasks"),
        ],
        defaults: map! {
            "success_title" => "{id} | Succeeded", "failure_title" => "{id} | Failed", "author_icon" => "",
            "show_tasks" => false,
        },
        profile: None,
    };
    let options = options(cx, Some(ret), &spec)?;
    let Some(webhook) = options.get("webhook").filter(|v| v.truthy()).map(python_str) else {
        tracing::error!("slack_webhook.webhook not defined in salt config");
        return Ok(());
    };
    let payload = json(&message::payload(cx, ret, &options, author)?)?;
    let url = join(&webhook);
    let http = Http::new(&way(&cx.opts, &url)?, "Salt http.query()")?;
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = format!("payload={}", quote_plus(&payload));
    // The webhook is a secret: neither it nor the library's text about it is logged.
    match http.send("POST", &url, &headers, Some(&body)) {
        Ok(reply) if reply.status == 200 && reply.body == "ok" => {}
        Ok(reply) => tracing::error!(
            "Slack incoming webhook message post result: status {}, body {:?}",
            reply.status,
            reply.body.chars().take(200).collect::<String>()
        ),
        Err(Fault::Connect(host, why)) => {
            tracing::error!("Slack incoming webhook message post result: {host}: {why}");
        }
        Err(e) => tracing::error!("Slack incoming webhook message post result: {e}"),
    }
    Ok(())
}

/// Events that are returns; those of `saltutil.find_job` are not worth a message.
fn event_return(cx: &Cx, events: &[Value]) -> Result<()> {
    for event in events {
        let Some(data) = event.get("data").and_then(Value::as_map) else { continue };
        let is_return = data.get("fun").is_some_and(|fun| !python_str(fun).contains("saltutil.find_job"));
        if let (true, Some(id)) = (is_return, data.get("id")) {
            post(cx, data, Some(&python_str(id)))?;
        }
    }
    Ok(())
}

/// An address in place of the base, or below it: Python's `urljoin`.
fn join(webhook: &str) -> String {
    if webhook.starts_with("https://") || webhook.starts_with("http://") {
        webhook.to_owned()
    } else if let Some(rest) = webhook.strip_prefix("//") {
        format!("https://{rest}")
    } else if webhook.starts_with('/') {
        format!("https://hooks.slack.com{webhook}")
    } else {
        format!("{BASE}{webhook}")
    }
}

/// What the options for HTTP say of this address.
fn way(opts: &Opts, url: &str) -> Result<Way> {
    let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or("");
    port(opts.get("proxy_port"), 0)?;
    let mut way = Way::of(opts, host);
    // The options' defaults, an hour and gigabytes, are meant for downloads.
    way.whole = way.whole.map(|whole| whole.min(brine_dial::REPLY));
    way.most = way.most.min(brine_dial::MAX_REPLY);
    Ok(way)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_webhook_is_below_slacks_address_or_one_of_its_own() {
        assert_eq!(join("T0/B0/x"), "https://hooks.slack.com/services/T0/B0/x");
        assert_eq!(join("http://127.0.0.1:8/x"), "http://127.0.0.1:8/x");
        assert_eq!(join("/x"), "https://hooks.slack.com/x");
        assert_eq!(quote_plus("a b/ä~"), "a+b%2F%C3%A4~");
    }

    #[test]
    fn the_options_for_http_hold() {
        let of = |opts: Map| way(&Opts::new(opts), "https://hooks.slack.com/x").unwrap();
        let opts = map! {"proxy_host" => "p", "proxy_port" => 3128, "proxy_username" => "u", "proxy_password" => "w"};
        assert_eq!(of(opts.clone()).proxy.as_deref(), Some("http://u:w@p:3128"));
        let mut direct = opts;
        direct.insert("no_proxy", vec!["hooks.slack.com"]);
        assert_eq!(of(direct).proxy, None);
        let of_http = |seconds: i64| {
            of(map! {
                "http_request_timeout" => seconds, "http_connect_timeout" => 2, "verify_ssl" => false,
                "http_max_body" => 1000, "ca_bundle" => "/ca.pem",
            })
        };
        assert_eq!(of_http(3600).whole, Some(brine_dial::REPLY));
        let way = of_http(7);
        assert_eq!((way.whole, way.connect, way.most), (Some(Duration::from_secs(7)), Duration::from_secs(2), 1000));
        assert_eq!(way.tls.check, brine_dial::Check::Nothing);
        assert_eq!(way.tls.ca.as_deref(), Some(std::path::Path::new("/ca.pem")));
    }
}
