"""Runs a program on a pseudo-terminal and types for it.

    on-terminal.py PROMPT KEYS COMMAND...

Waits for PROMPT, types KEYS (with Python escapes), and copies the output of the
terminal to standard output. Then it prints one line of JSON: the exit status of
the program (negative: the signal), and whether the terminal echoes and reads by
lines again.
"""
import codecs
import json
import os
import pty
import select
import subprocess
import sys
import termios

prompt, keys, command = sys.argv[1], codecs.decode(sys.argv[2], "unicode_escape"), sys.argv[3:]
controller, terminal = pty.openpty()
process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)

shown = b""
has_typed = False
# This process keeps the terminal open, so there is no end of file; the end of the program ends the loop.
while process.poll() is None or select.select([controller], [], [], 0)[0]:
    if not select.select([controller], [], [], 0.05)[0]:
        continue
    shown += os.read(controller, 4096)
    if not has_typed and prompt.encode() in shown:
        has_typed = True
        os.write(controller, keys.encode())

flags = termios.tcgetattr(terminal)[3]
sys.stdout.buffer.write(shown + b"\n")
sys.stdout.flush()
print(json.dumps({"status": process.returncode, "echo": bool(flags & termios.ECHO), "lines": bool(flags & termios.ICANON)}))
