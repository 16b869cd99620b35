/** One word of the kernel's command line; null for a word without "=". */
export interface KernelParameter {
  readonly name: string;
  readonly value: string | null;
}

/** Reads /proc/cmdline (Documentation/admin-guide/kernel-parameters.rst): dashes and underscores in names are one, a value may be in double quotes. */
export function parseKernelParameters(text: string): readonly KernelParameter[] {
  const found: KernelParameter[] = [];
  for (const [word] of text.matchAll(/(?:[^\s"]|"[^"]*"?)+/g)) {
    // Everything behind a lone "--" is for init
    if (word === '--') break;
    const plain = word.replaceAll('"', '');
    const at = plain.indexOf('=');
    const name = (at < 0 ? plain : plain.slice(0, at)).replaceAll('-', '_');
    found.push({ name, value: at < 0 ? null : plain.slice(at + 1) });
  }
  return found;
}

/** All values of a parameter, in order; a word without "=" counts as "". */
export function valuesOf(parameters: readonly KernelParameter[], name: string): readonly string[] {
  return parameters.filter((one) => one.name === name).map(({ value }) => value ?? '');
}

/** The comma-separated words of all occurrences of a parameter ("intel_iommu=on,igfx_off"). */
export function wordsOf(parameters: readonly KernelParameter[], name: string): readonly string[] {
  return valuesOf(parameters, name)
    .flatMap((value) => value.split(','))
    .filter((word) => word !== '');
}
