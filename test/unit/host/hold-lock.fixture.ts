import { RealHost } from '../../../lib/host/real-host.ts';

// Takes the lock, starts a child that outlives us, says its number and waits to be killed
const host = new RealHost('/', () => {});
await host.lock(process.argv[2]!, 'the fixture', 1000, () => {});
process.stdout.write(`${host.spawnDetached(['sleep', '60'])}\n`);
setInterval(() => {}, 1000);
