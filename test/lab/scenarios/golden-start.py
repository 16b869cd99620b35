"""Starts every golden case with -S against the real QEMU and compares what QEMU says it has with what the profile says.

Called as golden-start.py PASSQEMU GOLDEN-FOLDER [CASE ...]. The command line is `passqemu run --dry-run --json`'s; where PASSQEMU is -, it is
the golden one itself, argv.txt, which costs no start of node (the lab is slow). The profile is read
here by a reader of its own, so that both sides can be wrong but not together. Without GOLDEN_KVM=1 only the accelerator is changed.
"""

import configparser
import os
import socket
import struct
import subprocess
import sys
import time

# The lab's Python is the smallest there is: neither json nor shutil nor tempfile.


def from_json(text):
    return eval(text, {'__builtins__': {}}, {'true': True, 'false': False, 'null': None})


def to_json(value):
    if isinstance(value, dict):
        return '{' + ','.join(f'{to_json(key)}:{to_json(inner)}' for key, inner in value.items()) + '}'
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, str):
        return '"' + ''.join(sign if ' ' <= sign <= '~' and sign not in '"\\' else f'\\u{ord(sign):04x}' for sign in value) + '"'
    return str(value)


def program(name):
    return any(os.access(f'{folder}/{name}', os.X_OK) for folder in ('/usr/bin', '/usr/local/bin'))


# Each look takes processor time from the QEMU that it waits for
PATIENCE = 0.05
PLACE = '/tmp/passqemu-golden'
DISK_TYPES = {'virtio': 'virtio-blk-pci', 'scsi': 'scsi-hd', 'nvme': 'nvme', 'sata': 'ide-hd', 'ide': 'ide-hd', 'usb': 'usb-storage'}
CD_TYPES = {'scsi': 'scsi-cd', 'sata': 'ide-cd', 'ide': 'ide-cd', 'usb': 'usb-storage'}
NET_TYPES = {'virtio': 'virtio-net-pci', 'e1000e': 'e1000e', 'e1000': 'e1000', 'rtl8139': 'rtl8139', 'vmxnet3': 'vmxnet3'}
VIDEO = {'virtio': 'virtio-vga', 'qxl': 'qxl-vga', 'std': 'VGA', 'bochs': 'bochs-display'}
SIZES = {'K': 1024, 'M': 1024**2, 'G': 1024**3}


def main():
    passqemu, folder, *names = sys.argv[1:]
    make_place()
    failed, skipped = 0, []
    cases = names or sorted(name for name in os.listdir(folder) if os.path.isdir(os.path.join(folder, name)))
    for number, name in enumerate(cases, 1):
        profile = read_profile(os.path.join(folder, name, 'profile.ini'))
        reason = lacking(profile)
        if reason is not None:
            skipped.append((name, reason))
            continue
        try:
            begun = time.monotonic()
            run_case(passqemu, os.path.join(folder, name, 'profile.ini'), name, profile)
            print(f'ok {number} - {name} ({time.monotonic() - begun:.1f} s)', flush=True)
        except Exception as error:
            failed += 1
            print(f'not ok {number} - {name}\n#   ' + str(error).replace('\n', '\n#   '), flush=True)
    for name, reason in skipped:
        print(f'# not started: {name}: {reason}')
    print(f'# {len(cases) - len(skipped)} started, {failed} wrong, {len(skipped)} not started')
    if len(skipped) > int(os.environ.get('MOST_SKIPPED', '12')):
        print('not ok - too many cases cannot be started here')
        failed += 1
    sys.exit(1 if failed else 0)


def read_profile(path):
    parser = configparser.RawConfigParser(strict=True, comment_prefixes=('#', ';'), delimiters=('=',), interpolation=None)
    parser.optionxform = str
    parser.read(path, encoding='utf-8')
    return {section: {key: unquoted(value) for key, value in parser[section].items()} for section in parser.sections()}


def unquoted(value):
    return from_json(value) if value.startswith('"') and value.endswith('"') else value


