//! `csv`: the row of a minion in a table, read as Python's `csv.DictReader` reads it.

use super::{Asked, Source};
use brine_python::{Args, Dict, Kind, Obj, PyErr, R, Signature, contains, eq, getitem, truth};

pub(super) const SOURCE: Source = Source { name: "csv", run };

const SIGNATURE: Signature = Signature::new(
    "ext_pillar",
    2,
    &["mid", "pillar", "path", "idkey", "namespace", "fieldnames", "restkey", "restval", "dialect"],
    3,
);

/// The longest field that Python reads.
const LONGEST: usize = 131_072;

fn run(asked: &Asked<'_>, args: &Args) -> R {
    let a = SIGNATURE.bind(args)?;
    let path = a.at(0).as_str().ok_or_else(|| PyErr::ty("path is no text"))?;
    let idkey = a.get(1).cloned().unwrap_or_else(|| Obj::str("id"));
    let dialect = Dialect::find(a.get(6))?;
    let bytes = std::fs::read(path).map_err(|e| {
        let text = match e.kind() {
            std::io::ErrorKind::NotFound => format!("[Errno 2] No such file or directory: '{path}'"),
            std::io::ErrorKind::PermissionDenied => format!("[Errno 13] Permission denied: '{path}'"),
            _ => format!("{e}: '{path}'"),
        };
        PyErr::new(Kind::Other("OSError"), text)
    })?;
    let text = brine_python::decode_utf8(bytes)?;
    let mut rows = Reader { dialect, lines: Lines(&text) };
    let names = match a.some(3) {
        Some(names) => names.items()?,
        None => match rows.next()? {
            Some(names) => names,
            None => return Ok(Dict::new().into()),
        },
    };
    while let Some(row) = rows.next()? {
        if row.is_empty() {
            continue;
        }
        let dict = Dict::new();
        for (name, field) in names.iter().zip(&row) {
            dict.set(name.clone(), field.clone())?;
        }
        if row.len() > names.len() {
            dict.set(a.at(4).clone(), Obj::list(row[names.len()..].to_vec()))?;
        }
        for name in names.iter().skip(row.len()) {
            dict.set(name.clone(), a.at(5).clone())?;
        }
        let dict = Obj::from(dict);
        if !contains(&dict, &idkey)? {
            return Err(PyErr::key(&idkey));
        }
        if eq(&getitem(&dict, &idkey)?, &Obj::str(asked.id))? {
            let Some(namespace) = a.some(2).filter(|n| truth(n).unwrap_or(false)) else { return Ok(dict) };
            let outer = Dict::new();
            outer.set(namespace.clone(), dict)?;
            return Ok(outer.into());
        }
    }
    Ok(Dict::new().into())
}

/// How fields are told apart. All of Python's own dialects quote with `"`, and double it.
struct Dialect {
    delimiter: char,
}

impl Dialect {
    fn find(name: Option<&Obj>) -> R<Self> {
        match name.map(|name| name.as_str().unwrap_or_default()) {
            None | Some("excel" | "unix") => Ok(Self { delimiter: ',' }),
            Some("excel-tab") => Ok(Self { delimiter: '\t' }),
            Some(_) => Err(PyErr::new(Kind::Other("Error"), "unknown dialect")),
        }
    }
}

/// Lines with their ends, which are `\n`, `\r\n` or `\r`.
struct Lines<'a>(&'a str);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let end = match self.0.find(['\n', '\r']) {
            Some(at) if self.0[at..].starts_with("\r\n") => at + 2,
            Some(at) => at + 1,
            None => self.0.len(),
        };
        let (line, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(line)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum At {
    StartOfRecord,
    StartOfField,
    Field,
    Quoted,
    QuoteInQuoted,
    EndOfLine,
}

struct Reader<'a> {
    dialect: Dialect,
    lines: Lines<'a>,
}

impl Reader<'_> {
    /// The next record; none at the end.
    fn next(&mut self) -> R<Option<Vec<Obj>>> {
        let mut fields: Vec<Obj> = Vec::new();
        let mut field = String::new();
        let mut at = At::StartOfRecord;
        loop {
            let Some(line) = self.lines.next() else {
                if !field.is_empty() || at == At::Quoted {
                    fields.push(Obj::str(&field));
                    return Ok(Some(fields));
                }
                return Ok(None);
            };
            // The end of a line is told like a character of its own.
            for c in line.chars().map(Some).chain([None]) {
                at = self.take(c, at, &mut field, &mut fields)?;
                if field.len() > LONGEST && field.chars().count() > LONGEST {
                    let text = format!("field larger than field limit ({LONGEST})");
                    return Err(PyErr::new(Kind::Other("Error"), text));
                }
            }
            if at == At::StartOfRecord {
                return Ok(Some(fields));
            }
        }
    }

    fn take(&self, c: Option<char>, at: At, field: &mut String, fields: &mut Vec<Obj>) -> R<At> {
        let mut save = || fields.push(Obj::str(std::mem::take(field)));
        let end = |c: Option<char>| if c.is_none() { At::StartOfRecord } else { At::EndOfLine };
        Ok(match (at, c) {
            (At::StartOfRecord, None) => At::StartOfRecord,
            (At::StartOfRecord, Some('\n' | '\r')) => At::EndOfLine,
            (At::StartOfField | At::Field, None | Some('\n' | '\r')) => {
                save();
                end(c)
            }
            (At::StartOfRecord | At::StartOfField, Some('"')) => At::Quoted,
            (At::StartOfRecord | At::StartOfField | At::Field | At::QuoteInQuoted, Some(c))
                if c == self.dialect.delimiter =>
            {
                save();
                At::StartOfField
            }
            (At::StartOfRecord | At::StartOfField | At::Field, Some(c)) => {
                field.push(c);
                At::Field
            }
            (At::Quoted, None) => At::Quoted,
            (At::Quoted, Some('"')) => At::QuoteInQuoted,
            (At::QuoteInQuoted, Some('"')) | (At::Quoted, Some(_)) => {
                field.push(c.unwrap_or('"'));
                At::Quoted
            }
            (At::QuoteInQuoted, None | Some('\n' | '\r')) => {
                save();
                end(c)
            }
            (At::QuoteInQuoted, Some(c)) => {
                field.push(c);
                At::Field
            }
            (At::EndOfLine, None) => At::StartOfRecord,
            (At::EndOfLine, Some('\n' | '\r')) => At::EndOfLine,
            (At::EndOfLine, Some(_)) => {
                let text = "new-line character seen in unquoted field - do you need to open the file in universal-newline mode?";
                return Err(PyErr::new(Kind::Other("Error"), text));
            }
        })
    }
}
