//! A connection to PostgreSQL for blocking code: statements with bound text, rows of text, one transaction at a time.

mod select;
mod stream;

use crate::Row;
use crate::{CONNECT, Check, Fault, Keep, Kept, Lent, MAX_REPLY, REPLY, Tls};
use brine_core::Secret;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use stream::{Bounded, Connector, Socket};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config};

/// PostgreSQL's `sslmode`s, with libpq's meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// No TLS.
    Disable,
    /// TLS where the server demands it.
    Allow,
    /// TLS where the server has it.
    #[default]
    Prefer,
    /// TLS; with a file of certificates as [`Mode::VerifyCa`].
    Require,
    /// TLS, the certificate signed by who is trusted.
    VerifyCa,
    /// The same, and made out to the name of the server.
    VerifyFull,
}

impl Mode {
    /// By its name.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "disable" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }

    /// In which ways to connect, in turn.
    fn ways(self) -> &'static [SslMode] {
        match self {
            Self::Disable => &[SslMode::Disable],
            Self::Allow => &[SslMode::Disable, SslMode::Require],
            Self::Prefer => &[SslMode::Prefer, SslMode::Disable],
            Self::Require | Self::VerifyCa | Self::VerifyFull => &[SslMode::Require],
        }
    }

    /// A file of certificates makes `require` the same as `verify-ca`.
    fn check(self, has_ca: bool) -> Check {
        match self {
            Self::VerifyFull => Check::Full,
            Self::VerifyCa => Check::Chain,
            Self::Require if has_ca => Check::Chain,
            _ => Check::Nothing,
        }
    }
}

/// What is needed to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Names with commas between them, tried in turn; one that begins with a slash is the directory of a socket.
    pub hosts: String,
    /// The port; in the name of a socket, too.
    pub port: u16,
    /// Who to be.
    pub user: String,
    /// The password; empty for none.
    pub password: Secret,
    /// The database.
    pub db: String,
    /// How long connecting may take, if not as usual.
    pub connect_timeout: Option<Duration>,
    /// Whether and how TLS is used.
    pub mode: Mode,
    /// The file of the certificates that are trusted, instead of the system's.
    pub ca: Option<PathBuf>,
    /// The file of those that are not any more.
    pub crl: Option<PathBuf>,
    /// The file of the client's own certificate.
    pub cert: Option<PathBuf>,
    /// The file of its key, if it is not in `cert`.
    pub key: Option<PathBuf>,
}

/// A connection.
pub struct Pg {
    runtime: Runtime,
    client: Option<Client>,
    task: Option<JoinHandle<()>>,
    left: Arc<AtomicUsize>,
    in_transaction: bool,
}

/// A connection for one call.
pub type Call = Lent<Settings, Pg>;

static KEPT: Kept<Settings, Pg> = Kept::new();

impl Keep for Pg {
    /// An empty statement does nothing, and shows that somebody answers.
    fn is_fresh(&mut self) -> bool {
        !self.in_transaction && self.simple("").is_ok()
    }
}

/// A connection for one call.
pub fn lend(settings: &Settings) -> Result<Call, Fault> {
    KEPT.lend(settings, Pg::connect)
}

