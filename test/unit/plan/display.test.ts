import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DisplayHolder, DisplayPicture } from '../../../lib/host/display-picture.ts';
import type { LoginSession } from '../../../lib/host/login-sessions.ts';
import type { PciFunction } from '../../../lib/host/pci-function.ts';
import type { Profile } from '../../../lib/inputs/profile.ts';
import { planDisplay } from '../../../lib/plan/display.ts';
import { describeStep } from '../../../lib/steps/registry.ts';
import type { PciAddress } from '../../../lib/words/pci-address.ts';
import type { HeldStep } from '../../../lib/words/step.ts';

const GPU = '0000:01:00.0' as PciAddress;
const OTHER = '0000:00:02.0' as PciAddress;
const MANAGER = { unit: 'gdm.service', cgroup: '/system.slice/gdm.service', isRunning: true };

const session = (changes: Partial<LoginSession> = {}): LoginSession => ({
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
  ...changes,
});

const holder = (pid: number, comm: string, changes: Partial<DisplayHolder> = {}): DisplayHolder => ({
  pid,
  comm,
  startTicks: pid * 10,
  user: 'alice',
  cgroup: '/',
  unit: null,
  session: null,
  userUnit: null,
  ...changes,
});
const inSession = (id: string) => ({
  session: id,
  cgroup: `/user.slice/user-1000.slice/session-${id}.scope`,
});
const inUnit = (unit: string) => ({ unit, cgroup: `/system.slice/${unit}` });
const inUserUnit = (unit: string) => ({
  userUnit: { unit, uid: 1000, user: 'alice' },
  cgroup: `/user.slice/user-1000.slice/user@1000.service/session.slice/${unit}`,
});

const picture = (changes: Partial<DisplayPicture> = {}): DisplayPicture => ({
  cards: [
    {
      address: GPU,
      driver: 'amdgpu',
      classCode: '030000',
      bootVga: true,
      connectors: [{ name: 'DP-1', connected: true }],
    },
  ],
  consoles: [
    { id: 'vtcon0', name: '(S) dummy device', isFrameBuffer: false, bound: false },
    { id: 'vtcon1', name: '(M) frame buffer device', isFrameBuffer: true, bound: true },
  ],
  frameBuffers: [{ id: 'fb0', name: 'amdgpudrmfb', address: GPU }],
  firmware: [],
  holders: [],
  sessions: [],
  manager: MANAGER,
  modules: new Map(),
  driverFunctions: new Map(),
  hasSystemd: true,
  canRecover: false,
  ownCgroup: '/system.slice/libvirtd.service',
  ...changes,
});

const WISHES: Profile['handover'] = {
  display: true,
  sessions: 'refuse',
  units: ['nvidia-persistenced.service'],
  processes: [],
  modules: 'auto',
  timeoutMs: 1000,
};

const gpu = { address: GPU, classCode: '030000', isVfio: false, bootVga: true } as PciFunction;

function plan(
  changes: Partial<DisplayPicture>,
  wishes: Partial<Profile['handover']> = {},
  held: readonly HeldStep[] = [],
  holdersMayLeave = false,
) {
  const input = {
    guest: 'win 11',
    taken: [gpu],
    picture: picture(changes),
    held,
    deadlineMs: 2000,
    holdersMayLeave,
  };
  const { steps, refusals, notes, leaving } = planDisplay({ ...input, wishes: { ...WISHES, ...wishes } });
  return {
    steps: steps.map(describeStep),
    refusals: refusals.map(({ id, summary }) => `${id}: ${summary}`),
    remedies: refusals.map(({ remedy }) => remedy),
    notes,
    leaving: [...leaving],
    raw: steps,
  };
}

test('planDisplay() stops nothing unless the profile says so, but tells what is on the card', () => {
  const { steps, refusals, notes, leaving } = plan(
    { holders: [holder(9, 'gnome-shell', inSession('3'))], sessions: [session()] },
    { display: false },
  );
  assert.deepEqual([steps, refusals, leaving], [[], [], []]);
  assert.deepEqual(notes, [
    '0000:01:00.0: amdgpu drives it, a screen is on DP-1, the text consoles can be on fb0 (amdgpudrmfb)',
    'No other graphics card has a driver: the host shows nothing until the guest has stopped',
    'What the guest gets is open in gnome-shell (process 9 of alice, session 3)',
    'Logged in before a screen: alice (session 3, wayland on seat0)',
  ]);
});

