//! Sources of stock's that are not here, each with one clear line. Not those that nobody knows.

use brine_core::{Opts, Value};
use brine_python::{Kind, PyErr};
use std::path::PathBuf;

/// What stock needs for a source that is not here.
const NAMES: &[(&str, &str)] = &[
    ("azureblob", "Azure's libraries"),
    ("cobbler", "a Cobbler server"),
    ("confidant", "Lyft's confidant client"),
    ("consul", "a Consul server"),
    ("digicert", "DigiCert's service"),
    ("django_orm", "Django, which is Python"),
    ("ec2_pillar", "Amazon's boto library"),
    ("etcd", "an etcd server"),
    ("foreman", "a Foreman server"),
    ("hg", "Mercurial"),
    ("hiera", "Puppet's hiera"),
    ("libvirt", "the keys of virt.accept"),
    ("makostack", "Mako templates, which are Python"),
    ("mongo", "a MongoDB client"),
    ("neutron", "OpenStack's client"),
    ("pepa", "Pepa's templates"),
    ("pillar_ldap", "an LDAP search"),
    ("rethinkdb", "a RethinkDB client"),
    ("reclass", "the reclass library, which is Python"),
    ("s3", "Amazon S3"),
    ("sqlcipher", "SQLCipher"),
    ("svn", "Subversion"),
    ("varstack", "the varstack library, which is Python"),
    ("venafi", "Venafi's service"),
    ("virtkey", "the keys of virt.accept"),
    ("vmware", "VMware's libraries"),
];

/// Why there is no source of this name; `None` for a name that means nothing here, as it means nothing to stock.
pub(super) fn why(name: &str, opts: &Opts) -> Option<PyErr> {
    let text = match NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, needs)) => format!("not supported: it needs {needs}"),
        None => format!("not supported: {} is a Python module", own(name, opts)?.display()),
    };
    Some(PyErr::new(Kind::Other("NotSupported"), text))
}

/// The Python file with which stock would have a source of this name.
fn own(name: &str, opts: &Opts) -> Option<PathBuf> {
    let dirs = opts.get("module_dirs").and_then(Value::as_list).unwrap_or_default();
    let dirs = dirs.iter().filter_map(Value::as_str).map(PathBuf::from);
    let mut all = std::iter::once(opts.path("extension_modules")).chain(dirs);
    // A name with a slash in it is no module's.
    let file = format!("{name}.py");
    all.find_map(|dir| {
        Some(dir.join("pillar").join(&file)).filter(|path| !name.contains('/') && path.is_file())
    })
}
