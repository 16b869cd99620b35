"""kill-at-line.py LINES WHICH moment|now COMMAND ...: runs the command and kills it with SIGKILL when the guest's journal has so many lines, a random moment behind or at once.

Prints WHICH and the kind of the step that was open then: in a prepare the last one begun, in a release the last one not undone.
"""
import os, random, re, signal, subprocess, sys, time

lines, which, when, command = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
path = "/run/passqemu/all.jsonl"

def journal():
    try:
        with open(path) as file:
            return [line for line in file.read().splitlines() if line.strip()]
    except OSError:
        return []

process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
while process.poll() is None and len(journal()) < lines:
    time.sleep(0.0005)
if when == "moment":
    time.sleep(random.random() ** 3 * 0.3)
ended = process.poll() is not None
if not ended:
    os.kill(process.pid, signal.SIGKILL)
process.wait()
kinds, undone = {}, set()
for line in journal():
    step = re.match(r'{"t":"do","i":(\d+).*?"kind":"(\w+)"', line)
    if step:
        kinds[int(step.group(1))] = step.group(2)
    back = re.match(r'{"t":"undone","i":(\d+)', line)
    if back:
        undone.add(int(back.group(1)))
live = sorted(set(kinds) - undone)
print(which, "ended before" if ended else kinds[live[-1]] if live else "before its first step" if which == "prepare" else "behind its last undo")
