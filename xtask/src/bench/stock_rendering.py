"""The stock side of `minion/examples/rendering.rs`: the same arguments, the same work, the same lines."""

import json
import logging
import os
import statistics
import sys
import time

import salt.config
import salt.fileclient
import salt.loader
import salt.minion
import salt.pillar
import salt.template
import salt.utils.yaml

logging.disable(logging.CRITICAL)


def name(path):
    path = path[: -len(".sls")]
    return (path[: -len("/init")] if path.endswith("/init") else path).replace("/", ".")


def measure(folder, rounds):
    opts = salt.config.minion_config(os.path.join(folder, "minion"))
    opts["grains"] = salt.loader.grains(opts)
    opts["pillar"] = salt.pillar.get_pillar(opts, opts["grains"], opts["id"], "base").compile_pillar()
    client = salt.fileclient.get_file_client(opts)
    functions = salt.loader.minion_mods(opts, file_client=client)
    rend = salt.loader.render(opts, functions, file_client=client)
    paths = [path for path in client.file_list("base") if path.endswith(".sls")]

    def render(paths):
        start, done = time.perf_counter(), []
        for path in paths:
            file = client.cache_file("salt://" + path, "base")
            try:
                salt.template.compile_template(file, rend, "jinja|yaml", [], [], "base", name(path))
                done.append(path)
            except Exception:  # pylint: disable=broad-except
                pass
        return (time.perf_counter() - start) * 1e3, done

    cold, done = render(paths)
    warm = statistics.median(render(done)[0] for _ in range(rounds))
    return {"dir": folder, "cold": cold, "warm": warm, "sls": done}


def yaml(file, rounds):
    with open(file, encoding="utf-8") as opened:
        text = opened.read()
    loads, dumps = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        value = salt.utils.yaml.safe_load(text)
        loads.append((time.perf_counter() - start) * 1e3)
        start = time.perf_counter()
        salt.utils.yaml.safe_dump(value)
        dumps.append((time.perf_counter() - start) * 1e3)
    return {"load": statistics.median(loads), "dump": statistics.median(dumps)}


if sys.argv[1] == "yaml":
    print(json.dumps(yaml(sys.argv[2], int(sys.argv[3]))))
else:
    for folder in sys.argv[2:]:
        try:
            print(json.dumps(measure(folder, int(sys.argv[1]))), flush=True)
        except Exception as error:  # pylint: disable=broad-except
            print(f"{folder}: {error}", file=sys.stderr)
