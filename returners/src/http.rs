//! HTTP requests that carry a text and bring one back. Certificates are verified unless an option says otherwise.

use crate::net::{CONNECT, Fault, MAX_REPLY, REPLY, Tls};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::Request;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Proxy};

/// How to reach a server.
pub(crate) struct Way {
    pub(crate) connect: Duration,
    pub(crate) whole: Duration,
    /// `http://user:password@host:port`
    pub(crate) proxy: Option<String>,
    pub(crate) tls: Tls,
    /// The largest body of an answer.
    pub(crate) most: usize,
}

impl Default for Way {
    fn default() -> Self {
        Self { connect: CONNECT, whole: REPLY, proxy: None, tls: Tls::default(), most: MAX_REPLY }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Sends requests; connections are kept for the next.
pub(crate) struct Http {
    agent: Agent,
    most: usize,
}

impl Http {
    pub(crate) fn new(way: &Way, user_agent: &str) -> Result<Self, Fault> {
        let failed = |e: String| Fault::Connect("HTTP".into(), e);
        let proxy = way.proxy.as_deref().map(Proxy::new).transpose().map_err(|e| failed(e.to_string()))?;
        let roots: Vec<_> =
            way.tls.trusted()?.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .disable_verification(way.tls.check == crate::net::Check::Nothing)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(user_agent)
            .proxy(proxy)
            .tls_config(tls)
            .timeout_connect(Some(way.connect))
            .timeout_global(Some(way.whole))
            .build();
        Ok(Self { agent: config.new_agent(), most: way.most })
    }

    /// One request. The answer is one whatever its status.
    ///
    /// # Errors
    /// When there is no answer, or one that is too large or no text.
    pub(crate) fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Reply, Fault> {
        // An address may be a secret; the library repeats it when it is none.
        let failed = |e: String| Fault::Connect(without_password(url), e.replace(url, "the address"));
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            Some(body) => self.agent.run(request.body(body).map_err(|e| failed(e.to_string()))?),
            None => self.agent.run(request.body(()).map_err(|e| failed(e.to_string()))?),
        };
        let answer = answer.map_err(|e| failed(e.to_string()))?;
        let status = answer.status().as_u16();
        let mut bytes = Vec::new();
        answer.into_body().into_reader().take(self.most as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > self.most {
            return Err(Fault::TooLarge(self.most));
        }
        let body = String::from_utf8(bytes).map_err(|_| Fault::Nonsense("text that is not UTF-8"))?;
        Ok(Reply { status, body })
    }
}

/// An address for people: the user and the password in it, and what follows the host, are left out.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    format!("{scheme}://{}", host.rsplit('@').next().unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_no_secret() {
        assert_eq!(without_password("https://u:p@h:1/services/T0/B0/xyz"), "https://h:1");
        let http = Http::new(&Way::default(), "test").unwrap();
        for url in ["http:///services/secret", "ftp://h/secret", "http://127.0.0.1:1/secret"] {
            let error = http.send("POST", url, &[], Some("")).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn an_answer_has_a_bound() {
        use std::io::Write as _;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 512];
                let _asked = stream.read(&mut head);
                let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n12345");
            }
        });
        let ask =
            |most| Http::new(&Way { most, ..Way::default() }, "test").unwrap().send("GET", &url, &[], None);
        assert_eq!(ask(5).unwrap().body, "12345");
        assert!(matches!(ask(4), Err(Fault::TooLarge(4))));
    }
}
