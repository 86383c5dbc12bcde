"""Runs checkov on the synthesized templates, and compares what it finds with what is acknowledged.

usage: checkov.py CHECKOV FOLDER

Checkov would skip what a template acknowledges, and nobody would learn that an acknowledgement is no
longer needed. So it sees the templates without them, and both sides must be the same.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

checkov, folder = sys.argv[1:]
acknowledged = set()

with tempfile.TemporaryDirectory() as bare:
    for template in pathlib.Path(folder).glob("assembly-*/*.template.json"):
        content = json.loads(template.read_text())
        for name, resource in content["Resources"].items():
            skips = resource.get("Metadata", {}).pop("checkov", {}).get("skip", [])
            for skip in skips:
                acknowledged.add((template.name, f"{resource['Type']}.{name}", skip["id"]))
        (pathlib.Path(bare) / template.name).write_text(json.dumps(content))
    command = [checkov, "--framework", "cloudformation", "--directory", bare, "--skip-download", "--output", "json"]
    # Its exit code is 1 when it found something, which here is what we expect.
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

try:
    report = json.loads(run.stdout)
    failed = report["results"]["failed_checks"]
    summary = report["summary"]
except (json.JSONDecodeError, KeyError, TypeError):
    sys.exit(f"checkov failed:\n{run.stdout}\n{run.stderr}")
if summary["parsing_errors"] or summary["passed"] < 500:
    sys.exit(f"checkov did not read the templates: {summary}")

found = {(pathlib.Path(check["file_path"]).name, check["resource"], check["check_id"]) for check in failed}
names = {check["check_id"]: check["check_name"] for check in failed}
for file, resource, rule in sorted(found - acknowledged):
    print(f"{file}: {resource}: {rule}: {names[rule]}", file=sys.stderr)
for file, resource, rule in sorted(acknowledged - found):
    print(f"{file}: {resource}: {rule} is acknowledged, and checkov does not find it", file=sys.stderr)
if found != acknowledged:
    sys.exit(1)
print(f"checkov: {summary['passed']} checks passed, {len(found)} findings, each with a reason")
