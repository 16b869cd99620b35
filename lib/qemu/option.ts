/** What one property may be: null and undefined leave it out, true and false are on and off. */
export type PropertyValue = string | number | boolean | null | undefined;

/**
 * Writes one argument of QEMU's form "driver,name=value,…". A comma in a value is doubled, which both of QEMU's parsers (QemuOpts and
 * keyval, docs/system/invocation) read back as one; nothing else in a value means anything to them, line breaks and quotes included.
 */
export function option(head: string, properties: Readonly<Record<string, PropertyValue>> = {}): string {
  const parts = head === '' ? [] : [doubled(head)];
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    parts.push(`${name}=${typeof value === 'boolean' ? onOff(value) : doubled(String(value))}`);
  }
  return parts.join(',');
}

/** A label of the profile as part of an id: QEMU takes ASCII letters, digits, "-", "." and "_" only. */
export function idOf(kind: string, label: string): string {
  const escaped = label.replace(/[^A-Za-z0-9.-]/gu, (sign) => `_${sign.codePointAt(0)!.toString(16)}_`);
  return `${kind}-${escaped}`;
}

function doubled(text: string): string {
  return text.replaceAll(',', ',,');
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off';
}
