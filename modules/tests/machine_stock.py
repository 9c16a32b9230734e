"""Runs the calls of machine_stock.json in one loader of stock Salt and prints what each returns or raises, as JSON.

Usage: PYTHON-OF-A-STOCK-VIRTUALENV machine_stock.py CALLS-FILE CONF-FILE
"""

import json
import logging
import sys
import warnings

warnings.simplefilter("ignore")
import salt.config
import salt.loader

logging.disable(logging.CRITICAL)


def plain(value):
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value


def main():
    calls = json.load(open(sys.argv[1]))
    opts = salt.config.minion_config(sys.argv[2])
    opts["grains"] = salt.loader.grains(opts)
    functions = salt.loader.minion_mods(opts, utils=salt.loader.utils(opts))
    out = []
    for call in calls:
        try:
            out.append({"ret": plain(functions[call["fun"]](*call.get("arg", []), **call.get("kwarg", {})))})
        except Exception as exc:
            out.append({"error": [type(exc).__name__, str(exc)]})
    json.dump(out, sys.stdout)


main()
