import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDevicesReport } from '../../../launchers/devices-report.ts';
import { RecordedHost } from '../../../lib/host/recorded-host.ts';
import { RecordingHost } from '../../../lib/host/recording-host.ts';
import { FakeHost } from '../../fake/fake-host.ts';
import { labMachine } from '../../fake/lab-machine.ts';

test('RecordingHost asks the machine once for each path: what it records is one moment, also of a file that changes', () => {
  const machine = labMachine();
  const asked: string[] = [];
  const counting = new Proxy(machine, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...words: readonly unknown[]) => {
        if (typeof words[0] === 'string') asked.push(`${String(name)} ${words.join(' ')}`);
        return value.apply(target, words);
      };
    },
  });
  const recorder = new RecordingHost(counting);
  const first = readDevicesReport(recorder, '/run/passqemu');
  const readings = (lines: readonly string[]) => lines.filter((line) => /^(read|list|exists)/.test(line));
  assert.equal(new Set(readings(asked)).size, readings(asked).length);
  machine.put('/sys/bus/pci/devices/0000:01:00.0/vendor', '0x1234\n');
  asked.length = 0;
  assert.deepEqual(readDevicesReport(recorder, '/run/passqemu'), first);
  assert.deepEqual(readings(asked), []);
  const recorded = new RecordedHost('machine', recorder.tree, new FakeHost());
  assert.deepEqual(readDevicesReport(recorded, '/run/passqemu'), first);
});
