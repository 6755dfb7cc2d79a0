# SPDX-License-Identifier: Apache-2.0
"""The part of JSON Schema 2020-12 that the OpenAPI document uses: checks values, makes samples of them and values that break each rule.

A keyword that is not known here is an error, so that no rule goes unchecked.
"""
import re
import uuid

ANNOTATIONS = {"description", "examples", "default", "readOnly", "title"}
RULES = {"type", "enum", "properties", "required", "additionalProperties", "propertyNames", "items", "minLength", "maxLength", "minimum",
         "maximum", "pattern", "format", "maxProperties", "maxItems", "$ref"}
TYPES = {"string": str, "boolean": bool, "object": dict, "array": list, "null": type(None)}
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def resolve(root, node):
    while "$ref" in node:
        target = root
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        node = target
    return node


def is_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def format_wrong(value, name):
    if name == "uuid":
        try:
            return str(uuid.UUID(value)) != value.lower()
        except ValueError:
            return True
    if name == "date-time":
        return not DATE_TIME.fullmatch(value)
    if name == "uri-reference":
        return not re.fullmatch(r"[!-~]+", value)
    raise AssertionError("format " + name)


def text_problems(schema, value, path):
    if len(value) < schema.get("minLength", 0) or len(value) > schema.get("maxLength", len(value)):
        yield "%s: length %d" % (path, len(value))
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield "%s: %r does not fit %s" % (path, value, schema["pattern"])
    if "format" in schema and format_wrong(value, schema["format"]):
        yield "%s: %r is no %s" % (path, value, schema["format"])


def object_problems(root, schema, value, path):
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield "%s: %s is missing" % (path, name)
    if len(value) > schema.get("maxProperties", len(value)):
        yield "%s: %d members" % (path, len(value))
    more = schema.get("additionalProperties", True)
    for name, member in value.items():
        where = "%s.%s" % (path, name)
        if "propertyNames" in schema:
            yield from text_problems(schema["propertyNames"], name, where)
        if name in properties:
            yield from problems(root, properties[name], member, where)
        elif more is False:
            yield "%s: not known" % where
        elif more is not True:
            yield from problems(root, more, member, where)


def problems(root, schema, value, path="$"):
    schema = resolve(root, schema)
    unknown = set(schema) - ANNOTATIONS - RULES
    assert not unknown, "keywords that are not checked: %s" % unknown
    types = schema.get("type")
    if types is not None and not any(is_type(value, name) for name in ([types] if isinstance(types, str) else types)):
        yield "%s: %r is no %s" % (path, value, types)
        return
    if "enum" in schema and value not in schema["enum"]:
        yield "%s: %r is none of %s" % (path, value, schema["enum"])
    if isinstance(value, str):
        yield from text_problems(schema, value, path)
    elif isinstance(value, dict):
        yield from object_problems(root, schema, value, path)
    elif isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            yield "%s: %d items" % (path, len(value))
        for i, item in enumerate(value):
            yield from problems(root, schema.get("items", {}), item, "%s[%d]" % (path, i))
    elif is_type(value, "number"):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            yield "%s: %s is out of bounds" % (path, value)


def text_sample(schema, length=None):
    if schema.get("format") == "uuid":
        return str(uuid.uuid4())
    if "=" in schema.get("pattern", ""):
        return "k=" + "v" * ((length or 3) - 2)
    return "a" * (length if length is not None else max(schema.get("minLength", 1), 1))


def sample(root, schema):
    """A value that the schema takes; its own example where it has one."""
    schema = resolve(root, schema)
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "string":
        return text_sample(schema)
    if kind == "integer":
        return schema.get("minimum", 0)
    if kind == "boolean":
        return True
    if kind == "object":
        return {name: sample(root, schema["properties"][name]) for name in schema.get("required", [])}
    return None


def breakers(root, schema):
    """(which rule, value) for every rule of a schema that stands for one value."""
    schema = resolve(root, schema)
    kind = schema.get("type")
    for other in ("a text", 7, 1.5, True, None, [], {}):
        if kind and not is_type(other, kind):
            yield "type", other
    if "enum" in schema:
        yield "enum", "none-of-these"
        yield "enum", ""
    if kind == "string":
        if schema.get("minLength"):
            yield "minLength", "a" * (schema["minLength"] - 1)
        if "maxLength" in schema:
            yield "maxLength", text_sample(schema, schema["maxLength"] + 1)
            yield "maxLength", "\u00e4" * (schema["maxLength"] + 1)
        if "pattern" in schema or "format" in schema:
            for wrong in ("-a", "a b", "=", "\u00e4", "' OR 1=1 --", "01890a5d-ac96-774b-bcce-b302099a805g", ""):
                if list(text_problems(schema, wrong, "")):
                    yield "pattern", wrong
    if "minimum" in schema:
        yield "minimum", schema["minimum"] - 1
    if "maximum" in schema:
        yield "maximum", schema["maximum"] + 1
        yield "maximum", 2 ** 64
    if "maxProperties" in schema:
        yield "maxProperties", {"k%d" % i: "v" for i in range(schema["maxProperties"] + 1)}
    if "propertyNames" in schema:
        yield "propertyNames", {"k" * (schema["propertyNames"]["maxLength"] + 1): "v"}
        yield "propertyNames", {"": "v"}
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        for rule, value in breakers(root, more):
            yield "additionalProperties " + rule, {"k": value}


def body_breakers(root, schema):
    """(which rule, path of the mistake, body) for every rule of an object's schema."""
    schema = resolve(root, schema)
    good = sample(root, schema)
    for name in schema.get("required", []):
        yield "required", name, {key: value for key, value in good.items() if key != name}
    for name, member in schema["properties"].items():
        if member.get("readOnly"):
            continue
        for rule, value in breakers(root, member):
            yield "%s %s" % (name, rule), name, {**good, name: value}
    if schema.get("additionalProperties") is False:
        yield "additionalProperties", "nonsense", {**good, "nonsense": 1}
        yield "additionalProperties", "", {**good, "": 1}
