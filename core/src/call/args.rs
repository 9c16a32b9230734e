//! Arguments of a call, and their binding to a function's parameters with Python's rules and words.

use super::FromValue;
use super::error::{CallError, Result};
use super::registry::{Function, ParamKind};
use brine_protocol::{Map, Value};

/// Positional and keyword arguments of one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    /// Positional values, in order.
    pub positional: Vec<Value>,
    /// Keyword values.
    pub keyword: Map,
}

impl Args {
    /// No arguments.
    pub fn none() -> Self {
        Self::default()
    }

    /// Positional arguments only.
    pub fn positional<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Self {
        Self { positional: values.into_iter().map(Into::into).collect(), keyword: Map::new() }
    }

    /// Adds a keyword argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.keyword.insert(name, value);
        self
    }
}

/// Python's `*args` of a function.
#[derive(Clone, Debug, Default)]
pub struct VarArgs(pub Vec<Value>);

/// Python's `**kwargs` of a function. Keys that start with `__pub_` carry the publish load.
#[derive(Clone, Debug, Default)]
pub struct KwArgs(pub Map);

impl KwArgs {
    /// The keyword arguments the user gave: without the `__pub_` ones.
    pub fn clean(&self) -> Map {
        self.0
            .iter()
            .filter(|(k, _)| !k.as_str().is_some_and(|k| k.starts_with("__")))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }
}

/// Arguments bound to parameters, taken out one by one by the code that `#[exec]` writes.
pub struct Bound<'f> {
    function: &'f Function,
    /// A place for each parameter, in their order.
    named: Vec<Option<Value>>,
    /// The place behind that of the parameter that was taken last: they are taken in their order.
    next: usize,
    var_args: Vec<Value>,
    kwargs: Map,
}

impl<'f> Bound<'f> {
    /// Binds with Python's rules. Errors are worded as Python's `TypeError`, unknown keywords as Salt's
    /// `SaltInvocationError`.
    pub fn new(function: &'f Function, args: Args) -> Result<Self> {
        let Args { positional, keyword } = args;
        let params = function.params;
        let is_plain = |kind: &ParamKind| !matches!(kind, ParamKind::VarArgs | ParamKind::KwArgs);
        let plain = || params.iter().enumerate().filter(|(_, p)| is_plain(&p.kind));
        let has_var = params.iter().any(|p| matches!(p.kind, ParamKind::VarArgs));
        let has_kw = function.takes_kwargs();
        let given = positional.len();
        if given > plain().count() && !has_var {
            return Err(CallError::Arguments(too_many(function, given)));
        }
        let mut named: Vec<Option<Value>> = params.iter().map(|_| None).collect();
        let mut positional = positional.into_iter();
        for ((at, _), value) in plain().zip(positional.by_ref()) {
            named[at] = Some(value);
        }
        let var_args = positional.collect();
        let mut kwargs = Map::new();
        let mut unknown = Map::new();
        for (key, value) in keyword {
            let name = key.as_str().unwrap_or_default();
            if let Some((at, _)) = plain().find(|(_, p)| p.name == name) {
                if named[at].is_some() {
                    return Err(CallError::Arguments(format!(
                        "{}() got multiple values for argument '{name}'",
                        function.name
                    )));
                }
                named[at] = Some(value);
            } else if has_kw {
                kwargs.insert(key, value);
            } else if !name.starts_with("__") {
                unknown.insert(key, value);
            }
        }
        if !unknown.is_empty() {
            return Err(CallError::unknown_keywords(&unknown));
        }
        let is_missing =
            |at: usize, kind: &ParamKind| matches!(kind, ParamKind::Required) && named[at].is_none();
        let missing: Vec<&str> =
            plain().filter(|(at, p)| is_missing(*at, &p.kind)).map(|(_, p)| p.name).collect();
        if !missing.is_empty() {
            return Err(CallError::Arguments(missing_text(function, &missing)));
        }
        for (place, param) in named.iter_mut().zip(params) {
            if let (ParamKind::Default(default), None) = (&param.kind, &place) {
                *place = Some(default());
            }
        }
        Ok(Self { function, named, next: 0, var_args, kwargs })
    }

