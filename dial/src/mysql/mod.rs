//! A connection to MySQL or MariaDB: the handshake, statements with bound text, rows of text.

mod auth;
mod packet;
mod select;

use crate::Row;
use crate::{CONNECT, Fault, Keep, Kept, Lent, Tls, Wire};
use brine_core::Secret;
use packet::{Fields, Packets, put_string};
use std::path::{Path, PathBuf};

/// What is needed to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A name, an address, or the path of a socket; `localhost` is the usual socket where there is one.
    pub host: String,
    /// The port, for TCP.
    pub port: u16,
    /// Who to be.
    pub user: String,
    /// The password; empty for none.
    pub password: Secret,
    /// The database; empty for none.
    pub db: String,
    /// TLS, which the server then must have.
    pub tls: Option<Tls>,
}

/// Where a server on this host listens for those who ask for `localhost`, as MySQL's own client has it.
const SOCKETS: [&str; 3] = ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"];

const LONG_PASSWORD: u32 = 1;
const CONNECT_WITH_DB: u32 = 1 << 3;
const PROTOCOL_41: u32 = 1 << 9;
const SSL: u32 = 1 << 11;
const TRANSACTIONS: u32 = 1 << 13;
const SECURE_CONNECTION: u32 = 1 << 15;
const PLUGIN_AUTH: u32 = 1 << 19;
const OURS: u32 =
    LONG_PASSWORD | CONNECT_WITH_DB | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | PLUGIN_AUTH;
/// utf8mb4_general_ci
const CHARSET: u8 = 45;

/// A connection. Nothing is committed but by `COMMIT`.
pub struct Client {
    packets: Packets,
    /// The last statement, which is likely to be the next: its text, id, and number of parameters.
    prepared: Option<(String, u32, usize)>,
    /// A reply was not read to its end: what comes next belongs to it.
    broken: bool,
}

/// A connection for one call.
pub type Call = Lent<Settings, Client>;

static KEPT: Kept<Settings, Client> = Kept::new();

impl Keep for Client {
    /// What was not committed is gone, and what is read from now on is new.
    fn is_fresh(&mut self) -> bool {
        !self.broken && self.simple("ROLLBACK").is_ok()
    }
}

/// A connection for one call.
pub fn lend(settings: &Settings) -> Result<Call, Fault> {
    KEPT.lend(settings, Client::connect)
}

impl Client {
    fn connect(settings: &Settings) -> Result<Self, Fault> {
        let socket =
            SOCKETS.iter().map(PathBuf::from).find(|path| settings.host == "localhost" && path.exists());
        let wire = match (&socket, settings.host.starts_with('/')) {
            (Some(path), _) => Wire::unix(path)?,
            (None, true) => Wire::unix(Path::new(&settings.host))?,
            (None, false) => Wire::tcp(&settings.host, settings.port, CONNECT)?,
        };
        let mut client = Self { packets: greet(wire, settings)?, prepared: None, broken: false };
        client.simple("SET autocommit=0")?;
        Ok(client)
    }

    fn noted<T>(&mut self, result: Result<T, Fault>) -> Result<T, Fault> {
        self.broken |= result.as_ref().is_err_and(|e| !matches!(e, Fault::Refused { .. }));
        result
    }

    /// A statement without parameters and rows.
    pub fn simple(&mut self, sql: &str) -> Result<(), Fault> {
        let result = self.ask(sql);
        self.noted(result)
    }

    /// A statement with a text for each `?`; its rows.
    pub fn execute(&mut self, sql: &str, params: &[&str]) -> Result<Vec<Row>, Fault> {
        let result = self.ask_with(sql, params);
        self.noted(result)
    }

    fn ask(&mut self, sql: &str) -> Result<(), Fault> {
        self.packets.command(&[b"\x03", sql.as_bytes()].concat())?;
        match self.packets.read()?.first() {
            Some(0) => Ok(()),
            _ => Err(Fault::Nonsense("rows where none are due")),
        }
    }

