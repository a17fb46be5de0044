"""Parses every schema below the folders given: `*.avsc` with fastavro and with Apache's Avro, `*.json` in a folder `json` as
JSON Schema 2020-12. Prints {"avro": COUNT, "json": COUNT, "problems": [TEXT]}.
"""

import json
import pathlib
import sys

import avro.schema
import fastavro
from jsonschema import Draft202012Validator


def check_avro(path):
    text = path.read_text(encoding="utf-8")
    fastavro.parse_schema(json.loads(text))
    avro.schema.parse(text, validate_names=True)


def check_json(path):
    schema = json.loads(path.read_text(encoding="utf-8"))
    dialect = schema.get("$schema")
    if dialect != Draft202012Validator.META_SCHEMA["$id"]:
        raise ValueError(f"`$schema` is {dialect!r}")
    Draft202012Validator.check_schema(schema)


def main():
    counts = {"avro": 0, "json": 0}
    problems = []
    for folder in map(pathlib.Path, sys.argv[1:]):
        avro_files = [("avro", path) for path in folder.rglob("*.avsc")]
        json_files = [("json", path) for path in folder.rglob("*.json") if path.parent.name == "json"]
        for kind, path in sorted(avro_files + json_files):
            counts[kind] += 1
            try:
                check_avro(path) if kind == "avro" else check_json(path)
            # Whatever a parser raises is its answer.
            except Exception as error:
                problems.append(f"{path}: {type(error).__name__}: {error}")
    print(json.dumps({**counts, "problems": problems}))


if __name__ == "__main__":
    main()
