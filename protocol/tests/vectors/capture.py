#!/usr/bin/env python3
"""Records what a stock master, minion and CLI of one version say to each other, as vectors for the tests.

    capture.py BIN_DIR VERSION [OUT_DIR [OLD_BIN_DIR]]

BIN_DIR holds stock's salt-master, salt-minion and salt. Two runs are made, on loopback, through a proxy that
writes down the bytes: `default` (stock's defaults) and `sha224` (the SHA224 algorithms, a master that signs its
public key, a minion that signs its messages). In each the key is first pending, then accepted; three jobs run; the
minion is restarted. With OLD_BIN_DIR, that of a 3006.9, only the run `legacy` is made: its minion speaks protocol
version 2 to a master that allows that. Each run becomes a folder with the keys and

    req-NNN.bin, rep-NNN.bin   bodies on the request port, in order of the requests
    pub-NNN.bin                bodies on the publish port
    evt-NNN.bin                frames of the master's event bus, without length prefix

and beside the runs lie fingers.txt and protected.pem, see EXTRAS.

Keys are made for the run and worth nothing afterwards. Grains that tell of the machine are left out.
"""
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

# No two of these may match the same grain: stock fails on that.
BLACKLIST = """cpu* cwd disks dns domain fqdn* gid groupname host hwaddr* ip* kernelparams kernelrelease kernelversion
localhost machine_id manufacturer mdadm mem_total nodename num_cpus num_gpus gpus path pid product* ps python* saltpath
serialnumber server_id shell SSDs ssds swap_total systempath uid username uuid bios* efi* timezone locale_info""".split()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Proxy:
    """Forwards connections and keeps both directions of each."""

    def __init__(self, target):
        self.target, self.port, self.streams = target, free_port(), []
        self.server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.server.accept()
            try:
                master = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            pair = {"up": [], "down": []}
            self.streams.append(pair)
            for src, dst, log in ((client, master, pair["up"]), (master, client, pair["down"])):
                threading.Thread(target=self.pump, args=(src, dst, log), daemon=True).start()

    @staticmethod
    def pump(src, dst, log):
        try:
            while data := src.recv(65536):
                log.append((time.time(), data))
                dst.sendall(data)
        except OSError:
            pass
        for s in (src, dst):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def messages(log):
    """The ZMTP messages of one direction, each with the time its last byte came."""
    data, times, at = b"".join(d for _, d in log), [], 0
    for when, chunk in log:
        at += len(chunk)
        times.append((at, when))
    at, parts = 64, []
    while at + 2 <= len(data):
        flags = data[at]
        if flags & 2:
            if at + 9 > len(data):
                return
            size, start = struct.unpack(">Q", data[at + 1 : at + 9])[0], at + 9
        else:
            size, start = data[at + 1], at + 2
        body, at = data[start : start + size], start + size
        if at > len(data):
            return
        if flags & 4:
            continue
        parts.append(body)
        if not flags & 1:
            yield next(w for end, w in times if end >= at), parts
            parts = []


def event_frames(path, prefixed, frames, stop):
    import msgpack_lite

    while not os.path.exists(path):
        if stop.wait(0.1):
            return
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    s.settimeout(0.5)
    data = b""
    while not stop.is_set():
        try:
            got = s.recv(65536)
        except socket.timeout:
            continue
        if not got:
            return
        data += got
        while data:
            if prefixed:
                if len(data) < 4 or len(data) < 4 + struct.unpack(">I", data[:4])[0]:
                    break
                n = struct.unpack(">I", data[:4])[0]
                frames.append(data[4 : 4 + n])
                data = data[4 + n :]
            else:
                n = msgpack_lite.measure(data)
                if n is None:
                    break
                frames.append(data[:n])
                data = data[n:]


def wait_for(what, test, seconds=90):
    end = time.time() + seconds
    while time.time() < end:
        if test():
            return
        time.sleep(0.2)
    sys.exit(f"gave up waiting for {what}")


