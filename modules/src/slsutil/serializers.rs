//! `slsutil.serialize` and `slsutil.deserialize`: stock's serializers by their names.

use brine_core::Value;
use brine_core::call::{CallError, KwArgs, Result, exec};
use brine_python::Obj;
use brine_render::serialize::{Serializer, find};

fn known(name: &str) -> Result<&'static Serializer> {
    find(name).ok_or_else(|| CallError::execution(format!("Serializer '{name}' not found.")))
}

fn options(kwargs: &KwArgs) -> Obj {
    Obj::from(&Value::Map(kwargs.clean()))
}

/// Serialize a Python object using one of the available serializers. Other keyword arguments are its options.
///
/// CLI Example: salt '*' --no-parse=obj slsutil.serialize 'json' obj="{'foo': 'Foo!'}"
#[exec]
pub(super) fn serialize(serializer: String, obj: Value, mod_kwargs: KwArgs) -> Result {
    let serializer = known(&serializer)?;
    super::with_objects(|| serializer.serialize(&Obj::from(&obj), &options(&mod_kwargs)))
}

/// Deserialize a Python object using one of the available serializers. Other keyword arguments are its options.
///
/// CLI Example: salt '*' slsutil.deserialize 'json' '{"foo": "Foo!"}'
#[exec]
pub(super) fn deserialize(serializer: String, stream_or_string: Value, mod_kwargs: KwArgs) -> Result {
    let found = known(&serializer)?;
    if !found.reads() {
        let text = format!("Serializer '{serializer}' does not implement deserialize.");
        return Err(CallError::execution(text));
    }
    super::with_objects(|| found.deserialize(&Obj::from(&stream_or_string), &options(&mod_kwargs)))
}