impl Pg {
    fn connect(settings: &Settings) -> Result<Self, Fault> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let mut pg = Self {
            runtime: builder.enable_all().build()?,
            client: None,
            task: None,
            left: Arc::new(AtomicUsize::new(MAX_REPLY)),
            in_transaction: false,
        };
        let mut why = Fault::Connect(settings.hosts.clone(), "no host".into());
        for host in settings.hosts.split(',') {
            // A socket has no TLS.
            let ways = if host.starts_with('/') { &[SslMode::Disable] } else { settings.mode.ways() };
            for way in ways {
                match pg.attempt(settings, host, *way) {
                    Ok(()) => return Ok(pg),
                    Err(e) => why = Fault::Connect(format!("{host}:{}", settings.port), e),
                }
            }
        }
        Err(why)
    }

    fn attempt(&mut self, settings: &Settings, host: &str, way: SslMode) -> Result<(), String> {
        let within = settings.connect_timeout.unwrap_or(CONNECT);
        let mut config = Config::new();
        config.user(&settings.user).dbname(&settings.db).ssl_mode(way);
        if !settings.password.reveal().is_empty() {
            config.password(settings.password.reveal());
        }
        let tls = Tls {
            ca: settings.ca.clone(),
            crl: settings.crl.clone(),
            cert: settings.cert.clone(),
            key: settings.key.clone(),
            check: settings.mode.check(settings.ca.is_some()),
        };
        let connector = match way {
            SslMode::Disable => None,
            _ => Some(Connector::new(host, tls.config().map_err(|e| e.to_string())?)?),
        };
        let left = Arc::clone(&self.left);
        let whole = async {
            let socket = Socket::open(host, settings.port).await.map_err(|e| e.to_string())?;
            let bounded = Bounded::new(socket, left);
            let connected = match connector {
                None => {
                    let (client, connection) =
                        config.connect_raw(bounded, tokio_postgres::NoTls).await.map_err(|e| said(&e))?;
                    (client, tokio::spawn(async { drop(connection.await) }))
                }
                Some(connector) => {
                    let (client, connection) =
                        config.connect_raw(bounded, connector).await.map_err(|e| said(&e))?;
                    (client, tokio::spawn(async { drop(connection.await) }))
                }
            };
            Ok::<_, String>(connected)
        };
        let done = self.runtime.block_on(async { tokio::time::timeout(within, whole).await });
        let (client, task) = done.map_err(|_| format!("timeout expired ({} s)", within.as_secs()))??;
        self.client = Some(client);
        self.task = Some(task);
        Ok(())
    }

    /// A statement with a text for each `$1`, `$2`, ...; its rows, whose columns must be text.
    pub fn query(&mut self, sql: &str, params: &[&str]) -> Result<Vec<Row>, Fault> {
        self.left.store(MAX_REPLY, Ordering::Relaxed);
        let client = self.client.as_ref().ok_or(Fault::Nonsense("no connection"))?;
        let params: Vec<&(dyn ToSql + Sync)> =
            params.iter().map(|text| text as &(dyn ToSql + Sync)).collect();
        let rows = timed(&self.runtime, client.query(sql, &params))?.map_err(|e| self.fault(&e))?;
        let text = |row: &tokio_postgres::Row| {
            (0..row.len()).map(|i| row.try_get::<_, Option<String>>(i)).collect::<Result<Row, _>>()
        };
        rows.iter()
            .map(text)
            .collect::<Result<_, _>>()
            .map_err(|_| Fault::Nonsense("a column that is no text"))
    }

    /// A statement without parameters and rows.
    pub fn simple(&mut self, sql: &str) -> Result<(), Fault> {
        self.left.store(MAX_REPLY, Ordering::Relaxed);
        let client = self.client.as_ref().ok_or(Fault::Nonsense("no connection"))?;
        timed(&self.runtime, client.batch_execute(sql))?.map_err(|e| self.fault(&e))
    }

    /// All that the function does, or nothing of it.
    pub fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.in_transaction = true;
        self.simple("BEGIN")?;
        let result = work(self);
        let ended = self.simple(if result.is_ok() { "COMMIT" } else { "ROLLBACK" });
        self.in_transaction = ended.is_err();
        let result = result?;
        ended.map(|()| result)
    }

    fn fault(&self, e: &tokio_postgres::Error) -> Fault {
        if self.left.load(Ordering::Relaxed) == 0 {
            return Fault::TooLarge(MAX_REPLY);
        }
        Fault::Refused {
            code: e.code().map(|code| code.code().to_owned()).unwrap_or_default(),
            text: said(e),
        }
    }
}

impl Drop for Pg {
    /// Says good-bye: servers log connections that just end.
    fn drop(&mut self) {
        drop(self.client.take());
        if let Some(task) = self.task.take() {
            let wait = async { tokio::time::timeout(Duration::from_secs(1), task).await };
            let _gone_anyway = self.runtime.block_on(wait);
        }
    }
}

fn timed<T>(runtime: &Runtime, work: impl Future<Output = T>) -> Result<T, Fault> {
    let timed = runtime.block_on(async { tokio::time::timeout(REPLY, work).await });
    timed.map_err(|_| Fault::Late(REPLY.as_secs()))
}

/// What the server said, as psycopg2 prints it, or what the library says of its own.
fn said(e: &tokio_postgres::Error) -> String {
    match e.as_db_error() {
        Some(db) if db.severity() == "FATAL" => format!("FATAL:  {}", db.message()),
        Some(db) => {
            db.detail().map_or_else(|| db.message().into(), |d| format!("{}\nDETAIL:  {d}", db.message()))
        }
        None => match std::error::Error::source(e) {
            Some(source) => format!("{e}: {source}"),
            None => e.to_string(),
        },
    }
}
