"""What the stories in Python have in common."""

import time

FILE = b"Not much of a picture"


def eventually(what, check):
    for _ in range(300):
        if found := check():
            return found
        time.sleep(0.2)
    raise TimeoutError(what)