def run(bins, version, name, out, minion_bins):
    root = tempfile.mkdtemp(prefix="vec")
    ret, pub = free_port(), free_port()
    req_proxy, pub_proxy = Proxy(ret), Proxy(pub)
    sha224 = name == "sha224"
    dirs = {d: os.path.join(root, d) for d in ("master", "cli", "minion")}
    for d in dirs.values():
        os.makedirs(d)
    common = f"root_dir: {root}/m\nsock_dir: {root}/m/s\npki_dir: {root}/m/pki\ncachedir: {root}/m/cache\n"
    common += f"interface: 127.0.0.1\nuser: root\npublish_port: {pub}\nlog_level: warning\nlog_file: {root}/master.log\n"
    common += "open_mode: False\nid: host_master\n"
    if sha224:
        common += "master_sign_pubkey: True\npublish_signing_algorithm: PKCS1v15-SHA224\n"
        # Stock has no default for this on a master, and drops signed returns without it.
        common += "signing_algorithm: PKCS1v15-SHA224\n"
    if name == "legacy":
        common += "minimum_auth_version: 2\n"
    os.makedirs(f"{root}/m/s")
    with open(f"{dirs['master']}/master", "w") as f:
        f.write(common + f"ret_port: {ret}\n")
    with open(f"{dirs['cli']}/master", "w") as f:
        f.write(common + f"ret_port: {req_proxy.port}\n")
    with open(f"{dirs['minion']}/minion", "w") as f:
        f.write(
            f"root_dir: {root}/n\nsock_dir: {root}/n/s\npki_dir: {root}/n/pki\ncachedir: {root}/n/cache\nid: m1\n"
            f"master: 127.0.0.1\nmaster_port: {req_proxy.port}\npublish_port: {pub_proxy.port}\nuser: root\n"
            f"acceptance_wait_time: 3\nlog_level: warning\nlog_file: {root}/minion.log\nmine_enabled: False\n"
            "enable_gpu_grains: False\nenable_fqdns_grains: False\n"
            f"grains_blacklist: [{', '.join(repr(b) for b in BLACKLIST)}]\n"
        )
        if sha224:
            f.write("encryption_algorithm: OAEP-SHA224\nsigning_algorithm: PKCS1v15-SHA224\n")
            f.write("verify_master_pubkey_sign: True\nminion_sign_messages: True\n")
    os.makedirs(f"{root}/n/s")
    env = dict(os.environ, PATH=f"{bins}:{os.environ['PATH']}")
    start = lambda *cmd: subprocess.Popen(  # noqa: E731
        [f"{minion_bins if cmd[0] == 'salt-minion' else bins}/{cmd[0]}", *cmd[1:]], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    procs, frames, stop = [start("salt-master", "-c", dirs["master"])], [], threading.Event()
    try:
        wait_for("master", lambda: os.path.exists(f"{root}/m/s/master_event_pub.ipc"))
        reader = threading.Thread(
            target=event_frames,
            args=(f"{root}/m/s/master_event_pub.ipc", version.startswith("3006"), frames, stop),
        )
        reader.start()
        if sha224:
            wait_for("signing key", lambda: os.path.exists(f"{root}/m/pki/master_sign.pub"))
            os.makedirs(f"{root}/n/pki", exist_ok=True)
            shutil.copy(f"{root}/m/pki/master_sign.pub", f"{root}/n/pki/master_sign.pub")
        procs.append(start("salt-minion", "-c", dirs["minion"]))
        wait_for("pending key", lambda: os.path.exists(f"{root}/m/pki/minions_pre/m1"))
        time.sleep(1)
        os.rename(f"{root}/m/pki/minions_pre/m1", f"{root}/m/pki/minions/m1")
        wait_for("start event", lambda: any(b"salt/minion/m1/start" in f for f in frames))
        time.sleep(2)
        for words in (["test.ping"], ["test.arg", "text", "7", "k=v"], ["test.not_there"]):
            subprocess.run(
                [f"{bins}/salt", "-c", dirs["cli"], "-t", "30", "m1", *words],
                env=env, stdout=subprocess.DEVNULL, check=False, timeout=120,
            )
        # Once more with the master's key stored, so that a token is sent and echoed.
        os.killpg(procs[-1].pid, signal.SIGTERM)
        procs.pop().wait(30)
        starts = sum(b"salt/minion/m1/start" in f for f in frames)
        procs.append(start("salt-minion", "-c", dirs["minion"]))
        wait_for("second start event", lambda: sum(b"salt/minion/m1/start" in f for f in frames) > starts)
        time.sleep(1)
    finally:
        stop.set()
        for p in reversed(procs):
            os.killpg(p.pid, signal.SIGTERM)
        for p in procs:
            try:
                p.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
        reader.join()
    target = os.path.join(out, version, name)
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    for src, dst in (("m/pki/master.pem", "master.pem"), ("m/pki/master.pub", "master.pub"),
                     ("n/pki/minion.pem", "minion.pem"), ("n/pki/minion.pub", "minion.pub"),
                     ("n/pki/minion_master.pub", "minion_master.pub"), ("m/pki/master_sign.pub", "master_sign.pub")):
        if os.path.exists(f"{root}/{src}"):
            shutil.copyfile(f"{root}/{src}", f"{target}/{dst}")
            os.chmod(f"{target}/{dst}", 0o644)
    pairs = []
    for s in req_proxy.streams:
        ups, downs = list(messages(s["up"])), list(messages(s["down"]))
        pairs += [(w, up[-1], down[-1]) for (w, up), (_, down) in zip(ups, downs)]
    for i, (_, up, down) in enumerate(sorted(pairs, key=lambda p: p[0])):
        write(target, f"req-{i:03}.bin", up)
        write(target, f"rep-{i:03}.bin", down)
    pubs = [m for s in pub_proxy.streams for _, m in messages(s["down"])]
    for i, parts in enumerate(pubs):
        write(target, f"pub-{i:03}.bin", parts[-1])
    for i, f in enumerate(frames):
        write(target, f"evt-{i:03}.bin", f)
    print(f"{version}/{name}: {len(pairs)} requests, {len(pubs)} publishes, {len(frames)} events")
    shutil.rmtree(root, ignore_errors=True)


# What stock's own code says about keys, run by its interpreter: fingerprints of the file and of its text, and a
# private key protected by a passphrase.
EXTRAS = """
import sys, salt.crypt, salt.utils.crypt
from cryptography.hazmat.primitives import serialization as s
folder = sys.argv[1]
path = folder + "/default/master.pub"
with open(folder + "/fingers.txt", "w") as f:
    for h in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
        print("file", h, salt.utils.crypt.pem_finger(path=path, sum_type=h), file=f)
        print("text", h, salt.utils.crypt.pem_finger(key=open(path).read(), sum_type=h), file=f)
key = salt.crypt.get_rsa_key(folder + "/default/master.pem", None)
with open(folder + "/protected.pem", "wb") as f:
    f.write(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, s.BestAvailableEncryption(b"hunter2")))
"""


def write(folder, name, data):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


class msgpack_lite:
    """Just enough to find where a frame ends."""

    @classmethod
    def measure(cls, d):
        try:
            return cls.end(d, 0)
        except (IndexError, struct.error):
            return None

    @classmethod
    def end(cls, d, i):
        b = d[i]
        if b <= 0x7F or b >= 0xE0 or b in (0xC0, 0xC2, 0xC3):
            n, i = 0, i + 1
        elif 0x80 <= b <= 0x9F:
            return cls.items(d, i + 1, (b & 15) * (2 if b < 0x90 else 1))
        elif b <= 0xBF:
            n, i = b & 31, i + 1
        elif b in (0xC4, 0xD9):
            n, i = d[i + 1], i + 2
        elif b in (0xC5, 0xDA):
            n, i = struct.unpack(">H", d[i + 1 : i + 3])[0], i + 3
        elif b in (0xC6, 0xDB):
            n, i = struct.unpack(">I", d[i + 1 : i + 5])[0], i + 5
        elif b in (0xDC, 0xDE):
            return cls.items(d, i + 3, struct.unpack(">H", d[i + 1 : i + 3])[0] * (1 if b == 0xDC else 2))
        elif b in (0xDD, 0xDF):
            return cls.items(d, i + 5, struct.unpack(">I", d[i + 1 : i + 5])[0] * (1 if b == 0xDD else 2))
        else:
            n, i = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}[b], i + 1
        if i + n > len(d):
            raise IndexError
        return i + n

    @classmethod
    def items(cls, d, i, n):
        for _ in range(n):
            i = cls.end(d, i)
        return i


sys.modules["msgpack_lite"] = msgpack_lite

if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    out_dir = sys.argv[3] if len(sys.argv) > 3 else here
    if len(sys.argv) > 4:
        run(sys.argv[1], sys.argv[2], "legacy", out_dir, sys.argv[4])
        sys.exit()
    for run_name in ("default", "sha224"):
        run(sys.argv[1], sys.argv[2], run_name, out_dir, sys.argv[1])
    subprocess.run([f"{sys.argv[1]}/python", "-c", EXTRAS, os.path.join(out_dir, sys.argv[2])], check=True)
