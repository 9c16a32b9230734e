"""Compiles pillar from external sources with stock Salt: a line of JSON for each case in, a line out."""

import json
import logging
import os
import sys

logging.disable(logging.CRITICAL)
import salt.cache
import salt.config
import salt.loader
import salt.pillar

logging.disable(logging.CRITICAL)

# Stock takes the one for the other where the other is missing, but not the submodules that it also asks for.
try:
    import pymysql
    import pymysql.converters
    import pymysql.cursors

    pymysql.install_as_MySQLdb()
    sys.modules["MySQLdb.converters"] = pymysql.converters
    sys.modules["MySQLdb.cursors"] = pymysql.cursors
except ImportError:
    pass


def plain(value, ordered):
    if isinstance(value, dict):
        pairs = [(plain(k, ordered), plain(v, ordered)) for k, v in value.items()]
        return dict(pairs if ordered else sorted(pairs, key=lambda pair: repr(pair[0])))
    if isinstance(value, str):
        return "".join(value)
    if isinstance(value, (list, set, tuple)):
        return [plain(v, ordered) for v in value]
    return value


functions = None
for line in sys.stdin:
    case = json.loads(line)
    opts = dict(salt.config.DEFAULT_MASTER_OPTS)
    opts["id"] = "here_master"
    opts["__role"] = "master"
    opts.update(case["opts"])
    opts["grains"] = case["grains"]
    pki = opts["pki_dir"]
    os.makedirs(os.path.join(pki, "minions"), exist_ok=True)
    with open(os.path.join(pki, "minions", case["id"]), "w") as key:
        key.write("key")
    salt.cache.factory(opts).store("minions/" + case["id"], "data", {"grains": case["grains"], "pillar": {}})
    if functions is None or case["functions"]:
        functions = salt.loader.minion_mods(dict(opts, id=case["id"]))
    try:
        pillar = salt.pillar.Pillar(
            opts,
            case["grains"],
            case["id"],
            "base",
            functions=functions,
            pillar_override=case["over"],
            ext=case["ext"],
            extra_minion_data=case["extra"],
        )
        out = repr(plain(pillar.compile_pillar(), case["ordered"]))
    except Exception as exc:
        out = f"{type(exc).__name__}: {exc}"
    print(json.dumps(out), flush=True)