    /// Takes a bound parameter, converted loosely as Salt's functions do.
    pub fn take<T: FromValue>(&mut self, name: &str) -> Result<T> {
        let params = self.function.params;
        let at = match params.get(self.next) {
            Some(param) if param.name == name => Some(self.next),
            _ => params.iter().position(|param| param.name == name),
        };
        self.next = at.map_or(self.next, |at| at + 1);
        let value = at.and_then(|at| self.named[at].take()).unwrap_or_default();
        T::from_value(value).map_err(|expected| {
            CallError::Arguments(format!("{}() argument '{name}' must be {expected}", self.function.name))
        })
    }

    /// Takes the surplus positional arguments.
    pub fn var_args(&mut self) -> VarArgs {
        VarArgs(std::mem::take(&mut self.var_args))
    }

    /// Takes the surplus keyword arguments.
    pub fn kwargs(&mut self) -> KwArgs {
        KwArgs(std::mem::take(&mut self.kwargs))
    }
}

/// `sleep() missing 1 required positional argument: 'length'`, and the plural forms.
fn missing_text(function: &Function, missing: &[&str]) -> String {
    let quoted: Vec<String> = missing.iter().map(|m| format!("'{m}'")).collect();
    let names = match quoted.as_slice() {
        [one] => one.clone(),
        [a, b] => format!("{a} and {b}"),
        [rest @ .., last] => format!("{}, and {last}", rest.join(", ")),
        [] => String::new(),
    };
    let plural = if missing.len() == 1 { "" } else { "s" };
    format!("{}() missing {} required positional argument{plural}: {names}", function.name, missing.len())
}

/// `ping() takes 0 positional arguments but 1 was given`, and the forms with defaults.
fn too_many(function: &Function, given: usize) -> String {
    let (mut required, mut all) = (0, 0);
    for p in function.params {
        match p.kind {
            ParamKind::Required => {
                required += 1;
                all += 1;
            }
            ParamKind::Default(_) => all += 1,
            _ => {}
        }
    }
    let takes = if required == all { all.to_string() } else { format!("from {required} to {all}") };
    let plural = if all == 1 && required == all { "" } else { "s" };
    let was = if given == 1 { "was" } else { "were" };
    format!("{}() takes {takes} positional argument{plural} but {given} {was} given", function.name)
}

#[cfg(test)]
mod tests {
    use super::super::registry::Param;
    use super::*;

    fn function(params: &'static [Param]) -> Function {
        Function { name: "f", doc: "", params, run: |_, _| Ok(Value::Nil) }
    }

    const AB: &[Param] = &[
        Param { name: "a", kind: ParamKind::Required },
        Param { name: "b", kind: ParamKind::Default(|| Value::Int(7)) },
    ];

    #[test]
    fn errors_are_worded_as_pythons() {
        let f = function(AB);
        let text = |args| Bound::new(&f, args).err().unwrap().to_string();
        assert_eq!(text(Args::none()), "f() missing 1 required positional argument: 'a'");
        assert_eq!(
            text(Args::positional([1, 2, 3])),
            "f() takes from 1 to 2 positional arguments but 3 were given"
        );
        assert_eq!(text(Args::positional([1]).with("a", 2)), "f() got multiple values for argument 'a'");
        assert_eq!(
            text(Args::positional([1]).with("c", "x")),
            "The following keyword arguments are not valid: c=x"
        );
        let none = function(&[]);
        assert_eq!(
            Bound::new(&none, Args::positional([1])).err().unwrap().to_string(),
            "f() takes 0 positional arguments but 1 was given"
        );
    }

    #[test]
    fn defaults_fill_in_and_values_convert() {
        let f = function(AB);
        let mut b = Bound::new(&f, Args::positional(["5"])).unwrap();
        assert_eq!(b.take::<i64>("a").unwrap(), 5);
        assert_eq!(b.take::<i64>("b").unwrap(), 7);
    }

    #[test]
    fn surplus_goes_to_var_args_and_kwargs() {
        const P: &[Param] = &[
            Param { name: "a", kind: ParamKind::Required },
            Param { name: "args", kind: ParamKind::VarArgs },
            Param { name: "kwargs", kind: ParamKind::KwArgs },
        ];
        let f = function(P);
        let mut b =
            Bound::new(&f, Args::positional([1, 2, 3]).with("k", "v").with("__pub_jid", "1")).unwrap();
        assert_eq!(b.var_args().0, vec![Value::Int(2), Value::Int(3)]);
        let kw = b.kwargs();
        assert_eq!(kw.0.len(), 2);
        assert_eq!(kw.clean().len(), 1);
    }
}
