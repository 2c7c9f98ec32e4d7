"""A site that answers a few tasks of its own: what carries them is under test."""

import os
import sys
import time

from skfed.federation import Failure
from skfed.federation._envelope import encode_answer, request_of
from skfed.federation._payload import decode_payload
from skfed.federation._protocol import lost_state
from skfed.sites._flower_site import serve

NAME, DIRECTORY, *CONNECTION = sys.argv[1:] or ("", "")
KNOWN = {}  # of each fit, how many messages this process has answered


def answer(data):
    request = request_of(decode_payload(data))
    if request.number and KNOWN.get(request.fit) != request.number:
        return encode_answer(lost_state(KNOWN.get(request.fit), request.number))
    found = TASKS[request.task](request.payload)
    if not isinstance(found, Failure):
        KNOWN[request.fit] = request.number + 1
    return encode_answer(found)


def wait(payload):
    time.sleep(payload["seconds"])
    return {}


def die(payload):
    mark = f"{DIRECTORY}/died"
    if not os.path.exists(mark):
        open(mark, "w").close()
        os._exit(9)
    return {"came back": True}


TASKS = {
    "echo": lambda payload: {"site": NAME, **payload},
    "wait": wait,
    "die": die,
    "refuse": lambda payload: Failure("ClientError: not in the policy"),
    "fail": lambda payload: 1 / 0,
}

if __name__ == "__main__":
    serve(answer, NAME, DIRECTORY, *CONNECTION)
