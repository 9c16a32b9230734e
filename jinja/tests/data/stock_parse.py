"""What stock's Jinja2 makes of templates: a question is [environment, text], an answer the tree as one line, or the error."""

import json
import sys

import jinja2.sandbox
from jinja2 import nodes
from jinja2.exceptions import TemplateAssertionError, TemplateSyntaxError

import salt.utils.jinja


def environment(options):
    extensions = ["jinja2.ext.do", "jinja2.ext.loopcontrols", salt.utils.jinja.SerializerExtension]
    return jinja2.sandbox.SandboxedEnvironment(extensions=extensions, **options)


def const(value):
    if value is None or value is True or value is False:
        return str(value)
    if isinstance(value, int):
        return hex(value)
    if isinstance(value, float):
        return value.hex()
    return text(value)


def text(value):
    return json.dumps(value, ensure_ascii=False)


def many(items):
    return "[" + " ".join(map(dump, items)) + "]"


def dump(node):
    """(Kind line field...)"""
    if node is None:
        return "-"
    if isinstance(node, str):
        return text(node)
    if isinstance(node, nodes.Scope):
        # Made for `autoescape` alone, and without a line.
        (only,) = node.body
        return dump(only)
    name = type(node).__name__
    if isinstance(node, nodes.Name):
        return f"({node.ctx} {node.lineno} {text(node.name)})"
    if isinstance(node, nodes.Const):
        return f"(Const {node.lineno} {const(node.value)})"
    if isinstance(node, nodes.Operand):
        return f"({node.op} {dump(node.expr)})"
    if isinstance(node, nodes.Keyword):
        return f"({text(node.key)} {dump(node.value)})"
    if isinstance(node, nodes.ExtensionAttribute):
        return f"(Extension {node.lineno} {text(node.name)})"
    if isinstance(node, nodes.Pair):
        assert node.lineno == node.key.lineno
        return f"({dump(node.key)} {dump(node.value)})"
    fields = []
    for field in node.fields:
        value = getattr(node, field)
        if field == "ctx" and not isinstance(node, nodes.Tuple):
            assert value == "load"
        elif isinstance(value, bool):
            fields.append(str(value))
        elif isinstance(value, list) and isinstance(node, nodes.FromImport):
            pairs = (pair if isinstance(pair, tuple) else (pair,) for pair in value)
            fields.append("[" + " ".join(":".join(map(text, pair)) for pair in pairs) + "]")
        elif isinstance(value, list):
            fields.append(many(value))
        else:
            fields.append(dump(value))
    return " ".join([f"({name}", str(node.lineno), *fields]) + ")"


def answer(env, source):
    try:
        return {"tree": many(env._parse(source, None, None).body)}
    except TemplateAssertionError as exc:
        return {"assertion": exc.message, "line": exc.lineno}
    except TemplateSyntaxError as exc:
        return {"syntax": exc.message, "line": exc.lineno}
    except RecursionError:
        return {"deep": True}
    except (ValueError, SyntaxError) as exc:
        return {"value": str(exc)}


environments = [environment(options) for options in json.loads(sys.stdin.readline())]
print(json.dumps(len(environments)), flush=True)
for line in sys.stdin:
    which, source = json.loads(line)
    reply = answer(environments[which], source)
    try:
        sys.stdout.write(json.dumps(reply, ensure_ascii=False) + "\n")
    except UnicodeEncodeError:
        sys.stdout.write('{"surrogates": true}\n')
    sys.stdout.flush()
