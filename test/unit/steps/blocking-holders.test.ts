import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockingHolders } from '../../../lib/steps/blocking-holders.ts';
import { parsePciAddress } from '../../../lib/words/pci-address.ts';
import { labMachine } from '../../fake/lab-machine.ts';

const DISK = parsePciAddress('0000:02:00.0')!;
const NIC = parsePciAddress('0000:01:00.0')!;

test('blockingHolders() is empty where nobody has a node of the function', () => {
  assert.deepEqual(blockingHolders(labMachine(), DISK), []);
});

test('blockingHolders() names a disk that the host has claimed since the plan was made', () => {
  const host = labMachine().setBusy('/dev/nvme0n1');
  assert.deepEqual(blockingHolders(host, DISK), [
    'the host, which has claimed /dev/nvme0n1 (mounted, swap, or part of a volume)',
  ]);
  assert.deepEqual(blockingHolders(host, NIC), []);
});
