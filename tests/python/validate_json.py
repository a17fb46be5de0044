"""Validates documents by a JSON Schema (2020-12), formats included.

usage: validate_json.py SCHEMA DOCUMENTS

DOCUMENTS holds one JSON document a line. Prints what is wrong with which line, and fails if anything is.
"""

import json
import sys

from jsonschema import Draft202012Validator


def main() -> int:
    schema_path, documents_path = sys.argv[1:]
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    wrong = 0
    with open(documents_path, encoding="utf-8") as file:
        for number, line in enumerate(file):
            for error in validator.iter_errors(json.loads(line)):
                wrong += 1
                print(f"{number}: {error.json_path}: {error.message}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
