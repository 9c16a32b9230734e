//! Every option of the master that is a bound, a place or a switch has its place in the typed configuration that the parts
//! are made with. What the parts do with it is shown beside them.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::time::Duration;

use brine_core::Opts;
use brine_master::config::Config;
use brine_protocol::crypt::SigAlgo;
use brine_protocol::{Map, Value, map};

fn config(opts: Map) -> Config {
    Config::from_opts(Opts::new(opts)).unwrap()
}

#[test]
fn sockets_are_made_as_the_options_say() {
    let net = config(map! {
        "interface" => "127.0.0.7", "publish_port" => 14505, "ret_port" => 14506, "pub_hwm" => 10,
        "max_open_files" => 1234, "zmq_backlog" => 5, "tcp_keepalive" => false, "tcp_keepalive_idle" => 30,
        "tcp_keepalive_intvl" => 7, "tcp_keepalive_cnt" => 4, "zmq_heartbeat_ivl" => 500,
        "zmq_heartbeat_timeout" => 900,
    })
    .net;
    assert_eq!(net.publish.to_string(), "127.0.0.7:14505");
    assert_eq!(net.request.to_string(), "127.0.0.7:14506");
    assert_eq!((net.hwm, net.max_open_files), (10, 1234));
    let tcp = &net.publish_tcp;
    assert_eq!((tcp.backlog, net.request_tcp.backlog, tcp.keepalive), (5, 5, false));
    let seconds = |n| Some(Duration::from_secs(n));
    assert_eq!((tcp.idle, tcp.intvl, tcp.cnt), (seconds(30), seconds(7), Some(4)));
    let heartbeat = net.heartbeat.unwrap();
    assert_eq!((heartbeat.ivl, heartbeat.timeout), (Duration::from_millis(500), Duration::from_millis(900)));
    assert_eq!(config(map! {"ipv6" => true}).net.publish.to_string(), "[::]:4505");
}

#[test]
fn other_transports_are_refused() {
    for (key, value) in [("transport", Value::from("tcp")), ("ipc_mode", "tcp".into())] {
        assert!(Config::from_opts(Opts::new(map! {key => value})).is_err(), "{key}");
    }
}

#[test]
fn files_are_where_the_options_say() {
    let config = config(map! {
        "pki_dir" => "/a/pki", "cachedir" => "/a/cache", "sock_dir" => "/a/s", "pidfile" => "/a/pid",
        "sqlite_queue_dir" => "/a/queues", "verify_env" => false, "permissive_pki_access" => true, "user" => "nobody",
        "id" => "m", "event_pub_framing" => 3007, "max_event_size" => 9, "ipc_write_buffer" => 1_000_000,
    });
    let paths = &config.paths;
    assert_eq!(paths.pki_dir.to_str(), Some("/a/pki"));
    assert_eq!(paths.cachedir.to_str(), Some("/a/cache"));
    assert_eq!(config.bus.pub_path.to_str(), Some("/a/s/master_event_pub.ipc"));
    assert_eq!(paths.pidfile.to_str(), Some("/a/pid"));
    assert_eq!(paths.queue_dir.to_str(), Some("/a/queues"));
    assert!(!paths.verify_env && paths.permissive && config.auto_key.permissive);
    assert_eq!((config.user.as_str(), config.id.as_str()), ("nobody", "m"));
    assert_eq!((config.bus.max_event, config.bus.max_behind), (9, 1_000_000));
}

#[test]
fn keys_are_made_and_judged_as_the_options_say() {
    let config = config(map! {
        "keysize" => 4096, "key_pass" => "k", "master_sign_pubkey" => true, "master_sign_key_name" => "n",
        "signing_key_pass" => "s", "master_use_pubkey_signature" => true, "master_pubkey_signature" => "sig",
        "autosign_timeout" => 7, "client_acl_verify" => false, "clear_commands_from_anywhere" => true,
        "publish_signing_algorithm" => "PKCS1v15-SHA224",
    });
    assert_eq!(config.publish.sign, Some(SigAlgo::Pkcs1v15Sha224));
    let key = &config.master_key;
    assert_eq!((key.keysize, key.key_pass.as_deref()), (4096, Some("k")));
    assert_eq!((key.sign_pubkey, key.sign_key_name.as_str()), (true, "n"));
    assert_eq!(key.signing_key_pass.as_deref(), Some("s"));
    assert_eq!((key.use_pubkey_signature, key.pubkey_signature.as_str()), (true, "sig"));
    assert_eq!(config.auto_key.stub_timeout, 7);
    assert!(!config.user_keys.verify && config.access.key_from_anywhere);
}

#[test]
fn chores_and_stores_are_bounded_as_the_options_say() {
    let config = config(map! {
        "loop_interval" => 7, "ping_on_rotate" => true, "rotate_aes_key" => false, "job_store_max_size" => 100,
        "minion_data_cache" => false, "enforce_mine_cache" => true, "minion_data_cache_events" => false,
        "minion_data_layout" => 3008, "drop_messages_signature_fail" => true, "job_cache" => false,
    });
    assert_eq!(config.upkeep.interval, Duration::from_secs(7));
    assert!(config.upkeep.ping_on_rotate && !config.upkeep.rotate_on_delete);
    assert_eq!(config.jobs.caps.max_bytes, 100 << 20);
    let data = &config.data;
    assert!(!data.enabled && data.mine_always && !data.events && data.banks);
    assert!(config.auth.drop_bad_signature && !config.jobs.keep_returns);
}
