"""Prints the RFC 7208 test suite that is in the source distribution of pyspf as JSON: scenarios with their zones and cases."""

import json
import sys
import tarfile

import yaml

with tarfile.open(sys.argv[1]) as archive:
    member = next(name for name in archive.getnames() if name.endswith("test/rfc7208-tests.yml"))
    scenarios = list(yaml.safe_load_all(archive.extractfile(member)))


def records(entries):
    """TXT records are made from SPF ones unless there are some of their own; `NONE` stands for having none."""
    out, made, own = [], [], False
    for entry in entries:
        if entry == "TIMEOUT":
            out.append(["TIMEOUT", None])
            continue
        for kind, value in entry.items():
            if kind in ("TXT", "SPF"):
                text = value if isinstance(value, str) else "".join(value)
                if kind == "SPF":
                    made.append(["TXT", text])
                    continue
                own = True
                if text == "NONE":
                    continue
                value = text
            out.append([kind, value])
    return out if own else out + made


for scenario in scenarios:
    print(json.dumps({
        "zone": {name: records(entries) for name, entries in scenario["zonedata"].items()},
        "tests": [{"name": name, **test} for name, test in scenario["tests"].items()],
    }))
