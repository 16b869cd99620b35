"""Compares two state dumps; prints what differs and exits 1. Tasks count only where they live in both: they come and go."""
import sys

before, after = (open(path).read().splitlines() for path in sys.argv[1:3])
named = lambda lines: {line.split(" = ", 1)[0] for line in lines if line.startswith("task ")}
both = named(before) & named(after)
keep = lambda lines: [line for line in lines if not line.startswith("task ") or line.split(" = ", 1)[0] in both]
before, after = keep(before), keep(after)
lost, new = [line for line in before if line not in set(after)], [line for line in after if line not in set(before)]
for line in lost:
    print("- " + line)
for line in new:
    print("+ " + line)
# Doubles count too: two modules or interrupts of one name
if not lost and not new and sorted(before) != sorted(after):
    print("The same lines, but not as many of each")
    lost = [""]
sys.exit(1 if lost or new else 0)
