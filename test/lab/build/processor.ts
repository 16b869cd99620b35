/** The lab's processor count: 2 sockets of 2 cores with 2 threads. */
export const processors = 8;

/**
 * A processor that does not exist: no driver may think that it knows it better than the ACPI table with the P-states,
 * and acpi-cpufreq refuses the family that QEMU would show. Intel's way of telling the topology is the one that QEMU
 * emulates in full, down to threads; but it is AMD's virtualization that QEMU emulates. Hence two of them.
 */
export function processorModel(nestedKvm: boolean): string {
  return nestedKvm
    ? 'max,vendor=AuthenticAMD,family=25,model=1,stepping=1,svm=on'
    : 'max,vendor=GenuineIntel,family=6,model=26,stepping=1,svm=off';
}
