"""Checks what is made for other programs, with their own means: every line of a recorded
run against the published JSON Schema, and JUnit XML against the form that Jenkins checks.

    documents.py RUN.jsonl JUNIT.xml JUNIT-10.xsd
"""

import json
import sys

import jsonschema
import xmlschema

run, junit, form = sys.argv[1:]

with open("docs/run.schema.json", encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
lines = 0
with open(run, encoding="utf-8") as file:
    for lines, line in enumerate(file, 1):
        for error in validator.iter_errors(json.loads(line)):
            sys.exit(f"{run}:{lines}: {error.message} at {error.json_path}")
if lines < 3:
    sys.exit(f"{run} has only {lines} lines")
# The check must be able to fail.
if validator.is_valid({"type": "result", "case": "a/b"}):
    sys.exit("the schema takes a result without a verdict")

jenkins = xmlschema.XMLSchema(form)
for error in jenkins.iter_errors(junit):
    sys.exit(f"{junit}: {error}")
print(f"{lines} lines and {junit} have their published forms")
