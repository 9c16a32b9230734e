//! The options of one entry of `ext_pillar`: which warehouse, and what of it becomes pillar.

use brine_core::text::python_str;
use brine_core::{Map, Opts, Value};
use brine_inventory::Origin;
use brine_protocol::ids::RelPath;
use std::path::{Path, PathBuf};

/// The name of the source.
pub(super) const NAME: &str = "palletjack";
/// Where the revision stands unless told otherwise.
const REVISION: &str = "palletjack_revision";
/// What a system is known to Salt by unless told otherwise.
const KEY: &str = "net.dns.fqdn";

/// Where a warehouse is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// A folder; with a reference, a repository or a folder in the work tree of one.
    pub warehouse: PathBuf,
    /// The branch, tag or commit that counts; without one, the files as they lie there.
    pub reference: Option<String>,
    /// The warehouse's folder below that.
    pub below: Option<RelPath>,
}

impl Place {
    /// The repository in which the warehouse is, and its folder there: where there is a `.git` above it, or it is bare itself.
    pub fn repository(&self) -> Option<(PathBuf, PathBuf)> {
        let warehouse = std::fs::canonicalize(&self.warehouse).ok()?;
        let is_one =
            |at: &Path| at.join(".git").exists() || at.join("HEAD").is_file() && at.join("objects").is_dir();
        let top = warehouse.ancestors().find(|at| is_one(at))?;
        let below = warehouse.strip_prefix(top).ok()?;
        Some((top.to_owned(), self.rooted(below)))
    }

    /// The folder of the warehouse, where files are read as they lie there.
    pub fn folder(&self) -> PathBuf {
        self.rooted(&self.warehouse)
    }

    fn rooted(&self, folder: &Path) -> PathBuf {
        self.below.as_ref().map_or_else(|| folder.to_owned(), |below| folder.join(below.as_str()))
    }

    /// The warehouse at a revision, or as it lies there.
    pub(super) fn origin(&self, revision: Option<&str>) -> Origin {
        let Some(revision) = revision else { return Origin::Directory(self.folder()) };
        let (repository, below) =
            self.repository().unwrap_or_else(|| (self.warehouse.clone(), self.rooted(Path::new(""))));
        let below = below.to_string_lossy().into_owned();
        Origin::Git { repository, revision: revision.to_owned(), below }
    }
}

/// Of what types values are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Typing {
    /// As Salt reads Pallet Jack's YAML: what looks like a number is one.
    #[default]
    Retyped,
    /// Text, as Pallet Jack has it.
    Strings,
    /// As the boxes say.
    Native,
}

/// Which of a system's ancestors are its groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Groups {
    #[default]
    None,
    All,
    Kinds(Vec<String>),
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conf {
    /// Where the warehouse is.
    pub place: Place,
    pub(crate) typing: Typing,
    /// The key of a system that holds the minion's id.
    pub(crate) key: String,
    pub(crate) global: bool,
    pub(crate) view: bool,
    pub(crate) groups: Groups,
    /// The path in pillar at which the revision stands.
    pub(crate) revision: Option<String>,
}

/// Why an entry cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfError {
    /// The warehouse is not named.
    #[error("it names no warehouse")]
    NoWarehouse,
    /// An option that does not exist.
    #[error("unknown option {0}")]
    Unknown(String),
    /// A value that an option does not take.
    #[error("{key}: {value} is not {wanted}")]
    Value {
        /// The option.
        key: &'static str,
        /// What stands there.
        value: String,
        /// What it takes.
        wanted: &'static str,
    },
}

fn wrong(key: &'static str, value: &Value, wanted: &'static str) -> ConfError {
    ConfError::Value { key, value: python_str(value), wanted }
}

