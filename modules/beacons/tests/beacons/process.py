# Stock's round of beacons, and the functions and states that change them, without a minion around: what it fires on its bus is read
# from a list.
import copy, importlib.util, json, os, sys

import logging
logging.disable(logging.CRITICAL)
import salt.beacons, salt.config, salt.utils.event, salt.utils.minion

fired, jobs = [], []


class Bus:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def fire_event(self, data, tag):
        fired.append((tag, copy.deepcopy(data)))

    def get_event(self, tag, wait):
        found = [data for name, data in fired if name == tag]
        return found[-1] if found else None


salt.utils.event.get_event = lambda *_, **__: Bus()
salt.utils.minion.running = lambda _: jobs
opts, beacon, functions, states = {}, None, None, None


def load(path):
    spec = importlib.util.find_spec(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fire(data, tag):
    del fired[:]
    name, given = data.get("name"), data.get("beacon_data")
    calls = {
        "add": ("add_beacon", {"name": name, "beacon_data": given}),
        "modify": ("modify_beacon", {"name": name, "beacon_data": given}),
        "delete": ("delete_beacon", {"name": name}),
        "enable": ("enable_beacons", {}),
        "disable": ("disable_beacons", {}),
        "enable_beacon": ("enable_beacon", {"name": name}),
        "disable_beacon": ("disable_beacon", {"name": name}),
        "list": ("list_beacons", {k: data.get(k) for k in ("include_opts", "include_pillar")}),
        "list_available": ("list_available_beacons", {}),
        "validate_beacon": ("validate_beacon", {"name": name, "beacon_data": given}),
        "reset": ("reset", {}),
    }
    called, words = calls[data["func"]]
    try:
        getattr(beacon, called)(**copy.deepcopy(words))
    except Exception:
        pass
    return True


def begin(question):
    global beacon, functions, states
    opts.clear()
    opts.update(copy.deepcopy(salt.config.DEFAULT_MINION_OPTS))
    opts.update({"id": "m1", "grains": {}, "extension_modules": "", "cachedir": "/tmp", "__role": "minion"})
    opts.update(question["opts"])
    beacon = salt.beacons.Beacon(opts, {})
    functions, states = load("salt.modules.beacons"), load("salt.states.beacon")
    functions.__opts__ = opts
    functions.__salt__ = {"event.fire": fire}
    every = {"beacons." + f.rstrip("_"): getattr(functions, f) for f in dir(functions) if not f.startswith("_")}
    states.__salt__ = every
    return {}


def answer(question):
    if question["do"] == "begin":
        return begin(question)
    if question["do"] == "round":
        jobs[:] = question["jobs"]
        told = beacon.process(opts["beacons"], {})
        return {"told": told or [], "beacons": opts["beacons"]}
    try:
        if question["do"] == "state":
            states.__opts__ = {"test": question["test"]}
            return {"ret": getattr(states, question["fun"])(*question["args"], **question["kwargs"])}
        name = {"list": "list_"}.get(question["fun"], question["fun"])
        return {"ret": getattr(functions, name)(*question["args"], **question["kwargs"])}
    except Exception as exc:
        return {"raised": type(exc).__name__}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line)), default=str), flush=True)
os._exit(0)
