//! Execution modules that stock has and that are not here, with the reason that whoever calls one is told.

use brine_core::call::Registry;

/// Names of modules, and why they are not here.
const ABSENT: &[(&str, &str)] = &[
    (
        "modules for this vendor's product or service are not part of Brine",
        "acme artifactory aws_sqs azurearm_compute azurearm_dns azurearm_network azurearm_resource bamboohr bigip \
         boto3_elasticache boto3_elasticsearch boto3_route53 boto3_sns boto_apigateway boto_asg boto_cfn boto_cloudfront \
         boto_cloudtrail boto_cloudwatch boto_cloudwatch_event boto_cognitoidentity boto_datapipeline boto_dynamodb boto_ec2 \
         boto_efs boto_elasticache boto_elasticsearch_domain boto_elb boto_elbv2 boto_iam boto_iot boto_kinesis boto_kms \
         boto_lambda boto_rds boto_route53 boto_s3 boto_s3_bucket boto_secgroup boto_sns boto_sqs boto_ssm boto_vpc \
         container_resource datadog drac dracr elasticsearch gcp github glanceng google_chat grafana4 heat hue icinga2 ifttt \
         ilo infoblox jira keystone keystoneng kapacitor libcloud_compute libcloud_dns libcloud_loadbalancer \
         libcloud_storage mandrill mattermost msteams nagios nagios_rpc namecheap_domains namecheap_domains_dns \
         namecheap_domains_ns namecheap_ssl namecheap_users netbox neutron neutronng nexus nova openstack_config \
         openstack_mng opsgenie oracle pagerduty pagerduty_util powerpath purefa purefb pushbullet pushover rallydev \
         random_org s3 s6 sensehat serverdensity_device servicenow slack solr solrcloud splunk splunk_search statuspage \
         swift telegram telemetry travisci twilio victorops webutil wordpress zabbix zenoss cimc peeringdb freezer",
    ),
    (
        "it is for another operating system",
        "apk appx assistive auditpol autoruns bluetooth certutil chocolatey cyg desktop dism dsc dsc_resource eix fmadm \
         freebsd_update gentoolkit imgadm jail keychain layman lgpo lgpo_reg license logadm macdefaults macpackage makeconf \
         mdata nictagadm nix opkg pf pkgutil portage_config ports poudriere power powercfg psget rbac rdp reg shortcut \
         softwareupdate sysrc system_profiler task vmctl win_dacl win_dns_client win_event win_iis win_path win_pki \
         win_servermanager win_smtp_server win_snmp win_wua winrepo wusa xattr zoneadm zonecfg rebootmgr tuned vmadm \
         transactional_update gnome",
    ),
    (
        "managing virtual machines and containers is not part of Brine",
        "docker dockercompose esxcluster esxdatacenter esxi esxvm guestfs helm idem inspectlib inspector k8s kubeadm \
         kubernetes lxc lxd marathon nspawn parallels qemu_img qemu_nbd swarm vagrant vbox_guest vboxmanage vcenter virt \
         vsphere chronos",
    ),
    (
        "it asks proxy minions of network devices, and proxy minions are not part of Brine",
        "bgp capirca chassis ciscoconfparse cisconso devinfo iosconfig junos napalm napalm_formula napalm_yang net netacl \
         netaddress netmiko netscaler ntp nxos nxos_api panos probes proxy pyeapi restconf rest_sample_utils route \
         salt_proxy snmp textfsm users",
    ),
    ("salt-cloud is not part of Brine", "cloud saltcloud"),
    ("salt-ssh is not part of Brine", "scp ssh_pki"),
    (
        "it runs a tool of Python that needs Python on the minion",
        "ansible buildout celery django saltcheck test_virtual testinfra supervisord uwsgi",
    ),
    (
        "augeas is a library that reads and writes configuration files by lenses of its own; it is not part of Brine, and \
         the states of files, ini and fstab do that work",
        "augeas",
    ),
    (
        "it is a later piece of work",
        "apache apcups apf aptly asymmetric at baredoc bcache bower bridge btrfs cabal cassandra_cql ceph chef chroot \
         composer consul cpan cryptdev csf daemontools ddns devmap dig dnsmasq dnsutil drbd eselect etcd ethtool extfs \
         firewall firewalld gem genesis glassfish glusterfs gpg grub hadoop haproxy hg highstate_doc ilo incron influxdb \
         influxdb08 introspect ip ipmi ipset iwtools jboss7 jboss7_cli jenkins kerberos kernelpkg keyboard keystore ldap \
         ldap3 linux_service locate logrotate lvm lvs memcached minion modjk mongodb monit moosefs mssql munin mysql nfs3 \
         nftables nginx npm omapi openscap openvswitch osquery out pam partition pcs pdbedit pecl pkgbuild postfix postgres \
         puppet pyenv quota rabbitmq raid rbenv redis restartcheck riak rsync runit rvm salt_version scsi seed selinux \
         sensors smbios smtp snapper sqlite3 svn sysbench sysfs syslog_ng temp tls tomcat trafficserver udev uptime varnish \
         vault x509 xfs xml xmpp yaml zfs zk_concurrency znc zookeeper zpool",
    ),
];

/// Notes in the table of calls what stock has beyond it.
pub fn note_absent(registry: &mut Registry) {
    for (reason, names) in ABSENT {
        for name in names.split_whitespace() {
            registry.refuse(name, reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The execution modules of 3006.28, 3007.15 and 3008.3, by the names that calls use.
    const STOCKS: &str = include_str!("absent.txt");

    #[test]
    fn every_module_of_stock_is_here_or_refused_by_name() {
        for name in ABSENT.iter().flat_map(|(_, names)| names.split_whitespace()) {
            assert!(crate::ALL.iter().all(|module| module.name != name), "{name} is here");
        }
        let mut registry = Registry::new(crate::ALL.iter().copied());
        note_absent(&mut registry);
        for module in STOCKS.split_whitespace() {
            let error = registry.missing(&format!("{module}.no_such")).to_string();
            let refused = error.starts_with(&format!("'{module}' __virtual__ returned False: "));
            assert!(registry.has_module(module) != refused, "{module}: {error}");
        }
        assert_eq!(registry.missing("nonsense.f").to_string(), "'nonsense.f' is not available.");
    }
}