def lacking(profile):
    """Why a case cannot be started on this machine, or None."""
    cpus = cpu_list(','.join(profile.get('cpu', {}).get(key, '0').replace(' ', ',') for key in ('pins', 'whole-process')))
    needs = [
        (max(cpus) > 0, (os.cpu_count() or 1) > max(cpus), f'CPU {max(cpus)}'),
        (profile.get('machine', {}).get('hyperv') == 'yes', os.environ.get('GOLDEN_KVM'), 'KVM'),
        ('devices' in profile, os.environ.get('GOLDEN_VFIO'), 'functions on vfio-pci'),
        (any('mdev' in keys for keys in profile.values()), os.path.exists('/sys/bus/mdev'), 'mediated devices'),
        (profile.get('machine', {}).get('iommufd') == 'yes', os.path.exists('/dev/iommu') and os.path.exists('/dev/vfio/devices'), 'iommufd'),
        (any(keys.get('type') == 'kvmfr' for keys in profile.values()), os.path.exists('/dev/kvmfr0'), 'the kvmfr module'),
        (profile.get('tpm', {}).get('type') == 'host', os.path.exists('/dev/tpm0'), 'a TPM'),
        (profile.get('tpm', {}).get('type') == 'swtpm', program('swtpm'), 'swtpm'),
        (any(keys.get('type') in ('tap', 'macvtap', 'bridge') for keys in profile.values()), links(), 'interfaces of its own'),
        (any('event-' in keys.get('path', '') for keys in profile.values()), os.path.exists(f'{PLACE}/event-kbd'), 'an input device'),
        ('hugepages' in profile.get('memory', {}), huge_pages(profile), 'huge pages'),
        (any(section.startswith('share ') for section in profile), virtiofsd(), 'virtiofsd'),
        ('spice' in (profile.get('display', {}).get('type'), profile.get('audio', {}).get('type')), spice(), 'SPICE module of QEMU'),
        ('code' in profile.get('firmware', {}), all(os.path.exists(profile['firmware'][key]) for key in ('code', 'template') if key in profile.get('firmware', {})), 'firmware of that name'),
        (any(keys.get('x-vga') == 'yes' for keys in profile.values()), os.environ.get('GOLDEN_VGA'), 'card with VGA ranges'),
        (profile.get('display', {}).get('type') == 'gtk', os.environ.get('DISPLAY'), 'a graphical session'),
        (profile.get('audio', {}).get('type') == 'pipewire', os.path.exists('/run/user/1000/pipewire-0'), 'PipeWire'),
        (profile.get('audio', {}).get('type') == 'pulse', os.path.exists('/run/user/1000/pulse/native'), 'PulseAudio'),
        (profile.get('audio', {}).get('type') == 'jack', program('jackd'), 'JACK'),
        ('host-nodes' in str(profile) or 'nodes' in profile.get('memory', {}), os.path.exists('/sys/devices/system/node/node0'), 'memory nodes'),
    ]
    for needed, there, what in needs:
        if needed and not there:
            return f'this machine has no {what}'.replace(' no a ', ' no ').replace(' no an ', ' no ').replace(' no the ', ' no ')
    return None


def make_place():
    os.makedirs(f'{PLACE}/folder', exist_ok=True)
    for name in ('disk.raw', 'second.raw', 'cd.iso', 'rom.bin', '-odd, "name" \'x\',driver=null-co #1.raw'):
        with open(f'{PLACE}/{name}', 'wb') as file:
            file.truncate(1 << 20)
    qcow2 = bytearray(0x40000)
    qcow2[:72] = struct.pack('>4sIQIIQIIQQIIQ', b'QFI\xfb', 2, 0, 0, 16, 1 << 20, 0, 1, 0x30000, 0x10000, 1, 0, 0)
    qcow2[0x10000:0x10008] = struct.pack('>Q', 0x20000)
    for cluster in range(4):
        qcow2[0x20000 + 2 * cluster : 0x20002 + 2 * cluster] = struct.pack('>H', 1)
    write(f'{PLACE}/disk.qcow2', bytes(qcow2))
    # A Linux kernel's header and nothing behind it (Documentation/arch/x86/boot.rst)
    kernel = bytearray(1 << 16)
    kernel[0x1F1] = 4
    kernel[0x202:0x206] = b'HdrS'
    kernel[0x206:0x208] = struct.pack('<H', 0x204)
    kernel[0x22C:0x230] = struct.pack('<I', 0x37FFFFFF)
    write(f'{PLACE}/kernel', bytes(kernel))
    for name, pattern in (('event-kbd', 'event0'), ('event-mouse', 'event1')):
        if os.path.exists(f'/dev/input/{pattern}') and not os.path.lexists(f'{PLACE}/{name}'):
            os.symlink(f'/dev/input/{pattern}', f'{PLACE}/{name}')


