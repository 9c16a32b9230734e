//! External authentication as stock's own programs and clients use it: on a stock master, whose answers are what is
//! expected, and the same on ours.

use std::fs;
use std::time::Duration;

use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Fleet, Result, Side, cli, script};
use serde_json::Value;

const USERS: &str = "gene:OceanMan\ndean:goneFishing\n";

fn fleet(master: &str, cli: &str) -> Result<Fleet> {
    let mut fleet = Fleet::new(Side::parse(master)?, Side::Ours)?;
    fleet.cli = Side::parse(cli)?;
    let root = fleet.root().display().to_string();
    fs::write(fleet.path("users"), USERS)?;
    fleet.settings.master_lines.push(format!(
        "token_file: {root}/token\nexternal_auth:\n  file:\n    ^filename: {root}/users\n    gene: ['.*', '@wheel', '@runner']\n    \
         dean: ['test.*', {{m1: [grains.get]}}]"
    ));
    fleet.start_accepted()
}

fn answers(fleet: &Fleet) -> Result<Value> {
    let root = fleet.root().display().to_string();
    let args = [root.as_str(), "file", "gene", "OceanMan", "dean", "goneFishing"];
    let side = script::bus_side(fleet);
    let cmd = script::prepare(fleet, side, "eauth.py", include_str!("../py/eauth.py"), &args)?;
    Ok(Value::Object(cli::run(cmd, b"", Duration::from_secs(240))?.ok()?.json()?))
}

/// What `salt` prints and its exit code, by what it was asked.
fn printed(fleet: &Fleet) -> Result<Vec<(String, i32, String)>> {
    let mut all = Vec::new();
    let gene = ["-a", "file", "--username", "gene", "--password", "OceanMan"];
    let dean = ["-a", "file", "--username", "dean", "--password", "goneFishing"];
    let wrong = ["-a", "file", "--username", "dean", "--password", "x"];
    for (creds, words) in [
        (gene, ["m1", "test.ping"]),
        (dean, ["m1", "test.ping"]),
        (dean, ["m1", "cmd.run_all"]),
        (wrong, ["m1", "test.ping"]),
    ] {
        let ran = fleet.salt(&[&creds[..], &words[..]].concat())?;
        let said = [ran.out.trim(), ran.err.trim()].concat();
        all.push((format!("{creds:?} {words:?}"), ran.code, said));
    }
    let made = fleet.salt(&[&["-T"][..], &dean[..], &["m1", "test.ping"]].concat())?;
    all.push(("-T".into(), made.code, made.out.trim().to_owned()));
    let token = fs::read_to_string(fleet.path("token"))?;
    let kept = |name: &str| fleet.path("cache/master/tokens").join(name).is_file();
    hold(kept(&token) || kept(&format!("{token}.p")), || format!("no token file {token:?}"))?;
    // Else the next one would use it.
    fs::remove_file(fleet.path("token"))?;
    Ok(all)
}

/// A fleet with a master of stock's tells what is right, then one with ours must do the same.
fn compare(version: &str) -> Result {
    let stock = fleet(version, version)?;
    let (want, want_printed) = (answers(&stock)?, printed(&stock)?);
    drop(stock);
    // So that the comparison is not one of two failures.
    same("stock's own", &want["password: ping"]["is"]["m1"], &Value::Bool(true))?;
    same(
        "stock's refusal",
        want["token: more than his rights"]["error"].as_str(),
        Some("AuthorizationError"),
    )?;
    let ours = fleet("ours", version)?;
    let (got, got_printed) = (answers(&ours)?, printed(&ours)?);
    let (Some(want), Some(got)) = (want.as_object(), got.as_object()) else {
        return Err("the script printed no object".into());
    };
    for (name, value) in want {
        same(name, &got[name], value)?;
    }
    for (want, got) in want_printed.iter().zip(&got_printed) {
        same(&want.0, got, want)?;
    }
    Ok(())
}

#[test]
fn clients_of_3006() -> Result {
    compare("3006")
}

#[test]
fn clients_of_3007() -> Result {
    compare("3007")
}

#[test]
fn clients_of_3008() -> Result {
    compare("3008")
}

/// Uses a token as somebody without a key would, and makes one; prints whether it was good, and the new one.
const TOKENS: &str = "
import sys
import salt.auth, salt.client, salt.config
conf = sys.argv[1] + '/etc/master'
if len(sys.argv) > 2:
    with salt.client.LocalClient(conf) as client:
        client.key = ''
        assert client.pub('m1', 'test.ping', (), timeout=20, token=sys.argv[2])['minions'] == ['m1']
creds = {'eauth': 'file', 'username': 'dean', 'password': 'goneFishing'}
print(salt.auth.Resolver(salt.config.client_config(conf)).mk_token(creds)['token'])
";

/// Uses the token that was made last, if any, and makes another.
fn next_token(fleet: &Fleet, last: Option<&str>) -> Result<String> {
    let root = fleet.root().display().to_string();
    let args: Vec<&str> = [root.as_str()].into_iter().chain(last).collect();
    let cmd = script::prepare(fleet, script::bus_side(fleet), "tokens.py", TOKENS, &args)?;
    Ok(cli::run(cmd, b"", Duration::from_secs(120))?.ok()?.out.trim().to_owned())
}

/// From stock to ours and back; each master takes the tokens of the one before.
fn swap(version: &str) -> Result {
    let mut fleet = fleet(version, version)?;
    let made = next_token(&fleet, None)?;
    fleet.stop_master()?;
    fleet.master = Side::Ours;
    fleet.start_master()?;
    let ours = next_token(&fleet, Some(&made))?;
    fleet.stop_master()?;
    fleet.master = Side::parse(version)?;
    fleet.start_master()?;
    next_token(&fleet, Some(&ours))?;
    next_token(&fleet, Some(&made)).map(drop)
}

#[test]
fn tokens_of_3006_outlive_the_swap_and_the_way_back() -> Result {
    swap("3006")
}

#[test]
fn tokens_of_3008_outlive_the_swap_and_the_way_back() -> Result {
    swap("3008")
}
