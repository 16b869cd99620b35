import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAudioSockets } from '../../../lib/host/audio-sockets.ts';
import { parseFirmwareOwner, readFirmwareFrameBuffers } from '../../../lib/host/frame-buffers.ts';
import { findHolders } from '../../../lib/host/holders.ts';
import { parseLoginSession, readLoginSessions, readUserName } from '../../../lib/host/login-sessions.ts';
import { readModuleParameters, readModuleStack } from '../../../lib/host/module-facts.ts';
import { placeInCgroups, readDisplayPicture } from '../../../lib/host/read-display-picture.ts';
import { hasProcesses } from '../../../lib/host/unit-cgroup.ts';
import { addClassDevice, openNode } from '../../fake/device-model.ts';
import { addConsoles, addFirmwareFrameBuffer, addUnits } from '../../fake/display-model.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { addPciDevice, pci } from '../../fake/pci-model.ts';

const SESSION = `# This is private data. Do not parse.
UID=1000
USER=alice
ACTIVE=1
IS_DISPLAY=1
STATE=active
REMOTE=0
LEADER_FD_SAVED=1
TYPE=wayland
ORIGINAL_TYPE=wayland
CLASS=user
SCOPE=session-3.scope
FIFO=/run/systemd/sessions/3.ref
SEAT=seat0
SERVICE=gdm-password
`;

test('parseLoginSession() reads logind’s own file, and makes do with an empty one', () => {
  assert.deepEqual(parseLoginSession('3', SESSION), {
    id: '3',
    uid: 1000,
    user: 'alice',
    seat: 'seat0',
    type: 'wayland',
    sessionClass: 'user',
    state: 'active',
    isRemote: false,
    service: 'gdm-password',
    tty: null,
    scope: 'session-3.scope',
  });
  assert.deepEqual(
    ['tty1', '../x', ':0'].map((tty) => parseLoginSession('4', `TTY=${tty}`).tty),
    ['tty1', null, null],
  );
  const { uid, user, seat, state } = parseLoginSession('4', '');
  assert.deepEqual([uid, user, seat, state], [null, '?', null, 'online']);
});

test('readAudioSockets() names the socket units on which the user’s own manager listens', () => {
  const line = (inode: number, path: string, flags = '00010000') =>
    `0000000000000000: 00000002 00000000 ${flags} 0001 01 ${inode} ${path}`;
  const manager = '/user.slice/user-1000.slice/user@1000.service/init.scope';
  const host = new FakeHost()
    .put(`/sys/fs/cgroup${manager}/cgroup.procs`, '900\n901\n')
    .putLink('/proc/900/fd/12', 'socket:[77]')
    .putLink('/proc/900/fd/13', 'socket:[79]')
    .put(
      '/proc/net/unix',
      [
        'Num       RefCount Protocol Flags    Type St Inode Path',
        line(77, '/run/user/1000/pipewire-0'),
        // The server itself listens there, or somebody is connected
        line(78, '/run/user/1000/pulse/native'),
        line(79, '/run/user/1000/pulse/native', '00000000'),
        line(80, '/run/user/1001/pulse/native'),
      ].join('\n'),
    );
  assert.deepEqual(readAudioSockets(host, 1000, 'pipewire'), ['pipewire.socket']);
  assert.deepEqual(readAudioSockets(host, 1000, 'pulseaudio'), []);
  host.putLink('/proc/901/fd/3', 'socket:[78]');
  assert.deepEqual(readAudioSockets(host, 1000, 'pipewire'), ['pipewire.socket', 'pipewire-pulse.socket']);
  assert.deepEqual(readAudioSockets(host, 1000, 'pulseaudio'), ['pulseaudio.socket']);
});

test('readLoginSessions() leaves out what is no session', () => {
  const host = new FakeHost()
    .put('/run/systemd/sessions/c1', 'UID=0\nCLASS=greeter\n')
    .put('/run/systemd/sessions/c1.ref', '');
  assert.deepEqual(
    readLoginSessions(host).map(({ id, sessionClass }) => [id, sessionClass]),
    [['c1', 'greeter']],
  );
});

