//! What `sqlite3`, `mysql` and `postgres` share, stock's `sql_base`: which queries there are, and how rows become nested dicts. The
//! minion's id is the one parameter of a query; it is bound, never put into the text.
//!
//! A query that the database refuses is logged and ends the queries, and what came before it is pillar, as in stock; a database
//! that cannot be reached is an error.

use brine_python::{Args, Dict, Kind, Obj, PyErr, R, call_method, contains, getitem, setitem, str, truth};
use brine_render::live::dictupdate::update;
use std::rc::Rc;

/// The result of one query.
pub(super) struct Table {
    /// The names of the columns.
    pub(super) names: Vec<String>,
    /// The rows; each has as many values as there are columns.
    pub(super) rows: Vec<Vec<Obj>>,
}

/// Why there is none.
pub(super) enum Fault {
    /// The database refuses it: logged, and the end of the queries.
    Refused(String),
    /// The query does not fit its parameter, or nobody answers: an error.
    Failed(PyErr),
}

impl From<PyErr> for Fault {
    fn from(e: PyErr) -> Self {
        Fault::Failed(e)
    }
}

/// Whoever runs queries with the minion's id.
pub(super) trait Database {
    /// As stock names it in logs.
    const NAME: &'static str;

    /// Runs one.
    fn query(&mut self, sql: &str, id: &str) -> Result<Table, Fault>;
}

/// One query with what is made of its rows.
struct Query {
    root: Obj,
    sql: Obj,
    depth: Obj,
    as_list: bool,
    as_json: bool,
    with_lists: Obj,
    ignore_null: bool,
}

/// Runs all queries of the configuration over a database that is connected when the first is run.
///
/// # Errors
/// As said above, and what Python says of rows that do not fit.
pub(super) fn fetch<D: Database>(args: &Args, id: &str, connect: impl FnOnce() -> R<D>) -> R {
    let queries = queries(args)?;
    let mut database = connect()?;
    let result = Obj::from(Dict::new());
    for query in queries {
        let Some(sql) = query.sql.as_str() else { return Err(PyErr::ty("a query is no text")) };
        let table = match database.query(sql, id) {
            Ok(table) => table,
            Err(Fault::Refused(why)) => {
                tracing::error!("Error in ext_pillar {}: {why}", D::NAME);
                break;
            }
            Err(Fault::Failed(e)) => return Err(e),
        };
        let focus = if truth(&query.root)? {
            let focus = Obj::from(Dict::new());
            setitem(&result, &query.root, focus.clone())?;
            focus
        } else {
            result.clone()
        };
        let width = i64::try_from(table.names.len()).unwrap_or(i64::MAX);
        let depth = match query.depth {
            Obj::Int(depth) if depth != 0 && depth < width => depth,
            Obj::Int(_) => width - 1,
            Obj::Bool(true) if width > 1 => 1,
            Obj::Bool(_) => width - 1,
            ref other => {
                let text =
                    format!("'>=' not supported between instances of '{}' and 'int'", other.type_name());
                return Err(PyErr::ty(text));
            }
        };
        Rows { query: &query, names: &table.names, width, depth, lists: Vec::new() }
            .take(&focus, &table.rows)?;
    }
    Ok(result)
}

/// The queries: those without a name in order, then those with one, by name.
fn queries(args: &Args) -> R<Vec<Query>> {
    let mut all: Vec<(Obj, Obj)> = args.pos.iter().map(|query| (Obj::None, query.clone())).collect();
    let mut named: Vec<_> = args.kw.iter().collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    all.extend(named.into_iter().map(|(name, query)| (Obj::str(name), query.clone())));
    let mut queries = Vec::new();
    for (root, given) in all {
        let mut query = Query {
            root,
            sql: Obj::None,
            depth: Obj::Int(0),
            as_list: false,
            as_json: false,
            with_lists: Obj::None,
            ignore_null: false,
        };
        match &given {
            Obj::List(_) | Obj::Tuple(_) => {
                let members = given.sequence().unwrap_or_default();
                let Some(sql) = members.first().filter(|sql| truth(sql).unwrap_or(true)) else { continue };
                query.sql = sql.clone();
                if let Some(depth) = members.get(1) {
                    query.depth = depth.clone();
                }
            }
            Obj::Dict(dict) => {
                let Some(sql) = dict.get_str("query") else { continue };
                if brine_python::len(&sql)? == 0 {
                    continue;
                }
                query.sql = sql;
                let flag = |key: &str| dict.get_str(key).map_or(Ok(false), |flag| truth(&flag));
                (query.as_list, query.as_json, query.ignore_null) =
                    (flag("as_list")?, flag("as_json")?, flag("ignore_null")?);
                query.depth = dict.get_str("depth").unwrap_or(Obj::Int(0));
                query.with_lists = with_lists(&dict.get_str("with_lists").unwrap_or_default())?;
            }
            text if text.as_str().is_some_and(|text| !text.is_empty()) => query.sql = given.clone(),
            _ => continue,
        }
        queries.push(query);
    }
    Ok(queries)
}