test('planDisplay() tells who has the card open, by unit or session, and which modules stand on its driver', () => {
  const { notes } = plan({
    holders: [
      holder(9, 'Xorg', { user: 'root', ...inSession('2') }),
      holder(10, 'ollama', { user: 'ollama', ...inUnit('ollama.service') }),
      holder(11, 'wireplumber', inUserUnit('wireplumber.service')),
      holder(12, 'mine'),
    ],
    modules: new Map([
      [
        'nvidia',
        [
          { name: 'nvidia_drm', holders: [], useCount: 4 },
          { name: 'nvidia', holders: ['nvidia_drm'], useCount: null },
        ],
      ],
      ['snd_hda_intel', [{ name: 'snd_hda_intel', holders: [], useCount: 1 }]],
    ]),
  });
  assert.deepEqual(notes.slice(2, 4), [
    'nvidia is loaded as nvidia_drm (users: 4) on nvidia (users: ?)',
    'What the guest gets is open in Xorg (process 9 of root, session 2), ollama (process 10 of ollama, ollama.service), wireplumber (process 11 of alice, wireplumber.service of alice) and mine (process 12 of alice)',
  ]);
});

test('planDisplay() with a greeter only: the display manager, the consoles, in this order', () => {
  const greeter = session({ id: 'c1', uid: 120, user: 'gdm', sessionClass: 'greeter' });
  const { steps, refusals, leaving } = plan({
    sessions: [greeter],
    holders: [
      holder(5, 'gnome-shell', { ...inSession('c1') }),
      holder(6, 'systemd-logind', inUnit('systemd-logind.service')),
    ],
  });
  assert.deepEqual(refusals, []);
  assert.deepEqual(leaving, [5, 6]);
  assert.deepEqual(steps, [
    'stop gdm.service',
    'end session c1 of gdm',
    'take the text consoles off (M) frame buffer device',
  ]);
});

test('planDisplay() refuses while somebody is logged in, and ends the session only where the profile says so', () => {
  const desktop: Partial<DisplayPicture> = {
    sessions: [session(), session({ id: '5', uid: 1001, user: 'bob', type: 'tty', service: 'login' })],
    holders: [
      holder(9, 'Xorg', inSession('3')),
      holder(10, 'kwin_wayland', inUserUnit('plasma-kwin_wayland.service')),
    ],
  };
  assert.deepEqual(plan(desktop).refusals, [
    'logged-in: Cannot hand the display over: alice (session 3, wayland on seat0) and bob (session 5, tty on seat0) would lose it, nobody must be logged in',
  ]);
  const { steps, raw } = plan(desktop, { sessions: 'end' });
  assert.deepEqual(steps, [
    'end session 3 of alice',
    'stop gdm.service',
    'stop plasma-kwin_wayland.service of alice',
    'take the text consoles off (M) frame buffer device',
  ]);
  const unit = raw.find((step) => step.kind === 'unit' && step.user === 'alice');
  assert.equal(unit?.kind === 'unit' && unit.restart, false);
});

test('planDisplay() never stops or starts a display manager that does not run', () => {
  const { steps } = plan({ manager: { ...MANAGER, isRunning: false } });
  assert.deepEqual(steps, ['take the text consoles off (M) frame buffer device']);
  assert.deepEqual(plan({ manager: null }).steps.length, 1);
});

test('planDisplay() holds a display manager that another guest has stopped', () => {
  const held = [
    { guest: 'b', index: 0, at: 0, was: { running: true }, step: { kind: 'unit', unit: 'gdm.service' } },
  ] as unknown as readonly HeldStep[];
  const { steps } = plan({ manager: { ...MANAGER, isRunning: false } }, {}, held);
  assert.equal(steps[0], 'stop gdm.service');
});

