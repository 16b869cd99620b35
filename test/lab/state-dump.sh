#!/bin/sh
# Prints the state of this machine by which "before" and "after" are compared: one fact a line, sorted, nothing of it read by our own code.
# Left out, and why:
#   - network addresses, routes, bridge membership: they belong to the interface, which goes when its driver does
#   - vfio modules and what they need (irqbypass, iommufd): never unloaded by design, it would strand other guests' devices
#   - interrupts of a function that was away: it gets new numbers and the default affinity; they are compared by action name
#   - tasks that did not exist at the time of the file named as $1 (a boot tick count), kernel workers (they come and go)
# Without site's imports: they take longer than all of this
exec python3 -IS - "$@" <<'X'
import glob, os, re, sys

out = []

def read(path):
    try:
        with open(path) as file:
            return file.read().rstrip("\n\0 ")
    except OSError as error:
        return "errno %d" % error.errno

def say(name, value):
    out.append("%s = %s" % (name, value))

def link(path):
    try:
        return os.path.basename(os.readlink(path))
    except OSError:
        return "-"

for device in glob.glob("/sys/bus/pci/devices/*"):
    name = "pci " + os.path.basename(device)
    say(name + " driver", link(device + "/driver"))
    for item in ("driver_override", "reset_method", "d3cold_allowed", "power/control", "sriov_numvfs"):
        if os.path.exists(device + "/" + item):
            say(name + " " + item, read(device + "/" + item))
for path in glob.glob("/sys/devices/system/node/node*/hugepages/*/*_hugepages"):
    if not path.endswith("free_hugepages"):
        say(path[len("/sys/devices/system/node/"):], read(path))
for path in glob.glob("/sys/kernel/mm/hugepages/*/nr_overcommit_hugepages"):
    say(path[len("/sys/kernel/mm/"):], read(path))
for group in ("", "init.scope/", "system.slice/", "user.slice/", "machine.slice/", "machine/", "passqemu/"):
    for item in ("cpuset.cpus.effective", "cpuset.cpus.partition"):
        path = "/sys/fs/cgroup/" + group + item
        if os.path.exists(path):
            say("cgroup /" + group + item, read(path))
say("cgroup controllers for children", " ".join(sorted(read("/sys/fs/cgroup/cgroup.subtree_control").split())))
for folder in ("/run/systemd/system.control", "/etc/systemd/system.control", "/run/systemd/transient"):
    for path in glob.glob(folder + "/**", recursive=True):
        # Transient scopes and services of sessions come and go by themselves
        if os.path.isfile(path) and not re.search(r"/transient/(session|run-|user)", path):
            say("file " + path, repr(read(path)))
if os.path.isdir("/run/systemd/system"):
    import subprocess
    units = "init.scope system.slice user.slice machine.slice -.slice".split()
    text = subprocess.run(["systemctl", "show", "-p", "Id,AllowedCPUs", *units], capture_output=True, text=True).stdout
    for block in text.split("\n\n"):
        shown = dict(line.split("=", 1) for line in block.splitlines())
        say("unit %s AllowedCPUs" % shown.get("Id"), shown.get("AllowedCPUs"))
    text = subprocess.run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "--type=service"], capture_output=True, text=True).stdout
    for line in text.splitlines():
        unit, load, active = line.split()[:3]
        # One-shot services end by themselves; libvirt's daemons come by their sockets and go when idle: no state of ours
        if not re.match(r"(libvirt|virt|systemd-|user@|user-runtime|run-|modprobe@|lab|getty|session)", unit):
            say("unit " + unit, active)
for path in glob.glob("/proc/irq/*/smp_affinity_list"):
    actions = sorted(name for name in os.listdir(os.path.dirname(path)) if os.path.isdir(os.path.dirname(path) + "/" + name))
    if actions:
        # USB buses are numbered in the order of probing
        say("irq " + re.sub(r":usb[0-9]+", ":usb", "+".join(actions)), read(path))
say("irq default", read("/proc/irq/default_smp_affinity"))
say("workqueue cpumask", read("/sys/devices/virtual/workqueue/cpumask"))
for path in glob.glob("/sys/devices/system/cpu/cpufreq/policy*"):
    for item in ("scaling_governor", "energy_performance_preference"):
        if os.path.exists(path + "/" + item):
            say("cpufreq %s %s" % (os.path.basename(path), item), read(path + "/" + item))
for path in (
    "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/kernel/mm/transparent_hugepage/defrag", "/sys/kernel/mm/ksm/run",
    "/proc/sys/kernel/sched_rt_runtime_us", "/proc/sys/kernel/nmi_watchdog", "/proc/sys/vm/stat_interval",
    "/proc/sys/vm/compaction_proactiveness", "/proc/sys/vm/nr_overcommit_hugepages", "/proc/sys/vm/overcommit_memory",
):
    say(path, read(path))
never_unloaded = re.compile(r"vfio|irqbypass|iommufd|^(strace|tracefs)")
for line in read("/proc/modules").splitlines():
    name = line.split()[0]
    if not never_unloaded.search(name):
        say("module", name)
for path in glob.glob("/sys/class/vtconsole/*"):
    say("console " + read(path + "/name"), read(path + "/bind"))
say("framebuffers", read("/proc/fb"))
for path in glob.glob("/sys/class/net/*"):
    say("net", os.path.basename(path))
# The lock file stays; all else of ours must be gone
say("state folder", " ".join(sorted(set(os.listdir("/run/passqemu")) - {"lock"})) if os.path.isdir("/run/passqemu") else "")
since = int(sys.argv[1]) if len(sys.argv) > 1 else None
tasks = {}
for stat in glob.glob("/proc/[0-9]*/task/[0-9]*/stat"):
    text = read(stat)
    if ")" not in text:
        continue
    comm = text[text.index("(") + 1:text.rindex(")")]
    start = int(text[text.rindex(")") + 2:].split()[19])
    # Workers and rescuers of workqueues (PF_WQ_WORKER) are moved by the kernel from job to job
    is_worker = int(text[text.rindex(")") + 2:].split()[6]) & 0x20
    # A threaded interrupt's thread is where the interrupt is delivered: one CPU of its affinity (compared above), chosen anew at each change
    if comm.startswith("irq/"):
        continue
    if is_worker or (since is not None and start > since):
        continue
    allowed = re.search(r"^Cpus_allowed_list:\s*(\S*)", read(os.path.dirname(stat) + "/status"), re.M)
    if comm == "systemd-inhibit":
        say("inhibitor", start)
    if allowed and since is not None:
        tasks[(comm, start, stat.split("/")[4])] = allowed.group(1)
for (comm, start, pid), allowed in tasks.items():
    say("task %s %s started %s" % (comm, pid, start), allowed)
print("\n".join(sorted(out)))
X
