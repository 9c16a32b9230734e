//! `table`: lists of rows as tables.

use super::python::{decode, float, len, sorted, title};
use super::{CannotPrint, Style};
use brine_core::Opts;
use brine_core::text::python_str;
use brine_protocol::{Map, Value};

/// Characters that a table may have: one long cell widens all rows, and rows are a minion's.
const LARGEST: usize = 256 << 20;

type Result<T> = std::result::Result<T, CannotPrint>;

/// Data as tables, with the options `out.table.*`.
pub(super) fn output(data: &Value, opts: &Opts, style: &Style) -> Result<String> {
    let named = |key: &str| opts.get(&format!("out.table.{key}")).filter(|value| value.truthy());
    show(data, named("rows_key"), named("labels_key"), opts, style)
}

/// Data as tables: the rows below `rows_key` alone if there is one, with the labels below `labels_key`.
pub(super) fn show(
    data: &Value,
    rows_key: Option<&Value>,
    labels_key: Option<&Value>,
    opts: &Opts,
    style: &Style,
) -> Result<String> {
    let mut table = Table::new(opts, style)?;
    let indent = opts.int("out.table.nested_indent").unwrap_or(0);
    let indent = usize::try_from(indent).unwrap_or(0);
    if let (Some(title), Some(_)) = (opts.get("out.table.title").filter(|t| t.truthy()), rows_key) {
        // Stock has text and colour the wrong way round.
        table.line(indent, &python_str(title), &style.colors.white.clone(), "\n");
    }
    let data = decode(data).ok_or(CannotPrint::Data)?;
    table.value(&data, indent, rows_key, labels_key)?;
    Ok(table.out.join("\n"))
}

struct Table<'a> {
    style: &'a Style,
    header: bool,
    row_delimiter: &'a str,
    delim: &'a str,
    /// None for a word that there is not: a table with rows then fails.
    justify: Option<fn(&str, usize) -> String>,
    separate_rows: bool,
    prefix: &'a str,
    suffix: &'a str,
    width: f64,
    out: Vec<String>,
}

