/** The lab's processor count: 2 sockets of 2 cores with 2 threads. */
export const processors = 8;

/**
 * A made-up family: acpi-cpufreq refuses the K8 family that QEMU would show, and the kernel reads the threads of an AMD
 * core only from newer ones. Without `svm` there is no /dev/kvm in the lab.
 */
export function processorModel(nestedKvm: boolean): string {
  return `max,family=25,model=1,stepping=1,svm=${nestedKvm ? 'on' : 'off'}`;
}
