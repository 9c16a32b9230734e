//! `mine.get_docker`: where the containers of all hosts can be reached, out of what they put into the mine.

use brine_core::call::{Args, Cx, Result, exec};
use brine_core::target::{DEFAULT_TARGET_DELIM, Subject, matches};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

fn list(value: Option<Value>) -> Vec<String> {
    match value {
        None | Some(Value::Nil) => Vec::new(),
        Some(Value::List(list)) => list.iter().map(python_str).collect(),
        Some(one) => vec![python_str(&one)],
    }
}

/// Addresses and ports of all containers, by image and container port, out of the mine's `docker.ps`. `interfaces` and
/// `cidrs` choose among a host's addresses; `with_container_id` adds each container's id.
///
/// CLI Example: salt-call mine.get_docker interfaces='["eth0", "eth1"]' cidrs='["107.170.147.0/24", "10.0.0.0/8"]'
#[exec]
fn get_docker(
    cx: &Cx,
    interfaces: Option<Value>,
    cidrs: Option<Value>,
    #[default(false)] with_container_id: bool,
) -> Result<Map> {
    let (interfaces, cidrs) = (list(interfaces), list(cidrs));
    let hosts = cx.call("mine.get", Args::positional(["*", "docker.ps"]))?;
    let mut result = Map::new();
    for host in hosts.as_map().into_iter().flat_map(Map::values).filter_map(Value::as_map) {
        let addresses = addresses(host, &interfaces, &cidrs);
        for (name, container) in host {
            if name.as_str() != Some("host") {
                add(&mut result, container, &addresses, with_container_id);
            }
        }
    }
    Ok(result)
}

fn addresses(host: &Map, interfaces: &[String], cidrs: &[String]) -> Vec<String> {
    let all = host.get("host").and_then(|host| host.get("interfaces")).and_then(Value::as_map);
    let mut found: Vec<String> = Vec::new();
    for (name, info) in all.into_iter().flatten() {
        if !interfaces.is_empty() && !interfaces.contains(&python_str(name)) {
            continue;
        }
        for inet in info.get("inet").and_then(Value::as_list).unwrap_or_default() {
            if let Some(address) = inet.get("address").and_then(Value::as_str)
                && !found.iter().any(|known| known == address)
                && (cidrs.is_empty() || cidrs.iter().any(|cidr| in_network(address, cidr)))
            {
                found.push(address.to_owned());
            }
        }
    }
    found
}

fn in_network(address: &str, cidr: &str) -> bool {
    let grains = map! { "ipv4" => vec![address], "ipv6" => vec![address] };
    let none = Map::new();
    let subject = Subject { id: "", grains: &grains, pillar: &none, nodegroups: &none };
    matches(&cidr.into(), "ipcidr", DEFAULT_TARGET_DELIM, subject)
}

fn add(result: &mut Map, container: &Value, addresses: &[String], with_container_id: bool) {
    let image = container.get("Image").cloned().unwrap_or_default();
    let id = container.get("Info").and_then(|info| info.get("Id")).cloned().unwrap_or_default();
    let entry = result.entry_or(image, || Map::new().into());
    for port in container.get("Ports").and_then(Value::as_list).unwrap_or_default() {
        let one;
        let places: &[String] = match port.get("IP").and_then(Value::as_str) {
            // Open on every address of its host.
            Some("0.0.0.0") => addresses,
            Some(address) if !address.is_empty() => {
                one = [address.to_owned()];
                &one
            }
            // Not reachable from outside.
            _ => continue,
        };
        let public = port.get("PublicPort").map(python_str).unwrap_or_default();
        let private = port.get("PrivatePort").cloned().unwrap_or_default();
        for address in places {
            let footprint = Value::from(format!("{address}:{public}"));
            let value = if with_container_id { vec![footprint, id.clone()].into() } else { footprint };
            let Some(image) = entry.as_map_mut() else { return };
            let ports = image.entry_or("ipv4", || Map::new().into());
            let Some(ports) = ports.as_map_mut() else { return };
            if let Value::List(list) = ports.entry_or(private.clone(), || Value::List(Vec::new()))
                && !list.contains(&value)
            {
                list.push(value);
            }
        }
    }
}
