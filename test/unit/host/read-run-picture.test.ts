import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRunPicture } from '../../../lib/host/read-run-picture.ts';
import { parseRunProfile } from '../../../lib/inputs/read-run-profile.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const FOLDERS = {
  uid: 0,
  runFolder: '/run/passqemu/run/g',
  dataFolder: '/var/lib/passqemu/g',
  configFolder: null,
};

const TEXT = `[machine]
user = guests
[smbios]
host = yes
[disk a]
source = /srv/a.raw
[disk gone]
source = /srv/gone.raw
[network lan]
type = bridge
bridge = br0
[network tap]
type = tap
interface = tap3
[devices]
gpu = 0000:01:00.0
vf = 0000:07:10.0
`;

function machine(): FakeHost {
  return new FakeHost()
    .put('/srv/a.raw', 'x')
    .putDevice('/dev/kvm', 'character', '10:232')
    .putFolder('/sys/class/misc/kvm')
    .putDevice('/dev/vhost-net', 'character', '10:238')
    .put('/proc/cpuinfo', 'processor\t: 0\nvendor_id\t: AuthenticAMD\n')
    .put('/proc/meminfo', 'Hugepagesize:       2048 kB\n')
    .put(
      '/proc/mounts',
      'none /dev/huge\\040pages hugetlbfs rw,relatime,pagesize=2M 0 0\nnone /huge1g hugetlbfs rw,pagesize=1024M 0 0\n',
    )
    .put('/sys/devices/system/cpu/online', '0-3')
    .put('/etc/passwd', 'root:x:0:0::/root:/bin/sh\nguests:x:990:991::/:/bin/false\n')
    .put('/sys/class/net/br0/ifindex', '4')
    .putFolder('/sys/class/net/br0/bridge')
    .put('/sys/class/net/tap3/ifindex', '9')
    .put('/sys/class/net/tap3/tun_flags', '0x5002')
    .put('/sys/class/dmi/id/sys_vendor', 'Maker, Inc.')
    .put('/sys/class/dmi/id/modalias', 'dmi:x')
    .put('/sys/bus/pci/devices/0000:01:00.0/class', '0x030000')
    .put('/sys/bus/pci/devices/0000:07:10.0/class', '0x020000')
    .putFolder('/sys/bus/pci/devices/0000:07:10.0/physfn')
    .put('/usr/lib/qemu/qemu-bridge-helper', '', 0o4755)
    .put('/usr/share/OVMF/OVMF_CODE_4M.fd', 'code')
    .put('/usr/share/OVMF/OVMF_VARS_4M.fd', 'vars')
    .put('/var/lib/passqemu/g/vars.fd', 'own')
    .put('/var/lib/passqemu/g/vars.fd.template', '{"path":"/t","digest":"d"}');
}

test('readRunPicture() reads what a profile asks for', async () => {
  const picture = await readRunPicture(
    machine(),
    parseRunProfile(TEXT, { guest: 'g', path: '/g.ini' }),
    FOLDERS,
  );
  const { files, firmware, templateDigests, running: _running, ...rest } = picture;
  assert.deepEqual(
    [...files].map(([path, facts]) => [path, facts?.kind ?? null]),
    [
      ['/srv/a.raw', 'file'],
      ['/srv/gone.raw', null],
    ],
  );
  assert.deepEqual(
    firmware.map(({ code }) => code),
    ['/usr/share/OVMF/OVMF_CODE_4M.fd'],
  );
  assert.deepEqual([...templateDigests.keys()], ['/usr/share/OVMF/OVMF_VARS_4M.fd']);
  assert.deepEqual(rest, {
    isRoot: true,
    kvm: 'usable',
    vhostNet: true,
    processorVendor: 'amd',
    onlineCpus: [0, 1, 2, 3],
    realPaths: new Map(),
    functions: new Map([
      ['gpu', { address: '0000:01:00.0', isVirtual: false }],
      ['vf', { address: '0000:07:10.0', isVirtual: true }],
    ]),
    iommufd: false,
    portsInUse: new Set(),
    busyDisks: new Set(),
    variables: { path: '/var/lib/passqemu/g/vars.fd', exists: true, copiedFrom: { path: '/t', digest: 'd' } },
    interfaces: new Map([
      ['br0', { index: 4, isBridge: true, isTap: false }],
      ['tap3', { index: 9, isBridge: false, isTap: true }],
    ]),
    user: { name: 'guests', uid: 990, gid: 991 },
    programs: {
      swtpm: null,
      swtpmSetup: null,
      virtiofsd: null,
      bridgeHelper: '/usr/lib/qemu/qemu-bridge-helper',
    },
    dmi: new Map([['sys_vendor', 'Maker, Inc.']]),
    hugetlbfs: new Map([
      [2048, '/dev/huge pages'],
      [1_048_576, '/huge1g'],
    ]),
    runFolder: FOLDERS.runFolder,
    dataFolder: FOLDERS.dataFolder,
    runtimeFolder: '/run/user/990',
  });
});

test('readRunPicture() sees what other QEMUs are and have open', async () => {
  const host = machine()
    .put('/proc/4242/cmdline', '/usr/bin/qemu-system-x86_64\0-name\0guest=other,debug-threads=on\0')
    .put('/proc/4242/status', 'Name:\tqemu\n')
    .putLink('/proc/4242/fd/9', '/srv/a.raw');
  const picture = await readRunPicture(host, parseRunProfile(TEXT, { guest: 'g', path: '/g.ini' }), FOLDERS);
  assert.deepEqual(picture.running, [
    { pid: 4242, guest: 'other', uuid: null, files: new Set(['/srv/a.raw']) },
  ]);
});

test('readRunPicture() says whether KVM is there, and for whom', async () => {
  const whole = parseRunProfile('[machine]\n', { guest: 'g', path: '/g.ini' });
  const kvm = async (host: FakeHost, uid: number) =>
    (await readRunPicture(host, whole, { ...FOLDERS, uid })).kvm;
  assert.equal(await kvm(machine(), 0), 'usable');
  assert.equal(await kvm(machine().drop('/dev/kvm'), 0), 'missing');
  assert.equal(await kvm(machine().drop('/sys/class/misc/kvm'), 0), 'missing');
});
