import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportProxmox } from '../../../../lib/convert/proxmox/export.ts';
import { importProxmox } from '../../../../lib/convert/proxmox/import.ts';
import { INSTALLER_STORAGES } from '../../../../lib/convert/proxmox/storage.ts';
import type { PciAddress } from '../../../../lib/words/pci-address.ts';
import { FUNCTIONS, linesOf, NO_HOST, readSample, USUAL_UUID } from '../samples.ts';

const PROFILE = readSample('proxmox.ini');
const AT = { storages: INSTALLER_STORAGES, storage: 'local-lvm' };
const guest = { guest: 'win11', path: '/x.ini', functions: FUNCTIONS, uuid: USUAL_UUID };
/** The card of FUNCTIONS is whole on this host, and it knows their kinds. */
const HOST = {
  usualUuid: () => USUAL_UUID,
  about: (address: PciAddress) => ({
    kind: { '0000:01:00.0': 'gpu', '0000:01:00.1': 'sound' }[address as string] ?? 'nic',
    identity: null,
    comment: 'there',
  }),
  functionsOf: (slot: string) => [...FUNCTIONS.values()].filter((address) => address.startsWith(slot)),
};

/** The options as lines of a configuration, which is what `qm set` makes of them. */
function confOf(options: ReadonlyMap<string, string>): string {
  return [...options].map(([key, value]) => `${key}: ${value}\n`).join('');
}

test('exportProxmox() and importProxmox() keep every fact that both know', () => {
  const out = exportProxmox({ ...guest, text: PROFILE }, AT);
  assert.deepEqual(out.dropped, []);
  const back = importProxmox(confOf(out.options), HOST, { ...AT, fallbackName: 'x' });
  assert.deepEqual(linesOf(back.profile), linesOf(PROFILE));
  assert.deepEqual([back.guest, back.dropped], ['win11', []]);
});

test('exportProxmox() writes the options as Proxmox has them', () => {
  const { options } = exportProxmox({ ...guest, text: PROFILE }, AT);
  assert.deepEqual(
    [...options].filter(([key]) =>
      /^(cpu|affinity|hostpci\d|scsi0|scsihw|numa1|net0|boot|efidisk0|tpmstate0|args)$/.test(key),
    ),
    [
      ['cpu', 'host,hidden=1,hv-vendor-id=abc,phys-bits=40,flags=+pcid;-md-clear'],
      ['affinity', '2-5'],
      ['numa1', 'cpus=2-3,memory=4096,hostnodes=1,policy=bind'],
      ['args', "-no-hpet -global 'a b=c'"],
      ['efidisk0', 'local-lvm:vm-100-disk-0,efitype=4m,pre-enrolled-keys=1'],
      ['tpmstate0', 'local-lvm:1,version=v2.0'],
      ['hostpci0', 'host=0000:01:00,pcie=1,x-vga=1,romfile=card.rom,sub-vendor-id=0x1043'],
      ['hostpci1', 'host=0000:02:00.0,pcie=1,rombar=0'],
      ['scsi0', 'local-lvm:vm-100-disk-1,aio=native,discard=on,iothread=1,queues=4,serial=A%20B%2F1,ssd=1'],
      ['scsihw', 'virtio-scsi-single'],
      ['net0', 'virtio=52:54:00:11:22:33,bridge=vmbr0'],
      ['boot', 'order=scsi0;net0;sata3;hostpci0'],
    ],
  );
});

test('exportProxmox() tells what Proxmox has no option for, and keeps what is in a value out of the options', () => {
  const text = [
    '[options]\nsiblings = park',
    '[machine]\nthreads = 2\ncores = 2\nuser = vm',
    '[disk a]\nsource = /srv/a.raw\nbus = nvme\nserial = x,y=1',
    '[disk b]\nsource = "/srv/a,b.raw"',
    '[network t]\ntype = tap\ninterface = tap0\nmac = 52:54:00:11:22:33',
  ].join('\n');
  const { options, dropped } = exportProxmox(
    { ...guest, text, functions: new Map() },
    { ...AT, storage: null },
  );
  assert.equal(options.get('cores'), '4');
  assert.equal(options.get('sata0'), '/srv/a.raw,aio=native,discard=on,format=raw,serial=x%2Cy%3D1,ssd=1');
  assert.deepEqual(
    dropped.map(({ what }) => what),
    [
      '[machine] threads = 2',
      '[firmware] the guest’s variables',
      '[disk a] bus = nvme',
      '[disk a], its label',
      '[disk b]',
      '[network t]',
      '[options] siblings',
      '[machine] user',
    ],
  );
});

test('importProxmox() reads an old machine, and lists what it does not know', () => {
  const conf = `name: old.example
bootdisk: virtio0
virtio0: ceph:vm-1-disk-0,size=32G
ide0: local-lvm:vm-1-disk-1,backup=0
ide2: none,media=cdrom
net0: model=rtl8139,macaddr=02:00:00:00:00:01,bridge=vmbr1,tag=5,firewall=1
hostpci0: 02:00,mdev=nvidia-63
hostpci1: 03:00.1
hugepages: any
numa: 1
onboot: 1
watchdog: model=i6300esb
`;
  const { guest: name, profile, dropped } = importProxmox(conf, NO_HOST, { ...AT, fallbackName: 'x' });
  assert.equal(name, 'old.example');
  assert.deepEqual(
    linesOf(profile).filter((line) => /disk|network|devices|memory|machine\] type/.test(line)),
    [
      '[devices] device = 0000:03:00.1',
      '[disk ide0] aio = io_uring',
      '[disk ide0] bus = ide',
      '[disk ide0] discard = no',
      '[disk ide0] source = /dev/pve/vm-1-disk-1',
      '[disk ide0] ssd = no',
      '[disk ide2] type = cdrom',
      '[machine] memory = 512M',
      '[machine] type = i440fx',
      '[memory] hugepages = 2M',
      '[network net0] bridge = vmbr1',
      '[network net0] mac = 02:00:00:00:00:01',
      '[network net0] model = rtl8139',
      '[network net0] type = bridge',
    ],
  );
  assert.deepEqual(
    dropped.map(({ what }) => what),
    [
      'hugepages: any',
      'hostpci0: nvidia-63',
      'virtio0: ceph:vm-1-disk-0',
      'ide0, backup=0',
      'net0, firewall=1',
      'net0, tag=5',
      'boot, virtio0',
      'onboot: 1',
      'watchdog: model=i6300esb',
    ],
  );
});
