//! `webhook`: a request for each batch, signed if there is a key for it.

use brine_dial::http::Http;
use brine_protocol::crypt::fingerprint::hex;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::conf::{ConfError, Hidden, Keys};
use crate::queue::Item;
use crate::sinks::http::{Login, Url, ask, client};
use crate::sinks::template::Template;
use crate::sinks::text::{date, summary};
use crate::sinks::{Around, Kind, Outcome, Sink};

pub(super) static KIND: Kind = Kind {
    name: "webhook",
    doc: "Sends a request to a server: JSON, or what a template makes of the alerts.",
    keys: &[
        ("url", "where to; with a secret in it, use url_file or url_env"),
        ("method", "POST"),
        ("headers", "more headers, by name"),
        ("content_type", "of what a template makes (application/json)"),
        ("template, template_file", "the body, in Jinja: alerts, alert (the first), status"),
        ("username, password_file, password_env", "basic authentication"),
        ("token_file, token_env", "a bearer token"),
        (
            "hmac_file, hmac_env",
            "the key of the signature: sha256= and the HMAC-SHA256 of the body, in hexadecimal",
        ),
        ("signature_header", "X-Brine-Signature-256"),
        ("ca, cert, key, verify", "TLS: whom we trust, our own certificate, and False to check nothing"),
    ],
    batch: 50,
    group_wait: None,
    rate: None,
    make,
};

struct Webhook {
    http: Http,
    url: Url,
    method: String,
    headers: Vec<(String, String)>,
    content_type: String,
    template: Option<Template>,
    login: Login,
    hmac: Option<Hidden>,
    signature_header: String,
}

fn make(keys: &mut Keys<'_>, _: &Around) -> Result<Box<dyn Sink>, ConfError> {
    let headers = keys.pairs("headers")?;
    for (name, value) in &headers {
        if matches!(
            name.to_lowercase().as_str(),
            "authorization" | "proxy-authorization" | "x-api-key" | "cookie"
        ) {
            let why =
                "a secret does not stand in the configuration: use token_file, token_env or password_file";
            return Err(keys.error(&format!("headers:{name}"), why));
        }
        let fits =
            name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') && !name.is_empty();
        if !fits || value.chars().any(char::is_control) {
            return Err(keys.error("headers", format!("{name:?} is no header")));
        }
    }
    let method = keys.text("method")?.unwrap_or_else(|| "POST".into());
    if !matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
        return Err(keys.error("method", "has to be POST, PUT or PATCH"));
    }
    Ok(Box::new(Webhook {
        url: Url::read(keys)?,
        method,
        headers,
        content_type: keys.text("content_type")?.unwrap_or_else(|| "application/json".into()),
        template: Template::read(keys)?,
        login: Login::read(keys)?,
        hmac: keys.hidden("hmac")?,
        signature_header: keys.text("signature_header")?.unwrap_or_else(|| "X-Brine-Signature-256".into()),
        http: client(keys)?,
    }))
}

/// The body that is sent without a template.
fn body(items: &[Item]) -> String {
    let alert = |item: &Item| {
        let notice = &item.notice;
        json!({
            "id": item.id, "fingerprint": notice.fingerprint(), "status": notice.status.text(), "summary": summary(notice),
            "labels": notice.labels, "annotations": notice.annotations,
            "startsAt": date(notice.starts_at), "endsAt": notice.ends_at.map(date),
        })
    };
    json!({"version": 1, "alerts": items.iter().map(alert).collect::<Vec<_>>()}).to_string()
}

fn signature(key: &[u8], body: &str) -> Result<String, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|e| e.to_string())?;
    mac.update(body.as_bytes());
    Ok(format!("sha256={}", hex(&mac.finalize().into_bytes())))
}

impl Webhook {
    fn try_send(&self, batch: &[Item]) -> Result<Outcome, String> {
        let mut headers = self.headers.clone();
        let body = match &self.template {
            None => body(batch),
            Some(template) => match template.render(batch) {
                Ok(body) => body,
                // It will not be another the next time, unless somebody puts it right: the dead can be called back then.
                Err(why) => return Ok(Outcome::Refused(why)),
            },
        };
        headers.push(("Content-Type".into(), self.content_type.clone()));
        headers.extend(self.login.header()?);
        if let Some(key) = &self.hmac {
            headers.push((self.signature_header.clone(), signature(key.get()?.reveal().as_bytes(), &body)?));
        }
        Ok(ask(&self.http, &self.method, &self.url.get()?, &headers, Some(&body))?.outcome())
    }
}

impl Sink for Webhook {
    fn send(&mut self, batch: &[Item]) -> Outcome {
        self.try_send(batch).unwrap_or_else(|why| Outcome::Retry(None, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_others() {
        // RFC 4231, test case 2.
        assert_eq!(
            signature(b"Jefe", "what do ya want for nothing?").unwrap(),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
