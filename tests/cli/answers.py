"""What a command answers with `--json`."""

import json


def last_json(out: str) -> dict:
    return json.loads(out.rstrip("\n").splitlines()[-1])
