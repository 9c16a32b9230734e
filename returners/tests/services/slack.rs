//! Messages for Slack.

use super::common::Stock;
use super::listeners::Http;
use super::{both, cx, ours, ret, states};
use brine_core::{Map, Value, map};

#[test]
fn slack_gets_the_same_messages() {
    let listener = Http::start(Box::new(|_| (200, "ok".into())));
    let mut stock = Stock::start(None);
    let hook = format!("http://127.0.0.1:{}/services/T0/B0/x", listener.port);
    let name = ("slack_webhook", "slack_webhook_return", "returner");
    let mut failed = ret("state.apply", states());
    failed.insert("retcode", 2);
    let rets = [
        ret("test.ping", true),
        ret("cmd.run", "line\nä&=+%"),
        ret(
            "grains.items",
            map! {"b" => vec![Value::from(1), 2.into()], "a" => map! {"x" => Value::Nil, "y" => vec![Value::from("z")]}},
        ),
        ret("test.echo", vec![Value::from(1.5), "'".into()]),
        ret("state.apply", states()),
        failed,
        map! {"id" => "m", "fun" => "f", "jid" => "1"},
    ];
    for more in [
        Map::new(),
        map! {"show_tasks" => true, "author_icon" => "http://i", "success_title" => "{os}: {id} {none}!",
        "failure_title" => "no }{"},
    ] {
        let mut settings = map! {"webhook" => hook.as_str()};
        settings.update(more);
        let opts = map! {"slack_webhook" => settings};
        for ret in &rets {
            let (theirs, own) = both(&mut stock, name, &opts, &[ret.clone().into()], || listener.take());
            assert_eq!(theirs.len(), 1);
            assert_eq!(theirs, own, "{ret:?}");
        }
        let mut find_job = ret("saltutil.find_job", true);
        find_job.insert("tag", "salt/auth");
        let events: Vec<Value> = vec![
            map! {"tag" => "t", "data" => ret("test.ping", true)}.into(),
            map! {"tag" => "t", "data" => find_job}.into(),
        ];
        let name = (name.0, name.1, "event_return");
        let (theirs, own) = both(&mut stock, name, &opts, &[events.into()], || listener.take());
        assert_eq!((theirs.len(), &theirs), (1, &own));
    }
    // A refusal is logged and no more; without a webhook there is nothing to do.
    let angry = Http::start(Box::new(|_| (404, "no_team".into())));
    for opts in [map! {"slack_webhook.webhook" => format!("http://127.0.0.1:{}/", angry.port)}, Map::new()] {
        ours("slack_webhook").returner.unwrap()(&cx(&opts, &Map::new()), &rets[0]).unwrap();
    }
    assert_eq!(angry.take().len(), 1);
}