def write(path, data):
    with open(path, 'wb') as file:
        file.write(data)


def links():
    """Makes a tap, a bridge and a macvtap of ours, once."""
    if os.path.exists('/sys/class/net/goldenmv'):
        return True
    for words in (
        'ip link add goldenbr type bridge',
        'ip tuntap add goldentap mode tap multi_queue',
        'ip link add goldendummy type dummy',
        'ip link add link goldendummy name goldenmv type macvtap mode bridge',
    ):
        if subprocess.run(words.split(), capture_output=True).returncode != 0:
            return False
    subprocess.run(['ip', 'link', 'set', 'goldenbr', 'up'])
    # The helper asks this file which bridges it may use
    os.makedirs('/etc/qemu', exist_ok=True)
    write('/etc/qemu/bridge.conf', b'allow goldenbr\n')
    index = read('/sys/class/net/goldenmv/ifindex')
    return os.path.exists(f'/dev/tap{index}')


def huge_pages(profile):
    """Enough free pages, and a hugetlbfs at the place that the profile names."""
    huge = profile.get('memory', {}).get('hugepages') == '1G'
    count = f'/sys/kernel/mm/hugepages/hugepages-{1048576 if huge else 2048}kB/nr_hugepages'
    wanted = 1 if huge else 40
    try:
        if int(read(count)) < wanted:
            write(count, b'%d' % wanted)
        place = profile['machine'].get('memory-path')
        if place and not os.path.ismount(place):
            os.makedirs(place, exist_ok=True)
            subprocess.run(['mount', '-t', 'hugetlbfs', '-o', 'pagesize=2M', 'none', place], check=True, capture_output=True)
        return int(read(count)) >= (1 if huge else 32)
    except (OSError, subprocess.CalledProcessError):
        return False


def spice():
    return qemu_version() < (5, 2) or os.path.exists('/usr/lib/x86_64-linux-gnu/qemu/ui-spice-core.so')


def virtiofsd():
    return any(os.path.exists(path) for path in ('/usr/libexec/virtiofsd', '/usr/lib/qemu/virtiofsd'))


def read(path):
    with open(path) as file:
        return file.read().strip()


def run_case(passqemu, source, name, profile):
    work = f'/tmp/golden-{os.getpid()}-{abs(hash(name))}'
    os.makedirs(work)
    text = open(source, encoding='utf-8').read()
    if not os.environ.get('GOLDEN_KVM'):
        text = text.replace('[machine]\n', '[machine]\naccel = tcg\n', 1)
    if passqemu == '-':
        start(golden_plan(source, name, profile), name, profile, work)
        return
    path = f'{work}/{name}.ini'
    write(path, text.encode())
    answer = subprocess.run(
        [passqemu, 'run', path, '--dry-run', '--json', '--state-dir', f'{work}/state'], capture_output=True, text=True
    )
    if answer.returncode != 0:
        raise AssertionError(f'passqemu run --dry-run: {answer.stderr}')
    plan = from_json(answer.stdout)
    golden = open(os.path.join(os.path.dirname(source), 'argv.txt'), encoding='utf-8').read().splitlines()
    if len(golden) < 10:
        raise AssertionError('the golden command line is cut')
    start(plan, name, profile, work)


