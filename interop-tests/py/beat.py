"""Publishes test.ping to one minion again and again without waiting for answers.

Usage: beat.py <master configuration file> <minion id> <seconds between>
The answers are seen on the event bus by whoever listens there.
"""
import sys
import time

import salt.client

client = salt.client.LocalClient(c_path=sys.argv[1])
while True:
    try:
        client.run_job(sys.argv[2], "test.ping", timeout=1, listen=False)
    except Exception as error:
        print(error, flush=True)
    time.sleep(float(sys.argv[3]))
