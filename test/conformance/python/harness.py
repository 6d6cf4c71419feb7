"""What the scripts share. Each script is a client of AGB's own SDK and ends with an error when something is not as the
SDK's documentation says. It talks to the test that runs it in lines: it may ask for time to pass, if time can be moved."""

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
    """Lets the service's time pass."""
    print(json.dumps({"advanceMs": int(seconds * 1000)}), flush=True)
    reply = sys.stdin.readline()
    assert reply.strip() == "advanced", reply


def unique(text):
    """A name that no other run uses."""
    return f"{text}-{uuid.uuid4().hex[:12]}"


def created(**params):
    """Creates a session of the code image."""
    result = agb.create(CreateSessionParams(image_id=CODE_IMAGE, **params))
    assert result.success, result.error_message
    assert result.request_id
    return result.session


def same(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


def done(result):
    """The result, which must be a success."""
    assert result.success, result.error_message
    return result


def refused(result, *texts):
    """The result, which must be a failure whose message has all texts."""
    assert not result.success, "it was a success"
    for text in texts:
        assert text in (result.error_message or ""), f"{text!r} is not in {result.error_message!r}"
    return result
