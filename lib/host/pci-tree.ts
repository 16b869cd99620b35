import { comparePciAddresses, type PciAddress, parsePciAddress } from '../words/pci-address.ts';
import type { Host } from './host.ts';
import { type PciFunction, readPciFunction } from './pci-function.ts';

/** All functions of the machine in the order of their addresses. */
export type PciTree = ReadonlyMap<PciAddress, PciFunction>;

/** The addresses that /sys/bus/pci/devices lists, in order. */
export function listPciAddresses(host: Host): PciAddress[] {
  return parseAddresses(host.list('/sys/bus/pci/devices'));
}

/** Reads every function of the machine, of `wedged` ones what can be read without waiting; one that goes away meanwhile is left out. */
export function readPciTree(host: Host, wedged: ReadonlySet<PciAddress> = new Set()): PciTree {
  const tree = new Map<PciAddress, PciFunction>();
  for (const address of listPciAddresses(host)) {
    const found = readPciFunction(host, address, wedged.has(address));
    if (found !== null) tree.set(address, found);
  }
  return tree;
}

/** Names of a folder that are addresses as the kernel writes them, in order. */
export function parseAddresses(names: readonly string[]): PciAddress[] {
  return names
    .map((name) => parsePciAddress(name))
    .filter((address, index) => address !== null && address === names[index])
    .sort((a, b) => comparePciAddresses(a!, b!)) as PciAddress[];
}