test('readUserName() takes no name that could be something else', () => {
  const host = new FakeHost().put('/etc/passwd', 'root:x:0:0::/:/bin/sh\n--help:x:7:7::/:/bin/sh\n');
  assert.deepEqual([readUserName(host, 0), readUserName(host, 7), readUserName(host, 9)], ['root', '7', '9']);
});

test('parseFirmwareOwner() finds the card in whose memory the firmware’s picture lies, with numbers or without', () => {
  const tree = `00000000-00000fff : Reserved
c0000000-febfffff : PCI Bus 0000:00
  fd000000-fdffffff : 0000:00:02.0
    fd000000-fd2fffff : BOOTFB
  fe000000-fe003fff : 0000:00:03.0
`;
  assert.equal(parseFirmwareOwner(tree), '0000:00:02.0');
  assert.equal(parseFirmwareOwner(tree.replace(/[0-9a-f]{8}-/g, '00000000-')), '0000:00:02.0');
  assert.equal(parseFirmwareOwner('fd000000-fd2fffff : BOOTFB\n'), null);
  assert.equal(parseFirmwareOwner('       : efifb\n\n x'), null);
});

test('readFirmwareFrameBuffers() tells the driver of each', () => {
  const host = new FakeHost();
  addFirmwareFrameBuffer(host, 'simple-framebuffer.0');
  assert.deepEqual(readFirmwareFrameBuffers(host), [
    { device: 'simple-framebuffer.0', driver: 'simple-framebuffer', address: null, claims: false },
  ]);
  host.put('/proc/iomem', 'c0000000-febfffff : 0000:00:02.0\n  c0000000-c02fffff : BOOTFB\n');
  const [one] = readFirmwareFrameBuffers(host);
  assert.deepEqual([one?.address, one?.claims], ['0000:00:02.0', true]);
});

test('readModuleStack() gives modules in the order in which they can be unloaded', () => {
  const host = new FakeHost();
  for (const [name, ...holders] of [
    ['nvidia', 'nvidia_uvm', 'nvidia_modeset'],
    ['nvidia_modeset', 'nvidia_drm'],
    ['nvidia_uvm'],
    ['nvidia_drm'],
  ]) {
    host.put(`/sys/module/${name}/refcnt`, `${holders.length}\n`).putFolder(`/sys/module/${name}/holders`);
    for (const holder of holders)
      host.putLink(`/sys/module/${name}/holders/${holder}`, `/sys/module/${holder}`);
  }
  const names = readModuleStack(host, 'nvidia').map(({ name }) => name);
  assert.deepEqual(names, ['nvidia_drm', 'nvidia_modeset', 'nvidia_uvm', 'nvidia']);
  assert.deepEqual(readModuleStack(host, 'built-in'), []);
});

test('readModuleParameters() leaves out what has no value', () => {
  const host = new FakeHost()
    .put('/sys/module/a_b/parameters/x', 'Y\n')
    .put('/sys/module/a_b/parameters/y', '(null)\n');
  assert.deepEqual(readModuleParameters(host, 'a-b'), { x: 'Y' });
});

test('placeInCgroups() tells units, sessions and units of a user apart', () => {
  const place = (cgroup: string) => placeInCgroups(cgroup, (uid) => `u${uid}`);
  const none = { unit: null, session: null, userUnit: null };
  assert.deepEqual(place('/system.slice/gdm.service'), { ...none, unit: 'gdm.service' });
  assert.deepEqual(place('/user.slice/user-1000.slice/session-3.scope'), { ...none, session: '3' });
  assert.deepEqual(place('/user.slice/user-1000.slice/user@1000.service/session.slice/kwin.service'), {
    ...none,
    userUnit: { unit: 'kwin.service', uid: 1000, user: 'u1000' },
  });
  assert.deepEqual(
    place('/user.slice/user-1000.slice/user@1000.service/init.scope').userUnit?.unit,
    'init.scope',
  );
  assert.deepEqual(place('/'), none);
  const template = '/system.slice/system-getty.slice/getty@tty1.service';
  assert.deepEqual(place(template), { ...none, unit: 'getty@tty1.service' });
});

