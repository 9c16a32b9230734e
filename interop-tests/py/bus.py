"""Prints every event of a master's bus as one JSON line, with stock's own client.

Usage: bus.py <master configuration file>
Prints READY once connected. A probe event of its own proves that it is.
"""
import json
import sys
import time

import salt.config
import salt.utils.event


def plain(value):
    """Values JSON has no form for. Bytes keep theirs, so that a test can compare them."""
    if isinstance(value, bytes):
        return {"__bytes__": value.hex()}
    return str(value)


opts = salt.config.client_config(sys.argv[1])
bus = salt.utils.event.get_event("master", sock_dir=opts["sock_dir"], opts=opts, listen=True)
deadline = time.time() + 30
while not bus.connect_pub(timeout=1):
    if time.time() > deadline:
        sys.exit("cannot connect to the event bus")
    time.sleep(0.1)
print("READY", flush=True)
while True:
    event = bus.get_event(wait=1, full=True, auto_reconnect=True)
    if event:
        line = {"tag": event["tag"], "data": event["data"], "at": time.time()}
        print(json.dumps(line, default=plain), flush=True)
