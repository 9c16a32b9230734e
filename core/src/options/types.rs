//! What a row of an option table is made of.

use brine_protocol::{Map, Value};

/// A default as constant data.
#[derive(Clone, Copy, Debug)]
pub enum Default {
    /// The key is not there unless a file sets it.
    Absent,
    /// `None`.
    Nil,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// Text.
    Str(&'static str),
    /// A list.
    List(&'static [Default]),
    /// A map with text keys.
    Map(&'static [(&'static str, Default)]),
}

impl Default {
    /// The value, unless there is none.
    pub fn value(self) -> Option<Value> {
        Some(match self {
            Default::Absent => return None,
            Default::Nil => Value::Nil,
            Default::Bool(b) => Value::Bool(b),
            Default::Int(i) => Value::Int(i.into()),
            Default::Float(x) => Value::Float(x),
            Default::Str(s) => Value::from(s),
            Default::List(items) => items.iter().filter_map(|item| item.value()).collect(),
            Default::Map(entries) => {
                Value::Map(entries.iter().filter_map(|(k, v)| Some((*k, v.value()?))).collect::<Map>())
            }
        })
    }
}

/// A type that stock takes for an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `int`; a boolean is none.
    Int,
    /// `float`
    Float,
    /// `str`
    Str,
    /// `list`
    List,
    /// `dict`
    Map,
    /// `NoneType`
    Nil,
    /// `bytes`
    Bytes,
}

impl Type {
    /// Python's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Float => "float",
            Type::Str => "str",
            Type::List => "list",
            Type::Map => "dict",
            Type::Nil => "NoneType",
            Type::Bytes => "bytes",
        }
    }

    /// Whether a value has this type.
    pub fn is_of(self, value: &Value) -> bool {
        matches!(
            (self, value),
            (Type::Bool, Value::Bool(_))
                | (Type::Int, Value::Int(_))
                | (Type::Float, Value::Float(_))
                | (Type::Str, Value::Str(_))
                | (Type::List, Value::List(_))
                | (Type::Map, Value::Map(_))
                | (Type::Nil, Value::Nil)
                | (Type::Bytes, Value::Bytes(_))
        )
    }

    /// Whether stock takes a value for an option of this type: of the type itself, or one that converts to it
    /// without loss of meaning (a number for text, text that holds a number for a number).
    pub fn takes(self, value: &Value) -> bool {
        self.is_of(value)
            || match (self, value) {
                (Type::Str, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => true,
                (Type::Int, Value::Str(s)) => s.trim().parse::<i64>().is_ok(),
                (Type::Float, Value::Int(_)) => true,
                (Type::Map, Value::List(l)) => l.is_empty(),
                (Type::Float, Value::Str(s)) => s.trim().parse::<f64>().is_ok(),
                _ => false,
            }
    }
}

/// What becomes of an option here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does what it does in stock Salt. This test (`path/of/file.rs::name`) fails when the key is ignored.
    Honoured(&'static str),
    /// It may stand in a file, and nothing follows from it, for this reason: it belongs to a feature that is left out, or
    /// tunes processes of Python.
    AcceptedWithoutEffect(&'static str),
    /// It may stand in a file, and has no meaning any more, in stock either, for this reason.
    Deprecated(&'static str),
}

impl Status {
    /// Whether something follows from the option.
    pub fn is_honoured(self) -> bool {
        matches!(self, Status::Honoured(_))
    }
}

/// Short words for the tables.
pub(super) mod short {
    use super::super::Row;
    pub(in super::super) use super::Default::{Absent, Bool, Float, Int, List, Map, Nil, Str};
    use super::{Default, Status, Type};

    pub(in super::super) const BOOL: Type = Type::Bool;
    pub(in super::super) const INT: Type = Type::Int;
    pub(in super::super) const FLOAT: Type = Type::Float;
    pub(in super::super) const STR: Type = Type::Str;
    pub(in super::super) const LIST: Type = Type::List;
    pub(in super::super) const MAP: Type = Type::Map;
    pub(in super::super) const NIL: Type = Type::Nil;
    pub(in super::super) const NO_PYTHON: Status = no("there is no Python in these programs");
    pub(in super::super) const WINDOWS: Status = no("for Windows only");
    pub(in super::super) const NO_TCP: Status = no("for the transports over TCP and TLS, which are left out");
    pub(in super::super) const NO_OTHER_FS: Status = no("this file server backend is left out");
    pub(in super::super) const NO_CLUSTER: Status = no("clusters of masters are left out");
    pub(in super::super) const NO_PROXY: Status = no("proxy minions are left out");
    pub(in super::super) const NO_SSH: Status = no("salt-ssh is left out");
    pub(in super::super) const NO_SYNDIC: Status = no("syndics are left out");
    pub(in super::super) const NO_THORIUM: Status = no("the complex reactor is left out");
    pub(in super::super) const NO_EXECUTORS: Status =
        no("the executors splay and sudo are left out; jobs that ask for them are refused");
    pub(in super::super) const RESTARTS: Status = no(
        "paces the restarts of a process that gave its master up; this one stays, and tries and resolves names anew all the time",
    );
    pub(in super::super) const NO_PASS: Status = no("the renderer pass is refused");
    pub(in super::super) const NO_API: Status = no("the HTTP API is left out");
    pub(in super::super) const NO_TELEMETRY: Status = no("OpenTelemetry is left out");
    pub(in super::super) const ONE_PROCESS: Status =
        no("the daemon is one process, with no workers to tune or measure");
    pub(in super::super) const TUNING: Status =
        no("saves processes of Python work that these programs do not have");
    pub(in super::super) const GONE: Status = Status::Deprecated("the last column says why");
    /// What proves that the option is honoured.
    pub(in super::super) const fn by(test: &'static str) -> Status {
        Status::Honoured(test)
    }

    /// Why an option has no effect, for one that stands alone.
    pub(in super::super) const fn no(why: &'static str) -> Status {
        Status::AcceptedWithoutEffect(why)
    }

    pub(in super::super) const fn r(
        key: &'static str,
        default: Default,
        types: &'static [Type],
        status: Status,
        doc: &'static str,
    ) -> Row {
        Row { key, default, types, status, doc }
    }
}
