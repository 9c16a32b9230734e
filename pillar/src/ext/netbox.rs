//! `netbox`: what NetBox knows of a device or virtual machine that is named like the minion.
//!
//! The pages of an answer that has several are taken from the server of `api_url` alone: the token goes nowhere else.

mod api;

use super::{Asked, Source};
use api::Api;
use brine_python::{Args, Dict, Obj, PyErr, R, call_method, contains, eq, getitem, setitem, str, truth};
use std::net::IpAddr;
use tracing::error;

pub(super) const SOURCE: Source = Source { name: "netbox", run };

fn key(name: &str) -> Obj {
    Obj::str(name)
}

fn get(of: &Obj, name: &str) -> R {
    getitem(of, &key(name))
}

/// Python's `del of[name]`.
fn delete(of: &Obj, name: &str) -> R<()> {
    let Obj::Dict(dict) = of else { return Err(PyErr::ty("an object of NetBox's is no dict")) };
    dict.remove(&key(name))?.map(drop).ok_or_else(|| PyErr::key(&key(name)))
}

fn empty() -> Obj {
    Dict::new().into()
}

fn run(asked: &Asked<'_>, args: &Args) -> R {
    let given = |name: &str| args.named(name).cloned();
    let flag = |name: &str, usual: bool| given(name).map_or(Ok(usual), |flag| truth(&flag));
    let url = given("api_url").ok_or_else(|| PyErr::key(&key("api_url")))?;
    let Some(url) = url.as_str().map(|url| url.trim_end_matches('/').to_owned()) else {
        return Err(PyErr::attribute(&url, "rstrip"));
    };
    let (devices, machines) = (flag("devices", true)?, flag("virtual_machines", false)?);
    let connected = flag("connected_devices", false)?;
    let interfaces = flag("interfaces", false)? || connected;
    let addresses = flag("interface_ips", false)?;
    let limit = given("api_query_result_limit").filter(|limit| truth(limit).unwrap_or(false));
    let place = given("destination_pillar_key").map_or(Ok("netbox".into()), |place| str(&place))?;
    let host = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"));
    if host.is_none_or(|(_, host)| host.is_empty() || host.starts_with(['/', '?', '#'])) {
        error!("Provided URL for api_url is malformed or is not an http/https URL");
        return Ok(empty());
    }
    if !devices && !machines {
        error!("At least one of devices or virtual_machines must be True");
        return Ok(empty());
    }
    if addresses && !interfaces {
        error!("The value for interfaces must be True if interface_ips is True");
        return Ok(empty());
    }
    if let Some(limit) = &limit
        && !matches!(brine_python::int(limit, None)?, Obj::Int(n) if n > 0)
    {
        error!("The value for api_query_result_limit must be a postive integer if set");
        return Ok(empty());
    }
    let Some(token) = given("api_token").filter(|token| truth(token).unwrap_or(false)) else {
        error!("The value for api_token is not set");
        return Ok(empty());
    };
    let api = Api::new(asked.opts(), url, &str(&token)?, limit.as_ref().map(str).transpose()?);
    let mut nodes = Vec::new();
    for (wanted, path, kind) in [
        (devices, "dcim/devices", "device"),
        (machines, "virtualization/virtual-machines", "virtual-machine"),
    ] {
        if wanted {
            for node in api.all(path, &[("name", asked.id)])? {
                setitem(&node, &key("node_type"), key(kind))?;
                nodes.push(node);
            }
        }
    }
    let [node] = nodes.as_slice() else {
        error!("{} nodes found for \"{}\" in NetBox, not one", nodes.len(), asked.id);
        return Ok(empty());
    };
    if interfaces {
        let found = of_node(&api, node, "interfaces")?;
        if !found.is_empty() && addresses {
            let ips = of_node(&api, node, "ip-addresses")?;
            associate(&found, &ips)?;
            setitem(node, &key("interfaces"), Obj::list(found))?;
        }
    }
    let site = get(node, "site")?;
    let site_id = str(&get(&site, "id")?)?;
    if flag("site_details", true)? {
        let details = api.one(&format!("dcim/sites/{}/", api::part(&site_id)))?;
        setitem(node, &key("site"), details.unwrap_or_else(empty))?;
    }
    if flag("site_prefixes", true)? {
        let prefixes = api.all("ipam/prefixes", &[("site_id", &site_id)])?;
        for prefix in &prefixes {
            for name in ["site", "scope"] {
                call_method(prefix, "pop", &Args::of([key(name), Obj::None]))?;
            }
        }
        setitem(&get(node, "site")?, &key("prefixes"), Obj::list(prefixes))?;
    }
    if connected {
        let devices = connected_devices(&api, &get(node, "interfaces")?)?;
        setitem(node, &key("connected_devices"), devices)?;
    }
    let mut names = place.split(':');
    let first = names.next().unwrap_or_default();
    let mut nested = node.clone();
    for name in names.rev() {
        let outer = Dict::new();
        outer.set_str(name, nested);
        nested = outer.into();
    }
    let out = Dict::new();
    out.set_str(first, nested);
    if flag("proxy_return", true)? {
        let (platform, address) = (get(node, "platform")?, get(node, "primary_ip")?);
        if !truth(&platform)? || !truth(&address)? {
            error!("proxy_return needs the platform and the primary address of \"{}\" in NetBox", asked.id);
            return Ok(Obj::None);
        }
        if let Some(proxy) = proxy(&api, &get(&platform, "id")?, &get(&address, "address")?)? {
            if let Some(user) = given("proxy_username").filter(|user| truth(user).unwrap_or(false)) {
                setitem(&proxy, &key("username"), user)?;
            }
            out.set_str("proxy", proxy);
        }
    }
    Ok(out.into())
}

