import { isProblem, visible } from './parsed.ts';
import type { DeviceRequest } from './profile.ts';
import { parsePlainValue } from './profile-text.ts';
import { formatDeviceRequest } from './selector.ts';

/** One device of a profile to be written, with what a person should know of it ("NVIDIA AD102, now on nouveau"). */
export interface MinimalDevice {
  readonly request: DeviceRequest;
  readonly comment?: string;
}

/** What `enable` and `import` know of a guest: its devices, and lines for whoever opens the file. */
export interface MinimalProfile {
  readonly guest: string;
  readonly devices: readonly MinimalDevice[];
  readonly comments?: readonly string[];
}

/** Writes a profile with the guest's devices and nothing else set, and comments. parseProfile reads it back as the same requests. */
export function formatMinimalProfile({ guest, devices, comments = [] }: MinimalProfile): string {
  const lines = [
    comment(`passqemu profile of ${guest}`),
    comment('All that is not set here is read from the domain XML or has its default: see docs/profile.md.'),
    ...comments.map(comment),
    '',
    '[devices]',
    ...devices.flatMap(({ request, comment: about }) => [
      ...(about === undefined ? [] : [comment(about)]),
      `${request.label} = ${formatProfileValue(formatDeviceRequest(request))}`,
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** Writes a value so that it is read back as it is: as it stands where it can, else in double quotes. Not for commands. */
export function formatProfileValue(value: string): string {
  const read = parsePlainValue(value);
  return value !== '' && !isProblem(read) && read.value === value ? value : JSON.stringify(value);
}

/** Text of a device or a guest cannot end the line and become a key. */
function comment(text: string): string {
  return `# ${visible(text)}`.trimEnd();
}
