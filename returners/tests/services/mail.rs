//! Mail: what is said to a server, and what is not sent at all.

use super::common::Stock;
use super::listeners::Mail;
use super::{both, cx, ours, ret};
use brine_core::{Map, Value, map};

#[test]
fn mails_are_the_same() {
    let mut stock = Stock::start(None);
    let rets = [
        ret("test.ping", true),
        ret("cmd.run", "one\n.two\r\nthree\n"),
        ret("test.echo", map! {"a" => vec![Value::from(1.5), Value::Nil], "<b>" => "it's {{ id }}"}),
    ];
    let without_date = |lines: Vec<String>| -> Vec<String> {
        let dated = lines.iter().filter(|line| line.starts_with("Date: ")).count();
        assert_eq!(dated, 1, "{lines:?}");
        lines.into_iter().filter(|line| !line.starts_with("Date: ")).collect()
    };
    for can in [
        &["SIZE 1000000", "8BITMIME", "AUTH LOGIN PLAIN CRAM-MD5"][..],
        &["AUTH PLAIN LOGIN"],
        &["AUTH LOGIN"],
    ] {
        let listener = Mail::start(can, "gone@x");
        for more in [
            Map::new(),
            map! {"username" => "ü", "password" => "pass word"},
            map! {"fields" => "id,fun,none", "subject" => "Done:", "to" => "a@x, B <b@x>,gone@x", "tls" => "yes"},
        ] {
            let mut settings = map! {
                "from" => "Salt Bot <salt@x>", "to" => "a@x", "host" => "127.0.0.1", "port" => listener.port,
            };
            settings.update(more);
            if settings.get("password").is_some() {
                settings.insert("username", "fred");
            }
            let opts = map! {"smtp" => settings};
            for ret in &rets {
                let name = ("smtp", "smtp_return", "returner");
                let (theirs, own) =
                    both(&mut stock, name, &opts, &[ret.clone().into()], || without_date(listener.take()));
                assert!(theirs.len() > 10, "{theirs:?}");
                assert_eq!(theirs, own);
            }
            let event: Value = map! {"tag" => "t", "data" => rets[0].clone()}.into();
            let name = ("smtp", "smtp_return", "event_return");
            let (theirs, own) =
                both(&mut stock, name, &opts, &[vec![event].into()], || without_date(listener.take()));
            assert_eq!(theirs, own);
        }
    }
}

/// What is not there yet, or is refused, sends no mail in its place.
#[test]
fn no_mail_is_sent_that_is_not_as_asked_for() {
    let listener = Mail::start(&[], "gone@x");
    let settings = map! {"from" => "s@x", "to" => "a@x", "host" => "127.0.0.1", "port" => listener.port};
    let error = |more: Map| {
        let mut settings = settings.clone();
        settings.update(more);
        let opts = map! {"smtp" => settings};
        ours("smtp").returner.unwrap()(&cx(&opts, &Map::new()), &ret("test.ping", true))
            .unwrap_err()
            .to_string()
    };
    for (more, why) in [
        (map! {"template" => "/srv/mail.j2"}, "smtp.template"),
        (map! {"gpgowner" => "fred"}, "smtp.gpgowner"),
        (map! {"renderer" => "mako"}, "smtp.renderer"),
        (map! {"subject" => "{{ id }}"}, "smtp.subject"),
        (map! {"from" => Value::Nil}, "smtp.from"),
        (map! {"tls" => true}, "STARTTLS extension not supported by server."),
        (map! {"username" => "u", "password" => "p"}, "SMTP AUTH extension not supported by server."),
        (map! {"to" => "gone@x"}, "550"),
        (map! {"to" => "a@x\r\nDATA"}, "not a mail address"),
    ] {
        let text = error(more);
        assert!(text.contains(why), "{text}");
    }
    assert!(!listener.take().iter().any(|line| line.to_uppercase().starts_with("DATA")));
    // Stock fails at anything that is not ASCII.
    let opts = map! {"smtp" => settings};
    ours("smtp").returner.unwrap()(&cx(&opts, &Map::new()), &ret("test.echo", "ä")).unwrap();
    let said = listener.take();
    assert!(
        said.contains(&"return: ä".into()) && said.contains(&"Content-Transfer-Encoding: 8bit".into()),
        "{said:?}"
    );
}
