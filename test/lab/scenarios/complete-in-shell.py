#!/usr/bin/python3
"""complete-in-shell.py SHELL FOLDER LINE EXPECTED ...: types each LINE and a tab into a real, interactive bash, zsh or fish that has
read passqemu's completion (FOLDER/passqemu.SHELL), then puts "echo" before what stands there, and compares what is printed."""
import os
import pty
import re
import select
import sys
import time

PATIENCE_S = 60
ESCAPES = re.compile(r"\x1b(?:\[[0-9;?>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|[=>78A-Z])")
START = {
    "bash": (["bash", "--norc", "-i"], "PS1='$ '; source %s; echo now ready"),
    "zsh": (["zsh", "-f", "-i"], "PS1='$ '; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D; source %s; echo now ready"),
    "fish": (["fish", "--no-config", "-i"], "source %s; echo now ready"),
}


class Shell:
    def __init__(self, name, folder):
        argv, setup = START[name]
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", COLUMNS="200", LINES="50", HOME="/tmp", FISH_TEST_NO_RELAUNCH="1")
            os.execvp(argv[0], argv)
        self.type(setup % f"{folder}/passqemu.{name}" + "\r")
        if not self.sees("now ready"):
            sys.exit(f"{name} does not get ready: {self.seen[-2000:]!r}")

    def type(self, text):
        os.write(self.fd, text.encode())

    def sees(self, line):
        """Whether a line that is just this appears in time."""
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE_S:
            if any(one.strip() == line for one in re.split(r"[\r\n]+", ESCAPES.sub("", self.seen))):
                return True
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.read()
                except OSError:
                    break
        return False

    def read(self):
        text = os.read(self.fd, 65536).decode(errors="replace")
        # What fish 4 asks the terminal first of all
        if "\x1b[c" in text or "\x1b[0c" in text:
            self.type("\x1b[?62c")
        self.seen += text

    def complete(self, typed, expected):
        self.seen = ""
        self.type(typed + "\t")
        # A second look at the keyboard, as a person takes it: the shell must be done with the tab
        quiet = time.monotonic()
        while time.monotonic() - quiet < PATIENCE_S / 2 and not self.stands(expected):
            if select.select([self.fd], [], [], 0.2)[0]:
                self.read()
        self.type("\x01echo \r")
        found = self.sees(expected)
        os.close(self.fd)
        return found

    def stands(self, expected):
        return expected in ESCAPES.sub("", self.seen)


def main():
    name, folder, *pairs = sys.argv[1:]
    failed = 0
    for typed, expected in zip(pairs[::2], pairs[1::2]):
        shell = Shell(name, folder)
        if not shell.complete(typed, expected):
            failed += 1
            print(f"{name}: {typed!r} and a tab gave no {expected!r}, but {shell.seen[-600:]!r}")
    sys.exit(1 if failed else 0)


main()
