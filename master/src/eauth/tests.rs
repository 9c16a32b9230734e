//! Logins and tokens as callers see them.

use std::net::IpAddr;
use std::time::Instant;

use brine_core::Opts;
use brine_protocol::crypt::HashType;
use brine_protocol::{Map, Value, map};

use super::*;
use crate::fs::Dir;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Users gene and dean of a file, with more options.
fn service(more: Map) -> (tempfile::TempDir, Service) {
    let tmp = tempfile::tempdir().unwrap();
    let users = tmp.path().join("users");
    std::fs::write(&users, "gene:OceanMan\ndean:goneFishing\n").unwrap();
    let mut opts = map! {"external_auth" => map! {
        "file" => map! {"^filename" => users.to_str().unwrap(), "gene" => vec![".*"], "*" => vec!["test.ping"]},
        "auto" => map! {"*" => vec!["test.*"], "boss" => vec![".*"]},
    }};
    opts.update(more);
    let tokens = Dir::at(tmp.path().join("tokens"));
    let config = EauthConfig::from_opts(&Opts::new(opts), tokens, HashType::Sha256).unwrap();
    (tmp, Service::new(config))
}

fn login(eauth: &str, username: &str, password: &str) -> Map {
    map! {"eauth" => eauth, "username" => username, "password" => password}
}

async fn proved(service: &Service, eauth: &str, username: &str, password: &str) -> Option<Proved> {
    service.login(HERE, Login::take(&mut login(eauth, username, password))?).await
}

#[test]
fn a_login_is_text_and_leaves_the_request() {
    let mut load = login("pam", "fred", "secret");
    load.insert("fun", "test.ping");
    let taken = Login::take(&mut load).unwrap();
    assert_eq!(load.len(), 1);
    assert!(!format!("{taken:?}").contains("secret"));
    for mut bad in [
        map! {"eauth" => "pam", "username" => "fred"},
        map! {"eauth" => "pam", "username" => 5, "password" => "x"},
        login("pam", "", "x"),
        login("pam", "fr\ned", "x"),
        login("pam", &"x".repeat(2000), "x"),
        login("pam", "fred", &"x".repeat(2000)),
    ] {
        assert!(Login::take(&mut bad).is_none(), "{bad:?}");
    }
}

#[tokio::test]
async fn rules_are_those_of_the_name_that_was_proved() {
    let (_tmp, service) = service(Map::new());
    assert_eq!(proved(&service, "file", "gene", "OceanMan").await.unwrap().rules, [Value::from(".*")]);
    assert_eq!(
        proved(&service, "file", "dean", "goneFishing").await.unwrap().rules,
        [Value::from("test.ping")]
    );
    // A name that is a pattern collects nobody's rules but those for all.
    assert_eq!(proved(&service, "auto", "*", "").await.unwrap().rules, [Value::from("test.*")]);
    let (_tmp, permissive) = self::service(map! {"permissive_acl" => true});
    assert_eq!(proved(&permissive, "file", "gene", "OceanMan").await.unwrap().rules.len(), 2);
    for (eauth, name, password) in
        [("file", "gene", "x"), ("file", "nobody", "OceanMan"), ("file", "gene", "")]
    {
        let start = Instant::now();
        assert_eq!(proved(&service, eauth, name, password).await, None);
        assert!(start.elapsed().as_millis() >= 740, "failures are told late");
    }
    for eauth in ["pam", "keystone", "", "file.auth", "rest"] {
        assert_eq!(proved(&service, eauth, "gene", "OceanMan").await, None, "{eauth}");
    }
}

#[tokio::test]
async fn cve_2020_25592_only_a_token_that_was_made_is_good() {
    let (_tmp, service) = service(Map::new());
    let made = service.make_token(HERE, &mut login("file", "dean", "goneFishing")).await;
    let data = made.as_map().unwrap();
    let keys: Vec<_> = data.keys().filter_map(Value::as_str).collect();
    assert_eq!(keys, ["start", "expire", "name", "eauth", "token"]);
    let life =
        data.get("expire").unwrap().as_float().unwrap() - data.get("start").unwrap().as_float().unwrap();
    assert!((life - 43_200.0).abs() < 1.0);
    let token = data.get("token").unwrap();
    let user = service.token(token).await.unwrap();
    assert_eq!((user.name.as_str(), user.eauth.as_str()), ("dean", "file"));
    assert_eq!(user.rules, [Value::from("test.ping")]);
    assert_eq!(service.get_token(&map! {"token" => token.clone()}), made);
    for junk in [Value::Nil, true.into(), 5.into(), "".into(), "a".repeat(64).into(), Value::List(vec![])] {
        assert_eq!(service.token(&junk).await, None, "{junk:?}");
        assert_eq!(service.get_token(&map! {"token" => junk}), Map::new().into());
    }
    assert_eq!(service.get_token(&Map::new()), false.into());
    assert_eq!(service.make_token(HERE, &mut login("file", "dean", "x")).await, "".into());
    // A token outlives a restart, but not its backend's section.
    let config = EauthConfig { sections: Vec::new(), ..service.config_for_test() };
    assert_eq!(Service::new(config).token(token).await, None);
}

#[tokio::test]
async fn a_token_s_life_is_the_master_s_unless_it_says_otherwise() {
    async fn life(service: &Service, wanted: Value) -> Option<f64> {
        let mut load = login("auto", "fred", "x");
        load.insert("token_expire", wanted);
        let made = service.make_token(HERE, &mut load).await;
        let at = |key: &str| made.get(key).and_then(Value::as_float);
        Some((at("expire")? - at("start")?).round())
    }
    let (_tmp, strict) = service(map! {"token_expire" => 60});
    assert_eq!(life(&strict, 1000.into()).await, Some(60.0));
    assert_eq!(life(&strict, "x".into()).await, Some(60.0));
    let (_tmp, lax) = service(map! {"token_expire_user_override" => map! {"auto" => vec!["fred"]}});
    assert_eq!(life(&lax, 1000.into()).await, Some(1000.0));
    for junk in [Value::from("x"), f64::NAN.into(), (-5).into()] {
        assert_eq!(life(&lax, junk).await, None);
    }
    // Of no length: it was never valid.
    let mut load = login("auto", "fred", "x");
    load.insert("token_expire", 0);
    let made = lax.make_token(HERE, &mut load).await;
    assert_eq!(lax.token(made.get("token").unwrap()).await, None);
}

#[tokio::test]
async fn rules_are_kept_in_the_token_only_when_told_to() {
    let (_tmp, service) = service(map! {"keep_acl_in_token" => true});
    let made = service.make_token(HERE, &mut login("file", "gene", "OceanMan")).await;
    assert_eq!(made.get("auth_list").unwrap(), &Value::List(vec![".*".into()]));
    let mut config = service.config_for_test();
    config.sections.iter_mut().for_each(|s| s.rules = Map::new());
    let later = Service::new(config.clone());
    assert_eq!(later.token(made.get("token").unwrap()).await.unwrap().rules, [Value::from(".*")]);
    config.keep_acl = false;
    assert!(Service::new(config).token(made.get("token").unwrap()).await.unwrap().rules.is_empty());
}
