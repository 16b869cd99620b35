import type { Host, PathFacts } from '../host/host.ts';
import { HostError } from '../words/errors.ts';
import type { StepKind } from './step-kind.ts';

/**
 * The owner of a device node that a QEMU without root must open itself (/dev/vfio/GROUP of a function that is plugged in while it runs). The
 * node is made anew with each bind, by root for root, so a node of another device, or none, has nothing of ours to give back.
 */
export const nodeKind: StepKind<'node'> = {
  describe: ({ path, uid }) => `give ${path} to user ${uid}`,
  describeUndo: ({ path }, was) => `give ${path} back to user ${was.uid}`,

  observe({ path }, { host }) {
    const facts = readNodeFacts(host, path);
    if (facts === null)
      throw new HostError(`Cannot give ${path} to another user: it is no device node`, {
        path,
        code: 'ENODEV',
      });
    return { uid: facts.uid, gid: facts.gid, rdev: facts.rdev! };
  },

  apply({ path, uid, gid }, was, { host }) {
    host.changeOwner(path, uid, gid);
    const facts = readNodeFacts(host, path);
    if (facts === null || facts.uid !== uid || facts.gid !== gid || facts.rdev !== was.rdev)
      throw new HostError(`Cannot give ${path} to user ${uid}: the kernel shows another owner`, { path });
    return null;
  },

  undo({ path, uid, gid }, was, _got, { host, note }) {
    const facts = readNodeFacts(host, path);
    if (facts === null || facts.rdev !== was.rdev) return;
    if (facts.uid === was.uid && facts.gid === was.gid) return;
    if (facts.uid !== uid || facts.gid !== gid) {
      note(
        `${path} belongs to user ${facts.uid} now, to whom somebody else has given it: left so (it was ${was.uid})`,
      );
      return;
    }
    host.changeOwner(path, was.uid, was.gid);
    const now = readNodeFacts(host, path);
    if (now !== null && now.rdev === was.rdev && (now.uid !== was.uid || now.gid !== was.gid))
      throw new HostError(`Cannot give ${path} back to user ${was.uid}: it still belongs to ${now.uid}`, {
        path,
      });
  },

  drift({ path, uid }, was, _got, { host }) {
    const facts = readNodeFacts(host, path);
    if (facts === null || facts.rdev !== was.rdev) return `${path} is gone`;
    return facts.uid === uid ? null : `${path} belongs to user ${facts.uid}, not ${uid}`;
  },
};

function readNodeFacts(host: Host, path: string): PathFacts | null {
  const facts = host.stat(path);
  return facts !== null && facts.kind === 'character' && facts.rdev !== null ? facts : null;
}
