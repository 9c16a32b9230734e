//! The arguments one function of a job is called with.
//!
//! How `arg` splits into positional and keyword values is `brine_render::args`' work; this adds the publish load.

use brine_core::call::{Args, Function};
use brine_core::{Map, Value};
use brine_render::args::load_args_and_kwargs;

/// The arguments of a call from a job's `arg`. A function that takes `**kwargs` is given the publish load as `__pub_*`.
pub fn from_job(function: &Function, arg: &[Value], publish: &Map) -> Args {
    let mut args = load_args_and_kwargs(arg);
    if function.takes_kwargs() {
        for (key, value) in publish {
            if let Some(key) = key.as_str() {
                args.keyword.insert(format!("__pub_{key}"), value.clone());
            }
        }
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::call::{Param, ParamKind};
    use brine_core::map;

    fn function(params: &'static [Param]) -> Function {
        Function { name: "f", doc: "", params, run: |_, _| Ok(Value::Nil) }
    }

    #[test]
    fn arguments_of_a_job() {
        let arg = [
            Value::from("plain"),
            Value::from("n=5"),
            Value::from("7"),
            map! {"__kwarg__" => true, "k" => "v"}.into(),
            map! {"a" => 1}.into(),
        ];
        let publish = map! {"jid" => "1", "fun" => "t.f"};
        let args = from_job(&function(&[]), &arg, &publish);
        assert_eq!(args.positional, vec![Value::from("plain"), "7".into(), map! {"a" => 1}.into()]);
        assert_eq!(args.keyword, map! {"n" => 5, "k" => "v"});
        const KW: &[Param] = &[Param { name: "kwargs", kind: ParamKind::KwArgs }];
        let args = from_job(&function(KW), &[], &publish);
        assert_eq!(args.keyword, map! {"__pub_jid" => "1", "__pub_fun" => "t.f"});
    }
}
