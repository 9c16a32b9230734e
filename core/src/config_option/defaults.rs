//! Values of options that stock's `config` module knows for other modules and for returners, and that no daemon has as options.

use brine_protocol::{Map, Value, map};
use std::sync::LazyLock;

static DEFAULTS: LazyLock<Map> = LazyLock::new(|| {
    map! {
        "mongo.db" => "salt",
        "mongo.password" => "",
        "mongo.port" => 27017,
        "mongo.user" => "",
        "redis.db" => "0",
        "redis.host" => "salt",
        "redis.port" => 6379,
        "test.foo" => "unconfigured",
        "ca.cert_base_path" => "/etc/pki",
        "solr.cores" => Value::List(vec![]),
        "solr.host" => "localhost",
        "solr.port" => "8983",
        "solr.baseurl" => "/solr",
        "solr.type" => "master",
        "solr.request_timeout" => Value::Nil,
        "solr.init_script" => "/etc/rc.d/solr",
        "solr.dih.import_options" => map! { "clean" => false, "optimize" => true, "commit" => true, "verbose" => false },
        "solr.backup_path" => Value::Nil,
        "solr.num_backups" => 1,
        "poudriere.config" => "/usr/local/etc/poudriere.conf",
        "poudriere.config_dir" => "/usr/local/etc/poudriere.d",
        "ldap.uri" => "",
        "ldap.server" => "localhost",
        "ldap.port" => "389",
        "ldap.tls" => false,
        "ldap.no_verify" => false,
        "ldap.anonymous" => true,
        "ldap.scope" => 2,
        "ldap.attrs" => Value::Nil,
        "ldap.binddn" => "",
        "ldap.bindpw" => "",
        "hosts.file" => "/etc/hosts",
        "aliases.file" => "/etc/aliases",
        "virt" => map! { "tunnel" => false, "images" => "/srv/salt-images" },
        "docker.exec_driver" => "docker-exec",
        "docker.compare_container_networks" => map! { "static" => vec!["Aliases", "Links", "IPAMConfig"], "automatic" => vec!["IPAddress", "Gateway", "GlobalIPv6Address", "IPv6Gateway"] },
    }
});

/// Name and value of each.
pub fn defaults() -> &'static Map {
    &DEFAULTS
}
