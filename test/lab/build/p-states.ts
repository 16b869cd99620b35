import { processors } from './processor.ts';

/**
 * One I/O port for each processor, where acpi-cpufreq writes the wanted state and reads it back. They are the page
 * registers of the old DMA controller: q35 has them, they hold a byte, and nothing uses them.
 */
const ports = [0x87, 0x83, 0x81, 0x82, 0x8b, 0x89, 0x8a, 0x8f];

const states = [
  { megahertz: 3600, milliwatts: 95000 },
  { megahertz: 3000, milliwatts: 75000 },
  { megahertz: 2200, milliwatts: 45000 },
  { megahertz: 1400, milliwatts: 20000 },
];

/** The source of an ACPI table that gives every processor its P-states, so that governors really switch. */
export function performanceStates(): string {
  const cpus = ports.slice(0, processors).map((port, index) => {
    const name = `\\_SB.CPUS.C${index.toString(16).toUpperCase().padStart(3, '0')}`;
    const register = `ResourceTemplate () { Register (SystemIO, 8, 0, 0x${port.toString(16)}) }`;
    const packages = states.map(
      ({ megahertz, milliwatts }, number) =>
        `Package () { ${megahertz}, ${milliwatts}, 10, 10, ${number}, ${number} }`,
    );
    return `
  External (${name}, ProcessorObj)
  Scope (${name}) {
    Name (_PCT, Package () { ${register}, ${register} })
    Name (_PSS, Package () { ${packages.join(', ')} })
    Name (_PPC, 0)
  }`;
  });
  return `DefinitionBlock ("", "SSDT", 2, "PASSQ", "PSTATES", 1) {${cpus.join('')}\n}\n`;
}