test('planDisplay() stops units and processes that the profile names, and refuses for all others', () => {
  const holders = [
    holder(1, 'nvidia-persiste', inUnit('nvidia-persistenced.service')),
    holder(2, 'ollama', inUnit('ollama.service')),
    holder(3, 'nvtop'),
    holder(4, 'containerd', inUnit('docker-1.scope')),
  ];
  assert.deepEqual(plan({ holders }).refusals, [
    'holder-stays: Cannot hand the display over: ollama (process 2 of ollama.service) has the card open, and nothing allows to stop it',
    'holder-stays: Cannot hand the display over: nvtop (process 3 of alice) has the card open, and nothing allows to stop it',
    'holder-stays: Cannot hand the display over: containerd (process 4 of docker-1.scope) has the card open, and nothing allows to stop it',
  ]);
  const allowed = plan(
    { holders: holders.slice(0, 3) },
    { units: ['ollama.service', 'nvidia-persistenced.service'], processes: ['nvtop'] },
  );
  assert.deepEqual(allowed.refusals, []);
  assert.deepEqual(allowed.steps, [
    'stop gdm.service',
    'stop nvidia-persistenced.service',
    'stop ollama.service',
    'end nvtop (process 3)',
    'take the text consoles off (M) frame buffer device',
  ]);
});

test('planDisplay() stops Docker for the container that has the card, where the profile says so', () => {
  const id = '0123456789abcdef'.repeat(4);
  const holders = [holder(4, 'python3', { user: 'root', ...inUnit(`docker-${id}.scope`) })];
  const input = { holders, manager: null };
  const { remedies } = plan(input);
  assert.deepEqual(remedies, [
    'Stop the container (docker stop 0123456789ab), by hand or with a prepare-first command, or write "units = docker.service" under [handover], which stops all of them',
  ]);
  const { steps, refusals, raw, notes } = plan(input, { units: ['docker.service'] });
  assert.ok(
    notes.some((note) => note.endsWith('python3 (process 4 of root, Docker’s container 0123456789ab)')),
  );
  assert.deepEqual(refusals, []);
  assert.deepEqual(steps, ['stop docker.service', 'take the text consoles off (M) frame buffer device']);
  assert.equal(raw[0]?.kind === 'unit' && raw[0].restart && raw[0].cgroup, '/system.slice/docker.service');
  assert.deepEqual(raw[0]?.kind === 'unit' && raw[0].containers, [`/system.slice/docker-${id}.scope`]);
});

test('planDisplay() tells how the container of each engine is stopped', () => {
  const id = '0123456789abcdef'.repeat(4);
  const user = '/user.slice/user-1000.slice/user@1000.service/user.slice';
  const remedies = (cgroup: string) =>
    plan({ holders: [holder(4, 'x', { cgroup })], manager: null }).remedies;
  const stop = (words: string) => [`Stop the container (${words}), by hand or with a prepare-first command`];
  assert.match(remedies(`/docker/${id}`)[0] ?? '', /docker stop 0123456789ab\), .* "units = docker.service"/);
  assert.deepEqual(remedies(`${user}/docker-${id}.scope`), stop('docker stop 0123456789ab'));
  assert.deepEqual(remedies(`/machine.slice/libpod-${id}.scope/container`), stop('podman stop 0123456789ab'));
  assert.deepEqual(remedies(`/kubepods.slice/cri-containerd-${id}.scope`), stop('crictl stop 0123456789ab'));
  const lxc = stop('lxc-stop 101, incus stop 101 or pct stop 101');
  assert.deepEqual(remedies('/lxc/101/ns/system.slice/jellyfin.service'), lxc);
  assert.deepEqual(remedies('/lxc.payload.101/init.scope'), lxc);
});

test('planDisplay() leaves whoever stays to a prepare-first command, and says so', () => {
  const { refusals, notes, leaving } = plan({ holders: [holder(4, 'x')], manager: null }, {}, [], true);
  assert.deepEqual(refusals, []);
  assert.ok(
    notes.some((note) =>
      note.endsWith('nothing allows to stop it; the prepare-first command must see to that'),
    ),
  );
  assert.deepEqual(leaving, [4]);
});

test('planDisplay() stops a unit rather than its process, which systemd would start again', () => {
  const holders = [holder(2, 'ollama', inUnit('ollama.service'))];
  const { steps } = plan({ holders, manager: null }, { units: ['ollama.service'], processes: ['ollama'] });
  assert.equal(steps[0], 'stop ollama.service');
  const alone = plan({ holders, manager: null }, { processes: ['ollama'] });
  assert.equal(alone.steps[0], 'end ollama (process 2)');
  assert.ok(alone.notes.some((note) => note.includes('is of ollama.service, which may start it again')));
});

