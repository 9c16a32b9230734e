"""Fires events on a master's bus, as programs of its host do: a line of JSON for each, `[tag, data]`.

Usage: fire.py <master configuration file>
"""
import json
import sys

import salt.config
import salt.utils.event

opts = salt.config.client_config(sys.argv[1])
bus = salt.utils.event.get_event("master", sock_dir=opts["sock_dir"], opts=opts, listen=False)
for line in sys.stdin:
    tag, data = json.loads(line)
    if not bus.fire_event(data, tag):
        sys.exit("the bus does not take it")