def golden_plan(source, name, profile):
    """The golden command line as a plan: what stands around it is made from the profile."""
    with open(os.path.join(os.path.dirname(source), 'argv.txt'), encoding='utf-8') as file:
        argv = file.read().splitlines()
    folder = f'/run/passqemu/run/{name}'
    folders, sidecars, variables = [folder], [], None
    at = argv.index('-accel') + 1
    argv[at] = 'tcg,thread=multi'
    at = argv.index('-cpu') + 1
    argv[at] = ','.join(word for word in argv[at].replace('host,', 'max,', 1).split(',') if not word.startswith('hv-') and word != 'topoext=on')
    if '-run-with' in argv and qemu_version() < (9, 1):
        at = argv.index('-run-with')
        argv[at : at + 2] = ['-runas', argv[at + 1].removeprefix('user=')]
    flash = [word for word in argv if 'node-name=firmware-' in word]
    if flash:
        code, own = (word.split('file.filename=')[1].replace(',,', ',') for word in flash)
        template = profile.get('firmware', {}).get('template') or code.replace('CODE', 'VARS').replace('.secboot', '')
        variables = {'from': template, 'to': own}
        folders.append(os.path.dirname(own))
    if profile.get('tpm', {}).get('type') == 'swtpm':
        state = f'/var/lib/passqemu/{name}/tpm'
        folders.append(state)
        socket_path = f'{folder}/tpm.sock'
        words = ['swtpm', 'socket', '--tpm2', '--tpmstate', f'dir={state}', '--ctrl', f'type=unixio,path={socket_path}', '--terminate']
        sidecars.append({'name': 'swtpm', 'argv': words, 'socket': socket_path})
    for section, keys in profile.items():
        if section.startswith('share '):
            socket_path = f'{folder}/share-{section.split()[1]}.sock'
            sidecars.append({'name': 'virtiofsd', 'argv': virtiofsd_words(socket_path, keys['source']), 'socket': socket_path})
    macvtap = [keys for keys in profile.values() if keys.get('type') == 'macvtap']
    descriptors = [
        {'fd': 10 + queue, 'path': f'/dev/tap{read("/sys/class/net/goldenmv/ifindex")}'} for keys in macvtap for queue in range(int(keys['queues']))
    ]
    files = {'folders': folders, 'variables': variables, 'files': [], 'once': []}
    return {'argv': argv, 'environment': {}, 'sidecars': sidecars, 'descriptors': descriptors, 'files': files, 'threads': None}


def qemu_version():
    words = subprocess.run(['qemu-system-x86_64', '--version'], capture_output=True, text=True).stdout.split('version ')[1]
    return tuple(int(part) for part in words.split()[0].split('.')[:2])


def virtiofsd_words(socket_path, source):
    new = '/usr/libexec/virtiofsd'
    if os.path.exists(new):
        return [new, f'--socket-path={socket_path}', f'--shared-dir={source}']
    return ['/usr/lib/qemu/virtiofsd', f'--socket-path={socket_path}', '-o', f'source={source}']


