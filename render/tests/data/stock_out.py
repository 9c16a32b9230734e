"""Answers what stock's outputters print: a line of JSON for each line of JSON."""

import datetime
import json
import logging
import sys

import salt.loader
import salt.output
from salt.output import (highstate, json_out, key, nested, newline_values_only, no_out_quiet, no_return,
                         overstatestage, pprint_out, profile, raw, table_out, txt, virt_query, yaml_out)

logging.disable(logging.CRITICAL)

TABLE = {
    "highstate": highstate, "json": json_out, "key": key, "nested": nested, "newline_values_only": newline_values_only,
    "quiet": no_out_quiet, "no_return": no_return, "overstatestage": overstatestage, "pprint": pprint_out,
    "profile": profile, "raw": raw, "table": table_out, "txt": txt, "virt_query": virt_query, "yaml": yaml_out,
}


def outputters(opts, loaded_base_name=None):
    """The loader's work, without reading the modules again for every question."""
    for module in TABLE.values():
        module.__opts__ = opts
    return {name: module.output for name, module in TABLE.items()}


def untag(v):
    if isinstance(v, list):
        return [untag(x) for x in v]
    if isinstance(v, dict):
        (kind, inner), = v.items()
        if kind == "i":
            return int(inner)
        if kind == "f":
            return float(inner)
        if kind == "b":
            return bytes.fromhex(inner)
        if kind == "d":
            return datetime.datetime(*inner)
        return {untag(k): untag(x) for k, x in inner}
    return v


def answer(question):
    data, opts = untag(question["data"]), untag(question["opts"])
    opts.setdefault("transport", "zeromq")
    kwargs = {"_retcode": question["retcode"]} if question["retcode"] else {}
    try:
        text = salt.output.out_format(data, question["out"], opts, **kwargs)
        return {"text": text or "", "raised": None}
    except Exception as exc:
        # Where stock prints a traceback ours prints what is left of the data with the nested outputter.
        opts.pop("output", None)
        opts.pop("progress", None)
        return {"text": salt.output.out_format(data, "nested", opts, **kwargs), "raised": type(exc).__name__}


salt.loader.outputters = outputters
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
