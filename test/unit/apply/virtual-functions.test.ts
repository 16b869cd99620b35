import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setVirtualFunctions } from '../../../lib/apply/virtual-functions.ts';
import { HostError, RefusedError } from '../../../lib/words/errors.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { addPciDevice, loadDriver, pci } from '../../fake/pci-model.ts';
import { driverStep, planOf, prepare, STATE } from '../../fake/whole-machine.ts';

const PF = '0000:07:00.0';
const VF = '0000:07:00.1';
const NIC = { vendor: '8086', device: '10c9', class: '020000', group: 5, driver: 'igb' };

/** A card whose driver makes virtual functions, as drivers/pci/iov.c lets it: from 0 to a number and back, nothing else. */
function machine(total = 4): FakeHost {
  const host = new FakeHost();
  loadDriver(host, 'vfio-pci');
  const path = addPciDevice(host, { ...NIC, address: PF, sriov: { total, enabled: 0 } });
  host.onWrite(/\/sriov_numvfs$/, (file, text) => {
    const [had, wanted] = [Number(host.peek(file)), Number(text)];
    if (had > 0 && wanted > 0) throw new HostError('busy', { code: 'EBUSY', path: file });
    for (let n = 1; n <= wanted; n++)
      addPciDevice(host, { ...NIC, group: 10 + n, address: `0000:07:00.${n}`, physicalFunction: PF });
    for (let n = 0; n < had; n++) {
      host.drop(`${path}/virtfn${n}`);
      host.drop(`/sys/bus/pci/devices/0000:07:00.${n + 1}`);
    }
    host.put(file, `${wanted}\n`);
  });
  return host;
}

function set(host: FakeHost, wanted: number, dryRun = false, address = PF) {
  const request = { stateDir: STATE, address: pci(address), wanted, lockWaitMs: 1000, dryRun };
  return setVirtualFunctions(host, request, () => {});
}

/** Ids and sentences of a refusal. */
async function refused(made: Promise<unknown>): Promise<(readonly [string, string])[]> {
  const error = await made.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof RefusedError, String(error));
  return error.refusals.map(({ id, summary }) => [id, summary]);
}

test('setVirtualFunctions() makes them, leaves what is so already, and ends them, one write each', async () => {
  const host = machine();
  const { before, after } = await set(host, 2);
  assert.deepEqual(
    [before.sriov, after.sriov],
    [
      { total: 4, enabled: 0 },
      { total: 4, enabled: 2 },
    ],
  );
  assert.deepEqual(after.virtualFunctions, [VF, '0000:07:00.2']);
  const begun = host.calls.length;
  await set(host, 2);
  const ended = await set(host, 0);
  assert.deepEqual(ended.after.virtualFunctions, []);
  const writes = host.calls.slice(begun).filter((call) => /write.*sriov_numvfs/.test(call));
  assert.equal(writes.length, 1, writes.join('\n'));
});

test('setVirtualFunctions() writes nothing in a dry run', async () => {
  const host = machine();
  const { after } = await set(host, 2, true);
  assert.equal(after.sriov?.enabled, 0);
  assert.equal((await refused(set(host, 5, true)))[0]?.[0], 'too-many');
});

test('setVirtualFunctions() refuses what the function cannot, and another number than none where there are some', async () => {
  const host = machine();
  assert.deepEqual(await refused(set(host, 5)), [
    ['too-many', '0000:07:00.0 can have 4 virtual functions, not 5'],
  ]);
  await set(host, 2);
  assert.deepEqual(await refused(set(host, 3)), [
    [
      'already-some',
      '0000:07:00.0 has 2 virtual functions, and the kernel makes others only where there are none',
    ],
  ]);
  addPciDevice(host, { ...NIC, address: '0000:08:00.0' });
  assert.equal((await refused(set(host, 1, false, '0000:08:00.0')))[0]?.[0], 'no-sriov');
  addPciDevice(host, { ...NIC, address: '0000:09:00.0', sriov: { total: 2, enabled: 0 } });
  host.write('/sys/bus/pci/drivers/igb/unbind', '0000:09:00.0');
  assert.equal((await refused(set(host, 1, false, '0000:09:00.0')))[0]?.[0], 'no-driver');
  await assert.rejects(set(host, 1, false, '0000:0a:00.0'), /no such PCI function/);
});

test('setVirtualFunctions() does not end functions that a guest or a program has', async () => {
  const host = machine();
  await set(host, 2);
  await prepare(host, planOf('win', [driverStep(VF, 'vfio-pci')]));
  assert.deepEqual(await refused(set(host, 0)), [['held', `guest win holds ${VF}`]]);
  assert.deepEqual(await refused(set(host, 0, true)), [['held', `guest win holds ${VF}`]]);
});

test('setVirtualFunctions() does not end one that a QEMU of somebody else has open', async () => {
  const host = machine();
  await set(host, 1);
  host.write('/sys/bus/pci/drivers/igb/unbind', VF);
  host.write(`/sys/bus/pci/devices/${VF}/driver_override`, 'vfio-pci');
  host.write('/sys/bus/pci/drivers_probe', VF);
  host.put('/proc/700/comm', 'qemu-system-x86\n').put('/proc/700/cgroup', '0::/machine.slice/x.scope\n');
  host.putLink('/proc/700/fd/9', '/dev/vfio/11');
  assert.deepEqual(await refused(set(host, 0)), [
    ['open', `/dev/vfio/11 of ${VF} is open in qemu-system-x86 (process 700, x.scope)`],
  ]);
});

test('setVirtualFunctions() says that the driver did nothing', async () => {
  const host = new FakeHost();
  addPciDevice(host, { ...NIC, address: PF, sriov: { total: 4, enabled: 0 } });
  host.onWrite(/\/sriov_numvfs$/, () => {});
  await assert.rejects(set(host, 2), /Cannot see 2 virtual functions of 0000:07:00.0: it says it has 0/);
});