test('planDisplay() stops the audio server of a lingering user, and starts it again', () => {
  const { raw } = plan({
    holders: [holder(7, 'wireplumber', inUserUnit('wireplumber.service'))],
    manager: null,
  });
  const [unit] = raw;
  assert.deepEqual(unit?.kind === 'unit' && [unit.unit, unit.user, unit.restart, unit.cgroup], [
    'wireplumber.service',
    'alice',
    true,
    '/user.slice/user-1000.slice/user@1000.service/session.slice/wireplumber.service',
  ]);
});

test('planDisplay() stops the sockets too that would start the audio server again', () => {
  const sockets = ['pipewire.socket', 'pipewire-pulse.socket'];
  const holders = [holder(7, 'pipewire', { ...inUserUnit('pipewire.service'), sockets })];
  assert.deepEqual(plan({ holders, manager: null }).steps, [
    'stop pipewire.service, pipewire.socket, pipewire-pulse.socket of alice',
    'take the text consoles off (M) frame buffer device',
  ]);
});

test('planDisplay() with another card for the host: who does not hold this one stays', () => {
  const cards = [
    ...picture().cards,
    { address: OTHER, driver: 'i915', classCode: '030000', bootVga: false, connectors: [] },
  ];
  const { steps, refusals, notes } = plan({
    cards,
    sessions: [session()],
    frameBuffers: [...picture().frameBuffers, { id: 'fb1', name: 'i915drmfb', address: OTHER }],
  });
  assert.deepEqual([steps, refusals], [[], []]);
  assert.ok(notes.includes("0000:00:02.0 (i915) can keep the host's display, but no screen is on it"));
});

const TWO_CARDS: Partial<DisplayPicture> = {
  cards: [
    ...picture().cards,
    { address: OTHER, driver: 'i915', classCode: '030000', bootVga: false, connectors: [] },
  ],
  consoles: [],
};
const BOB = session({ id: '5', uid: 1001, user: 'bob', service: 'gdm-password', seat: 'seat1' });

test('planDisplay() with another card for the host ends no desktop that has this one open, unless the profile says so', () => {
  for (const who of [
    { session: '3' },
    inUserUnit('org.gnome.Shell@wayland.service'),
    inUserUnit('app-firefox-7.scope'),
  ]) {
    const desktop = { ...TWO_CARDS, sessions: [session()], holders: [holder(9, 'firefox', who)] };
    assert.match(
      plan(desktop).refusals.join(),
      /^logged-in: [^,]*alice \(session 3, wayland on seat0\) would/,
    );
    assert.equal(plan(desktop, { sessions: 'end' }).steps[0], 'end session 3 of alice');
    const alone = plan(desktop, { processes: ['firefox'] });
    assert.deepEqual([alone.steps, alone.refusals], [['end firefox (process 9)'], []]);
  }
});

test('planDisplay() ends no session for a container of its user’s', () => {
  const name = `libpod-${'0123456789abcdef'.repeat(4)}.scope`;
  for (const who of [inUserUnit(name), { session: '3', cgroup: `/x/${name}` }]) {
    const desktop = { ...TWO_CARDS, sessions: [session()], holders: [holder(9, 'python3', who)] };
    const { steps, refusals } = plan(desktop, { sessions: 'end' });
    assert.deepEqual([steps, refusals.length], [[], 1]);
    assert.match(refusals[0] ?? '', /^holder-stays: .* Podman’s container/);
  }
});

test('planDisplay() has the display manager wait for its only card', () => {
  const functionsOf = (changes: Partial<DisplayPicture>) => {
    const [manager] = plan({ ...changes, holders: [holder(9, 'Xorg', inUnit('gdm.service'))] }).raw;
    return manager?.kind === 'unit' && manager.functions;
  };
  assert.deepEqual(functionsOf({}), [GPU]);
  assert.equal(functionsOf(TWO_CARDS), undefined);
});

test('planDisplay() knows that desktops end with the display manager whose X server has this card open too', () => {
  const text = session({ id: '7', user: 'carol', uid: 1002, type: 'tty', service: 'login' });
  const desktop = {
    ...TWO_CARDS,
    sessions: [session({ type: 'x11' }), BOB, text],
    holders: [holder(9, 'Xorg', inUnit('gdm.service'))],
  };
  assert.match(plan(desktop).refusals.join(), /: alice \(.*\) and bob \(session 5, wayland on seat1\) would/);
  assert.deepEqual(plan(desktop, { sessions: 'end' }).steps, [
    'end session 3 of alice',
    'end session 5 of bob',
    'stop gdm.service',
  ]);
});

