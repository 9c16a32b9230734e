//! HTTP requests. Certificates are verified unless an option says otherwise; a redirection takes no password to another host.

use crate::{CONNECT, Check, Fault, MAX_REPLY, REPLY, Tls};
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
use ureq::{Agent, Body, Proxy};

/// How to reach a server.
#[derive(Clone, Debug)]
pub struct Way {
    /// How long connecting may take.
    pub connect: Duration,
    /// How long a whole request may take, its answer read; none for as long as data comes.
    pub whole: Option<Duration>,
    /// `http://user:password@host:port`
    pub proxy: Option<String>,
    /// How certificates are checked, and the client's own.
    pub tls: Tls,
    /// The largest body of an answer that is read as text.
    pub most: usize,
}

impl Default for Way {
    fn default() -> Self {
        Self { connect: CONNECT, whole: Some(REPLY), proxy: None, tls: Tls::default(), most: MAX_REPLY }
    }
}

/// The header `Authorization` of a name and a password.
pub fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    let both = zeroize::Zeroizing::new(format!("{user}:{password}"));
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(both.as_bytes()))
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status: a redirection that was followed is not seen.
    pub status: u16,
    /// `Content-Type`
    pub kind: Option<String>,
    /// The body.
    pub body: String,
}

impl Reply {
    /// Whether it is what was asked for.
    pub fn ok(&self) -> bool {
        self.status < 400
    }
}

/// An answer whose body has yet to be read.
pub struct Stream {
    /// The status.
    pub status: u16,
    headers: ureq::http::HeaderMap,
    body: Body,
}

impl Stream {
    /// A header, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All headers that are text.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// What the status means, in words.
    pub fn reason(&self) -> &'static str {
        let status = ureq::http::StatusCode::from_u16(self.status).ok();
        status.and_then(|status| status.canonical_reason()).unwrap_or("Unknown")
    }

    /// The body, as it comes. It has no bound but that of the time.
    pub fn reader(self) -> impl Read {
        self.body.into_reader()
    }
}

/// Sends requests; connections are kept for the next.
pub struct Http {
    agent: Agent,
    most: usize,
}

impl Http {
    /// For requests that all go the same way, under this name.
    ///
    /// # Errors
    /// Certificates that cannot be read, or a proxy that is none.
    pub fn new(way: &Way, user_agent: &str) -> Result<Self, Fault> {
        let failed = |e: String| Fault::Connect("HTTP".into(), e);
        // What the library says of a proxy repeats it, with its password.
        let proxy = way.proxy.as_deref().map(Proxy::new).transpose();
        let proxy = proxy.map_err(|_| failed("the address of the proxy is none".into()))?;
        let check = way.tls.check;
        let trusted = if check == Check::Nothing { Vec::new() } else { way.tls.trusted()? };
        let roots: Vec<_> = trusted.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
        let client = client_cert(&way.tls)?;
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .client_cert(client)
            .disable_verification(check == Check::Nothing)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .user_agent(user_agent)
            .proxy(proxy)
            .tls_config(tls)
            .timeout_connect(Some(way.connect))
            .timeout_recv_response(Some(REPLY.max(way.whole.unwrap_or(REPLY))))
            .timeout_global(way.whole)
            .build();
        Ok(Self { agent: config.new_agent(), most: way.most })
    }

