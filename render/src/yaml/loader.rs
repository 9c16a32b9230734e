//! Which of stock's loaders reads: Salt's own, PyYAML's safe one, that of `salt.serializers.yaml`.

use super::construct::Constructor;
use super::error::YamlError;
use super::node::Id;
use brine_python::{Obj, Object, PyErr};

/// Which loader's rules are in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loader {
    /// `salt.utils.yaml.safe_load`: dates stay text, integers with leading zeros are decimal, a repeated key is an error.
    #[default]
    Salt,
    /// As [`Loader::Salt`], maps being `OrderedDict`: the `yaml` renderer's.
    SaltOrdered,
    /// PyYAML's `SafeLoader`: dates are dates, leading zeros mean octal, the last of equal keys wins.
    Safe,
    /// As [`Loader::Safe`], and `!encrypted`: `salt.serializers.yaml`.
    Serializer,
    /// `salt.serializers.yamlex`: repeated keys are merged; `!aggregate` and `!reset`.
    Yamlex,
}

impl Loader {
    pub(super) fn is_salt(self) -> bool {
        matches!(self, Loader::Salt | Loader::SaltOrdered)
    }
}

/// Text with the tag `!encrypted`: a `str` that is written with that tag again.
pub struct Encrypted(Box<str>);

impl Encrypted {
    /// Of a text.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }
}

impl Object for Encrypted {
    fn type_name(&self) -> &str {
        "EncryptedString"
    }

    fn module(&self) -> &str {
        "salt.serializers.yaml"
    }

    fn as_str(&self) -> Option<&str> {
        Some(&self.0)
    }
}

/// Constructors of the serializer's loader that it calls in a way that fails: they are found for tags that begin so.
const BROKEN: &[(&str, &str)] = &[
    ("null", "construct_yaml_null"),
    ("bool", "construct_yaml_bool"),
    ("int", "construct_yaml_int"),
    ("float", "construct_yaml_float"),
    ("binary", "construct_yaml_binary"),
    ("timestamp", "construct_yaml_timestamp"),
    ("omap", "construct_yaml_omap"),
    ("pairs", "construct_yaml_pairs"),
    ("set", "construct_yaml_set"),
    ("str", "construct_yaml_str"),
    ("seq", "construct_yaml_seq"),
    ("map", "construct_yaml_map"),
];

impl Constructor<'_> {
    /// The constructor of the serializer's loader for all tags that begin in some way.
    pub(super) fn by_prefix(&self, id: Id, tag: &str) -> Option<Result<Obj, YamlError>> {
        if tag.starts_with("!encrypted") && self.loader == Loader::Serializer {
            return Some(self.scalar(id).map(|text| Obj::other(Encrypted::new(text))));
        }
        let name = tag.strip_prefix("tag:yaml.org,2002:")?;
        let own = |prefix: &str| self.loader == Loader::Yamlex && matches!(prefix, "int" | "str" | "omap");
        let (_, method) = BROKEN.iter().find(|(prefix, _)| name.starts_with(prefix) && !own(prefix))?;
        let e = format!("SafeConstructor.{method}() takes 2 positional arguments but 3 were given");
        Some(Err(YamlError::python(&PyErr::ty(e), self.name, self.nodes[id].start)))
    }
}
