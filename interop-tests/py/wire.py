"""Speaks to a master's request port as a raw client or an attacker would.

Usage: wire.py <fleet directory> <address> <request port> <what> [arguments]
Prints one JSON object. Requests are packed by hand, so that malformed ones can be sent;
only key operations come from stock's library.
"""
import json
import os
import random
import socket
import sys
import time
import uuid

import msgpack
import salt.crypt
import zmq

ROOT, ADDRESS, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])
OAEP = "OAEP-SHA1"
CONTEXT = zmq.Context()


def pack(value):
    return msgpack.packb(value, use_bin_type=False)


def unpack(data):
    return msgpack.unpackb(data, raw=True, strict_map_key=False)


def text(value):
    if isinstance(value, dict):
        return {str(text(k)): text(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [text(v) for v in value]
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return "hex:" + value[:64].hex()
    return value


def ask(body, wait=5.0):
    """Sends one request; gives the reply's bytes, or None when there is none."""
    sock = CONTEXT.socket(zmq.REQ)
    sock.setsockopt(zmq.LINGER, 0)
    sock.connect(f"tcp://{ADDRESS}:{PORT}")
    try:
        sock.send(body)
        return sock.recv() if sock.poll(int(wait * 1000)) else None
    finally:
        sock.close()


def reply(body, wait=5.0):
    raw = ask(body, wait)
    if raw is None:
        return None
    try:
        return unpack(raw)
    except Exception:
        return raw


def clear(load, version=3):
    return pack({"enc": "clear", "load": load, "version": version})


def root_key():
    return user_key(USER)


def user_key(user):
    with open(f"{ROOT}/cache/master/.{user}_key") as handle:
        return handle.read().strip()


def master_user():
    with open(f"{ROOT}/etc/master") as handle:
        for line in handle:
            if line.startswith("user: "):
                return line.split()[1]
    return "root"


USER = master_user()


class Session:
    """A minion's session, signed in with that minion's own keys."""

    def __init__(self, name, minion_id, version=3):
        pki = f"{ROOT}/{name}/pki"
        self.id = minion_id
        self.key = salt.crypt.PrivateKey(f"{pki}/minion.pem")
        with open(f"{pki}/minion.pub") as handle:
            self.pub = handle.read().strip()
        self.auth = auth_load(minion_id, self.pub)
        answer = reply(clear(self.auth, version))
        self.answer = answer
        inner = unpack(answer[b"load"])
        self.inner = inner
        self.crypt = None
        if b"session" in inner:
            session = self.key.decrypt(inner[b"session"], OAEP)
            self.crypt = salt.crypt.Crypticle({}, session.decode())

    def load(self, **fields):
        load = {
            "id": self.id,
            "tok": self.key.encrypt(b"salt"),
            "ts": int(time.time()),
            "nonce": uuid.uuid4().hex,
        }
        load.update(fields)
        return {k: v for k, v in load.items() if v is not None}

    def seal(self, load, outer=None):
        body = {
            "enc": "aes",
            "load": self.crypt.encrypt(b"pickle::" + pack(load)),
            "version": 3,
            "id": self.id,
            "enc_algo": OAEP,
            "sig_algo": "PKCS1v15-SHA1",
        }
        body.update(outer or {})
        return pack({k: v for k, v in body.items() if v is not None})

    def opened(self, value, nonce=None):
        """What a reply says: its plaintext, or the bare words of an error."""
        if not isinstance(value, bytes):
            return text(value)
        if len(value) < 48:
            return text(value)
        try:
            plain = self.crypt.decrypt(value)[len(b"pickle::"):]
        except Exception:
            return text(value)
        if nonce is not None:
            if plain[:32] != nonce.encode():
                return "reply carries another nonce"
            plain = plain[32:]
        return {"decrypted": text(unpack(plain))}


def auth_load(minion_id, pub, **more):
    load = {
        "cmd": "_auth",
        "id": minion_id,
        "nonce": uuid.uuid4().hex,
        "enc_algo": OAEP,
        "sig_algo": "PKCS1v15-SHA1",
        "pub": pub,
    }
    load.update(more)
    return load


def spare_pub():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode().strip()


def auth_answer(value):
    """The inner `ret` of an _auth reply, or the bare text of a refusal."""
    if isinstance(value, dict) and b"load" in value:
        inner = value[b"load"]
        if isinstance(inner, bytes):
            inner = unpack(inner)
        inner = text(inner)
        return {"ret": inner.get("ret"), "signed": b"sig" in value, "aes": "aes" in inner}
    return text(value)


def do_publish():
    """A publish of test.ping with the real key; looks for the job files the moment the reply is here."""
    import hashlib

    load = {
        "cmd": "publish", "tgt": "m1", "fun": "test.ping", "arg": [], "tgt_type": "glob",
        "ret": "", "jid": "", "user": "root", "key": root_key(), "kwargs": {"delimiter": ":"},
    }
    answer = text(reply(clear(load)))
    inner = answer.get("load", {})
    digest = hashlib.sha256(inner["jid"].encode()).hexdigest()
    job = f"{ROOT}/cache/master/jobs/{digest[:2]}/{digest[2:]}"
    out = {"reply": answer}
    for name in ("jid", ".load.p", ".minions.p"):
        try:
            with open(f"{job}/{name}", "rb") as handle:
                data = handle.read()
            out[name] = data.decode() if name == "jid" else text(unpack(data))
        except FileNotFoundError:
            out[name] = None
    return out


def do_unauthenticated():
    """Commands of a client that has no key, or a wrong one."""
    base = {"tgt": "*", "fun": "test.ping", "arg": [], "tgt_type": "glob", "ret": "", "jid": "", "kwargs": {}}
    wheel = {"cmd": "wheel", "fun": "key.list_all", "kwarg": {}}
    runner = {"cmd": "runner", "fun": "manage.up", "kwarg": {}}
    wrong = "A" * 75 + "="
    asked = {
        "publish without user and key": dict(base, cmd="publish"),
        "publish with a user only": dict(base, cmd="publish", user="root"),
        "publish with a wrong key": dict(base, cmd="publish", user="root", key=wrong),
        "publish with an empty key": dict(base, cmd="publish", user="root", key=""),
        "publish as sudo_root with a wrong key": dict(base, cmd="publish", user="sudo_root", key=wrong),
        "wheel without key": wheel,
        "wheel with a wrong key": dict(wheel, user="root", key=wrong),
        "runner without key": runner,
        "runner with a wrong key": dict(runner, user="root", key=wrong),
        "mk_token with a bad eauth": {"cmd": "mk_token", "eauth": "nope", "username": "x", "password": "y"},
        "get_token with a path": {"cmd": "get_token", "token": "../../../../etc/passwd"},
        "unknown command": {"cmd": "nope"},
        "private command": {"cmd": "__setup"},
        "encrypted command in clear": {"cmd": "_return", "id": "m1", "jid": "20200101000000000000", "return": 1},
        "prep_auth_info": {"cmd": "_prep_auth_info"},
        "no command": {"id": "m1"},
    }
    return {name: text(reply(clear(load))) for name, load in asked.items()}


def do_ping():
    return {"reply": text(reply(clear({"cmd": "ping", "x": 1})))}


def do_versions():
    """_auth and a clear command below version 3."""
    out = {}
    pub = spare_pub()
    for version in (0, 1, 2, "2", "x", None):
        message = {"enc": "clear", "load": auth_load("old", pub), "version": version}
        if version is None:
            del message["version"]
        out[f"auth {version}"] = auth_answer(reply(pack(message)))
    out["ping 2"] = text(reply(clear({"cmd": "ping"}, 2)))
    return out


def do_names():
    """_auth with ids that must not become paths."""
    pub = spare_pub()
    names = ["../x", "../../../tmp/brine-escaped", "a/b", "/abs", "..", ".", "", "a\\b", "x\0y"]
    out = {repr(n)[:24]: auth_answer(reply(clear(auth_load(n, pub)))) for n in names}
    for odd in (5, ["m1"], None, True):
        out[f"not text: {odd!r}"] = auth_answer(reply(clear(auth_load(odd, pub))))
    return out


def do_bad_keys():
    """_auth with keys that are none."""
    keys = {"words": "not a key", "half": spare_pub()[:200]}
    return {name: auth_answer(reply(clear(auth_load("badkey", pub)))) for name, pub in keys.items()}


def do_wedging():
    """Requests each of which costs a 3006 or 3007 master of stock one worker for ever."""
    pub = spare_pub()
    asked = {
        "id of 300 letters": auth_load("a" * 300, pub),
        "id is a map": auth_load({"a": 1}, pub),
        "key is empty": auth_load("badkey", ""),
        "key is a number": auth_load("badkey", 7),
        "key is a list": auth_load("badkey", [1]),
        "key is null": auth_load("badkey", None),
        "key of 200 kB": auth_load("badkey", "A" * 200000),
    }
    out = {name: auth_answer(reply(clear(load), 2)) for name, load in asked.items()}
    for name, body in {
        "unknown enc": {"enc": "rot13", "load": {"cmd": "nope"}, "version": 3},
        "aes load is a map": {"enc": "aes", "load": {"cmd": "nope"}, "version": 3, "id": "m1"},
    }.items():
        out[name] = text(reply(pack(body), 2))
    out["ping"] = text(reply(clear({"cmd": "ping"})))
    return out


def do_session():
    """Requests of a genuine minion, then the same replayed, altered, and with parts missing."""
    name, tag = sys.argv[5], sys.argv[6]
    session = Session(name, name)
    out = {}

    def event(suffix, **fields):
        fields.setdefault("cmd", "_minion_event")
        return session.load(tag=f"{tag}/{suffix}", data={"n": 1}, pretag=None, **fields)

    def send(key, load, outer=None, change=None):
        body = session.seal(load, outer)
        if change:
            body = change(body)
        out[key] = session.opened(reply(body), load.get("nonce"))
        return body

    load = event("genuine")
    genuine = send("genuine", load)
    out["replayed"] = session.opened(reply(genuine), load["nonce"])
    place = genuine.index(b"load") + 40

    def flip(body):
        body = bytearray(body)
        body[place] ^= 1
        return bytes(body)

    send("flipped byte", event("flipped"), change=flip)
    send("other outer id", event("outer"), outer={"id": "m2"})
    send("no outer id", event("noouter"), outer={"id": None})
    send("other inner id", event("inner", id="m2"))
    send("no token", event("notok", tok=None))
    send("wrong token", event("wrongtok", tok=b"x" * 256))
    send("version 2", event("v2"), outer={"version": 2})
    send("path in outer id", event("path"), outer={"id": "../m1"})
    send("unknown command", session.load(cmd="nope"))
    send("private command", session.load(cmd="__call__"))
    send("no command", session.load())
    send("genuine again", event("again"))
    return out


def do_weaknesses():
    """What a stranger and a minion may do on a stock master and should not: see docs/security.md."""
    name, stranger = sys.argv[5], sys.argv[6]
    out = {}
    out["stranger"] = text(reply(pack({"enc": "aes", "load": b"x" * 100, "version": 3, "id": stranger})))
    out["publish"] = text(reply(clear({
        "cmd": "publish", "tgt": "*", "fun": "test.ping", "arg": [], "tgt_type": "glob", "ret": "",
        "user": "root", "key": "A" * 75 + "=", "kwargs": {}, "jid": "20200101000000000001",
    })))
    session = Session(name, name)
    for tag in (
        "salt/job/20200101000000000002/ret/m2",
        "salt/minion/m2/start",
        "salt/run/20200101000000000003/new",
        "acme/weak/done",
    ):
        load = session.load(cmd="_minion_event", tag=tag, data={"n": 1}, pretag=None)
        if tag == "acme/weak/done":
            forged = {"m2": {"return": "forged", "retcode": 0, "success": True}}
            jid = "20200101000000000004"
            syndic = session.load(cmd="_syndic_return", jid=jid, fun="test.ping", fun_args=[], **{"return": forged})
            out["syndic"] = session.opened(reply(session.seal(syndic)), syndic["nonce"])
        out[tag] = session.opened(reply(session.seal(load)), load["nonce"])
    return out


def do_rules():
    """What a user with rules gets with his own key. No minion is there, so that nothing is run."""
    mine = {"user": "nobody", "key": user_key("nobody")}
    job = dict(mine, cmd="publish", tgt="*", tgt_type="glob", fun="test.ping", arg=[], ret="", jid="", kwargs={})
    wheel = dict(mine, cmd="wheel", fun="key.list_all", kwarg={})
    asked = {
        "what he may": job,
        "what he may not": dict(job, fun="test.echo", arg=["x"]),
        "a list that begins with what he may": dict(job, fun=["test.ping", "test.echo"], arg=[[], ["x"]]),
        "as root": dict(job, fun="test.echo", arg=["x"], user="root"),
        "wheel": wheel,
        "wheel as root": dict(wheel, user="root"),
    }
    return {name: text(reply(clear(load))) for name, load in asked.items()}


def do_garbage():
    """Bytes that are no requests, on both ports."""
    publish_port = int(sys.argv[5])
    rng = random.Random(7)
    greeting = b"\xff" + b"\0" * 8 + b"\x7f" + b"\x03\x00" + b"NULL" + b"\0" * 16 + b"\0" + b"\0" * 31
    ready = b"\x04\x26\x05READY\x0bSocket-Type\0\0\0\x03REQ\x08Identity\0\0\0\0"
    junk = [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        bytes(rng.randrange(256) for _ in range(4096)),
        b"\xff" * 64,
        greeting[:20],
        greeting,
        greeting + bytes(rng.randrange(256) for _ in range(4096)),
        greeting + ready,
        # A frame that says it is 2^62 bytes long, and one of 2 GiB.
        greeting + ready + b"\x02" + (1 << 62).to_bytes(8, "big") + b"x" * 100,
        greeting + ready + b"\x02" + (1 << 31).to_bytes(8, "big") + b"x" * 100,
        # Endless more-frames.
        greeting + ready + b"\x01\x00" * 20000,
        greeting + ready + b"\x04\x05\x04PING" + b"\x04\xff" + b"z" * 20,
    ]
    for port in (PORT, publish_port):
        for data in junk:
            sock = socket.create_connection((ADDRESS, port), 5)
            try:
                sock.sendall(data)
                sock.settimeout(0.05)
                sock.recv(4096)
            except OSError:
                pass
            finally:
                sock.close()
    out = {}
    deep = b"\x91" * 100000 + b"\xc0"
    for key, body in {
        "not msgpack": b"\xc1\xc1\xc1",
        "empty": b"",
        "a number": pack(5),
        "a list": pack([1, 2]),
        "no load": pack({"enc": "clear"}),
        "load is text": pack({"enc": "clear", "load": "x", "version": 3}),
        "load is a list": pack({"enc": "clear", "load": [1], "version": 3}),
        "aes garbage": pack({"enc": "aes", "load": b"x" * 100, "version": 3, "id": "m1"}),
        "aes short": pack({"enc": "aes", "load": b"", "version": 3, "id": "m1"}),
        "aes of an unknown id": pack({"enc": "aes", "load": b"x" * 100, "version": 3, "id": "stranger"}),
        "declared huge map": b"\xdf\xff\xff\xff\xff",
        "declared huge text": b"\xdb\xff\xff\xff\xffx",
        "deep nesting": deep,
        "cut off": clear({"cmd": "ping"})[:-3],
    }.items():
        out[key] = text(reply(body))
    out["ping"] = text(reply(clear({"cmd": "ping"})))
    return out


WHAT = {
    "publish": do_publish,
    "unauthenticated": do_unauthenticated,
    "ping": do_ping,
    "versions": do_versions,
    "names": do_names,
    "bad-keys": do_bad_keys,
    "wedging": do_wedging,
    "session": do_session,
    "weaknesses": do_weaknesses,
    "rules": do_rules,
    "garbage": do_garbage,
}

print(json.dumps(WHAT[sys.argv[4]](), default=text))
os._exit(sys.stdout.flush() or 0)
