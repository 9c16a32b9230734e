# Stock's webhook engine, and what it fires: the first line of input is a port, each further one asks for the events so far.
import json, sys, threading, time

import salt.engines.webhook as webhook
import salt.utils.event

fired = []


class Bus:
    def fire_event(self, data, tag):
        fired.append([tag, {"headers": data["headers"], "body": data["body"].hex()}])


salt.utils.event.get_master_event = lambda opts, sock_dir: Bus()
webhook.__opts__ = {"__role": "master", "sock_dir": "/"}

for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("port"):
        told = {"address": "127.0.0.1", "port": asked["port"]}
        told.update(asked.get("tls") or {})
        threading.Thread(target=webhook.start, kwargs=told, daemon=True).start()
    print(json.dumps(fired), flush=True)
    del fired[:]
