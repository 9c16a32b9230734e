//! Waking machines that sleep: the packet that their network cards wait for.

use std::net::UdpSocket;

use brine_core::Value;
use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::map;
use brine_core::target::{Fleet, check_minions};
use brine_core::text::{python_repr, python_str};

use crate::host::master;
use crate::places::own_path;
use crate::run::progress;

module! { "network": wol, wollist, wolmatch }

fn value_error(text: impl Into<String>) -> CallError {
    CallError::exception("ValueError", text.into())
}

/// The six bytes of an address, with or without separators.
fn mac_bytes(mac: &str) -> Result<[u8; 6]> {
    let digits: String = match mac.chars().count() {
        12 => mac.to_owned(),
        17 => {
            let separator = mac.chars().nth(2);
            mac.chars().filter(|c| Some(*c) != separator).collect()
        }
        _ => return Err(value_error("Invalid MAC address")),
    };
    let digits: Vec<char> = digits.chars().collect();
    let mut bytes = [0; 6];
    for (at, byte) in bytes.iter_mut().enumerate() {
        let pair: String = digits.iter().skip(2 * at).take(2).collect();
        *byte = u8::from_str_radix(&pair, 16).map_err(|_| {
            let shown = python_repr(&pair.as_str().into());
            value_error(format!("invalid literal for int() with base 16: {shown}"))
        })?;
    }
    Ok(bytes)
}

fn port(given: &Value) -> Result<u16> {
    let text = python_str(given);
    let number: i64 = text.trim().parse().map_err(|_| {
        value_error(format!("invalid literal for int() with base 10: {}", python_repr(given)))
    })?;
    u16::try_from(number)
        .map_err(|_| CallError::exception("OverflowError", "sendto(): port must be 0-65535."))
}

fn wake(mac: &str, bcast: &str, destport: &Value) -> Result<()> {
    let mut packet = vec![0xff; 6];
    packet.extend(mac_bytes(mac)?.repeat(16));
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_broadcast(true)?;
    socket.send_to(&packet, (bcast, port(destport)?))?;
    Ok(())
}

/// Wake up the machine with this hardware address.
///
/// CLI Example: salt-run network.wol 08-00-27-13-69-77
#[exec]
fn wol(
    mac: String,
    #[default("255.255.255.255")] bcast: String,
    #[default(9)] destport: Value,
) -> Result<bool> {
    wake(&mac, &bcast, &destport)?;
    Ok(true)
}

/// Wake up the machines whose hardware addresses stand in a file, one a line.
///
/// CLI Example: salt-run network.wollist '/path/to/maclist'
#[exec]
fn wollist(
    cx: &Cx,
    maclist: String,
    #[default("255.255.255.255")] bcast: String,
    #[default(9)] destport: Value,
) -> Result<Vec<String>> {
    own_path(cx, "maclist")?;
    let read = std::fs::read_to_string(&maclist).map_err(|e| match e.raw_os_error() {
        Some(number) => {
            let said = nix::errno::Errno::from_raw(number).desc();
            format!("[Errno {number}] {said}: {}", python_repr(&maclist.as_str().into()))
        }
        None => e.to_string(),
    });
    let woken = read.and_then(|text| {
        let mut woken = Vec::new();
        for mac in text.lines().map(str::trim) {
            wake(mac, &bcast, &destport).map_err(|e| e.to_string())?;
            master(cx).map_err(|e| e.to_string())?.side.print(&format!("Waking up {mac}"));
            woken.push(mac.to_owned());
        }
        Ok(woken)
    });
    woken.or_else(|e| {
        progress(cx, map! {"error" => format!("Failed to open the MAC file. Error: {e}")})?;
        Ok(Vec::new())
    })
}