test('planDisplay() gives the audio server back to a user who stays before another card', () => {
  const holders = [
    holder(7, 'pipewire', { ...inUserUnit('pipewire.service'), sockets: ['pipewire.socket'] }),
  ];
  const { raw, refusals } = plan({ ...TWO_CARDS, sessions: [session()], holders });
  assert.deepEqual(refusals, []);
  assert.deepEqual(
    raw.map((step) => step.kind === 'unit' && [step.unit, step.restart, step.sockets]),
    [['pipewire.service', true, ['pipewire.socket']]],
  );
});

test('planDisplay() ends the manager of the log-in screen’s user too, which would keep the sound card for some seconds', () => {
  const userUnit = { unit: 'wireplumber.service', uid: 120, user: 'gdm' };
  const greeter = session({ id: 'c1', uid: 120, user: 'gdm', sessionClass: 'greeter' });
  const ended = (sessions: LoginSession[], changes: Partial<DisplayHolder> = {}) => {
    const holders = [holder(7, 'wireplumber', { userUnit, ...changes })];
    const { raw } = plan({ sessions, consoles: [], holders }, { sessions: 'end' });
    return raw.flatMap((step) => (step.kind === 'unit' ? [`${step.unit} ${step.restart}`] : []));
  };
  const manager = { ...greeter, id: '2', sessionClass: 'manager', seat: null };
  assert.deepEqual(ended([greeter, manager]), ['gdm.service true', 'user@120.service false']);
  // A log-in screen that runs as somebody who has other things to do, too
  assert.deepEqual(ended([greeter], { lingers: true }), ['gdm.service true', 'wireplumber.service true']);
  const remote = { ...greeter, id: '9', sessionClass: 'user', seat: null };
  assert.deepEqual(ended([greeter, remote]), ['gdm.service true', 'wireplumber.service true']);
});

test('planDisplay() ends what is left of a session that is over, without calling it anybody’s work', () => {
  const closing = session({ state: 'closing' });
  const holders = [holder(10, 'kwin_wayland', inUserUnit('plasma-kwin_wayland.service'))];
  const { steps, refusals } = plan({ sessions: [closing], holders, consoles: [] });
  assert.deepEqual(
    [steps, refusals],
    [['stop gdm.service', 'stop plasma-kwin_wayland.service of alice'], []],
  );
});

test('planDisplay() refuses to saw off the branch that this process sits on', () => {
  const wishes = { sessions: 'end' } as const;
  const from = (ownCgroup: string) => plan({ sessions: [session()], ownCgroup }, wishes).refusals;
  assert.deepEqual(from('/user.slice/user-1000.slice/session-3.scope'), [
    'own-session: Cannot hand the display over from session 3 of alice: this very process would be ended with it',
  ]);
  assert.deepEqual(from('/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope').length, 1);
  assert.deepEqual(from('/user.slice/user-1000.slice/session-9.scope'), []);
});

test('planDisplay() names the firmware’s picture, which does not come back, and unbinds it', () => {
  const firmware = [{ device: 'efi-framebuffer.0', driver: 'efi-framebuffer', address: null, claims: false }];
  const { steps, notes } = plan({
    firmware,
    frameBuffers: [{ id: 'fb0', name: 'EFI VGA', address: null }],
    manager: null,
  });
  assert.deepEqual(steps, [
    'take the text consoles off (M) frame buffer device',
    'unbind efi-framebuffer.0 from efi-framebuffer',
  ]);
  assert.ok(notes.some((note) => note.includes('gone until the next boot')));
});

test('planDisplay() refuses a card that is no VGA controller while the firmware’s frame buffer has its memory', () => {
  const ids = (
    classCode: string,
    display: boolean,
    claims: boolean,
    driver: string | null = 'simple-framebuffer',
  ) => {
    const one = { device: 'simple-framebuffer.0', driver, address: GPU, claims };
    const { refusals } = planDisplay({
      guest: 'one',
      taken: [{ ...gpu, classCode }],
      picture: picture({ firmware: [one], manager: null }),
      held: [],
      deadlineMs: 2000,
      wishes: { ...WISHES, display },
    });
    return refusals.map(({ id, remedy }) => `${id}: ${remedy?.split(' ')[0]}`);
  };
  assert.deepEqual(ids('038000', false, false), ['framebuffer-claims: Write']);
  assert.deepEqual(ids('038000', true, false), []);
  // Unbinding its driver does not help: the device has the memory
  assert.deepEqual(ids('038000', true, true), ['framebuffer-claims: Boot']);
  assert.deepEqual(ids('038000', false, true, null), ['framebuffer-claims: Boot']);
  assert.deepEqual(ids('030000', true, true), []);
});