/// The columns that become lists: numbers, or a text of them.
fn with_lists(given: &Obj) -> R {
    match given.as_str() {
        Some("") => Ok(Obj::None),
        Some(text) => {
            let numbers = text.split(',').map(|n| brine_python::int(&Obj::str(n), None));
            Ok(Obj::list(numbers.collect::<R<_>>()?))
        }
        None => Ok(given.clone()),
    }
}

/// The rows of one query on their way into dicts.
struct Rows<'a> {
    query: &'a Query,
    names: &'a [String],
    width: i64,
    depth: i64,
    /// Dicts of which some keys become lists in the end.
    lists: Vec<(Rc<Dict>, Vec<Obj>)>,
}

/// A value of a row; places before the first are counted from the end, as in Python.
fn at(row: &[Obj], place: i64) -> R {
    let place = if place < 0 { place + i64::try_from(row.len()).unwrap_or(i64::MAX) } else { place };
    let value = usize::try_from(place).ok().and_then(|place| row.get(place));
    value.cloned().ok_or_else(|| PyErr::new(Kind::IndexError, "tuple index out of range"))
}

impl Rows<'_> {
    fn take(mut self, focus: &Obj, rows: &[Vec<Obj>]) -> R<()> {
        for row in rows {
            if self.query.as_json && self.width == 1 {
                document(focus, &row[0], self.query.as_list)?;
            } else {
                self.one(focus.clone(), row)?;
            }
        }
        for (dict, keys) in self.lists.iter().rev() {
            for key in keys {
                let value = dict.get(key)?.ok_or_else(|| PyErr::key(key))?;
                let list = match &value {
                    Obj::Dict(inner) => {
                        Obj::list(inner.pairs().into_iter().map(|(_, value)| value).collect())
                    }
                    Obj::List(_) => Obj::list(vec![value]),
                    _ => continue,
                };
                dict.set(key.clone(), list)?;
            }
        }
        Ok(())
    }

    /// Whether a column, counted from 1, is among those that become lists.
    fn listed(&self, column: i64) -> R<bool> {
        match &self.query.with_lists {
            lists if !truth(lists)? => Ok(false),
            lists => contains(lists, &Obj::Int(column)),
        }
    }

    fn note(&mut self, dict: &Obj, key: &Obj) -> R<()> {
        let Obj::Dict(dict) = dict else { return Ok(()) };
        let place = match self.lists.iter().position(|(noted, _)| Rc::ptr_eq(noted, dict)) {
            Some(place) => place,
            None => {
                self.lists.push((dict.clone(), Vec::new()));
                self.lists.len() - 1
            }
        };
        if !contains(&Obj::list(self.lists[place].1.clone()), key)? {
            self.lists[place].1.push(key.clone());
        }
        Ok(())
    }

    fn one(&mut self, focus: Obj, row: &[Obj]) -> R<()> {
        let mut level = focus;
        for i in 0..(self.depth - 1).max(0) {
            let key = at(row, i)?;
            if self.listed(i + 1)? {
                self.note(&level, &key)?;
            }
            let inner = Obj::from(Dict::new());
            if contains(&level, &key)? {
                match getitem(&level, &key)? {
                    Obj::List(list) => list.borrow_mut().push(inner.clone()),
                    before @ Obj::Dict(_) => {
                        level = before;
                        continue;
                    }
                    before if self.query.as_list => {
                        setitem(&level, &key, Obj::list(vec![before, inner.clone()]))?;
                    }
                    _ => setitem(&level, &key, inner.clone())?,
                }
            } else {
                setitem(&level, &key, inner.clone())?;
            }
            level = inner;
        }
        if self.depth == self.width - 1 { self.pair(&level, row) } else { self.dict(level, row) }
    }

    /// The last two values are key and value.
    fn pair(&mut self, level: &Obj, row: &[Obj]) -> R<()> {
        let (key, value) = (at(row, self.width - 2)?, at(row, self.width - 1)?);
        if (self.query.as_list && contains(level, &key)?) || self.listed(self.width - 1)? {
            let list = if contains(level, &key)? {
                match getitem(level, &key)? {
                    list @ Obj::List(_) => list,
                    one => Obj::list(vec![one]),
                }
            } else {
                Obj::list(Vec::new())
            };
            setitem(level, &key, list.clone())?;
            call_method(&list, "append", &Args::of([value]))?;
        } else if !self.query.ignore_null || !matches!(value, Obj::None) {
            setitem(level, &key, value)?;
        }
        Ok(())
    }

    /// What is left of the row becomes a dict by the names of its columns.
    fn dict(&mut self, mut level: Obj, row: &[Obj]) -> R<()> {
        let key = at(row, self.depth - 1)?;
        if !contains(&level, &key)? {
            setitem(&level, &key, Dict::new().into())?;
        }
        if self.listed(self.depth)? {
            self.note(&level, &key)?;
        }
        level = getitem(&level, &key)?;
        for i in self.depth..self.width {
            let (place, value) = (usize::try_from(i).unwrap_or(0), at(row, i)?);
            let name = Obj::str(self.names.get(place).map_or("", String::as_str));
            if self.listed(i + 1)? {
                self.note(&level, &name)?;
            }
            if self.query.as_list && contains(&level, &name)? {
                match getitem(&level, &name)? {
                    Obj::List(list) => list.borrow_mut().push(value),
                    one => setitem(&level, &name, Obj::list(vec![one, value]))?,
                }
            } else if !self.query.ignore_null || !matches!(value, Obj::None) {
                setitem(&level, &name, value)?;
            }
        }
        Ok(())
    }
}