test('placeInCgroups() does not take what runs in a container for the host’s', () => {
  const none = { unit: null, session: null, userUnit: null };
  for (const own of [
    'user.slice/user-0.slice/session-3.scope',
    'user.slice/user-0.slice/user@0.service/init.scope',
    'system.slice/jellyfin.service',
    'init.scope',
  ]) {
    assert.deepEqual(placeInCgroups(`/lxc/101/ns/${own}`, String), none);
    const unit = `docker-${'a'.repeat(64)}.scope`;
    assert.deepEqual(placeInCgroups(`/system.slice/${unit}/${own}`, String), { ...none, unit });
  }
});

test('hasProcesses() reads version 2, and version 1 where that is mounted', () => {
  const host = new FakeHost();
  assert.equal(hasProcesses(host, '/system.slice/a.service'), false);
  host.put('/sys/fs/cgroup/systemd/system.slice/a.service/cgroup.procs', '12\n');
  assert.equal(hasProcesses(host, '/system.slice/a.service'), true);
  host
    .put('/sys/fs/cgroup/system.slice/b.service/cgroup.procs', '')
    .put('/sys/fs/cgroup/system.slice/b.service/cgroup.events', 'populated 0\nfrozen 0\n');
  assert.equal(hasProcesses(host, '/system.slice/b.service'), false);
});

test('readDisplayPicture() puts cards, screens, consoles, sessions, holders and display manager together', () => {
  const host = new FakeHost();
  const path = addPciDevice(host, {
    address: '0000:01:00.0',
    vendor: '1002',
    device: '744c',
    class: '030000',
    group: 1,
    driver: 'amdgpu',
    bootVga: true,
  });
  const card = addClassDevice(host, 'drm', `${path}/drm/card0`, { rdev: '226:0', devname: 'dri/card0' });
  addClassDevice(host, 'drm', `${card}/card0-DP-1`);
  host.put(`${card}/card0-DP-1/status`, 'connected\n');
  addConsoles(host);
  addUnits(host, { name: 'sddm.service', cgroup: '/system.slice/sddm.service' });
  host.putLink('/etc/systemd/system/display-manager.service', '/usr/lib/systemd/system/sddm.service');
  host.put('/run/systemd/sessions/3', SESSION);
  const pid = openNode(host, 'Xorg', '/dev/dri/card0', '/user.slice/user-1000.slice/session-3.scope');
  const address = pci('0000:01:00.0');
  const nodes = [
    { address, path: '/dev/dri/card0', rdev: '226:0', type: 'character' as const, shared: false },
  ];
  const picture = readDisplayPicture(host, [address], findHolders(host, nodes).holders);
  assert.deepEqual(picture.cards, [
    {
      address,
      driver: 'amdgpu',
      classCode: '030000',
      bootVga: true,
      connectors: [{ name: 'DP-1', connected: true }],
    },
  ]);
  assert.deepEqual(picture.manager, {
    unit: 'sddm.service',
    cgroup: '/system.slice/sddm.service',
    isRunning: true,
  });
  assert.deepEqual(
    picture.holders.map(({ comm, session, startTicks }) => [comm, session, startTicks]),
    [['Xorg', '3', pid * 10]],
  );
  assert.deepEqual(
    picture.consoles.map(({ isFrameBuffer, bound }) => [isFrameBuffer, bound]),
    [
      [false, false],
      [true, true],
    ],
  );
});

test('readDisplayPicture() tells whether a holder’s own manager stays without sessions', () => {
  const host = new FakeHost().put(
    '/etc/passwd',
    'gdm:x:120:120::/:/bin/false\nalice:x:1000:1000::/:/bin/sh\n',
  );
  host.putDevice('/dev/snd/controlC0', 'character', '116:6').put('/var/lib/systemd/linger/alice', '');
  const path = '/dev/snd/controlC0';
  for (const uid of [120, 1000])
    openNode(
      host,
      `pw${uid}`,
      path,
      `/user.slice/user-${uid}.slice/user@${uid}.service/session.slice/pipewire.service`,
    );
  const nodes = [
    { address: pci('0000:01:00.1'), path, rdev: '116:6', type: 'character' as const, shared: false },
  ];
  const { holders } = readDisplayPicture(host, [], findHolders(host, nodes).holders);
  assert.deepEqual(
    holders.map(({ userUnit, lingers }) => [userUnit?.user, lingers]),
    [
      ['gdm', undefined],
      ['alice', true],
    ],
  );
});