impl Conf {
    /// Reads an entry: a dict of options, or the warehouse's folder alone.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(entry: &Value) -> Result<Self, ConfError> {
        match entry {
            Value::Map(options) => Self::of(options),
            Value::Str(_) => {
                let mut options = Map::new();
                options.insert("warehouse", entry.clone());
                Self::of(&options)
            }
            _ => Err(ConfError::NoWarehouse),
        }
    }

    /// The entries of the option `ext_pillar` that are of this source, each with what is wrong with it.
    pub fn all(opts: &Opts) -> Vec<Result<Self, ConfError>> {
        let entries = opts.get("ext_pillar").and_then(Value::as_list).unwrap_or_default();
        entries.iter().filter_map(|entry| entry.as_map()?.get(NAME)).map(Self::read).collect()
    }

    fn of(options: &Map) -> Result<Self, ConfError> {
        let mut warehouse = None;
        let mut conf = Self {
            place: Place { warehouse: PathBuf::new(), reference: None, below: None },
            typing: Typing::default(),
            key: KEY.into(),
            global: true,
            view: false,
            groups: Groups::default(),
            revision: Some(REVISION.into()),
        };
        for (name, value) in options.iter() {
            match name.as_str().unwrap_or_default() {
                "warehouse" => {
                    let path = value.as_str().filter(|path| path.starts_with('/'));
                    warehouse = Some(path.ok_or_else(|| wrong("warehouse", value, "an absolute path"))?);
                }
                "ref" => {
                    let text = python_str(value);
                    // What begins with a dash would be an option of git.
                    if text.is_empty() || text.starts_with('-') || text.contains(|c: char| c.is_control()) {
                        return Err(wrong("ref", value, "the name of a branch, tag or commit"));
                    }
                    conf.place.reference = Some(text);
                }
                "below" => {
                    let below = value.as_str().and_then(|text| RelPath::parse(text).ok());
                    conf.place.below =
                        Some(below.ok_or_else(|| wrong("below", value, "a path below the warehouse"))?);
                }
                "typing" => {
                    conf.typing = match value.as_str() {
                        Some("retyped") => Typing::Retyped,
                        Some("strings") => Typing::Strings,
                        Some("native") => Typing::Native,
                        _ => return Err(wrong("typing", value, "retyped, strings or native")),
                    };
                }
                "key" => {
                    let key = value.as_str().filter(|key| !key.is_empty());
                    key.ok_or_else(|| wrong("key", value, "a key of systems"))?.clone_into(&mut conf.key);
                }
                "global" => conf.global = truth("global", value)?,
                "view" => conf.view = truth("view", value)?,
                "nodegroups" => conf.groups = groups(value)?,
                "revision" => {
                    conf.revision = match value {
                        Value::Bool(true) => Some(REVISION.into()),
                        Value::Bool(false) => None,
                        Value::Str(key) if key.split(':').all(|part| !part.is_empty()) => Some(key.clone()),
                        _ => return Err(wrong("revision", value, "true, false or a key of pillar")),
                    };
                }
                _ => return Err(ConfError::Unknown(python_str(name))),
            }
        }
        conf.place.warehouse = warehouse.ok_or(ConfError::NoWarehouse)?.into();
        Ok(conf)
    }
}

fn truth(key: &'static str, value: &Value) -> Result<bool, ConfError> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        _ => Err(wrong(key, value, "true or false")),
    }
}

fn groups(value: &Value) -> Result<Groups, ConfError> {
    let wanted = "true, false or a list of kinds";
    match value {
        Value::Bool(false) => Ok(Groups::None),
        Value::Bool(true) => Ok(Groups::All),
        Value::List(kinds) => {
            let kinds: Option<Vec<String>> =
                kinds.iter().map(|kind| kind.as_str().map(str::to_owned)).collect();
            kinds.map(Groups::Kinds).ok_or_else(|| wrong("nodegroups", value, wanted))
        }
        _ => Err(wrong("nodegroups", value, wanted)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    fn read(options: Map) -> Result<Conf, String> {
        Conf::read(&options.into()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_folder_alone_is_an_entry() {
        let conf = Conf::read(&"/srv/w".into()).unwrap();
        assert_eq!(conf, read(map! {"warehouse" => "/srv/w"}).unwrap());
        assert_eq!((conf.typing, conf.key.as_str(), conf.global), (Typing::Retyped, "net.dns.fqdn", true));
        assert_eq!((conf.view, conf.groups, conf.revision.as_deref()), (false, Groups::None, Some(REVISION)));
    }

    #[test]
    fn each_option_takes_what_it_takes() {
        let with = |more: Map| {
            let mut all = map! {"warehouse" => "/srv/w"};
            all.update(more);
            read(all)
        };
        let conf = with(map! {
            "ref" => "main", "below" => "a/b", "typing" => "native", "key" => "system.id", "global" => false, "view" => true,
            "nodegroups" => vec!["rack"], "revision" => "palletjack:revision",
        })
        .unwrap();
        assert_eq!(conf.place.reference.as_deref(), Some("main"));
        assert_eq!(conf.groups, Groups::Kinds(vec!["rack".into()]));
        assert_eq!(conf.revision.as_deref(), Some("palletjack:revision"));
        assert_eq!(with(map! {"revision" => false}).unwrap().revision, None);
        for (options, why) in [
            (
                map! {"ref" => "--upload-pack=x"},
                "ref: --upload-pack=x is not the name of a branch, tag or commit",
            ),
            (map! {"below" => "../x"}, "below: ../x is not a path below the warehouse"),
            (map! {"typing" => "text"}, "typing: text is not retyped, strings or native"),
            (map! {"warehouse" => "w"}, "warehouse: w is not an absolute path"),
            (map! {"view" => "yes"}, "view: yes is not true or false"),
            (map! {"nodegroups" => "rack"}, "nodegroups: rack is not true, false or a list of kinds"),
            (map! {"revision" => "a::b"}, "revision: a::b is not true, false or a key of pillar"),
            (map! {"brnach" => "main"}, "unknown option brnach"),
        ] {
            assert_eq!(with(options).unwrap_err(), why);
        }
        assert_eq!(read(Map::new()).unwrap_err(), "it names no warehouse");
        assert_eq!(Conf::read(&7.into()).unwrap_err(), ConfError::NoWarehouse);
    }
}
