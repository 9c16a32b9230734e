# Calls stock's returners: a question and an answer each a line of JSON.
import importlib
import json
import sys

import salt.config
import salt.modules.config as config
import salt.returners


def surround(question):
    config.__opts__ = question["opts"]
    config.__grains__ = question.get("grains", {})
    config.__pillar__ = question.get("pillar", {})


def options(question):
    return salt.returners.get_returner_options(
        question["name"],
        question["ret"],
        question["attrs"],
        defaults=question["defaults"],
        __salt__={"config.option": config.option},
        __opts__=question["opts"],
        **question.get("profile", {})
    )


def call(question):
    module = importlib.import_module("salt.returners." + question["module"])
    module.__salt__ = {"config.option": config.option}
    module.__opts__ = question["opts"]
    module.__grains__ = question.get("grains", {})
    module.__context__ = {}
    if question["module"] == "elasticsearch_return":
        client = importlib.import_module("salt.modules.elasticsearch")
        client.__salt__, client.__opts__ = module.__salt__, module.__opts__
        for name in ("index_exists", "index_create", "alias_create", "document_create", "document_get"):
            module.__salt__["elasticsearch." + name] = getattr(client, name)
    if question["module"] == "redis_return":
        module.REDIS_POOL = None
    if question["module"] == "smtp_return":
        # It renders, and so needs the loader's options.
        module.__opts__ = {**salt.config.DEFAULT_MINION_OPTS, "grains": {}, **question["opts"]}
    return getattr(module, question["fun"])(*question["args"])


for line in sys.stdin:
    question = json.loads(line)
    surround(question)
    try:
        work = options if "attrs" in question else call
        answer = {"result": work(question)}
    except Exception as exc:
        answer = {"error": type(exc).__name__}
    print(json.dumps(answer), flush=True)