test('planDisplay() unloads NVIDIA’s modules from the top where all its cards go, and only then', () => {
  const modules = new Map([
    [
      'nvidia',
      ['nvidia_drm', 'nvidia_modeset', 'nvidia'].map((name) => ({ name, holders: [], useCount: 0 })),
    ],
  ]);
  const all = plan({ modules, driverFunctions: new Map([['nvidia', [GPU]]]), manager: null });
  assert.deepEqual(all.steps.slice(1), [
    'unload the module nvidia_drm',
    'unload the module nvidia_modeset',
    'unload the module nvidia',
  ]);
  const two = plan({ modules, driverFunctions: new Map([['nvidia', [GPU, OTHER]]]), manager: null });
  assert.equal(two.steps.length, 1);
  const kept = plan(
    { modules, driverFunctions: new Map([['nvidia', [GPU]]]), manager: null },
    { modules: 'keep' },
  );
  assert.equal(kept.steps.length, 1);
});

test('planDisplay() without systemd refuses where units would have to be stopped', () => {
  const { refusals } = plan({ hasSystemd: false, sessions: [session()], manager: null }, { sessions: 'end' });
  assert.match(refusals[0] ?? '', /^no-systemd/);
});

test('planDisplay() does not take a card for the host’s that only computes', () => {
  const withOther = (classCode: string, connectors: readonly { name: string; connected: boolean }[] = []) =>
    plan({
      cards: [
        ...picture().cards,
        { address: OTHER, driver: 'nvidia', classCode, bootVga: false, connectors },
      ],
    }).notes[1];
  assert.match(withOther('030000') ?? '', /can keep the host's display/);
  assert.match(withOther('030200') ?? '', /^No other graphics card/);
  assert.match(withOther('030200', [{ name: 'DP-2', connected: true }]) ?? '', /with a screen on DP-2/);
});

test('planDisplay() tells how a desktop that a text console starts by itself stays away', () => {
  const from = (changes: Partial<LoginSession>, holders = [holder(9, 'Xorg', inSession('3'))]) =>
    plan({ sessions: [session({ type: 'tty', ...changes })], holders }, { sessions: 'end' }).notes.filter(
      (note) => note.includes('getty@tty1.service'),
    );
  assert.equal(from({ service: 'login', tty: 'tty1' }).length, 1);
  assert.deepEqual(
    [from({ service: 'login', tty: 'tty1' }, []), from({ service: 'greetd', tty: 'tty1' })],
    [[], []],
  );
});

test('planDisplay() leaves what another init runs to the prepare-first command, where there is one', () => {
  // OpenRC with elogind: sessions, but no units
  const openrc = { hasSystemd: false, sessions: [session()], holders: [holder(9, 'Xorg')], manager: null };
  const { steps, refusals, notes } = plan(openrc, { sessions: 'end' }, [], true);
  assert.deepEqual([steps, refusals], [['take the text consoles off (M) frame buffer device'], []]);
  assert.equal(notes.filter((note) => note.endsWith('the prepare-first command must see to that')).length, 2);
  assert.match(plan(openrc, {}, [], true).refusals.join(), /^logged-in/);
});

test('planDisplay() starts the watchdog before anything else, under a name that systemd takes', () => {
  const { steps, raw } = plan({ canRecover: true });
  assert.equal(steps[0], 'have everything given back in 130 s if no guest runs by then');
  assert.equal(raw[0]?.kind === 'watchdog' && raw[0].unit, 'passqemu-watchdog-win_2011');
});

test('planDisplay() refuses where a log-in screen has the card and its unit is not known', () => {
  const { refusals } = plan({
    manager: null,
    sessions: [session({ id: 'c1', uid: 120, user: 'gdm', sessionClass: 'greeter' })],
    holders: [holder(5, 'Xorg', inSession('c1'))],
  });
  assert.match(refusals[0] ?? '', /^unknown-manager/);
});