def start(plan, name, profile, work):
    files = plan['files']
    for folder in files['folders']:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    variables = files['variables']
    if variables and not os.path.exists(variables['to']):
        with open(variables['from'], 'rb') as file:
            write(variables['to'], file.read())
    for one in files['files']:
        with open(one['path'], 'ab') as file:
            file.truncate(one['sizeBytes'])
    for once in files['once']:
        if not os.path.exists(once['unless']):
            subprocess.run(once['argv'], check=True, capture_output=True)
    opened = {}
    processes = []
    try:
        for sidecar in plan['sidecars']:
            processes.append(subprocess.Popen(sidecar['argv'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            wait_for(lambda: os.path.exists(sidecar['socket']), f'{sidecar["name"]} does not listen')
        for one in plan['descriptors']:
            fd = os.open(one['path'], os.O_RDWR)
            os.dup2(fd, one['fd'], inheritable=True)
            os.close(fd)
            opened[one['fd']] = True
        monitor = f'{work}/qmp.sock'
        argv = plan['argv'] + ['-S', '-qmp', f'unix:{monitor},server=on,wait=off']
        with open(f'{work}/qemu.log', 'wb') as log:
            qemu = subprocess.Popen(argv, env={**os.environ, **plan['environment']}, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=list(opened))
        processes.append(qemu)
        wait_for(lambda: qemu.poll() is not None or os.path.exists(monitor), 'QEMU does not start')
        said = lambda: open(f'{work}/qemu.log', encoding='utf-8', errors='replace').read()
        try:
            talk = Talk(monitor)
        except OSError:
            qemu.wait(20)
            raise AssertionError(f'QEMU ended: {said()}') from None
        wrong = [line for check in CHECKS for line in check(talk, name, profile, plan)]
        talk.ask('quit')
        qemu.wait(20)
        complaints = [line for line in said().splitlines() if 'warning' in line.lower() and not expected_warning(line)]
        if wrong or complaints:
            raise AssertionError('\n'.join(wrong + complaints))
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for fd in opened:
            os.close(fd)


def expected_warning(line):
    # TCG has less than the processors that profiles are for
    return 'TCG doesn' in line or 'multi-threaded' in line or 'hyperthreading' in line or 'deprecated' in line


def wait_for(is_there, complaint, seconds=60):
    end = time.monotonic() + seconds
    while not is_there():
        if time.monotonic() > end:
            raise AssertionError(complaint)
        time.sleep(PATIENCE)


class Talk:
    """QMP, one question at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + 60
        while True:
            try:
                self.socket.connect(path)
                break
            except (ConnectionRefusedError, FileNotFoundError):
                if time.monotonic() > end:
                    raise
                time.sleep(PATIENCE)
        self.file = self.socket.makefile('r', encoding='utf-8')
        if self.file.readline() == '':
            raise ConnectionResetError
        self.ask('qmp_capabilities')
        self.peripherals = {one['name']: one['type'][6:-1] for one in self.ask('qom-list', path='/machine/peripheral') if one['type'].startswith('child<')}
        # Behind a root port query-pci shows nothing until the firmware has numbered its bus: qom-get says what hangs there
        self.pci = {device['qdev_id']: device for bus in self.ask('query-pci') for device in bus['devices']}

    def port_of(self, device):
        return self.get(device, 'parent_bus').split('/')[-1]

    def ask(self, command, **arguments):
        self.socket.sendall((to_json({'execute': command, 'arguments': arguments}) + '\n').encode())
        while True:
            answer = from_json(self.file.readline())
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                raise AssertionError(f'{command} {arguments}: {answer["error"]["desc"]}')

    def get(self, device, key):
        return self.ask('qom-get', path=f'/machine/peripheral/{device}', property=key)


def differ(what, has, wants):
    return [] if has == wants else [f'{what} is {has!r}, the profile says {wants!r}']


def check_machine(talk, name, profile, plan):
    keys = profile.get('machine', {})
    kind = [one['type'] for one in talk.ask('qom-list', path='/') if one['name'] == 'machine'][0]
    yield from differ('the board', 'q35' in kind, keys.get('type', 'q35') == 'q35')
    yield from differ('the name', talk.ask('query-name').get('name'), name)
    if 'uuid' in keys:
        yield from differ('the UUID', talk.ask('query-uuid')['UUID'], keys['uuid'].lower())
    yield from differ('the state', talk.ask('query-status')['running'], False)
    yield from differ('the random numbers', 'random' in talk.peripherals, keys.get('rng', 'yes') == 'yes')
    yield from differ('the balloon', 'balloon' in talk.peripherals, keys.get('balloon', 'no') == 'yes')
    yield from differ('the USB controller', talk.peripherals.get('usb'), None if keys.get('usb') == 'no' else 'qemu-xhci')
    if 'kernel' in keys:
        for key, wanted in (('kernel', keys['kernel']), ('initrd', keys.get('initrd', '')), ('append', keys.get('kernel-arguments', ''))):
            yield from differ(key, talk.ask('qom-get', path='/machine', property=key), wanted)
    secure = profile.get('firmware', {}).get('secure-boot') == 'yes'
    yield from differ('SMM', talk.ask('qom-get', path='/machine', property='smm'), 'on' if secure else 'off')


def check_processors(talk, name, profile, plan):
    keys = profile.get('machine', {})
    shape = [int(keys.get(key, 1)) for key in ('sockets', 'dies', 'cores', 'threads')]
    product = shape[0] * shape[1] * shape[2] * shape[3]
    pins = profile.get('cpu', {}).get('pins', '').split()
    named = any(key in keys for key in ('sockets', 'dies', 'cores', 'threads'))
    wanted = int(keys['vcpus']) if 'vcpus' in keys else product if named else len(pins) or 2
    cpus = talk.ask('query-cpus-fast')
    yield from differ('the number of vCPUs', len(cpus), wanted)
    yield from differ('sockets', len({one['props']['socket-id'] for one in cpus}), shape[0])
    if 'threads' in keys:
        yield from differ('threads of a core', len({one['props']['thread-id'] for one in cpus}), shape[3])
    if 'cpu' in keys:
        yield from differ('the model', cpus[0]['qom-path'] != '' and keys['cpu'] in talk.ask('qom-list', path='/machine/unattached/device[0]')[0]['type'] + model_of(talk, cpus[0]), True)
    if plan['threads'] is not None:
        yield from differ('the threads to be placed', [one for one in plan['threads']['vcpus'] if one is not None], [cpu_list(one) for one in pins])


def model_of(talk, cpu):
    return talk.ask('qom-get', path=cpu['qom-path'], property='type')


def cpu_list(text):
    parts = [[int(end) for end in part.split('-')] for part in text.split(',')]
    return [cpu for part in parts for cpu in range(part[0], part[-1] + 1)]


def size_of(text):
    return int(text[:-1]) * SIZES[text[-1]]


def check_memory(talk, name, profile, plan):
    machine = profile.get('machine', {})
    cells = {section.split()[1]: keys for section, keys in profile.items() if section.startswith('numa ')}
    wanted = sum(size_of(keys['memory']) for keys in cells.values()) if cells else size_of(machine.get('memory', '4G'))
    yield from differ('the memory', talk.ask('query-memory-size-summary')['base-memory'], wanted)
    backends = {one['id']: one for one in talk.ask('query-memdev')}
    names = [f'ram{cell}' for cell in cells] or ['ram']
    huge = 'hugepages' in profile.get('memory', {})
    shared = machine.get('memory-share') == 'yes' or any(section.startswith('share ') for section in profile)
    for one in names:
        if one not in backends:
            yield f'there is no memory {one}'
            continue
        yield from differ(f'{one} shared', backends[one]['share'], shared or (huge and machine.get('memory-backend') != 'file'))
        yield from differ(f'{one} touched', backends[one]['prealloc'], huge or machine.get('prealloc') == 'yes' or machine.get('memory-lock') == 'yes')
        cell = cells.get(one[3:], {})
        nodes = cell.get('host-nodes') or (profile.get('memory', {}).get('nodes', '').split(':')[0] or None)
        yield from differ(f'the host nodes of {one}', backends[one]['host-nodes'], cpu_list(nodes) if nodes else [])
        yield from differ(f'the policy of {one}', backends[one]['policy'], 'bind' if nodes else 'default')
    for cell, keys in cells.items():
        own = {one['cpu-index'] for one in talk.ask('query-cpus-fast') if one['props'].get('node-id') == int(cell)}
        yield from differ(f'the vCPUs of node {cell}', sorted(own), cpu_list(keys['vcpus']))


def check_disks(talk, name, profile, plan):
    nodes = {one['node-name']: one for one in talk.ask('query-named-block-nodes', flat=True)}
    threads = {one['id'] for one in talk.ask('query-iothreads')}
    wanted_threads = {f'iothread-{keys["iothread"]}' for section, keys in profile.items() if section.startswith('disk ') and 'iothread' in keys}
    yield from differ('the iothreads', threads, wanted_threads)
    old = profile.get('machine', {}).get('type') == 'i440fx'
    for section, keys in profile.items():
        if not section.startswith('disk '):
            continue
        device = f'disk-{section.split()[1]}'
        source = keys.get('source', '')
        is_cd = keys.get('type') == 'cdrom' or source.endswith('.iso')
        bus = keys.get('bus') or (('ide' if old else 'sata') if is_cd else 'virtio')
        yield from differ(f'the type of {device}', talk.peripherals.get(device), (CD_TYPES if is_cd else DISK_TYPES)[bus])
        if device not in talk.peripherals:
            continue
        if 'serial' in keys:
            yield from differ(f'the serial number of {device}', talk.get(device, 'serial'), keys['serial'])
        if bus != 'usb':
            yield from differ(f'the place of {device} in the boot order', talk.get(device, 'bootindex'), int(keys.get('boot', -1)))
        drive = talk.get(device, 'drive')
        if source == '':
            yield from differ(f'the content of {device}', drive, '')
            continue
        if bus in ('virtio', 'nvme'):
            yield from check_place(talk, device, keys, old)
        if drive not in nodes:
            # usb-storage hands its drive to the disk behind it
            drive = next((one for one, node in nodes.items() if node.get('file') == source and one.startswith('drive')), drive)
        node = nodes.get(drive, {'cache': {}})
        yield from differ(f'the file of {device}', node.get('image', {}).get('filename'), source)
        yield from differ(f'the format of {device}', node.get('drv'), 'qcow2' if source.endswith('.qcow2') else 'raw')
        yield from differ(f'{device} being read only', node.get('ro'), is_cd or keys.get('read-only') == 'yes')
        cache = keys.get('cache') or ('writeback' if is_cd else 'none')
        yield from differ(f'the cache of {device}', node['cache'].get('direct'), cache in ('none', 'directsync'))
        yield from differ(f'the flushes of {device}', node['cache'].get('no-flush'), cache == 'unsafe')
        if 'queues' in keys and bus == 'virtio':
            yield from differ(f'the queues of {device}', talk.get(device, 'num-queues'), int(keys['queues']))


def check_place(talk, device, keys, old):
    if old:
        if device not in talk.pci:
            yield f'{device} is on no PCI bus'
        elif 'slot' in keys:
            yield from differ(f'the slot of {device}', talk.pci[device]['slot'], int(keys['slot']))
        return
    port = talk.port_of(device)
    if port not in talk.pci:
        yield f'{device} is behind no root port'
    elif 'slot' in keys:
        yield from differ(f'the slot of the port of {device}', talk.pci[port]['slot'], int(keys['slot']))


def check_networks(talk, name, profile, plan):
    old = profile.get('machine', {}).get('type') == 'i440fx'
    seen = set()
    for section, keys in profile.items():
        if not section.startswith('network '):
            continue
        device = f'network-{section.split()[1]}'
        yield from differ(f'the type of {device}', talk.peripherals.get(device), NET_TYPES[keys.get('model', 'virtio')])
        mac = talk.get(device, 'mac')
        if 'mac' in keys:
            yield from differ(f'the address of {device}', mac, keys['mac'])
        yield from differ(f'the maker of the address of {device}', mac[:9], '52:54:00:')
        yield from differ(f'an address twice ({mac})', mac in seen, False)
        seen.add(mac)
        yield from check_place(talk, device, keys, old)
        yield from differ(f'the place of {device} in the boot order', talk.get(device, 'bootindex'), int(keys.get('boot', -1)))


def check_others(talk, name, profile, plan):
    wanted = {}
    for section, keys in profile.items():
        kind, _, label = section.partition(' ')
        if kind == 'usb':
            wanted[f'usb-{label}'] = 'usb-host'
            if 'id' in keys:
                yield from differ(f'the product of {label}', talk.get(f'usb-{label}', 'productid'), int(keys['id'].split(':')[1], 16))
            if 'port' in keys:
                yield from differ(f'the port of {label}', [talk.get(f'usb-{label}', 'hostbus'), talk.get(f'usb-{label}', 'hostport')], [int(keys['port'].split('-')[0]), keys['port'].split('-')[1]])
        if kind == 'input':
            word = keys.get('type') or ('keyboard' if 'kbd' in keys['path'] else 'mouse')
            usb = keys.get('bus') == 'usb'
            wanted[f'input-{label}'] = {'tablet': 'usb-tablet', 'keyboard': 'usb-kbd' if usb else 'virtio-keyboard-pci', 'mouse': 'usb-mouse' if usb else 'virtio-mouse-pci'}[word]
        if kind == 'share':
            wanted[f'share-{label}-fs'] = 'vhost-user-fs-pci'
            yield from differ(f'the tag of {label}', talk.get(f'share-{label}-fs', 'tag'), keys.get('tag', label))
    display = profile.get('display', {})
    video = display.get('video') or ('virtio' if display.get('type', 'none') != 'none' else 'none')
    if video != 'none':
        wanted['video'] = VIDEO[video]
    if display.get('type') == 'spice':
        spice = talk.ask('query-spice')
        yield from differ('SPICE', spice['enabled'], True)
        yield from differ('the port of SPICE', spice.get('port'), int(display['port']) if 'port' in display else None)
        if 'socket' in display:
            yield from differ('the socket of SPICE', os.path.exists(display['socket']), True)
    if display.get('type') == 'vnc':
        servers = [(one['service'] or one['host']) for server in talk.ask('query-vnc-servers') for one in server['server']]
        yield from differ('VNC', servers, [display['port']] if 'port' in display else [display['socket']])
    audio = profile.get('audio', {})
    if audio.get('type', 'none') != 'none':
        wanted['sound'] = {'ich9': 'ich9-intel-hda', 'ich6': 'intel-hda', 'ac97': 'AC97', 'usb': 'usb-audio'}[audio.get('card', 'ich9')]
    if profile.get('tpm', {}).get('type', 'none') != 'none':
        yield from differ('the TPM', talk.ask('query-tpm-models') != [] and [one['model'] for one in talk.ask('query-tpm')], ['tpm-' + profile['tpm'].get('model', 'crb')])
    if 'looking-glass' in profile:
        keys = profile['looking-glass']
        width, height = map(int, keys['resolution'].split('x'))
        least = width * height * (8 if keys.get('hdr') == 'yes' else 4) * 2 + 10 * 1024**2
        size = [one['size'] for one in talk.ask('query-memdev') if one['id'] == 'looking-glass'][0]
        yield from differ('the memory of Looking Glass', size & (size - 1) == 0 and least <= size < 2 * least, True)
        wanted['ivshmem'] = 'ivshmem-plain'
    if 'serial' in profile:
        chardevs = {one['label']: one['filename'] for one in talk.ask('query-chardev')}
        kind = profile['serial']['type']
        yield from differ('the serial port', chardevs['serial'].split(':')[0], {'socket': 'disconnected', 'pty': 'pty', 'file': 'file'}[kind])
        wanted['serial'] = 'isa-serial'
        if kind == 'file':
            yield from differ('the file of the serial port', os.path.exists(profile['serial']['path']), True)
    agent = profile.get('agent', {}).get('enable', 'yes') == 'yes'
    yield from differ('the channel of the agent', 'agent-port' in talk.peripherals, agent)
    if 'second-rng' in profile.get('arguments', {}):
        wanted['user-rng'] = 'virtio-rng-pci'
        yield from differ('the slot of the user’s own device', talk.pci['user-rng']['slot'], 0x1D)
    for device, kind in wanted.items():
        yield from differ(f'the type of {device}', talk.peripherals.get(device), kind)
    uefi = profile.get('firmware', {}).get('type', 'uefi') == 'uefi'
    flash = {one['node-name']: one for one in talk.ask('query-named-block-nodes', flat=True) if one['node-name'].startswith('firmware-')}
    yield from differ('the flash drives', sorted(flash), ['firmware-code', 'firmware-vars'] if uefi else [])
    if uefi:
        own = profile['firmware'].get('vars') if 'firmware' in profile else None
        yield from differ('the file of the variables', flash['firmware-vars']['image']['filename'], own or f'/var/lib/passqemu/{name}/vars.fd')
        yield from differ('the variables being written', flash['firmware-vars']['ro'], False)


def check_functions(talk, name, profile, plan):
    ports = {}
    for label, address in profile.get('devices', {}).items():
        device = f'device-{label}'
        yield from differ(f'the type of {device}', talk.peripherals.get(device), 'vfio-pci')
        yield from differ(f'the function of {device}', talk.get(device, 'host'), address)
        ports.setdefault(address[:-2], set()).add(talk.port_of(device))
        ids = profile.get(f'device {label}', {})
        if 'sub-vendor-id' in ids:
            yield from differ(f'the subsystem of {device}', talk.get(device, 'x-pci-sub-vendor-id'), int(ids['sub-vendor-id'], 16))
    for card, slots in ports.items():
        yield from differ(f'the number of root ports of card {card}', len(slots), 1)


CHECKS = [check_machine, check_processors, check_memory, check_disks, check_networks, check_others, check_functions]

main()
