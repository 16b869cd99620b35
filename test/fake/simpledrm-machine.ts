import { planGuest } from '../../lib/apply/plan-guest.ts';
import type { Host } from '../../lib/host/host.ts';
import { parseProfile } from '../../lib/inputs/read-profile.ts';
import type { Plan } from '../../lib/words/step.ts';
import { addConsoles, addUnits } from './display-model.ts';
import type { FakeHost } from './fake-host.ts';
import { modelOf } from './pci-machine.ts';
import { addPciDevice } from './pci-model.ts';
import { addSimpledrm } from './simpledrm-model.ts';
import { wholeMachine } from './whole-machine.ts';

const GPU = '0000:00:02.0';
/** A file that is there once VFIO has had the card. */
export const HAD_VFIO = '/srv/had-vfio';
/** The machine's other card goes too: else it could keep the host's display. */
const PROFILE = `[devices]\ngpu = ${GPU}\nother = 0000:04:00.0\n[handover]\ndisplay = yes\n`;

/** A card without a driver of its own, the firmware's picture on it with simpledrm, and a display manager before that. */
export function simpledrmMachine(): FakeHost {
  return wholeMachine((host) => {
    addPciDevice(host, {
      ...{ address: GPU, vendor: '10de', device: '2684', class: '030000', group: 8 },
      ...{ homeDrivers: [], bootVga: true },
    });
    addConsoles(host);
    addSimpledrm(host, GPU);
    addUnits(host, { name: 'gdm.service', cgroup: '/system.slice/gdm.service', node: '/dev/dri/card0' });
    host.putLink('/etc/systemd/system/display-manager.service', '/usr/lib/systemd/system/gdm.service');
    host.put('/etc/passqemu/one.ini', PROFILE);
    modelOf(host).onVfio.push((one, address) => address === GPU && one.put(HAD_VFIO, 'yes\n'));
  });
}

/** The plan of a guest that gets its cards. */
export function planSimpledrm(host: Host): Plan {
  const profile = parseProfile(PROFILE, { guest: 'one', path: '/etc/passqemu/one.ini' });
  const rest = { sources: new Map(), texts: new Map(), domain: null, asText: '' };
  return planGuest(host, { guest: 'one', profile, ...rest }, []);
}
