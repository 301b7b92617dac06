# The OpenAPI document against what a server answered: validate.py DOCUMENT [EXCHANGES]
#
# DOCUMENT is the JSON text; EXCHANGES has one JSON object a line: {"method", "path" (as the document has it), "status", "fields" (names in
# lower case), "body"}. Prints one JSON object: {"problems": [text], "documented": ["get /path 200"], "exercised": [the same]}.
# Stricter than the document: a member that no schema names is a problem, unless the schema says that there may be others.
# Asserts nothing itself: the test reads what it prints.

import copy
import json
import sys

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

document = json.load(open(sys.argv[1], encoding="utf-8"))
problems = [f"the document: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]


def strict(node):
    """Schemas that name members allow no others where they do not say so."""
    if isinstance(node, dict):
        if "properties" in node and node.get("type") == "object" and "additionalProperties" not in node:
            node["additionalProperties"] = False
        for value in node.values():
            strict(value)
    elif isinstance(node, list):
        for value in node:
            strict(value)
    return node


components = strict(copy.deepcopy(document["components"]))


def resolve(node):
    while "$ref" in node:
        found = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


def check(where, value, schema):
    whole = {"components": components, "allOf": [strict(copy.deepcopy(schema))]}
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for error in validator.iter_errors(value):
        deepest = max([error, *(error.context or [])], key=lambda one: len(one.absolute_path))
        problems.append(f"{where}: {'/'.join(map(str, deepest.absolute_path))}: {deepest.message}"[:600])


def check_text(where, media_type, text, schema):
    if media_type.endswith("json"):
        try:
            check(where, json.loads(text), schema)
        except ValueError as error:
            problems.append(f"{where}: no JSON: {error}")
    elif media_type == "application/jsonl":
        for line in text.splitlines():
            check(where, json.loads(line), {"$ref": "#/components/schemas/Request"})
    elif media_type == "text/event-stream":
        for event in text.split("\n\n"):
            lines = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line and not line.startswith(":"))
            if "data" in lines and lines["event"] != "gap":
                check(where, json.loads(lines["data"]), {"$ref": "#/components/schemas/Request"})


documented = []
for path, item in document["paths"].items():
    for method in METHODS:
        if method not in item:
            continue
        operation = item[method]
        for parameter in map(resolve, item.get("parameters", []) + operation.get("parameters", [])):
            if "example" in parameter:
                check(f"{method} {path}: example of {parameter['name']}", parameter["example"], parameter["schema"])
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            for example in [one["value"] for one in content.get("examples", {}).values()] + ([content["example"]] if "example" in content else []):
                Draft202012Validator({"components": document["components"], "allOf": [content["schema"]]}).validate(example)
        for status, response in operation["responses"].items():
            documented.append(f"{method} {path} {status}")
            if not status.isdigit():
                problems.append(f"{method} {path}: {status} is no status")
            for media_type, content in resolve(response).get("content", {}).items():
                for example in [one["value"] for one in content.get("examples", {}).values()] + ([content["example"]] if "example" in content else []):
                    if media_type.endswith("json"):
                        check(f"{method} {path} {status}: example", example, content["schema"])

exercised = set()
for line in open(sys.argv[2], encoding="utf-8") if len(sys.argv) > 2 else []:
    exchange = json.loads(line)
    method, path, status, fields = exchange["method"], exchange["path"], str(exchange["status"]), exchange["fields"]
    where = f"{method} {path} {status}"
    exercised.add(where)
    responses = document["paths"][path][method]["responses"]
    if status not in responses:
        problems.append(f"{where} is not documented: {exchange['body'][:300]}")
        continue
    response = resolve(responses[status])
    for name, header in response.get("headers", {}).items():
        header = resolve(header)
        value = fields.get(name.lower())
        if value is None:
            if header.get("required") or name == "Cache-Control":
                problems.append(f"{where}: no {name}")
        else:
            check(f"{where}: {name}", int(value) if header["schema"].get("type") == "integer" else value, header["schema"])
    media_type = fields.get("content-type", "").split(";")[0].strip()
    if media_type not in response["content"]:
        problems.append(f"{where}: Content-Type {media_type!r} is not documented")
        continue
    check_text(where, media_type, exchange["body"], response["content"][media_type]["schema"])

print(json.dumps({"problems": sorted(set(problems)), "documented": documented, "exercised": sorted(exercised)}))
