//! Requests of the drivers: a text with a bound, from servers whose certificates are verified unless the profile says otherwise.

use brine_core::Value;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Request;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The largest body of an answer.
const MOST: u64 = 64 << 20;
/// How long a whole request may take.
const WHOLE: Duration = Duration::from_secs(120);
const CONNECT: Duration = Duration::from_secs(20);

/// How certificates are verified: stock's `verify`.
#[derive(Debug)]
pub(super) enum Verify {
    /// Against the system's.
    System,
    /// Against those in a file.
    File(String),
    /// Not at all.
    No,
}

impl Verify {
    /// `True` or nothing, `False`, or a file.
    pub(super) fn of(value: Option<&Value>) -> Self {
        match value {
            Some(Value::Bool(false)) => Verify::No,
            Some(Value::Str(file)) => Verify::File(file.clone()),
            _ => Verify::System,
        }
    }
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: Option<String>,
    pub(super) body: String,
}

impl Reply {
    /// Whether it is what was asked for.
    pub(super) fn ok(&self) -> bool {
        self.status < 400
    }
}

/// One request, which follows no redirection with its headers to another host.
///
/// # Errors
/// Why there is no answer. The address is not in the text, as it may hold a secret.
pub(super) fn send(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: Option<&str>,
    verify: &Verify,
) -> Result<Reply, String> {
    let failed = |e: String| e.replace(url, "the address");
    let agent = agent(verify)?;
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let answer = match body {
        Some(body) => agent.run(request.body(body).map_err(|e| failed(e.to_string()))?),
        None => agent.run(request.body(()).map_err(|e| failed(e.to_string()))?),
    };
    let answer = answer.map_err(|e| failed(e.to_string()))?;
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let mut bytes = Vec::new();
    answer
        .into_body()
        .into_reader()
        .take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| failed(e.to_string()))?;
    if bytes.len() as u64 > MOST {
        return Err(format!("the answer has more than {MOST} bytes"));
    }
    let body = String::from_utf8(bytes).map_err(|_| "the answer is not UTF-8".to_owned())?;
    Ok(Reply { status, kind, body })
}

fn agent(verify: &Verify) -> Result<Agent, String> {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots(verify)?))
        .disable_verification(matches!(verify, Verify::No))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .tls_config(tls)
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(WHOLE))
        .build();
    Ok(config.new_agent())
}

fn roots(verify: &Verify) -> Result<Vec<Certificate<'static>>, String> {
    Ok(match verify {
        Verify::No => Vec::new(),
        Verify::System => {
            let found = rustls_native_certs::load_native_certs();
            found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
        }
        Verify::File(file) => {
            let pem = std::fs::read(Path::new(file)).map_err(|e| format!("{file}: {e}"))?;
            let items = ureq::tls::parse_pem(&pem).filter_map(|item| match item {
                Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            });
            items.collect()
        }
    })
}