    fn ask_with(&mut self, sql: &str, params: &[&str]) -> Result<Vec<Row>, Fault> {
        let columns = self.run(sql, params)?;
        self.rows(&columns, text)
    }

    /// Runs a statement with a text for each `?`; its columns, none where it has no rows.
    fn run(&mut self, sql: &str, params: &[&str]) -> Result<Vec<Column>, Fault> {
        let (id, count) = self.prepare(sql)?;
        if count != params.len() {
            return Err(Fault::Nonsense("another number of parameters"));
        }
        let mut data = vec![0x17];
        data.extend_from_slice(&id.to_le_bytes());
        data.extend_from_slice(&[0, 1, 0, 0, 0]);
        if !params.is_empty() {
            // No parameter is NULL, all have types, and they are VAR_STRING.
            data.extend(std::iter::repeat_n(0, params.len().div_ceil(8)));
            data.push(1);
            data.extend(std::iter::repeat_n([0xfd, 0], params.len()).flatten());
            params.iter().for_each(|text| put_string(&mut data, text.as_bytes()));
        }
        self.packets.command(&data)?;
        let packet = self.packets.read()?;
        let columns = match packet.first() {
            Some(0) => return Ok(Vec::new()),
            Some(0xfb) => return Err(Fault::Nonsense("the server asks for a file")),
            _ => usize::try_from(Fields(&packet).number()?).map_err(|_| Fault::Nonsense("columns"))?,
        };
        self.columns(columns)
    }

