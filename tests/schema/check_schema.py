#!/usr/bin/python3
"""Checks schema/fixture.schema.json; run it from the root of the repository.

The schema must give every document of tests/schema/cases.json the verdict that stands beside it, and pass the shipped
fixtures. tests/fixtures/fixture_schema_test.cpp holds the loader to the same verdicts, so schema and loader agree.
"""

import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    sys.exit("check_schema.py: jsonschema is missing; install the Debian package python3-jsonschema")

SHIPPED = ("fixtures/logBackupTasks.json", "fixtures/sample.json", "fixtures/installation.json")


def read(file):
    return json.loads(pathlib.Path(file).read_text("utf-8"))


def main():
    schema = read("schema/fixture.schema.json")
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    cases = read("tests/schema/cases.json")
    cases += [{"name": file, "valid": True, "document": read(file)} for file in SHIPPED]
    failed = 0
    for case in cases:
        problem = jsonschema.exceptions.best_match(validator.iter_errors(case["document"]))
        if (problem is None) != case["valid"]:
            failed += 1
            print(f"{case['name']}: {problem.message if problem else 'the schema accepts it'}", file=sys.stderr)
    if failed:
        sys.exit(f"check_schema.py: the schema gives {failed} of {len(cases)} documents another verdict")


main()
