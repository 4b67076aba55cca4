"""Write the golden record anew, or say what differs from it."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.golden import atlases, record

FILE = Path(__file__).with_name("payloads.json")


def written(found: dict[str, dict[str, Any]]) -> str:
    """The record as JSON, one line an address."""
    parts = []
    for slug, answers in found.items():
        lines = [f"  {_json(name)}: {_json(answer)}" for name, answer in answers.items()]
        parts.append(f" {_json(slug)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def main() -> int:
    cli = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    cli.add_argument("--check", action="store_true", help="say what differs and write nothing")
    options = cli.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = record.record(atlases.make_home(Path(folder)), atlases.SLUGS)
    if not options.check:
        FILE.write_text(written(found), encoding="utf-8")
        return 0
    lines = list(record.differences(json.loads(FILE.read_text(encoding="utf-8")), found))
    print("\n".join(lines) or "Nothing differs.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
