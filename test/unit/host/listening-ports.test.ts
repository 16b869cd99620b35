import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readListeningPorts } from '../../../lib/host/listening-ports.ts';
import { FakeHost } from '../../fake/fake-host.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue\n';

test('readListeningPorts() finds listeners of both families and no connections', () => {
  const host = new FakeHost()
    .put(
      '/proc/net/tcp',
      `${HEAD}   0: 0100007F:170C 00000000:0000 0A 00000000:00000000 00:00000000\n   1: 0100007F:0016 0100007F:D431 01 00000000:00000000\n`,
    )
    .put(
      '/proc/net/tcp6',
      `${HEAD}   0: 00000000000000000000000000000000:08AE 00000000000000000000000000000000:0000 0A 0\n`,
    )
    .put('/proc/net/udp', `${HEAD}  17: 00000000:0035 00000000:0000 07 00000000:00000000\n`);
  assert.deepEqual([...readListeningPorts(host)], ['tcp:5900', 'tcp:2222', 'udp:53']);
  assert.deepEqual([...readListeningPorts(new FakeHost())], []);
});
