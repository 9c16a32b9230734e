"""What stock's Jinja2 prints: a question is {"files": {name: text}, "vars": {...}, "options": {...}}, of which "main" is rendered."""

import json
import re
import resource
import signal
import sys
import traceback

import jinja2
import jinja2.sandbox

OPTIONS = {"extensions": ["jinja2.ext.do", "jinja2.ext.loopcontrols"]}


def place(error):
    """Where Salt finds it: the innermost place that is in a template and not in a block."""
    found = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame[2] in ("top-level template code", "template", "<module>") and not frame[0].endswith("string>")
    ]
    return [found[-1][0], found[-1][1]] if found else None


class Loader(jinja2.DictLoader):
    def get_source(self, environment, template):
        if not isinstance(template, str):
            template.split("/")
        text, _, fresh = super().get_source(environment, template)
        return text, template, fresh


def answer(question):
    options = dict(OPTIONS, undefined=getattr(jinja2, question.get("undefined", "StrictUndefined")))
    options.update(question.get("options", {}))
    env = jinja2.sandbox.SandboxedEnvironment(loader=Loader(question["files"]), **options)
    env.globals.update(question.get("globals", {}))
    signal.setitimer(signal.ITIMER_VIRTUAL, 2)
    try:
        return {"text": env.from_string(question["files"]["main"]).render(**question["vars"])}
    except (RecursionError, MemoryError, TimeoutError):
        return {"deep": True}
    except Exception as error:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        return {"error": type(error).__name__, "message": str(error), "place": place(error)}
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def late(*_):
    raise TimeoutError


signal.signal(signal.SIGVTALRM, late)
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
ADDRESS = re.compile(r"0x[0-9a-f]+")
for line in sys.stdin:
    said = ADDRESS.sub("0x", json.dumps(answer(json.loads(line))))
    sys.stdout.write(said + "\n")
    sys.stdout.flush()
