import type { Host } from './host.ts';

/** TCP's LISTEN, and what an unconnected UDP socket has (include/net/tcp_states.h). */
const LISTENING = { tcp: '0A', udp: '07' } as const;

/** Ports that somebody listens on, on whatever address, as "tcp:5900" (proc(5), /proc/net/tcp). */
export function readListeningPorts(host: Host): Set<string> {
  const ports = new Set<string>();
  for (const protocol of ['tcp', 'udp'] as const)
    for (const version of ['', '6'])
      for (const port of parseSockets(
        host.readOptional(`/proc/net/${protocol}${version}`) ?? '',
        LISTENING[protocol],
      ))
        ports.add(`${protocol}:${port}`);
  return ports;
}

/** Local ports of the sockets in a state: "  0: 0100007F:170C 00000000:0000 0A …". */
export function parseSockets(text: string, state: string): number[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /.exec(line);
    return match?.[2] === state ? [Number.parseInt(match[1]!, 16)] : [];
  });
}