/// A row that is a document in JSON, merged over what is there.
fn document(focus: &Obj, value: &Obj, merge_lists: bool) -> R<()> {
    let mut value = value.clone();
    if let Obj::Bytes(bytes) = &value {
        value = Obj::str(brine_python::decode_utf8(bytes.to_vec())?);
    }
    if let Some(text) = value.as_str() {
        value = brine_render::json::loads(text)?;
    }
    if !matches!(value, Obj::Dict(_)) {
        let text = format!("as_json rows must decode to a dict, got {}", value.type_name());
        return Err(PyErr::ty(text));
    }
    update(focus, &value, true, merge_lists).map(drop)
}

/// `%s` of a query as the driver's own mark, and `%%` as `%`; how many marks there are.
///
/// # Errors
/// What Python says of other marks.
pub(super) fn marked(sql: &str, mark: &str) -> R<(String, usize)> {
    let mut out = String::with_capacity(sql.len());
    let mut count = 0;
    let mut rest = sql;
    while let Some(place) = rest.find('%') {
        out.push_str(&rest[..place]);
        rest = &rest[place + 1..];
        match rest.chars().next() {
            Some('%') => out.push('%'),
            Some('s') => {
                count += 1;
                out.push_str(mark);
            }
            Some(c) => return Err(PyErr::value(format!("unsupported format character '{c}'"))),
            None => return Err(PyErr::value("incomplete format")),
        }
        rest = &rest[1..];
    }
    out.push_str(rest);
    Ok((out, count))
}

/// An option of the connection as text.
pub(super) fn option(options: Option<&brine_core::Map>, key: &str, default: &str) -> R<String> {
    match options.and_then(|options| options.get(key)) {
        Some(value) => str(&Obj::from(value)),
        None => Ok(default.to_owned()),
    }
}
