//! Lines, levels, and a file that is moved away.

use super::*;
use brine_protocol::{Map, map};
use std::time::{Duration, UNIX_EPOCH};

fn record(message: &str) -> Record<'_> {
    Record {
        time: UNIX_EPOCH + Duration::from_millis(1_795_613_621_045),
        level: Level::Warning,
        name: "salt.minion",
        file: "minion/src/jobs/run.rs",
        line: 42,
        message,
        jid: Some("20261125133341123456"),
        minion_id: None,
    }
}

fn line(format: &str) -> String {
    Format::new(format, "%Y-%m-%d", "[JID: %(jid)s]", true).line(&record("hello"))
}

#[test]
fn formats_are_pythons() {
    let pid = std::process::id();
    for (format, text) in [
        ("[%(levelname)-8s] %(message)s", "[WARNING ] hello".to_owned()),
        ("%(name)-17s:%(lineno)-4d|", "salt.minion      :42  |".into()),
        ("%(asctime)s,%(msecs)03d", "2026-11-25,045".into()),
        ("%(process)d %(process)7d", format!("{pid} {pid:>7}")),
        ("%(levelno)s %(levelno)05d", "30 00030".into()),
        ("%(message).3s|%(message)8s|%(message)-8s|", "hel|   hello|hello   |".into()),
        ("%(jid)s %(module)s %(filename)s", "[JID: 20261125133341123456] run run.rs".into()),
        ("100%% %(nope)s%(bracketlevel)s%(bracketname)s", "100% [WARNING ][salt.minion      ]".into()),
        ("%(colorlevel)s %(colormsg)s", "\x1b[0;1;33m[WARNING ]\x1b[0;0m \x1b[0;33mhello\x1b[0;0m".into()),
        ("%(created).2f", "1795613621.05".into()),
        ("% %(broken %d", "% %(broken %d".into()),
    ] {
        assert_eq!(line(format), text, "{format}");
    }
    let format = Format::new("%(message)s", "", "", false);
    assert_eq!(format.line(&record("a\x1b[31m\nb\tc")), "a?[31m\nb\tc");
}

#[test]
fn levels_have_names_and_numbers() {
    assert_eq!(Level::of(&"WARNING".into()), Some(Level::Warning));
    assert_eq!(Level::of(&"nope".into()), None);
    assert_eq!(Level::of(&10.into()), Some(Level::Debug));
    assert!(Level::Profile > Level::Debug && Level::Profile < Level::Info);
    assert_eq!(Level::names().next(), Some("all"));
    for name in Level::names() {
        assert_eq!(Level::of(&name.into()).unwrap().shown(), name.to_uppercase());
    }
}

fn opts(file: &std::path::Path, more: Map) -> Opts {
    let mut opts = map! {"log_file" => file.to_str().unwrap(), "log_fmt_logfile" => "%(levelname)s %(name)s%(jid)s %(message)s"};
    opts.update(more);
    Opts::new(opts)
}

fn logged(opts: &Opts, act: impl FnOnce()) -> String {
    let config = LogConfig::from_opts(opts, "log_file", false);
    let subscriber = tracing_subscriber::registry().with(config.layer().unwrap());
    tracing::subscriber::with_default(subscriber, act);
    std::fs::read_to_string(opts.str("log_file")).unwrap()
}

#[test]
fn events_become_lines() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("deep/log");
    let text = logged(&opts(&file, map! {"log_level" => "info"}), || {
        tracing::info!(target: "brine_minion::jobs", count = 3, "one");
        tracing::debug!("not shown");
        let span = tracing::info_span!("job", jid = "2026", fun = "test.ping");
        span.in_scope(|| tracing::error!(target: "brine_master", critical = true, "two"));
        let jid = String::from("2027");
        tracing::info_span!("job", %jid).in_scope(|| tracing::info!(target: "x", "three"));
    });
    assert_eq!(
        text,
        "INFO salt.minion.jobs one count=3\nCRITICAL salt.master[JID: 2026] two\nINFO x[JID: 2027] three\n"
    );
}

