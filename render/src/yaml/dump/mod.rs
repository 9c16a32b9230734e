//! Values to YAML as PyYAML's dumpers write them, to the byte: options, and which of stock's dumpers.
//!
//! An emitter of our own: what is written is decided by the same rules as in libyaml, or in PyYAML's own emitter, for yamlex uses that.

mod analyze;
mod block;
mod emit;
mod represent;
mod share;
mod style;
mod write;

use brine_protocol::Value;
use brine_python::{Obj, R};

/// PyYAML's `default_flow_style`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// Always block style: `False`.
    #[default]
    Block,
    /// Always flow style: `True`.
    Inline,
    /// Flow style for what holds nothing but scalars, else block style: `None`.
    Leaves,
}

/// PyYAML's `default_style`: how scalars are written where it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in YAML")]
pub enum Style {
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

/// Which of stock's dumpers writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dumper {
    /// Salt's `SafeOrderedDumper`, and its indented variant, which writes the same: `OrderedDict` keeps its order, what cannot be
    /// represented is `NULL`.
    #[default]
    Ordered,
    /// PyYAML's `SafeDumper`, on libyaml: what cannot be represented is an error.
    Safe,
    /// That of `salt.serializers.yaml`: as [`Dumper::Safe`], with subclasses and `!encrypted`.
    Serializer,
    /// That of `salt.serializers.yamlex`: PyYAML's own emitter; `OrderedDict` keeps its order.
    Yamlex,
}

/// How to dump.
#[derive(Clone, Copy, Debug)]
pub struct DumpOptions {
    /// Whose rules.
    pub dumper: Dumper,
    /// Block or flow style throughout.
    pub flow: Flow,
    /// How scalars are written.
    pub style: Option<Style>,
    /// Columns per level, 2 to 9; others mean 2.
    pub indent: Option<i64>,
    /// Where lines are broken: 80 unless given. Below zero, nowhere.
    pub width: Option<i64>,
    /// Keys in Python's order where they can be compared, else in the order they stand.
    pub sort_keys: bool,
    /// Text beyond ASCII stays as it is; else it is escaped.
    pub unicode: bool,
    /// Each value with tag and quotes.
    pub canonical: bool,
    /// `---` before.
    pub explicit_start: bool,
    /// `...` after.
    pub explicit_end: bool,
    /// `%YAML` before, with this version.
    pub version: Option<(i64, i64)>,
    /// What ends lines.
    pub line_break: &'static str,
}

impl Default for DumpOptions {
    /// What `salt.utils.yaml.safe_dump` begins with, but for its flow style.
    fn default() -> Self {
        Self {
            dumper: Dumper::Ordered,
            flow: Flow::Block,
            style: None,
            indent: None,
            width: None,
            sort_keys: true,
            unicode: true,
            canonical: false,
            explicit_start: false,
            explicit_end: false,
            version: None,
            line_break: "\n",
        }
    }
}

/// Text as stock's dumper gives it, of a value of templates.
///
/// # Errors
/// `RepresenterError` for what cannot be written, `EmitterError` for a version that is not 1.1 or 1.2, `RecursionError` for what is
/// nested too deep, `OverflowError` for a width or indentation beyond 32 bits, `Limit`.
pub fn dump_obj(value: &Obj, options: &DumpOptions) -> R<String> {
    emit::emit(value, options)
}

/// As [`dump_obj`], of plain data. What is nested more than 300 deep, which no peer can send, is an empty text.
pub fn dump(value: &Value, options: DumpOptions) -> String {
    dump_obj(&Obj::from(value), &options).unwrap_or_default()
}

/// Salt's `safe_dump(value, default_flow_style=False)`.
pub fn safe_dump(value: &Value) -> String {
    dump(value, DumpOptions::default())
}
