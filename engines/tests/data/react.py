# Reactions as stock compiles and calls them: a line of JSON for each question.
import json, logging, os, sys, tempfile

import salt.config
import salt.runner
import salt.utils.args
import salt.utils.reactor
import salt.wheel

said = []


class Kept(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())


logging.getLogger("salt").setLevel(logging.CRITICAL)
log = logging.getLogger("salt.utils.reactor")
log.setLevel(logging.ERROR)
log.addHandler(Kept())
log.propagate = False

home = tempfile.mkdtemp()
conf = os.path.join(home, "master")
with open(conf, "w") as out:
    json.dump({"root_dir": home, "id": "m", "user": "root"}, out)
opts = salt.config.master_config(conf)
opts["grains"] = {"os": "Debian", "id": "m"}
reactor = salt.utils.reactor.Reactor(opts)
calls = []


class Local:
    def cmd_async(self, tgt, fun, arg=(), tgt_type="glob", ret="", jid="", kwarg=None, **kwargs):
        kwargs.pop("timeout", None)
        arg = salt.utils.args.condition_input(arg, kwarg)
        load = {"cmd": "publish", "tgt": tgt, "fun": fun, "arg": arg, "tgt_type": tgt_type, "ret": ret, "jid": jid}
        load["kwargs"] = kwargs
        calls.append(["local", load])


class Master:
    def __init__(self, kind, functions):
        self.kind, self.functions = kind, functions

    def low(self, fun, low):
        calls.append([self.kind, fun, list(low["arg"]), low["kwarg"]])


class Caller:
    def cmd(self, fun, *args, **kwargs):
        calls.append(["caller", fun, list(args), kwargs])


class Pool:
    def fire_async(self, func, args=()):
        func(*args)
        return True


wrap = salt.utils.reactor.ReactWrap(opts)
wrap.pool = Pool()
salt.utils.reactor.ReactWrap.client_cache = {
    "local": Local(),
    "caller": Caller(),
    "runner": Master("runner", salt.runner.RunnerClient(opts).functions),
    "wheel": Master("wheel", salt.wheel.WheelClient(opts).functions),
}

for line in sys.stdin:
    question = json.loads(line)
    del said[:], calls[:]
    chunks = reactor.reactions(question["tag"], question["data"], question["files"])
    low = json.loads(json.dumps(chunks, default=str))
    for chunk in chunks:
        try:
            wrap.run(chunk)
        except KeyError as exc:
            # The reactor's process ends by it.
            said.append("ReactWrap is missing a wrapper function for %s" % exc)
    print(json.dumps({"low": low, "calls": calls, "said": said}, default=str), flush=True)