#[test]
fn thresholds_hold() {
    let dir = tempfile::tempdir().unwrap();
    let act = || {
        tracing::error!(target: "a", "error");
        tracing::error!(target: "a", critical = true, "critical");
        tracing::warn!(target: "a", "warning");
        tracing::info!(target: "brine_core::x", "granular");
        tracing::trace!(target: "a", "trace");
    };
    for (more, lines) in [
        (map! {"log_level" => "error"}, "ERROR a error\nCRITICAL a critical\n"),
        (map! {"log_level" => "critical"}, "CRITICAL a critical\n"),
        (
            map! {"log_level" => "error", "log_level_logfile" => "warning"},
            "ERROR a error\nCRITICAL a critical\nWARNING a warning\n",
        ),
        (
            map! {"log_level" => "critical", "log_granular_levels" => map! {"salt" => "info", "salt.cor" => "error"}},
            "CRITICAL a critical\nINFO salt.core.x granular\n",
        ),
    ] {
        let file = dir.path().join(format!("{:x}", lines.len() + more.len()));
        assert_eq!(logged(&opts(&file, more.clone()), act), lines, "{more:?}");
    }
    let file = dir.path().join("all");
    assert!(logged(&opts(&file, map! {"log_level" => "all"}), act).ends_with("TRACE a trace\n"));
}

#[test]
fn a_rotated_file_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let mut file = LogFile::open(&path).unwrap();
    file.write_line("one").unwrap();
    std::fs::rename(&path, dir.path().join("log.1")).unwrap();
    file.write_line("two").unwrap();
    std::fs::remove_file(&path).unwrap();
    file.write_line("three").unwrap();
    assert_eq!(std::fs::read_to_string(dir.path().join("log.1")).unwrap(), "one\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
}

/// Every option that says how a line looks, each in a form that is not the default.
#[test]
fn lines_are_formatted_as_the_options_say() {
    let dir = tempfile::tempdir().unwrap();
    let opts = opts(
        &dir.path().join("log"),
        map! {
            "log_fmt_console" => "C %(asctime)s %(jid)s%(minion_id)s %(message)s", "log_datefmt" => "short",
            "log_fmt_logfile" => "F %(asctime)s %(message)s", "log_datefmt_logfile" => "long",
            "log_fmt_jid" => "<job %(jid)s>", "log_fmt_minion_id" => "<of %(minion_id)s>",
        },
    );
    let config = LogConfig::from_opts(&opts, "log_file", true);
    let record = Record { minion_id: Some("m1"), ..record("text") };
    let console = config.console.unwrap().format.line(&record);
    assert_eq!(console, "C short <job 20261125133341123456><of m1> text");
    assert_eq!(config.file.unwrap().1.format.line(&record), "F long text");
    let mut both = opts.map().clone();
    both.insert("log_datefmt_console", "own");
    let config = LogConfig::from_opts(&Opts::new(both), "log_file", true);
    assert!(config.console.unwrap().format.line(&record).starts_with("C own <job"));
}

#[test]
fn a_full_file_is_rotated() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let plain = map! {"log_fmt_logfile" => "%(message)s", "log_level" => "info"};
    let with = |more: Map| {
        let mut all = plain.clone();
        all.update(more);
        opts(&path, all)
    };
    let five = || (1..=5).for_each(|n| tracing::info!(target: "a", "line {n}"));
    // Seven bytes a line: two fill a file of 15.
    let text = logged(&with(map! {"log_rotate_max_bytes" => 15, "log_rotate_backup_count" => 2}), five);
    assert_eq!(text, "line 5\n");
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).ok();
    assert_eq!(read("log.1").as_deref(), Some("line 3\nline 4\n"));
    assert_eq!(read("log.2").as_deref(), Some("line 1\nline 2\n"));
    assert_eq!(read("log.3"), None);
    let text = logged(&with(map! {"log_rotate_max_bytes" => 15}), five);
    assert!(text.ends_with("line 4\nline 5\n") && text.lines().count() == 6, "kept whole with no backups");
}

#[test]
fn a_span_names_the_minion() {
    let dir = tempfile::tempdir().unwrap();
    let more = map! {"log_fmt_logfile" => "%(minion_id)s%(message)s", "log_level" => "info"};
    let text = logged(&opts(&dir.path().join("log"), more), || {
        tracing::info_span!("request", minion_id = "m1").in_scope(|| tracing::info!("one"));
        tracing::info!("two");
    });
    assert_eq!(text, "[m1]one\ntwo\n");
}

#[test]
fn what_cannot_be_followed_is_said() {
    let config = LogConfig::from_opts(
        &Opts::new(map! {"log_file" => "tcp://loghost", "log_level" => "loud"}),
        "log_file",
        true,
    );
    assert!(config.file.is_none());
    assert_eq!(config.console.as_ref().unwrap().level, Level::Error);
    assert_eq!(config.warnings.len(), 2);
}
