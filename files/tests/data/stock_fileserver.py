"""Answers requests with stock's file server: a line of JSON with options and requests in, a line with a list of texts out."""

import gzip
import json
import logging
import sys

import salt.config
import salt.fileserver

logging.disable(logging.CRITICAL)


def plain(command, answer):
    if isinstance(answer, tuple):
        answer = list(answer)
    if command == "_find_file" and answer and answer["path"]:
        answer["path"] = answer["rel"]
        answer["stat"][7] = 0
    if command == "file_hash_and_stat" and answer and answer[1]:
        answer[1][7] = 0
    if command == "serve_file" and answer and isinstance(answer["data"], bytes):
        if "gzip" in answer:
            answer["data"] = gzip.decompress(answer["data"])
        answer["data"] = answer["data"].decode()
    if command == "file_envs" and isinstance(answer, list):
        answer.sort()
    if command == "symlink_list" and isinstance(answer, dict):
        answer = dict(sorted(answer.items()))
    return answer


for line in sys.stdin:
    case = json.loads(line)
    opts = dict(salt.config.DEFAULT_MASTER_OPTS)
    opts.update(case["opts"], __role="master", fileserver_list_cache_time=0)
    server = salt.fileserver.Fileserver(opts)
    answers = []
    for command, load in case["asked"]:
        try:
            answer = getattr(server, command)(dict(load))
        except Exception:  # the master answers so
            answer = ""
        answers.append(repr(plain(command, answer)))
    print(json.dumps(answers), flush=True)
