# Calls execution functions of stock Salt on live pillar, grains and options. Reads a line of JSON each: the function's name, its
# arguments as Python's source, and the state as Python's source; answers with the result, what is left of arguments and of the
# state, and whether the result is an object of either.
import collections, copy, json, logging, sys, warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
import salt.modules.config, salt.modules.defaults, salt.modules.grains, salt.modules.pillar, salt.modules.slsutil

OrderedDict = collections.OrderedDict
modules = {m.__name__.rsplit(".", 1)[1]: m for m in (
    salt.modules.config, salt.modules.defaults, salt.modules.grains, salt.modules.pillar, salt.modules.slsutil)}


def call(*args, **kwargs):
    return args, kwargs


def inside(x, of):
    if x is of:
        return True
    if isinstance(of, dict):
        return any(inside(x, v) for v in of.values())
    if isinstance(of, (list, tuple)):
        return any(inside(x, v) for v in of)
    return False


def answer(name, source, state):
    args, kwargs = eval(source)
    state = eval(state)
    module, function = name.split(".")
    module = modules[module]
    for dunder in ("pillar", "grains", "opts"):
        setattr(module, "__" + dunder + "__", state[dunder])
    try:
        out = getattr(module, function)(*args, **kwargs)
    except Exception as e:
        return type(e).__name__ + ": " + str(e) + " ; " + repr(args) + " ; " + repr(state)
    shared = ""
    if isinstance(out, (dict, list)):
        shared = str([inside(out, args), inside(out, list(kwargs.values())), inside(out, state)])
    return plain(out) + " ; " + plain(args) + " ; " + plain(state) + " ; " + shared


def plain(x):
    return repr(simple(x))


def simple(x):
    if isinstance(x, OrderedDict) and type(x) is not OrderedDict:
        return OrderedDict((k, simple(v)) for k, v in x.items())
    if isinstance(x, list) and type(x) is not list:
        return [simple(v) for v in x]
    if type(x) is dict:
        return {k: simple(v) for k, v in x.items()}
    if type(x) is OrderedDict:
        return OrderedDict((k, simple(v)) for k, v in x.items())
    if type(x) in (list, tuple):
        return type(x)(simple(v) for v in x)
    return x


for line in sys.stdin:
    print(json.dumps(answer(*json.loads(line))), flush=False)
    sys.stdout.flush()
