import collections, datetime, json, sys, yaml
import logging; logging.disable(logging.CRITICAL)
import salt.utils.yamlloader as sy
import salt.serializers.yaml as ser

class Plain(sy.SaltYamlSafeLoader): pass
class Ordered(sy.SaltYamlSafeLoader): pass
def ordered(stream): return Ordered(stream, dictclass=collections.OrderedDict)
LOADERS = {"salt": Plain, "ordered": ordered, "safe": yaml.CSafeLoader, "serializer": ser.Loader}

def form(x, seen, out):
    t = type(x)
    if isinstance(x, yaml.Node): raise RecursionError
    if x is None: out.append("N")
    elif t is bool: out.append("T" if x else "F")
    elif t is int: out.append("i%d" % x)
    elif t is float: out.append("f" + repr(x))
    elif t is str: out.append(json.dumps(x))
    elif t is ser.EncryptedString: out.append("E" + json.dumps(str(x)))
    elif t is bytes: out.append("b" + x.hex())
    elif t is datetime.datetime: out.append("w" + x.isoformat())
    elif t is datetime.date: out.append("d" + x.isoformat())
    elif t is tuple:
        out.append("(")
        for i in x: form(i, seen, out); out.append(",")
        out.append(")")
    else:
        if id(x) in seen:
            out.append("@%d" % seen[id(x)]); return
        seen[id(x)] = len(seen)
        if t is list:
            out.append("[")
            for i in x: form(i, seen, out); out.append(",")
            out.append("]")
        elif t is set:
            members = []
            for i in x: o = []; form(i, {}, o); members.append("".join(o))
            out.append("<" + ",".join(sorted(members)) + ">")
        else:
            out.append("O{" if t is collections.OrderedDict else "{")
            for k, v in x.items(): form(k, seen, out); out.append(":"); form(v, seen, out); out.append(",")
            out.append("}")

def cyclic(x, above):
    if isinstance(x, (list, dict, tuple)):
        if id(x) in above: return True
        above = above | {id(x)}
        return any(cyclic(i, above) for i in (x.values() if isinstance(x, dict) else x))
    return False

for line in sys.stdin:
    mode, text = json.loads(line)
    try:
        value = yaml.load(text, Loader=LOADERS[mode])
        if cyclic(value, frozenset()): answer = None
        else: out = []; form(value, {}, out); answer = "".join(out)
    except RecursionError: answer = None
    except Exception as e: answer = "%s: %s" % (type(e).__name__, e)
    print(json.dumps(answer), flush=True)
