# Calls filters and tests of the environment that stock Salt gives its templates. Reads a line of JSON each: what it is, its name,
# and its arguments as Python's source; answers with the result's repr, or the exception as text. "names" asks for all names.
import collections, datetime, itertools, json, logging, os, re, resource, signal, sys, tempfile, warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
import jinja2, jinja2.sandbox
import salt.config, salt.loader, salt.utils.jinja, salt.utils.templates
from markupsafe import Markup

os.environ["TZ"] = "UTC"
OrderedDict = collections.OrderedDict
D, T, DT, TD, TZ = datetime.date, datetime.time, datetime.datetime, datetime.timedelta, datetime.timezone
undefined = lambda: jinja2.StrictUndefined(name="u")

opts = salt.config.DEFAULT_MINION_OPTS.copy()
opts["cachedir"] = tempfile.gettempdir() + "/no-such-cache"
opts["file_client"] = "local"
seen = []
from_string = jinja2.sandbox.SandboxedEnvironment.from_string


def spy(self, source, *args, **kwargs):
    seen.append(self)
    return from_string(self, source, *args, **kwargs)


jinja2.sandbox.SandboxedEnvironment.from_string = spy
salt.loader.render(opts, salt.loader.minion_mods(opts))
plain = {"opts": opts, "saltenv": "base", "sls": "", "fileclient": None}
salt.utils.templates.render_jinja_tmpl("x", plain)
env = seen[0]


def call(*args, **kwargs):
    return args, kwargs


def show(x, ordered=True):
    if type(x) in (set, frozenset):
        return type(x).__name__ + str(sorted(map(repr, x)))
    if type(x) is tuple:
        return "(" + ", ".join(map(show, x)) + ",)"
    if type(x) is dict and not ordered:
        return str(sorted((repr(k), repr(v)) for k, v in x.items()))
    if isinstance(x, jinja2.Undefined):
        return "undefined " + x._undefined_message
    if hasattr(x, "__next__"):
        return type(x).__name__ + " " + repr(list(itertools.islice(x, 60)))
    return repr(x)


def said(e):
    return type(e).__name__ + ": " + str(e)


def answer(kind, name, source):
    if kind == "names":
        return {
            "filters": sorted(env.filters),
            "tests": sorted(env.tests),
            "globals": sorted(set(env.globals) - set(plain)),
        }
    if kind == "print":
        table, name = None, None
    args, kwargs = eval(source)
    try:
        if kind == "print":
            return re.sub(r"0x[0-9a-f]{6,}", "0x", str(env.finalize(args[0])))
        table = env.filters if kind == "filter" else env.tests
        out = show(table[name](*args, **kwargs), name != "compare_dicts")
    except MemoryError:
        return None
    except Exception as e:
        try:
            out = said(e)
        except Exception:
            return None
    return re.sub(r"0x[0-9a-f]{6,}", "0x", out)


def late(*_):
    raise MemoryError


# What takes more than a test should is not compared.
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
signal.signal(signal.SIGALRM, late)
for line in sys.stdin:
    signal.setitimer(signal.ITIMER_REAL, 5)
    try:
        out = answer(*json.loads(line))
    except MemoryError:
        out = None
    signal.setitimer(signal.ITIMER_REAL, 0)
    if isinstance(out, str):
        out = out.encode("utf-8", "replace").decode()
    print(json.dumps(out), flush=False)
    sys.stdout.flush()
