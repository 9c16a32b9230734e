//! What a job will disturb is silenced before it starts, in Debian's Alertmanager as well: a minion of ours, and one of stock's.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use brine_interop_tests::daemon::{Daemon, command};
use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Failure, Fleet, Result, Side, cli, ports, wait};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);
/// In the master's configuration below.
const TTL: Duration = Duration::from_secs(6);

/// The first state looks which silences stand and takes as long as it is told; then comes what disturbs.
const STATES: &str = "look:\n  cmd.run:\n    - name: amtool --alertmanager.url=http://127.0.0.1:PORT silence query -o json > SEEN; sleep TIME\n\
    nginx:\n  service.dead:\n    - require: [{cmd: look}]\n";

struct Story {
    fleet: Fleet,
    port: u16,
    _alertmanager: Daemon,
}

impl Story {
    fn begin() -> Result<Self> {
        let stock = Side::parse("3006")?;
        let mut fleet = Fleet::new(Side::Ours, stock)?;
        let port = ports::free()?;
        let conf = fleet.path("alertmanager.yml");
        fs::write(&conf, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")?;
        let mut cmd = command(None, Path::new("prometheus-alertmanager"));
        cmd.arg(format!("--config.file={}", conf.display()))
            .arg(format!("--storage.path={}", fleet.path("am").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=");
        let alertmanager = Daemon::start("alertmanager", cmd, &fleet.path("alertmanager.log"))?;
        let rules = "[{alert: DiskFull, tag: acme/disk, when: 'true', resolve_after: 1h}, \
            {alert: ServiceDown, tag: acme/service, when: 'true', labels: {service: '{{ data.data.service }}'}, resolve_after: 1h}]";
        let alerts = format!(
            "alerts: {{settle: 2s, builtin: {{MinionDown: false, SiteDown: false, KeyPending: false, StateFailed: false, JobFailed: false}}, \
             rules: {rules}, expected: {{ttl: {}s, grace: 2s, unknown: refuse, change_id: 'G@site:prod'}}, \
             sinks: {{alertmanager: {{urls: ['http://127.0.0.1:{port}'], retry_first: 50ms, retry_most: 200ms}}}}}}",
            TTL.as_secs()
        );
        let roots = format!("file_roots: {{base: [{}]}}", fleet.path("srv").display());
        fleet.settings.master_lines = vec![alerts, roots];
        fs::create_dir_all(fleet.path("srv"))?;
        for (id, site) in [("m1", "akl"), ("m2", "prod")] {
            fs::create_dir_all(fleet.path(id))?;
            fs::write(fleet.path(id).join("grains"), format!("site: {site}\n"))?;
        }
        fleet.start_both(|_| Vec::new()).map_err(|e| Failure(format!("{e}\n{}", fleet.logs())))?;
        Ok(Self { fleet, port, _alertmanager: alertmanager })
    }

    /// With a job of the first minion that runs so long, and its silence.
    fn with_a_job(seconds: u32) -> Result<Self> {
        let story = Self::begin()?;
        story.tree(seconds)?;
        story.fleet.salt(&["-t", "60", "--async", "m1", "state.apply", "nginx"])?.ok()?;
        same("silences while the job runs", matchers(&story.seen()?).len(), 1)?;
        Ok(story)
    }

    fn tree(&self, seconds: u32) -> Result {
        let seen = self.fleet.path("seen");
        let _ = fs::remove_file(&seen);
        let text = STATES.replace("PORT", &self.port.to_string()).replace("TIME", &seconds.to_string());
        Ok(fs::write(self.fleet.path("srv/nginx.sls"), text.replace("SEEN", &seen.to_string_lossy()))?)
    }

    /// What the first state saw, when it has looked.
    fn seen(&self) -> Result<Value> {
        wait::until("the first state", SOON, || {
            let text = fs::read_to_string(self.fleet.path("seen")).unwrap_or_default();
            Ok(serde_json::from_str::<Value>(&text).ok())
        })
    }

    fn amtool(&self, words: &[&str]) -> Result<Value> {
        let mut cmd = command(None, Path::new("amtool"));
        cmd.arg(format!("--alertmanager.url=http://127.0.0.1:{}", self.port))
            .args(words)
            .args(["-o", "json"]);
        let ran = cli::run(cmd, b"", SOON)?.ok()?;
        serde_json::from_str(&ran.out).map_err(|e| ran.failure(&e.to_string()))
    }

    fn silences(&self) -> Result<usize> {
        Ok(self.amtool(&["silence", "query"])?.as_array().map_or(0, Vec::len))
    }

    /// The alerts of a site that page there, by name; with no site, those of none.
    fn paging(&self, site: &str) -> Result<Vec<String>> {
        let all = self.amtool(&["alert", "query", "--active"])?;
        let names = all.as_array().into_iter().flatten();
        let names = names.filter(|a| a["labels"]["site"].as_str().unwrap_or_default() == site);
        let mut names: Vec<String> =
            names.filter_map(|a| a["labels"]["alertname"].as_str().map(str::to_owned)).collect();
        names.retain(|name| !["Watchdog", "MaintenanceActive"].contains(&name.as_str()));
        names.sort();
        Ok(names)
    }

    fn until_paging(&self, site: &str, wanted: &[&str]) -> Result {
        let mut last = Vec::new();
        let done = wait::until(&format!("{wanted:?} to page"), SOON, || {
            last = self.paging(site)?;
            Ok((last == wanted).then_some(()))
        });
        done.map_err(|e| Failure(format!("{e:?}: {last:?}\n{}", self.fleet.logs())))
    }
}

/// The matchers of the silences that the first state saw.
fn matchers(seen: &Value) -> Vec<Vec<String>> {
    let text = |m: &Value| {
        format!("{}={}", m["name"].as_str().unwrap_or_default(), m["value"].as_str().unwrap_or_default())
    };
    let of = |silence: &Value| {
        let mut all: Vec<String> = silence["matchers"].as_array().into_iter().flatten().map(text).collect();
        all.sort();
        all
    };
    seen.as_array().into_iter().flatten().map(of).collect()
}

/// One job at one site: silenced before its first change, exactly, and lifted after it; what is unrelated pages meanwhile.
fn job(story: &Story, site: &str, minion: &str) -> Result {
    let fleet = &story.fleet;
    story.tree(12)?;
    std::thread::scope(|scope| {
        let target = format!("site:{site}");
        let run = scope.spawn(move || {
            fleet.salt(&["-t", "60", "-G", &target, "state.apply", "nginx", "change_id=CHG42"])
        });
        let seen = story.seen()?;
        same(
            "the silences before the first change",
            json!(matchers(&seen)),
            json!([["service=nginx", format!("site={site}")]]),
        )?;
        let comment = seen[0]["comment"].as_str().unwrap_or_default();
        hold(comment.contains("CHG42"), || format!("the silence says {comment:?}"))?;
        // What is told meanwhile: the service's alert is kept quiet about, the disk's is not.
        fleet.salt(&["-t", "30", minion, "event.send", "acme/service", "{service: nginx}"])?.ok()?;
        fleet.salt(&["-t", "30", minion, "event.send", "acme/disk", "{}"])?.ok()?;
        story.until_paging(site, &["DiskFull"])?;
        let ran = run.join().map_err(|_| Failure("the thread is gone".into()))??;
        hold(ran.out.contains("nginx"), || ran.failure("the job did not run").to_string())
    })?;
    wait::until("the silence to be lifted", SOON, || Ok((story.silences()? == 0).then_some(())))?;
    // What still fires when its silence ends is told.
    story.until_paging(site, &["DiskFull", "ServiceDown"])?;
    let found =
        story.fleet.our_run(&["jobs.list_jobs", "search_metadata={change_id: CHG42}"])?.ok()?.json()?;
    hold(!found.is_empty(), || format!("no job of the change: {found:?}"))?;
    Ok(())
}

#[test]
fn what_is_expected_is_silenced_exactly_and_for_as_long_as_the_job_runs() -> Result {
    let story = Story::begin()?;
    for (site, minion) in [("akl", "m1"), ("prod", "m2")] {
        job(&story, site, minion).map_err(|e| Failure(format!("{site}: {e}\n{}", story.fleet.logs())))?;
    }
    refused(&story)?;
    everything(&story)
}

/// A policy that wants a change id, and minions that cannot say what a job disturbs.
fn refused(story: &Story) -> Result {
    let ran = story.fleet.salt(&["-t", "30", "-G", "site:prod", "state.apply", "nginx"])?;
    hold(format!("{}{}", ran.out, ran.err).contains("change id"), || {
        ran.failure("it ran without a change id").to_string()
    })?;
    let ran = story.fleet.salt(&["-t", "30", "m1", "state.apply", "nothing-of-this-name"])?;
    hold(format!("{}{}", ran.out, ran.err).contains("not known"), || ran.failure("it ran").to_string())?;
    let ran = story.fleet.salt(&["-t", "30", "m1", "state.apply", "nothing-of-this-name", "silence=no"])?;
    hold(ran.out.contains("No matching sls"), || ran.failure("it did not run").to_string())
}

/// A silence of everything is an alert itself, which no silence holds back.
fn everything(story: &Story) -> Result {
    story.fleet.our_run(&["silence.create", "5m", "all", "comment=hush"])?.ok()?;
    wait::until("the silence of everything to page", SOON, || {
        Ok(story.paging("")?.contains(&"SilenceMatchesAll".to_owned()).then_some(()))
    })
}

#[test]
fn a_killed_masters_silence_ends_by_itself() -> Result {
    let mut story = Story::with_a_job(40)?;
    // Longer than it would stand if nobody prolonged it.
    wait::throughout("the silence stands", TTL * 2, || Ok(story.silences()? == 1))?;
    story.fleet.master_daemon()?.kill()?;
    let killed = Instant::now();
    wait::until("the silence to end", SOON, || Ok((story.silences()? == 0).then_some(())))?;
    let took = killed.elapsed();
    eprintln!(
        "the silence of a killed master ended after {:.1} s, of at most {} s",
        took.as_secs_f32(),
        TTL.as_secs()
    );
    hold(took < TTL + Duration::from_secs(3), || format!("it took {took:?}"))
}

#[test]
fn a_master_that_is_back_goes_on_with_the_silences_of_jobs_that_run() -> Result {
    let mut story = Story::with_a_job(30)?;
    story.fleet.master_daemon()?.kill()?;
    story.fleet.stop_master()?;
    story.fleet.start_master()?;
    // Longer than it would stand if nobody prolonged it, and shorter than the job runs.
    let stands = wait::throughout("the silence stands", TTL * 2, || Ok(story.silences()? == 1));
    stands.map_err(|e| Failure(format!("{e}\n{}", story.fleet.logs())))?;
    wait::until("the silence to be lifted", SOON, || Ok((story.silences()? == 0).then_some(())))
}
