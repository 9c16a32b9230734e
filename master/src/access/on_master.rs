//! Runners and wheel functions: who may call them, and with which arguments they are called.

use std::net::SocketAddr;

use brine_core::auth_rules::{Ask, authorised};
use brine_protocol::{Map, Value};
use brine_runners::Kind;

use super::{Act, Caller, Denied, authenticate, is_credential, refused};
use crate::master::Master;

/// Whether a caller may run this runner or wheel function with these arguments, which must be those that it is then
/// called with.
///
/// # Errors
/// [`Denied`].
pub fn authorize_master(
    caller: &Caller,
    form: Kind,
    fun: &str,
    arg: &[Value],
    kwarg: &Map,
) -> Result<(), Denied> {
    let Some(rules) = &caller.rules else { return Ok(()) };
    if !rules.is_empty() && fun.matches('.').count() != 1 {
        return Err(Denied::syntax(caller.proof.kind(), &caller.name));
    }
    let ask = match form {
        Kind::Runner => Ask::Runner { fun, arg, kwarg },
        Kind::Wheel => Ask::Wheel { fun, arg, kwarg },
    };
    if authorised(rules, ask) {
        return Ok(());
    }
    Err(caller.denied(format!("{} may not run the {} {fun}", caller.name, form.name())))
}

/// Proves the sender of a runner or wheel request and asks whether he may call the function with these arguments, which
/// [`master_args`] took out of the same request. A refusal is said in the log, put on record and made a reply.
///
/// # Errors
/// The reply to a refused request.
pub async fn admit_master(
    master: &Master,
    peer: SocketAddr,
    load: &mut Map,
    form: Kind,
    fun: &str,
    (arg, kwarg): (&[Value], &Map),
) -> Result<Caller, Value> {
    let admitted = match authenticate(master, peer, load).await {
        Ok(caller) => authorize_master(&caller, form, fun, arg, kwarg).map(|()| caller),
        Err(denied) => Err(denied),
    };
    admitted.map_err(|denied| {
        refused(master, peer, &denied, &Act { kind: form.name(), fun: fun.to_owned(), ..Act::default() });
        denied.reply()
    })
}

/// The arguments of a runner or wheel request, positional and by name: `kwarg` holds `arg` and `kwarg`, or those by name
/// alone; what else stands in the request counts as named too, unless it proves who the caller is.
pub fn master_args(load: &Map) -> (Vec<Value>, Map) {
    let mut arg = Vec::new();
    let mut kwarg = Map::new();
    match load.get("kwarg").and_then(Value::as_map) {
        Some(given) if given.contains("arg") => {
            arg.extend_from_slice(given.get("arg").and_then(Value::as_list).unwrap_or_default());
            kwarg = given.get("kwarg").and_then(Value::as_map).cloned().unwrap_or_default();
            let rest = given.iter().filter(|(k, _)| !matches!(k.as_str(), Some("arg" | "kwarg")));
            kwarg.update(rest.map(|(k, v)| (k.clone(), v.clone())).collect());
        }
        Some(given) => kwarg = given.clone(),
        None => {}
    }
    if let Some(Value::List(top)) = load.get("arg") {
        arg.extend_from_slice(top);
    }
    const NOT_ARGUMENTS: [&str; 9] =
        ["cmd", "fun", "user", "kwarg", "arg", "client", "print_event", "full_return", "timeout"];
    for (key, value) in load {
        let argument = key
            .as_str()
            .is_some_and(|k| !NOT_ARGUMENTS.contains(&k) && !is_credential(k) && !k.starts_with("__"));
        if argument && kwarg.get_key(key).is_none() {
            kwarg.insert(key.clone(), value.clone());
        }
    }
    (arg, kwarg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn arguments_are_found_in_every_form() {
        let some = map! {"match" => "web*"};
        let list = || Value::List(vec![1.into()]);
        for load in [
            map! {"kwarg" => map! {"arg" => list(), "kwarg" => some.clone()}},
            map! {"kwarg" => map! {"arg" => list(), "match" => "web*"}},
            map! {"arg" => list(), "match" => "web*", "cmd" => "wheel", "fun" => "x.y", "user" => "z"},
            map! {"arg" => list(), "kwarg" => some.clone()},
        ] {
            assert_eq!(master_args(&load), (vec![1.into()], some.clone()), "{load:?}");
        }
        assert_eq!(master_args(&Map::new()), (Vec::new(), Map::new()));
        // What proves the caller is no argument, though one within `kwarg` may have its name.
        let proven = map! {
            "key" => "s", "token" => "s", "password" => "s", "username" => "s", "eauth" => "pam",
            "kwarg" => map! {"key" => "k"},
        };
        assert_eq!(master_args(&proven).1, map! {"key" => "k"});
        // `salt.execute` has an argument of that name.
        let own = map! {"kwarg" => map! {"kwarg" => map! {"text" => 5}}};
        assert_eq!(master_args(&own).1, map! {"kwarg" => map! {"text" => 5}});
        // What stands in both places is the one in `kwarg`.
        let both = map! {"kwarg" => some.clone(), "match" => "*"};
        assert_eq!(master_args(&both).1, some);
    }
}
