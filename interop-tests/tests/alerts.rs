//! Alerts of our master with a minion of ours and one of stock's: a state that fails, a minion that is killed, a silence; and
//! the first five minutes of `docs/alerts.md`, followed literally.

use std::fs;
use std::time::Duration;

use brine_interop_tests::failure::hold;
use brine_interop_tests::fleet::START;
use brine_interop_tests::{Failure, Fleet, Result, Side, wait};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);

/// A fleet with `m1` of ours and `m2` of stock's, and these lines in the master's configuration.
fn fleet(alerts: &str) -> Result<Fleet> {
    let stock = Side::parse("3006")?;
    let mut fleet = Fleet::new(Side::Ours, stock)?;
    let roots = format!("file_roots: {{base: [{}]}}", fleet.path("srv").display());
    fleet.settings.master_lines = alerts.lines().map(str::to_owned).chain([roots]).collect();
    fs::create_dir_all(fleet.path("srv"))?;
    fleet.start_both(|_| Vec::new())?;
    Ok(fleet)
}

/// The names and minions of the alerts about minions in a state.
fn alerts(fleet: &Fleet, state: &str) -> Result<Vec<String>> {
    let list = fleet.our_run(&["alerts.list"])?.ok()?.json()?;
    let mut names: Vec<String> = list
        .get(state)
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|alerts| alerts.values())
        .map(|alert| {
            let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
            format!("{} {}", label("alertname"), label("minion"))
        })
        // Others are about this machine: the disk, or that there is anybody at all.
        .filter(|name| !name.ends_with(' '))
        .collect();
    names.sort();
    Ok(names)
}

fn wait_for(fleet: &Fleet, state: &str, wanted: &[&str]) -> Result {
    let mut last = Vec::new();
    let done = wait::until(&format!("{wanted:?} to be {state}"), SOON, || {
        last = alerts(fleet, state)?;
        Ok((last == wanted).then_some(()))
    });
    done.map_err(|e| Failure(format!("{e:?}: {last:?}\n{}", fleet.logs())))
}

fn story() -> Result {
    let conf = "alerts: {settle: 2s, builtin: {MinionDown: {for: 1s}, SiteDown: false, KeyPending: false}}";
    let mut fleet = fleet(conf)?;
    let sls = |text: &str| fs::write(fleet.path("srv/web.sls"), text);
    sls("broken:\n  test.fail_without_changes\n")?;
    fleet.salt(&["*", "state.apply", "web"])?;
    wait_for(&fleet, "firing", &["StateFailed m1", "StateFailed m2"])?;
    sls("fine:\n  test.succeed_without_changes\n")?;
    fleet.salt(&["*", "state.apply", "web"])?.ok()?;
    wait_for(&fleet, "firing", &[])?;

    fleet.kill_minion("m1")?;
    wait_for(&fleet, "firing", &["MinionDown m1"])?;
    fleet.kill_minion("m2")?;
    wait_for(&fleet, "firing", &["MinionDown m1", "MinionDown m2"])?;
    // A master that starts anew knows both, and finds out who is back.
    fleet.stop_master()?;
    fleet.start_master()?;
    wait_for(&fleet, "firing", &["MinionDown m1", "MinionDown m2"])?;
    fleet.start_minion_as(Side::Ours, "m1", "m1", &[])?;
    fleet.wait_ping("m1", START)?;
    wait_for(&fleet, "firing", &["MinionDown m2"])?;
    fleet.start_minion_as(Side::parse("3006")?, "m2", "m2", &[])?;
    fleet.wait_ping("m2", START)?;
    wait_for(&fleet, "firing", &[])?;

    let words = ["silence.create", "5m", "minion=m1", "alertname=~Job.*", "comment=quiet"];
    let made = fleet.our_run(&words)?.ok()?.json()?;
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    fleet.salt(&["*", "cmd.run", "exit 3"])?;
    wait_for(&fleet, "suppressed", &["JobFailed m1"])?;
    wait_for(&fleet, "firing", &["JobFailed m2"])?;
    let list = fleet.our_run(&["silence.list"])?.ok()?.json()?;
    hold(list[&id]["would_have_paged"] == 1, || format!("it is counted: {list:?}"))?;
    fleet.our_run(&["silence.expire", &id])?.ok()?;
    wait_for(&fleet, "firing", &["JobFailed m1", "JobFailed m2"])
}

/// The blocks of a kind in the part of the page below a heading.
fn blocks(page: &str, heading: &str, kind: &str) -> Vec<String> {
    let part = page.split(&format!("\n## {heading}\n")).nth(1).unwrap_or_default();
    let part = part.split("\n## ").next().unwrap_or_default();
    let mut blocks = part.split("```");
    let mut found = Vec::new();
    while let (Some(_), Some(block)) = (blocks.next(), blocks.next()) {
        found.extend(block.strip_prefix(&format!("{kind}\n")).map(str::to_owned));
    }
    found
}

fn five_minutes() -> Result {
    let page = include_str!("../../docs/alerts.md");
    let conf = blocks(page, "Five minutes", "yaml");
    let steps = blocks(page, "Five minutes", "sh");
    hold(conf.len() == 1 && steps.len() == 5, || "the page has a configuration and five steps".into())?;
    let fleet = fleet(&conf[0])?;
    let both = ["JobFailed m1", "JobFailed m2"];
    let expected: [(&str, &[&str]); 5] =
        [("firing", &[]), ("firing", &both), ("firing", &[]), ("firing", &both), ("suppressed", &both)];
    for (step, (state, wanted)) in steps.iter().zip(expected) {
        for line in step.lines() {
            let words = shell_words(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words.as_slice() {
                ["salt", rest @ ..] => drop(fleet.salt(rest)?),
                ["salt-run", rest @ ..] => drop(fleet.our_run(rest)?.ok()?),
                other => return Err(Failure(format!("no command of ours: {other:?}"))),
            }
        }
        // A test is an alert as well, until somebody confirms it.
        let seen = wait::until(&format!("{wanted:?} to be {state}"), SOON, || {
            let names: Vec<String> =
                alerts(&fleet, state)?.into_iter().filter(|name| name.starts_with("JobFailed")).collect();
            Ok((names == wanted).then_some(()))
        });
        seen.map_err(|e| Failure(format!("after {step}: {e:?}\n{}", fleet.logs())))?;
    }
    Ok(())
}

/// Words of a line, with what is between single quotes taken together.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (n, part) in line.split('\'').enumerate() {
        if n % 2 == 1 {
            words.last_mut().into_iter().for_each(|word| word.push_str(part));
            continue;
        }
        for (m, piece) in part.split(' ').enumerate() {
            if m > 0 {
                words.push(String::new());
            }
            words.last_mut().into_iter().for_each(|word| word.push_str(piece));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn what_fails_and_who_is_gone_is_told_unless_it_is_silenced() -> Result {
    story()
}

#[test]
fn the_first_five_minutes_are_as_the_page_says() -> Result {
    five_minutes()
}
