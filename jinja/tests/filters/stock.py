"""What stock's Jinja2 makes of filters, tests, globals, markup and formats: a question is [kind, name, arguments, keywords, environment]."""

import collections
import datetime
import itertools
import json
import re
import sys
import warnings

from jinja2 import StrictUndefined, Undefined
from jinja2.nodes import EvalContext
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

import salt.utils.jinja  # noqa: F401  as Salt has it, so that nothing that it changes is missed

warnings.simplefilter("ignore")
OrderedDict = collections.OrderedDict
D, T, DT, TD, TZ = datetime.date, datetime.time, datetime.datetime, datetime.timedelta, datetime.timezone


def environment(number):
    env = SandboxedEnvironment(
        undefined=StrictUndefined if number & 1 else Undefined, autoescape=bool(number & 2)
    )
    template = env.from_string("")
    return env, template.new_context({})


ENVIRONMENTS = [environment(n) for n in range(4)]


def said(e):
    return type(e).__name__ + ": " + str(e)


def show(x, deep=0):
    if isinstance(x, Undefined):
        return "undefined " + x._undefined_message
    if type(x) in (set, frozenset):
        return type(x).__name__ + str(sorted(map(repr, x)))
    if type(x) is list and deep < 3:
        return "[" + ", ".join(show(i, deep + 1) for i in x) + "]"
    if isinstance(x, tuple) and deep < 3:
        return type(x).__name__ + "(" + ", ".join(show(i, deep + 1) for i in x) + ")"
    if hasattr(type(x), "__next__") and hasattr(type(x), "__iter__"):
        if deep:
            return "iterator"
        out = repr(x)
        try:
            for item in itertools.islice(x, 40):
                out += ", " + show(item, 1)
        except MemoryError:
            raise
        except Exception as e:
            out += "; " + said(e)
        return out
    return repr(x)


def answer(kind, name, args, keywords, number):
    env, context = ENVIRONMENTS[number]
    names = dict(globals())
    names["U"] = lambda name: env.undefined(name=name)
    args = [eval(a, names) for a in args]
    keywords = {k: eval(v, names) for k, v in keywords}
    try:
        if kind == "filter":
            out = show(env.call_filter(name, args[0], args[1:], keywords, context))
        elif kind == "test":
            out = show(env.call_test(name, args[0], args[1:], keywords, context))
        elif kind == "global":
            out = env.globals[name](*args, **keywords)
            out = f"{type(out).__name__} of {len(out.splitlines())} lines" if name == "lipsum" else show(out)
        elif kind == "method":
            out = show(env.getattr(args[0], name)(*args[1:], **keywords))
        elif kind == "+":
            out = show(args[0] + args[1])
        elif kind == "*":
            out = show(args[0] * args[1])
        elif kind == "%":
            out = show(args[0] % args[1])
        elif kind == "[]":
            out = show(args[0][args[1]])
        elif kind == "[:]":
            out = show(args[0][args[1] : args[2] : args[3]])
    except MemoryError:
        return None
    except Exception as e:
        out = said(e)
    if args:
        try:
            out += " ; " + show(args[0], 1)
        except Exception as e:
            out += " ; " + said(e)
    out = re.sub(r"0x[0-9a-f]{6,}", "0x", out)
    out = re.sub(r"id=[0-9]+", "id=", out)
    return out.encode("utf-8", "replace").decode()


def lists():
    env = ENVIRONMENTS[0][0]
    from jinja2.defaults import DEFAULT_FILTERS, DEFAULT_TESTS

    return [sorted(DEFAULT_FILTERS), sorted(DEFAULT_TESTS), list(env.globals)]


print(json.dumps(lists()), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(*json.loads(line))))
