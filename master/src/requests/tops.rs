//! `_master_tops`: what states a minion gets beside its top file, from an external node classifier (`master_tops: {ext_nodes: command}`).

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use brine_core::Opts;
use brine_protocol::ids::MinionId;
use brine_protocol::request::Authenticated;
use brine_protocol::{Map, Value};
use tokio::sync::Semaphore;

use crate::master::Master;

/// How many classifiers run at once.
static TURNS: Semaphore = Semaphore::const_new(8);
/// How long one may take.
const LONGEST: Duration = Duration::from_secs(60);
/// How much it may print.
const MOST: u64 = 4 << 20;
/// Stock's other sources of tops, which are left out.
const LEFT_OUT: &[&str] = &["cobbler", "reclass", "reclass_adapter", "varstack", "mongo", "saltclass"];

pub(super) async fn answer(master: &Arc<Master>, id: &Authenticated<MinionId>) -> Value {
    let sources = master.config.opts.get("master_tops").and_then(Value::as_map);
    if sources.is_none_or(Map::is_empty) {
        return Map::new().into();
    }
    let Ok(_turn) = TURNS.acquire().await else { return Map::new().into() };
    let (master, id) = (master.clone(), MinionId::clone(id));
    let work = tokio::task::spawn_blocking(move || tops(&master.config.opts, &id));
    work.await.unwrap_or_default().into()
}

/// Says at start which sources have no effect.
pub(crate) fn check(opts: &Opts) {
    for (name, _) in opts.get("master_tops").and_then(Value::as_map).into_iter().flatten() {
        match name.as_str() {
            Some("ext_nodes") => {}
            Some(name) if LEFT_OUT.contains(&name) => {
                tracing::error!("master_tops {name}: left out; it gives no tops")
            }
            _ => tracing::error!("master_tops {name:?}: there is no such source of tops"),
        }
    }
}

fn tops(opts: &Opts, id: &MinionId) -> Map {
    let sources = opts.get("master_tops").and_then(Value::as_map);
    let Some(command) = sources.and_then(|all| all.get_str("ext_nodes")).filter(|text| !text.is_empty())
    else {
        return Map::new();
    };
    ext_nodes(command, id).unwrap_or_else(|e| {
        tracing::error!("Top function ext_nodes failed with error {e} for minion {}", id.as_str());
        Map::new()
    })
}

/// Runs the command, without a shell, with the minion's id as its last word.
fn ext_nodes(command: &str, id: &MinionId) -> Result<Map, String> {
    let words = brine_core::shlex::split(command).map_err(|e| e.to_string())?;
    let (program, args) = words.split_first().ok_or("the command is empty")?;
    if id.as_str().starts_with('-') {
        return Err("the id would be read as an option".into());
    }
    let text = |e: std::io::Error| format!("{program}: {e}");
    let mut child = Command::new(program)
        .args(args)
        .arg(id.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(text)?;
    let pipe = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut printed = Vec::new();
        let _ = pipe.map(|pipe| pipe.take(MOST).read_to_end(&mut printed));
        printed
    });
    let until = Instant::now() + LONGEST;
    while !reader.is_finished() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    if !reader.is_finished() {
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("{program} took longer than {} seconds", LONGEST.as_secs()));
    }
    let printed = reader.join().unwrap_or_default();
    if printed.len() as u64 >= MOST {
        let _ = child.kill();
    }
    let status = child.wait().map_err(text)?;
    if !status.success() {
        return Err(format!("{program}: {status}"));
    }
    let printed = String::from_utf8(printed).map_err(|e| e.to_string())?;
    let data = brine_render::yaml::load(&printed).map_err(|e| e.to_string())?;
    Ok(classes(&data))
}

/// Environment and classes of a classifier's answer.
fn classes(data: &Value) -> Map {
    let Some(data) = data.as_map() else { return Map::new() };
    let env = data.get("environment").cloned().unwrap_or_else(|| "base".into());
    let classes = match data.get("classes") {
        Some(Value::Map(classes)) => classes.keys().cloned().collect(),
        Some(Value::List(classes)) => classes.clone(),
        Some(_) => return Map::new(),
        None => {
            tracing::info!("master_tops ext_nodes call did not have a dictionary with a \"classes\" key.");
            return Map::new();
        }
    };
    let mut tops = Map::new();
    tops.insert(env, Value::List(classes));
    tops
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn a_classifier_says_what_states_a_minion_gets() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("enc");
        let id = MinionId::parse("m1").unwrap();
        let run = |script: &str, id: &MinionId| {
            // Read by a shell, not run: a file that was just written may still be open in some other test's child.
            std::fs::write(&program, script).unwrap();
            let command = format!("/bin/sh {} 'two words' x", program.display());
            tops(&Opts::new(map! {"master_tops" => map! {"ext_nodes" => command}}), id)
        };
        let said = run(r#"echo "environment: dev"; echo "classes: ['$1', $2, $3]""#, &id);
        assert_eq!(said, map! {"dev" => vec!["two words", "x", "m1"]});
        assert_eq!(run("echo 'classes: {a: {}, b: null}'", &id), map! {"base" => vec!["a", "b"]});
        for nothing in ["echo 'classes: 5'", "echo 'x: 1'", "true", "echo 'classes: [a]'; exit 3", "echo '{'"]
        {
            assert_eq!(run(nothing, &id), Map::new(), "{nothing}");
        }
        assert_eq!(run("echo 'classes: [a]'", &MinionId::parse("-x").unwrap()), Map::new());
        assert_eq!(tops(&Opts::default(), &id), Map::new());
    }
}