impl<'a> Table<'a> {
    fn new(opts: &'a Opts, style: &'a Style) -> Result<Self> {
        let option = |key: &str| opts.get(&format!("out.table.{key}")).filter(|value| !value.is_nil());
        let text = |key: &str, default: &'a str| match option(key) {
            None => Ok(default),
            Some(value) => value.as_str().ok_or(CannotPrint::Data),
        };
        let truth = |key: &str| option(key).is_none_or(Value::truthy);
        Ok(Self {
            style,
            header: truth("has_header"),
            row_delimiter: text("row_delimiter", "-")?,
            delim: text("delim", " | ")?,
            justify: match text("justify", "center")?.to_lowercase().as_str() {
                "center" => Some(center),
                "left" => Some(|text, width| format!("{text:<width$}")),
                "right" => Some(|text, width| format!("{text:>width$}")),
                _ => None,
            },
            separate_rows: truth("separate_rows"),
            prefix: text("prefix", "| ")?,
            suffix: text("suffix", " |")?,
            width: match option("width") {
                None => 50.0,
                Some(Value::Str(_)) => return Err(CannotPrint::Data),
                Some(value) => float(value).ok_or(CannotPrint::Data)?,
            },
            out: Vec::new(),
        })
    }

    fn line(&mut self, indent: usize, color: &str, text: &str, suffix: &str) {
        self.out.push(format!("{:indent$}{color}{text}{}{suffix}", "", self.style.colors.endc));
    }

    /// Looks for rows: in every list, or in those below `rows_key`.
    fn value(
        &mut self,
        value: &Value,
        indent: usize,
        rows_key: Option<&Value>,
        labels_key: Option<&Value>,
    ) -> Result<()> {
        match value {
            Value::Map(map) => {
                let found = rows_key.is_none_or(|key| map.get_key(key).is_some());
                for (key, value) in sorted(map).ok_or(CannotPrint::Data)? {
                    if !found {
                        self.value(value, indent, rows_key, labels_key)?;
                        continue;
                    }
                    if rows_key.is_some_and(|wanted| wanted != key) {
                        continue;
                    }
                    if rows_key.is_none() {
                        let gray = self.style.colors.dark_gray.clone();
                        self.line(indent, &gray, &python_str(key), ":");
                        self.line(indent, &gray, "----------", "");
                    }
                    match value {
                        Value::List(rows) => {
                            let labels = labels_key.and_then(|key| map.get_key(key));
                            self.rows(rows, labels, indent)?;
                        }
                        other => self.value(other, indent + 4, rows_key, labels_key)?,
                    }
                }
                Ok(())
            }
            Value::List(rows) if rows_key.is_none() => self.rows(rows, None, indent),
            _ => Ok(()),
        }
    }

    /// One table, if all rows are of one type.
    fn rows(&mut self, rows: &[Value], labels: Option<&Value>, indent: usize) -> Result<()> {
        let Some(first) = rows.first() else { return Ok(()) };
        if rows.iter().any(|row| std::mem::discriminant(row) != std::mem::discriminant(first)) {
            return Ok(());
        }
        let by_key = |map: &Map| -> Result<Vec<Value>> {
            Ok(sorted(map).ok_or(CannotPrint::Data)?.into_iter().map(|(_, value)| value.clone()).collect())
        };
        let mut labels = match labels.filter(|labels| labels.truthy()) {
            None => None,
            Some(Value::Map(map)) => Some(by_key(map)?),
            Some(Value::List(labels)) => Some(labels.clone()),
            Some(Value::Str(text)) => Some(text.chars().map(|c| c.to_string().into()).collect()),
            Some(_) => return Err(CannotPrint::Data),
        };
        let mut cells: Vec<Vec<Value>> = Vec::with_capacity(rows.len() + 1);
        for row in rows {
            cells.push(match row {
                Value::Map(map) => by_key(map)?.iter().map(|value| python_str(value).into()).collect(),
                Value::Str(_) => vec![row.clone()],
                Value::List(items) => items.clone(),
                _ => return Err(CannotPrint::Data),
            });
        }
        if let (None, Value::Map(map)) = (&labels, first) {
            let keys = sorted(map).ok_or(CannotPrint::Data)?;
            labels = Some(
                keys.into_iter().map(|(key, _)| title(&python_str(key).replace('_', " ")).into()).collect(),
            );
        }
        let labels = labels.filter(|labels| !labels.is_empty());
        let header = self.header && labels.is_some();
        if let Some(labels) = labels {
            cells.insert(0, labels);
        }
        self.cells(&cells, indent + 4, header)
    }

    fn cells(&mut self, rows: &[Vec<Value>], indent: usize, mut header: bool) -> Result<()> {
        let justify = self.justify.ok_or(CannotPrint::Data)?;
        let mut physical: Vec<Vec<Vec<String>>> = Vec::with_capacity(rows.len());
        for row in rows {
            physical.push(self.lines_of(row)?);
        }
        // Where rows differ in length the shortest counts.
        let columns = physical.iter().flatten().map(Vec::len).min().unwrap_or(0);
        let mut widths = vec![0; columns];
        for line in physical.iter().flatten() {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = len(cell).max(*width);
            }
        }
        let across = (len(self.prefix) + len(self.suffix) + widths.iter().sum::<usize>())
            .checked_add_signed(len(self.delim).cast_signed() * (columns.cast_signed() - 1))
            .unwrap_or(0);
        // Every line is as wide as the widest.
        let lines: usize = physical.iter().map(Vec::len).sum();
        if lines.saturating_mul(across) > LARGEST {
            return Err(CannotPrint::Data);
        }
        let rule = self.row_delimiter.repeat(across);
        let (gray, white) = (self.style.colors.light_gray.clone(), self.style.colors.white.clone());
        if self.separate_rows {
            self.line(indent, &gray, &rule, "");
        }
        for row in physical {
            for line in row {
                let cells: Vec<String> =
                    line.iter().zip(&widths).map(|(cell, width)| justify(cell, *width)).collect();
                let text = format!("{}{}{}", self.prefix, cells.join(self.delim), self.suffix);
                self.line(indent, &white, &text, "");
            }
            if self.separate_rows || header {
                self.line(indent, &gray, &rule, "");
                header = false;
            }
        }
        Ok(())
    }

    /// A row as lines of cells. Of cells with several lines stock shows as many as the shortest has.
    fn lines_of(&self, row: &[Value]) -> Result<Vec<Vec<String>>> {
        let mut cells: Vec<Vec<String>> = Vec::with_capacity(row.len());
        for item in row {
            let text = self.wrap(item.as_str().ok_or(CannotPrint::Data)?);
            cells.push(text.split('\n').map(str::to_owned).collect());
        }
        let shown = cells.iter().map(Vec::len).min().ok_or(CannotPrint::Data)?;
        Ok((0..shown).map(|i| cells.iter_mut().map(|cell| std::mem::take(&mut cell[i])).collect()).collect())
    }

    /// Breaks text at blanks once a line is as wide as a column may be.
    fn wrap(&self, text: &str) -> String {
        let mut words = text.split(' ');
        let mut out = words.next().unwrap_or_default().to_owned();
        let mut used = len(out.rsplit('\n').next().unwrap_or_default());
        for word in words {
            let first = len(word.split('\n').next().unwrap_or_default());
            if (used + first) as f64 >= self.width {
                out.push('\n');
                used = 0;
            } else {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used = match word.rsplit_once('\n') {
                Some((_, last)) => len(last),
                None => used + first,
            };
        }
        out
    }
}

/// `str.center`: the odd blank stands left where the width is odd.
fn center(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(len(text));
    let left = missing / 2 + (missing & width & 1);
    let right = missing - left;
    format!("{:left$}{text}{:right$}", "", "")
}