/// Wake up the machines of the minions that are meant, by the hardware addresses in their cached grains.
///
/// CLI Example: salt-run network.wolmatch minion_id
#[exec]
fn wolmatch(
    cx: &Cx,
    tgt: Value,
    #[default("glob")] tgt_type: String,
    #[default("255.255.255.255")] bcast: String,
    #[default(9)] destport: Value,
) -> Result<Vec<String>> {
    let data = &master(cx)?.data;
    let mut woken = Vec::new();
    for id in check_minions(data, &tgt, &tgt_type, ":", true).minions {
        let grains = data.data(&id).map(|data| data.grains).unwrap_or_default();
        let Some(cards) = grains.get("hwaddr_interfaces").and_then(Value::as_map) else {
            return Err(CallError::exception("KeyError", "'hwaddr_interfaces'"));
        };
        for (card, mac) in cards.iter().filter(|(card, _)| card.as_str() != Some("lo")) {
            let mac = python_str(mac).trim().to_owned();
            wake(&mac, &bcast, &destport)?;
            tracing::info!("Waking up {mac} ({})", python_str(card));
            woken.push(mac);
        }
    }
    Ok(woken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call, list};
    use crate::run::Kind;
    use brine_core::Map;
    use brine_core::call::Args;
    use brine_protocol::ids::MinionId;

    #[test]
    fn addresses_are_written_with_or_without_separators() {
        let want = [8, 0, 0x27, 0x13, 0x69, 0x77];
        for text in ["080027136977", "08:00:27:13:69:77", "08-00-27-13-69-77"] {
            assert_eq!(mac_bytes(text).unwrap(), want, "{text}");
        }
        assert_eq!(mac_bytes("08").unwrap_err().to_string(), "ValueError: Invalid MAC address");
        let wrong = mac_bytes("0800271369zz").unwrap_err().to_string();
        assert_eq!(wrong, "ValueError: invalid literal for int() with base 16: 'zz'");
        assert!(mac_bytes("ééééééé").is_err());
    }

    #[test]
    fn machines_are_woken_one_by_one_by_file_and_by_grains() {
        let tmp = tempfile::tempdir().unwrap();
        let fake = Fake { own_process: true, ..Fake::default() };
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let card = UdpSocket::bind("127.0.0.1:0").unwrap();
        card.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        let port = i64::from(card.local_addr().unwrap().port());
        let to = |args: Args| args.with("bcast", "127.0.0.1").with("destport", port);
        let heard = || {
            let mut packet = [0; 200];
            let n = card.recv(&mut packet).unwrap();
            assert_eq!((n, &packet[..6]), (102, &[0xff; 6][..]));
            packet[96..102].to_vec()
        };
        let one = call(&cx, "network.wol", to(Args::positional(["08:00:27:13:69:77"])));
        assert_eq!(one.unwrap(), true.into());
        assert_eq!(heard(), [8, 0, 0x27, 0x13, 0x69, 0x77]);

        let file = tmp.path().join("macs");
        std::fs::write(&file, "080027136977\n080027136978\n").unwrap();
        let by_file = |path: &std::path::Path| {
            call(&cx, "network.wollist", to(Args::positional([path.to_str().unwrap()])))
        };
        assert_eq!(by_file(&file).unwrap(), list(["080027136977", "080027136978"]));
        assert_eq!((heard()[5], heard()[5]), (0x77, 0x78));
        assert_eq!(fake.record.lock().printed, ["Waking up 080027136977", "Waking up 080027136978"]);
        assert_eq!(by_file(&tmp.path().join("none")).unwrap(), list([]));
        let told = fake.record.lock().fired.last().unwrap().1.get_str("error").unwrap().to_owned();
        let want = "Failed to open the MAC file. Error: [Errno 2] No such file or directory: '";
        assert!(told.starts_with(want), "{told}");
        let afar = Fake::default().cx(Kind::Runner, tmp.path(), Map::new());
        assert!(call(&afar, "network.wollist", Args::positional(["/etc/passwd"])).is_err());

        let id = MinionId::parse("web1").unwrap();
        let host = master(&cx).unwrap();
        std::fs::write(tmp.path().join("pki/minions/web1"), "pem").unwrap();
        let cards = map! {"lo" => "00:00:00:00:00:00", "eth0" => "08:00:27:13:69:79"};
        host.data.put(&id, map! {"hwaddr_interfaces" => cards}, Map::new()).unwrap();
        let woken = call(&cx, "network.wolmatch", to(Args::positional(["web*"])));
        assert_eq!(woken.unwrap(), list(["08:00:27:13:69:79"]));
        assert_eq!(heard()[5], 0x79);
    }
}
