"""Calls functions of stock Salt as a line of JSON says, one after another, and says what came of each."""
import json
import logging
import sys

import salt.config
import salt.loader

logging.disable(logging.CRITICAL)
setup = json.loads(sys.stdin.readline())
opts = salt.config.DEFAULT_MINION_OPTS.copy()
opts.update(setup["opts"])
opts["grains"] = setup["grains"]
context = {}
utils = salt.loader.utils(opts)
modules = salt.loader.minion_mods(opts, utils=utils, context=context)
states = salt.loader.states(opts, modules, utils, None, context=context)
print(json.dumps(True), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    context.clear()
    opts["test"] = asked["test"]
    for loader in (modules, states):
        loader.opts["test"] = asked["test"]
        getattr(loader, "pack", {}).get("__opts__", {})["test"] = asked["test"]
    try:
        functions = states if asked["state"] else modules
        answer = {"ret": functions[asked["fun"]](*asked["args"], **asked["kwargs"])}
    except Exception as error:  # noqa
        answer = {"error": [type(error).__name__, str(error)]}
    print(json.dumps(answer), flush=True)
