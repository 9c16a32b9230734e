# Builds what the tests describe, and answers questions on it.
import collections, datetime, importlib, json, sys, yaml
import logging; logging.disable(logging.CRITICAL)
import salt.utils.yamldumper as sd
import salt.utils.json
import salt.serializers.yaml as ser
import salt.serializers.yamlex as yex

def build(x, made):
    if not isinstance(x, (dict, list)): return x
    def keep(v):
        if "id" in x: made[x["id"]] = v
        return v
    if "ref" in x: return made[x["ref"]]
    if "i" in x: return int(x["i"])
    if "f" in x: return float(x["f"])
    if "b" in x: return bytes.fromhex(x["b"])
    if "date" in x: return datetime.date(*x["date"])
    if "enc" in x: return ser.EncryptedString(x["enc"])
    if "time" in x:
        z = x["zone"]
        return keep(datetime.datetime(*x["time"], tzinfo=None if z is None else datetime.timezone(datetime.timedelta(seconds=z))))
    if "l" in x:
        v = keep([]); v.extend(build(i, made) for i in x["l"]); return v
    if "t" in x: return keep(tuple([build(i, made) for i in x["t"]]))
    if "s" in x: return keep(set(x["s"]))
    if "fs" in x: return keep(frozenset(x["fs"]))
    v = keep(collections.OrderedDict() if x["ordered"] else {})
    for k, w in x["d"]:
        k = build(k, made); v[k] = build(w, made)
    return v

DUMPERS = {"ordered": sd.SafeOrderedDumper, "indented": sd.IndentedSafeOrderedDumper, "safe": yaml.CSafeDumper, "serializer": ser.Dumper, "yamlex": yex.Dumper}

def answer(what, x, o):
    value = build(x, {})
    if what == "yaml":
        o = dict(o)
        dumper = o.pop("dumper")
        if "version" in o: o["version"] = tuple(o["version"])
        return yaml.dump(value, Dumper=DUMPERS[dumper], **o)
    if what == "json": 
        o = dict(o)
        if "separators" in o: o["separators"] = tuple(o["separators"])
        if o.pop("default", False): o["default"] = lambda v: "<" + type(v).__name__ + ">"
        return json.dumps(value, **o)
    if what == "serialize":
        name, options = o
        out = importlib.import_module("salt.serializers." + name).serialize(value, **options)
        return out if isinstance(out, str) else "bytes " + out.hex()
    if what == "deserialize":
        name, options = o
        out = importlib.import_module("salt.serializers." + name).deserialize(value, **options)
        return json.dumps(plain(out), ensure_ascii=False)
    if what == "loads":
        return json.dumps(plain(json.loads(value)), ensure_ascii=False)
    if what == "find_json":
        return json.dumps(plain(salt.utils.json.find_json(value)), ensure_ascii=False)

def plain(x):
    if isinstance(x, dict): return ["d", [[plain(k), plain(v)] for k, v in x.items()]]
    if isinstance(x, (list, tuple)): return ["l", [plain(i) for i in x]]
    if isinstance(x, set): return ["s", sorted(plain(i) for i in x)]
    if isinstance(x, bytes): return ["b", x.hex()]
    if isinstance(x, str): return str.__str__(x) if type(x) is str else str.__getitem__(x, slice(None))
    if isinstance(x, datetime.date): return ["t", x.isoformat()]
    if isinstance(x, int) and not isinstance(x, bool): return ["i", str(x)]
    if isinstance(x, float): return ["f", repr(x)]
    return x

if __name__ == "__main__":
    for line in sys.stdin:
        what, x, o = json.loads(line)
        try: out = "= " + answer(what, x, o)
        except RecursionError: out = None
        except Exception as e: out = "%s: %s" % (type(e).__name__, e)
        print(json.dumps(out), flush=True)