    /// The rows of a statement that was run, each value read as its column says; `None` is NULL.
    fn rows<T>(
        &mut self,
        columns: &[Column],
        value: impl Fn(&mut Fields<'_>, &Column) -> Result<T, Fault>,
    ) -> Result<Vec<Vec<Option<T>>>, Fault> {
        let mut rows = Vec::new();
        if columns.is_empty() {
            return Ok(rows);
        }
        loop {
            let packet = self.packets.read()?;
            match packet.first() {
                Some(0xfe) if packet.len() < 9 => return Ok(rows),
                Some(0) => rows.push(row(&packet[1..], columns, &value)?),
                _ => return Err(Fault::Nonsense("a row that is none")),
            }
        }
    }

    fn prepare(&mut self, sql: &str) -> Result<(u32, usize), Fault> {
        if let Some((text, id, count)) = &self.prepared
            && text == sql
        {
            return Ok((*id, *count));
        }
        if let Some((_, id, _)) = self.prepared.take() {
            // The server does not answer this.
            self.packets.command(&[&b"\x19"[..], &id.to_le_bytes()].concat())?;
        }
        self.packets.command(&[b"\x16", sql.as_bytes()].concat())?;
        let packet = self.packets.read()?;
        let mut fields = Fields(packet.get(1..).unwrap_or_default());
        let id = fields.u32()?;
        let (columns, params) = (usize::from(fields.u16()?), usize::from(fields.u16()?));
        self.columns(params)?;
        self.columns(columns)?;
        self.prepared = Some((sql.to_owned(), id, params));
        Ok((id, params))
    }

    /// Reads what describes columns, and the end of it.
    fn columns(&mut self, count: usize) -> Result<Vec<Column>, Fault> {
        let mut columns = Vec::new();
        if count == 0 {
            return Ok(columns);
        }
        for _ in 0..count {
            let packet = self.packets.read()?;
            let mut fields = Fields(&packet);
            for _ in 0..4 {
                fields.string()?;
            }
            let name = String::from_utf8_lossy(fields.string()?).into_owned();
            fields.string()?;
            fields.bytes(1)?;
            let charset = fields.u16()?;
            fields.bytes(4)?;
            columns.push(Column { name, charset, kind: fields.u8()?, flags: fields.u16()? });
        }
        match self.packets.read()?.first() {
            Some(0xfe) => Ok(columns),
            _ => Err(Fault::Nonsense("columns without end")),
        }
    }
}

/// What is known of a column.
struct Column {
    name: String,
    kind: u8,
    charset: u16,
    flags: u16,
}

impl Drop for Client {
    /// Says good-bye: servers log connections that just end.
    fn drop(&mut self) {
        let _gone_anyway = self.packets.command(b"\x01");
    }
}

fn row<T>(
    data: &[u8],
    columns: &[Column],
    value: impl Fn(&mut Fields<'_>, &Column) -> Result<T, Fault>,
) -> Result<Vec<Option<T>>, Fault> {
    let mut fields = Fields(data);
    let nulls = fields.bytes((columns.len() + 9) / 8)?;
    let mut out = Vec::with_capacity(columns.len());
    for (i, column) in columns.iter().enumerate() {
        let null = nulls[(i + 2) / 8] & (1 << ((i + 2) % 8)) != 0;
        out.push(if null { None } else { Some(value(&mut fields, column)?) });
    }
    Ok(out)
}

/// A value that comes as text: DECIMAL, VARCHAR, JSON, NEWDECIMAL, the BLOBs and TEXTs, VAR_STRING, STRING.
fn text(fields: &mut Fields<'_>, column: &Column) -> Result<String, Fault> {
    if !matches!(column.kind, 0 | 0x0f | 0xf5 | 0xf6 | 0xf9..=0xfe) {
        return Err(Fault::Nonsense("a column that is no text"));
    }
    String::from_utf8(fields.string()?.to_vec()).map_err(|_| Fault::Nonsense("text that is not UTF-8"))
}

/// From the server's greeting until it has let us in.
fn greet(wire: Wire, settings: &Settings) -> Result<Packets, Fault> {
    let mut packets = Packets::new(wire);
    let packet = packets.read()?;
    let mut fields = Fields(&packet);
    if fields.u8()? != 10 {
        return Err(Fault::Nonsense("another protocol"));
    }
    fields.zero_ended();
    fields.bytes(4)?;
    let mut random = fields.bytes(8)?.to_vec();
    fields.bytes(1)?;
    let low = fields.u16()?;
    fields.bytes(3)?;
    let theirs = u32::from(low) | u32::from(fields.u16()?) << 16;
    let length = usize::from(fields.u8()?);
    fields.bytes(10)?;
    random.extend_from_slice(fields.bytes(length.saturating_sub(8).max(13))?);
    random.truncate(20);
    let named = String::from_utf8_lossy(fields.zero_ended()).into_owned();
    let method = if theirs & PLUGIN_AUTH == 0 { "mysql_native_password".to_owned() } else { named };
    if theirs & PROTOCOL_41 == 0 {
        return Err(Fault::Nonsense("a server that is too old"));
    }
    let mut flags = OURS & theirs;
    if let Some(tls) = settings.tls.as_ref().filter(|_| !packets.wire.is_private()) {
        if theirs & SSL == 0 {
            return Err(Fault::Connect(settings.host.clone(), "the server has no TLS".into()));
        }
        flags |= SSL;
        packets.send(&head(flags))?;
        packets = packets.in_tls(&settings.host, tls)?;
    }
    // A method that we do not know is answered as another: the server then says which it wants.
    let answer = |method: &str| auth::answer(method, &settings.password, &random, packets.wire.is_private());
    let (method, first) = match answer(&method) {
        Ok(first) => (method, first),
        Err(_) => ("mysql_native_password".to_owned(), answer("mysql_native_password")?),
    };
    let mut data = head(flags);
    data.extend_from_slice(settings.user.as_bytes());
    data.push(0);
    put_string(&mut data, &first);
    data.extend_from_slice(settings.db.as_bytes());
    data.push(0);
    data.extend_from_slice(method.as_bytes());
    data.push(0);
    packets.send(&data)?;
    auth::finish(&mut packets, &method, &settings.password, &random)?;
    Ok(packets)
}

/// What a request for TLS consists of, and every answer begins with.
fn head(flags: u32) -> Vec<u8> {
    let mut data = flags.to_le_bytes().to_vec();
    data.extend_from_slice(&(1u32 << 30).to_le_bytes());
    data.push(CHARSET);
    data.extend_from_slice(&[0; 23]);
    data
}
