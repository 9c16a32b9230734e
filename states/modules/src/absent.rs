//! State modules that stock has and that are not here, with the reason that whoever uses one is told.

use brine_core::call::Registry;

/// Names of state modules, and why they are not here.
const ABSENT: &[(&str, &str)] = &[
    (
        "states of this vendor's product or service are not part of Brine",
        "acme artifactory aws_sqs azurearm_compute azurearm_dns azurearm_network azurearm_resource bigip boto3_elasticache \
         boto3_elasticsearch boto3_route53 boto3_sns boto_apigateway boto_asg boto_cfn boto_cloudfront boto_cloudtrail \
         boto_cloudwatch_alarm boto_cloudwatch_event boto_cognitoidentity boto_datapipeline boto_dynamodb boto_ec2 \
         boto_elasticache boto_elasticsearch_domain boto_elb boto_elbv2 boto_iam boto_iam_role boto_iot boto_kinesis boto_kms \
         boto_lambda boto_lc boto_rds boto_route53 boto_s3 boto_s3_bucket boto_secgroup boto_sns boto_sqs boto_vpc cimc \
         dellchassis drac elasticsearch elasticsearch_index elasticsearch_index_template github glance_image grafana \
         grafana4_dashboard grafana4_datasource grafana4_org grafana4_user grafana_dashboard grafana_datasource heat icinga2 \
         ifttt infoblox_a infoblox_cname infoblox_host_record infoblox_range kapacitor keystone keystone_domain \
         keystone_endpoint keystone_group keystone_project keystone_role keystone_role_grant keystone_service keystone_user \
         libcloud_dns libcloud_loadbalancer libcloud_storage msteams neutron_network neutron_secgroup neutron_secgroup_rule \
         neutron_subnet nexus openstack_config opsgenie pagerduty pagerduty_escalation_policy pagerduty_schedule \
         pagerduty_service pagerduty_user powerpath pushover pyrax_queues serverdensity_device slack solrcloud splunk \
         splunk_search statuspage telemetry_alert victorops webutil wordpress zabbix_action zabbix_host zabbix_hostgroup \
         zabbix_mediatype zabbix_template zabbix_user zabbix_usergroup zabbix_usermacro zabbix_valuemap zenoss",
    ),
    (
        "it is for another operating system",
        "appx assistive certutil chocolatey cyg dism dsc_resource firewall gnomedesktop keychain layman lgpo lgpo_reg license \
         logadm macdefaults macpackage makeconf pkgng portage_config ports powercfg rbac rdp reg shortcut smartos sysrc system task \
         tuned win_dacl win_dns_client win_firewall win_iis win_path win_pki win_servermanager win_smtp_server win_snmp \
         winrepo wua wusa xattr zone",
    ),
    (
        "managing virtual machines and containers is not part of Brine",
        "chronos_job docker_container docker_image docker_network docker_volume dvs esxcluster esxdatacenter esxi esxvm helm \
         idem kubernetes lxc lxd lxd_container lxd_image lxd_profile marathon_app pbm vagrant vbox_guest virt",
    ),
    (
        "it asks proxy minions of network devices, and proxy minions are not part of Brine",
        "cisconso junos napalm_yang netacl netconfig netntp netsnmp netusers ntp nxos panos probes proxy restconf salt_proxy",
    ),
    ("salt-cloud is not part of Brine", "cloud"),
    ("salt-ssh is not part of Brine", "ssh_pki"),
    ("it runs a tool of Python that needs Python on the minion", "ansible buildout supervisord testinfra"),
    (
        "augeas is a library that reads and writes configuration files by lenses of its own; it is not part of Brine, and \
         the states of files, ini and mount do that work",
        "augeas",
    ),
    (
        "it is a later piece of work",
        "apache apache_conf apache_module apache_site apt at blockdev bower btrfs cabal ceph chef composer \
         consul cryptdev csf ddns disk eselect etcd ethtool firewalld gem glassfish glusterfs gpg hg highstate_doc incron \
         influxdb08_database influxdb08_user influxdb_continuous_query influxdb_database influxdb_retention_policy \
         influxdb_user ipmi ipset jboss7 jenkins kernelpkg keyboard keystore ldap logrotate loop lvm lvs_server lvs_service \
         memcached modjk modjk_worker mongodb_database mongodb_user monit mssql_database mssql_login mssql_role mssql_user \
         mysql_database mysql_grants mysql_query mysql_user network nfs_export nftables npm openvswitch_bridge openvswitch_db \
         openvswitch_port pcs pdbedit pecl pkgbuild postgres_cluster postgres_database postgres_extension postgres_group \
         postgres_initdb postgres_language postgres_privileges postgres_schema postgres_tablespace postgres_user process \
         pyenv quota rabbitmq_cluster rabbitmq_plugin rabbitmq_policy rabbitmq_upstream rabbitmq_user rabbitmq_vhost raid \
         rbenv redis rsync rvm selinux smtp snapper sqlite3 stateconf status svn sysfs syslog_ng tls tomcat \
         trafficserver uptime vault x509 xml xmpp zfs zk_concurrency zookeeper zpool",
    ),
];

/// Notes in the table of states what stock has beyond it.
pub fn note_absent(registry: &mut Registry) {
    for (reason, names) in ABSENT {
        for name in names.split_whitespace() {
            registry.refuse_state(name, reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state modules of 3006.28, 3007.15 and 3008.3, by the names that SLS files use.
    const STOCKS: &str = include_str!("absent.txt");

    #[test]
    fn every_state_module_of_stock_is_here_or_refused_by_name() {
        for name in ABSENT.iter().flat_map(|(_, names)| names.split_whitespace()) {
            assert!(crate::ALL.iter().all(|module| module.name != name), "{name} is here");
        }
        let mut registry = Registry::default().with_states(crate::ALL.iter().copied());
        note_absent(&mut registry);
        for module in STOCKS.split_whitespace() {
            let reason = registry.missing_state(&format!("{module}.no_such"));
            let refused = reason.starts_with(&format!("'{module}' __virtual__ returned False: "));
            assert!(registry.state_module(module).is_some() != refused, "{module}: {reason}");
        }
        assert_eq!(registry.missing_state("nonsense.f"), "'nonsense.f' is not available.");
    }
}
