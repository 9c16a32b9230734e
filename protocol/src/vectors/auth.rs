//! Recorded `_auth` exchanges, judged as a minion and answered as a master.

use super::{Opened, runs, text};
use crate::auth::master::{AuthRequest, AuthRules, MasterCredentials, StoredKeys, Verdict, decide};
use crate::auth::minion::{Credentials, Outcome};
use crate::msgpack::{self, Dialect};
use crate::value::Value;

#[test]
fn stock_masters_accept_pend_and_echo_tokens() {
    for run in runs() {
        let auths = run.auths();
        assert!(matches!(run.finish(&auths[0].0, &auths[0].1), Outcome::Pending), "{}", run.name);
        let mut echoed = 0;
        for (load, reply) in &auths[1..] {
            match run.finish(load, reply) {
                Outcome::Accepted(got) => {
                    assert_eq!(got.master_pem, text(&run.folder.join("minion_master.pub")));
                    assert_eq!(got.store, !load.contains("token"));
                    echoed += usize::from(load.contains("token"));
                }
                Outcome::Pending => assert!(!load.contains("token")),
                other => panic!("{}: {other:?}", run.name),
            }
        }
        assert!(echoed > 0, "{}: no token was seen", run.name);
        // The same reply does not answer another request.
        let (last, other) = (&auths[auths.len() - 1], &auths[0]);
        let mut load = last.0.clone();
        load.insert("nonce", other.0.get_str("nonce").unwrap());
        assert!(matches!(run.finish(&load, &last.1), Outcome::Nonce));
    }
}

#[test]
fn our_auth_replies_are_stocks_but_for_randomness() {
    for run in runs() {
        let accepted = StoredKeys { accepted: run.minion.public().to_pem().ok(), ..StoredKeys::default() };
        let opened = Opened(&run, run.credentials());
        let pem = run.master.public().to_pem().unwrap();
        let Credentials { aes, session, publish_port, .. } = &opened.1;
        let mut creds = MasterCredentials::new(run.master.clone(), &pem, aes.clone(), *publish_port).unwrap();
        if let Some((_, reply)) = run.auths().last().filter(|_| run.signing.is_some()) {
            // The signing key itself was not kept; its signature is what stock sent.
            let load = msgpack::decode(reply.get("load").unwrap().as_bytes().unwrap()).unwrap();
            creds = creds.with_stored_signature(load.get("pub_sig").unwrap().as_str().unwrap());
        }
        for (load, stocks) in run.auths() {
            let request = AuthRequest::parse(&load, 3).unwrap();
            let wait = matches!(run.finish(&load, &stocks), Outcome::Pending);
            let stored = if wait { StoredKeys::default() } else { accepted.clone() };
            let ours = match decide(&request, &stored, AuthRules::default()).verdict {
                Verdict::Accept(acceptance) => acceptance.reply(&creds, session).unwrap(),
                Verdict::Refuse(refusal) => refusal.reply(&creds).unwrap(),
            };
            if wait {
                let ours = msgpack::encode(&ours, Dialect::Old);
                assert_eq!(ours, msgpack::encode(&stocks, Dialect::Old), "refusals have no randomness");
                continue;
            }
            let inner = |reply: &Value| match msgpack::decode(reply.get("load").unwrap().as_bytes().unwrap())
            {
                Ok(Value::Map(load)) => load,
                other => panic!("{other:?}"),
            };
            let (ours, stocks) = (inner(&ours), inner(&stocks));
            assert!(ours.keys().eq(stocks.keys()), "{}: {:?}", run.name, ours.keys().collect::<Vec<_>>());
            for same in ["enc", "pub_key", "publish_port", "sig", "nonce"] {
                assert_eq!(
                    ours.get(same).unwrap().as_bytes(),
                    stocks.get(same).unwrap().as_bytes(),
                    "{same}"
                );
            }
        }
    }
}