/// Interfaces or addresses of the node. An interface does not repeat whose it is.
fn of_node(api: &Api<'_>, node: &Obj, what: &str) -> R<Vec<Obj>> {
    let is_device = get(node, "node_type")?.as_str() == Some("device");
    let (app, param, own) = if is_device {
        ("dcim", "device_id", "device")
    } else {
        ("virtualization", "virtual_machine_id", "virtual_machine")
    };
    let id = str(&get(node, "id")?)?;
    if what == "ip-addresses" {
        return api.all("ipam/ip-addresses", &[(param, &id)]);
    }
    let found = api.all(&format!("{app}/{what}"), &[(param, &id)])?;
    for interface in &found {
        delete(interface, own)?;
    }
    Ok(found)
}

/// Puts addresses into the interfaces that they are assigned to.
fn associate(interfaces: &[Obj], addresses: &[Obj]) -> R<()> {
    if addresses.is_empty() {
        return Ok(());
    }
    for interface in interfaces {
        let mut own = Vec::new();
        for address in addresses {
            if contains(address, &key("assigned_object_id"))?
                && eq(&get(address, "assigned_object_id")?, &get(interface, "id")?)?
            {
                for name in ["assigned_object_type", "assigned_object_id", "assigned_object"] {
                    delete(address, name)?;
                }
                own.push(address.clone());
            }
        }
        setitem(interface, &key("ip_addresses"), Obj::list(own))?;
    }
    Ok(())
}

/// The devices at the other ends, by their numbers.
fn connected_devices(api: &Api<'_>, interfaces: &Obj) -> R {
    let out = Dict::new();
    let mut ids: Vec<Obj> = Vec::new();
    for interface in interfaces.items()? {
        if !contains(&interface, &key("connected_endpoints"))? {
            continue;
        }
        let ends = get(&interface, "connected_endpoints")?;
        if !truth(&ends)? {
            continue;
        }
        for end in ends.items()? {
            if contains(&end, &key("device"))? {
                let id = get(&get(&end, "device")?, "id")?;
                if !contains(&Obj::list(ids.clone()), &id)? {
                    ids.push(id);
                }
            }
        }
    }
    for id in ids {
        if let Some(device) = api.one(&format!("dcim/devices/{}", api::part(&str(&id)?)))? {
            out.set(id, device)?;
        }
    }
    Ok(out.into())
}

/// How a proxy minion reaches the device, if its platform has a driver.
fn proxy(api: &Api<'_>, platform: &Obj, address: &Obj) -> R<Option<Obj>> {
    let Some(platform) = api.one(&format!("dcim/platforms/{}/", api::part(&str(platform)?)))? else {
        return Ok(None);
    };
    let driver = call_method(&platform, "get", &Args::of([key("napalm_driver")]))?;
    if !truth(&driver)? {
        return Ok(None);
    }
    let text = str(address)?;
    let host: IpAddr = text
        .split('/')
        .next()
        .unwrap_or_default()
        .parse()
        .map_err(|_| PyErr::value(format!("'{text}' does not appear to be an IPv4 or IPv6 interface")))?;
    let proxy = Dict::new();
    proxy.set_str("host", Obj::str(host.to_string()));
    proxy.set_str("driver", driver);
    proxy.set_str("proxytype", Obj::str("napalm"));
    Ok(Some(proxy.into()))
}
