"""A program that notes byte for byte what it is typed, for tests: `raw_program.py FILE`.

Like a line editor it asks for marked pastes, shows how much was typed, and begins anew at Enter.
"""

import os
import sys
import termios
import tty

kept = termios.tcgetattr(0)
tty.setraw(0)
os.write(1, b"\x1b[?2004h> ")
typed = b""
with open(sys.argv[1], "wb", buffering=0) as file:
    while data := os.read(0, 1 << 16):
        file.write(data)
        typed = (typed + data)[-1000:]
        os.write(1, b"\r> %d and more" % len(typed))
        if typed.endswith(b"\x1b[201~\r"):
            typed = b""
            os.write(1, b"\r\x1b[K\r\nthanks\r\n> ")
