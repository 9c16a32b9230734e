"""What stock's Python clients get from a master with external authentication.

Usage: eauth.py <fleet directory> <backend> <user> <password> <user with few rights> <his password>
Prints one JSON object: for each question the answer, or the error's class and text.
"""
import json
import os
import stat
import sys

import salt.auth
import salt.client
import salt.config
import salt.runner
import salt.wheel

ROOT, BACKEND, USER, PASSWORD, OTHER, OTHERS = sys.argv[1:7]
CONF = os.path.join(ROOT, "etc", "master")
OPTS = salt.config.client_config(CONF)
FULL = {"eauth": BACKEND, "username": USER, "password": PASSWORD}
FEW = {"eauth": BACKEND, "username": OTHER, "password": OTHERS}
WRONG = dict(FULL, password="wrong")
answers = {}


def ask(name, call):
    try:
        answers[name] = {"is": call()}
    except BaseException as exc:  # The outcome is the error, whatever it is.
        answers[name] = {"error": type(exc).__name__, "text": str(exc)}


def local(fun, creds, tgt="m1", arg=()):
    with salt.client.LocalClient(CONF) as client:
        # As somebody else than root, who has no key.
        client.key = ""
        job = client.pub(tgt, fun, arg, timeout=20, **creds)
        return sorted(job.get("minions", []))


def returned(fun, creds, arg=()):
    with salt.client.LocalClient(CONF) as client:
        client.key = ""
        return client.cmd("m1", fun, arg, timeout=20, **creds)


def wheel(fun, creds, **kwargs):
    data = salt.wheel.WheelClient(OPTS).master_call(fun=fun, **creds, **kwargs)["data"]
    return [data["user"], data["success"], sorted(data["return"])]


def runner(fun, creds):
    done = salt.runner.RunnerClient(OPTS).master_call(fun=fun, kwarg={"arg": [], "kwarg": {}}, **creds)
    return sorted(done)


resolver = salt.auth.Resolver(OPTS)
token = resolver.mk_token(dict(FULL))
few = resolver.mk_token(dict(FEW))
answers["token"] = sorted(token)
path = os.path.join(OPTS["token_dir"], token["token"])
# 3008 keeps tokens under another name.
path = path if os.path.exists(path) else path + ".p"
answers["mode"] = oct(stat.S_IMODE(os.stat(path).st_mode))
answers["same"] = resolver.get_token(token["token"]) == token
answers["none"] = resolver.get_token("a" * 64)
answers["no token"] = resolver.mk_token(dict(WRONG))
TOKEN, FEW_TOKEN = {"token": token["token"]}, {"token": few["token"]}

for how, creds, less in (("password", FULL, FEW), ("token", TOKEN, FEW_TOKEN)):
    ask(f"{how}: ping", lambda: returned("test.ping", creds))
    ask(f"{how}: ping with few rights", lambda: local("test.ping", less))
    ask(f"{how}: one minion with few rights", lambda: local("grains.get", less, arg=("id",)))
    ask(f"{how}: both minions with few rights", lambda: local("grains.get", less, tgt="*", arg=("id",)))
    ask(f"{how}: more than his rights", lambda: local("cmd.run", less, arg=("id",)))
    ask(f"{how}: wheel", lambda: wheel("key.list_all", creds))
    ask(f"{how}: wheel without right", lambda: wheel("key.list_all", less))
    ask(f"{how}: runner", lambda: runner("test.arg", creds))
    ask(f"{how}: runner without right", lambda: runner("jobs.active", less))
    ask(f"{how}: runner of no module", lambda: runner("active", less))
ask("wrong: ping", lambda: local("test.ping", WRONG))
ask("wrong: wheel", lambda: wheel("key.list_all", WRONG))
ask("wrong: runner", lambda: runner("jobs.active", WRONG))
ask("unknown backend: ping", lambda: local("test.ping", dict(FULL, eauth="nothing")))
ask("unknown token: ping", lambda: local("test.ping", {"token": "a" * 64}))
ask("unknown token: wheel", lambda: wheel("key.list_all", {"token": "a" * 64}))
ask("nothing: ping", lambda: local("test.ping", {}))
print(json.dumps(answers))
