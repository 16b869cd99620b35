"""kill-at-line.py NUMBER WHICH moment|sync|ms|group COMMAND ...: runs the command and kills it with SIGKILL: a random moment after
the guest's journal has so many lines, exactly when it syncs a line of the journal to the disk for that time, or so many
milliseconds after its start, alone or with the programs that it runs.
"""
import os, random, re, signal, subprocess, sys, time

number, which, when, command = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
path = "/run/passqemu/all.jsonl"

def journal():
    try:
        with open(path) as file:
            return [line for line in file.read().splitlines() if line.strip()]
    except OSError:
        return []

def kill_at_a_moment():
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(journal()) < number:
        time.sleep(0.0005)
    time.sleep(random.random() ** 3 * 0.3)
    ended = process.poll() is not None
    if not ended:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return ended

def kill_in_time():
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        process.wait(number / 1000)
        return True
    except subprocess.TimeoutExpired:
        (os.killpg if when == "group" else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
        return False

# Not -f: what the command leaves running (the inhibitor) must not be waited for
def kill_at_a_sync():
    inject = f"inject=fdatasync:signal=SIGKILL:when={number}"
    strace = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject]
    return subprocess.run(strace + command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

ended = {"moment": kill_at_a_moment, "sync": kill_at_a_sync}.get(when, kill_in_time)()
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
