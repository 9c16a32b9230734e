//! Sources of stock's that are not here, each with one clear line. Not those that nobody knows.

use brine_python::{Kind, PyErr};

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

/// Why there is no source of this name.
pub(super) fn why(name: &str) -> PyErr {
    let text = match NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, needs)) => format!("not supported: it needs {needs}"),
        None => "not supported: there is no source of this name".to_owned(),
    };
    PyErr::new(Kind::Other("NotSupported"), text)
}