    /// One request. The answer is one whatever its status.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn open<N: AsRef<str>>(
        &self,
        method: &str,
        url: &str,
        headers: &[(N, N)],
        body: Option<&str>,
    ) -> Result<Stream, Fault> {
        // An address may be a secret; the library repeats it when it is none.
        let failed = |e: String| Fault::Connect(without_password(url), e.replace(url, "the address"));
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(name.as_ref(), value.as_ref());
        }
        let answer: Response<Body> = match body {
            Some(body) => self.agent.run(request.body(body).map_err(|e| failed(e.to_string()))?),
            None => self.agent.run(request.body(()).map_err(|e| failed(e.to_string()))?),
        }
        .map_err(|e| failed(e.to_string()))?;
        let (head, body) = answer.into_parts();
        Ok(Stream { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// One request, and its answer as text.
    ///
    /// # Errors
    /// When there is no answer, or one that is too large or no text.
    pub fn send<N: AsRef<str>>(
        &self,
        method: &str,
        url: &str,
        headers: &[(N, N)],
        body: Option<&str>,
    ) -> Result<Reply, Fault> {
        let answer = self.open(method, url, headers, body)?;
        let (status, kind) = (answer.status, answer.header("content-type").map(str::to_owned));
        let mut bytes = Vec::new();
        answer
            .reader()
            .take(self.most as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| io::Error::new(e.kind(), e.to_string().replace(url, "the address")))?;
        if bytes.len() > self.most {
            return Err(Fault::TooLarge(self.most));
        }
        let body = String::from_utf8(bytes).map_err(|_| Fault::Nonsense("text that is not UTF-8"))?;
        Ok(Reply { status, kind, body })
    }
}

/// The client's own certificate. The library takes a key as PEM alone.
fn client_cert(tls: &Tls) -> Result<Option<ClientCert>, Fault> {
    let Some((chain, _)) = tls.identity()? else { return Ok(None) };
    let Some(file) = tls.key.as_ref().or(tls.cert.as_ref()) else { return Ok(None) };
    let unusable = |e: String| Fault::Connect(file.display().to_string(), e);
    let pem = zeroize::Zeroizing::new(std::fs::read(file).map_err(|e| unusable(e.to_string()))?);
    let key = PrivateKey::from_pem(&pem).map_err(|e| unusable(e.to_string()))?;
    let chain: Vec<_> = chain.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    Ok(Some(ClientCert::new_with_certs(&chain, key)))
}

/// An address for people: the user and the password in it, and what follows the host, are left out.
pub fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    format!("{scheme}://{}", host.rsplit('@').next().unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_HEADERS: &[(&str, &str)] = &[];

    #[test]
    fn an_address_tells_no_secret() {
        assert_eq!(without_password("https://u:p@h:1/services/T0/B0/xyz"), "https://h:1");
        let http = Http::new(&Way::default(), "test").unwrap();
        for url in ["http:///services/secret", "ftp://h/secret", "http://127.0.0.1:1/secret"] {
            let error = http.send("POST", url, NO_HEADERS, Some("")).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        let proxy = Way { proxy: Some("nothing://u:secret@h".into()), ..Way::default() };
        assert!(!Http::new(&proxy, "test").err().unwrap().to_string().contains("secret"));
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
                let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nETag: x\r\n\r\n12345");
            }
        });
        let http = |most| Http::new(&Way { most, ..Way::default() }, "test").unwrap();
        assert_eq!(http(5).send("GET", &url, NO_HEADERS, None).unwrap().body, "12345");
        assert!(matches!(http(4).send("GET", &url, NO_HEADERS, None), Err(Fault::TooLarge(4))));
        // As it comes, there is none.
        let stream = http(4).open("GET", &url, NO_HEADERS, None).unwrap();
        assert_eq!((stream.status, stream.header("etag")), (200, Some("x")));
        let mut all = String::new();
        stream.reader().read_to_string(&mut all).unwrap();
        assert_eq!(all, "12345");
    }

    /// Tells what each request said of who sends it.
    fn server(answer: impl Fn() -> String + Send + 'static) -> (String, std::sync::mpsc::Receiver<bool>) {
        use std::io::Write as _;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 2048];
                let read = stream.read(&mut head).unwrap_or(0);
                let text = String::from_utf8_lossy(&head[..read]).to_lowercase();
                let _gone = stream.write_all(answer().as_bytes());
                let _nobody = tell.send(text.contains("authorization"));
            }
        });
        (url, told)
    }

    #[test]
    fn a_redirection_takes_no_password_along() {
        let ok = || "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".to_owned();
        let (elsewhere, told) = server(ok);
        // The same machine under another name is another host.
        let to = elsewhere.replace("127.0.0.1", "localhost");
        let moved = format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let (here, first) = server(move || moved.clone());
        let http = Http::new(&Way::default(), "test").unwrap();
        let reply = http.send("GET", &here, &[("Authorization", "Basic c2VjcmV0")], None).unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (200, "ok"));
        assert_eq!((first.recv().unwrap(), told.recv().unwrap()), (true, false));
    }
}
