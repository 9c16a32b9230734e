"""What stock's render_jinja_tmpl makes of templates in a tree: a question is {"files": {path: text}, "main": path, "sls": ..., "opts": {...}}."""

import json
import logging
import os
import shutil
import sys
import tempfile

import salt.config
import salt.exceptions
import salt.utils.templates

logging.disable(logging.CRITICAL)
ROOT = tempfile.mkdtemp(prefix="brine-templates-")
BASE = salt.config.DEFAULT_MINION_OPTS.copy()


def ping():
    return True


def echo(text):
    return text


def refuse(text="no"):
    raise salt.exceptions.CommandExecutionError(text)


def invoke(text="no"):
    raise salt.exceptions.SaltInvocationError(text)


FUNCTIONS = {"test.ping": ping, "test.echo": echo, "test.refuse": refuse, "test.invoke": invoke}


def answer(number, question):
    home = os.path.join(ROOT, str(number))
    tree = os.path.join(home, "tree")
    for path, text in question["files"].items():
        file = os.path.join(tree, path)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "w", encoding="utf-8", newline="") as out:
            out.write(text)
    opts = dict(
        BASE,
        cachedir=os.path.join(home, "cache"),
        file_roots={"base": [tree]},
        pillar_roots={"base": [tree]},
        file_client="local",
        fileserver_backend=["roots"],
        extension_modules=os.path.join(home, "ext"),
        **question.get("opts", {}),
    )
    context = {
        "opts": opts,
        "saltenv": "base",
        "salt": salt.utils.templates.AliasedLoader(FUNCTIONS),
        "proxy": {},
        "grains": {"os": "Debian", "id": "me", "l": [1, 2]},
        "pillar": {"a": {"b": [1, {"c": "d"}]}, "s": "it's\nme"},
    }
    path = os.path.join(tree, question["main"])
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    tmplpath = path
    if "sls" in question:
        context["sls"] = question["sls"]
        for key, value in salt.utils.templates.generate_sls_context(tmplpath, question["sls"]).items():
            context.setdefault(key, value)
    try:
        return {"text": salt.utils.templates.render_jinja_tmpl(text, context, tmplpath)}
    except salt.exceptions.SaltRenderError as error:
        said = str(error).replace(" while calling a Python object", "").replace(os.path.join(home, "cache", "files", "base"), "@").replace(tree, "@")
        return {"error": said}
    except Exception as error:  # pylint: disable=broad-except
        return {"raised": type(error).__name__}


for number, line in enumerate(sys.stdin):
    sys.stdout.write(json.dumps(answer(number, json.loads(line))) + "\n")
    sys.stdout.flush()
shutil.rmtree(ROOT)
