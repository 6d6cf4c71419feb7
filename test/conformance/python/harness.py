"""Functions that the scripts share. Each script uses AGB's own SDK and fails when the SDK does not behave as documented.
A script can print a line that asks the test to advance the service's clock."""

import json
import os
import sys
import uuid

from agb import AGB
from agb.session_params import CreateSessionParams

CODE_IMAGE = os.environ.get("AGB_CODE_IMAGE", "agb-code-space-1")
CAN_MOVE_CLOCK = os.environ.get("CAN_MOVE_CLOCK") == "1"

agb = AGB()


def advance(seconds):
    """Advances the service's clock."""
    print(json.dumps({"advanceMs": int(seconds * 1000)}), flush=True)
    reply = sys.stdin.readline()
    assert reply.strip() == "advanced", reply


def unique(text):
    """Returns a name that no other run uses."""
    return f"{text}-{uuid.uuid4().hex[:12]}"


def created(**params):
    """Creates a session with the code image."""
    result = agb.create(CreateSessionParams(image_id=CODE_IMAGE, **params))
    assert result.success, result.error_message
    assert result.request_id
    return result.session


def same(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


def done(result):
    """Returns the result, which must be a success."""
    assert result.success, result.error_message
    return result


def refused(result, *texts):
    """Returns the result, which must be a failure whose message contains all texts."""
    assert not result.success, "it was a success"
    for text in texts:
        assert text in (result.error_message or ""), f"{text!r} is not in {result.error_message!r}"
    return result
