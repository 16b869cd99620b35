import { type FirmwareImage, formatOf } from '../host/guest-firmware.ts';
import { option } from './option.ts';
import type { RunBuild } from './run-build.ts';
import type { RunPreparation } from './run-plan.ts';

/** What was chosen for a guest, and why. */
export interface ChosenFirmware {
  readonly code: string;
  readonly codeFormat: 'raw' | 'qcow2';
  readonly variables: string;
  readonly variablesFormat: 'raw' | 'qcow2';
  readonly smm: boolean;
  readonly preparation: RunPreparation['variables'];
}

/** Finds the guest's UEFI images; null for SeaBIOS, and where there are none (refused then). */
export function chooseFirmware(build: RunBuild): ChosenFirmware | null {
  const { firmware } = build.run;
  if (firmware.type === 'bios') return null;
  return firmware.code === null ? foundFirmware(build) : namedFirmware(build, firmware.code);
}

/** The two flash drives; -machine names them. */
export function addFirmware(build: RunBuild, chosen: ChosenFirmware | null): void {
  if (chosen === null) return;
  const flash = (id: string, format: string, path: string, readOnly: boolean) =>
    build.add(
      '-blockdev',
      option('', {
        driver: format,
        'node-name': id,
        'read-only': readOnly,
        'file.driver': 'file',
        'file.filename': path,
      }),
    );
  flash('firmware-code', chosen.codeFormat, chosen.code, true);
  flash('firmware-vars', chosen.variablesFormat, chosen.variables, false);
}

function foundFirmware(build: RunBuild): ChosenFirmware | null {
  const { run, picture } = build;
  const { secureBoot, enrolledKeys, smm } = run.firmware;
  const machine = run.machine.type === 'q35' ? 'pc-q35-any' : 'pc-i440fx-any';
  const wantsKeys = enrolledKeys ?? secureBoot;
  const isRight = ({ machines, features }: FirmwareImage) =>
    machines.some((glob) => fits(glob, machine)) &&
    features.includes('secure-boot') === secureBoot &&
    features.includes('enrolled-keys') === wantsKeys &&
    (smm !== false || !features.includes('requires-smm')) &&
    // Confidential guests have firmware of their own, without variables that stay
    !features.some((feature) => feature.startsWith('amd-sev-snp') || feature.startsWith('intel-tdx'));
  const image = picture.firmware.find(isRight);
  if (image === undefined) {
    const what = [
      secureBoot ? 'with Secure Boot' : 'without Secure Boot',
      ...(wantsKeys ? ['and enrolled keys'] : []),
    ].join(' ');
    build.refuse(
      'no-firmware',
      `Cannot start ${run.guest}: there is no UEFI firmware ${what} for ${run.machine.type} on this host`,
      'Install the package ovmf (Debian, Ubuntu), edk2-ovmf (Fedora, Arch) or qemu-ovmf-x86_64 (openSUSE), name code and template in [firmware], or use type = bios',
    );
    return null;
  }
  const mismatch = sizeMismatch(image);
  if (mismatch !== null)
    build.refuse(
      'firmware-sizes',
      `Cannot use ${image.code} with ${image.template}: ${mismatch}`,
      `They come from ${image.source}; name a pair that fits in [firmware]`,
    );
  return {
    code: image.code,
    codeFormat: image.codeFormat,
    ...ownVariables(build, image.template, image.templateFormat),
    smm: smm ?? image.features.includes('requires-smm'),
  };
}

function namedFirmware(build: RunBuild, code: string): ChosenFirmware {
  const { firmware } = build.run;
  build.needFile(code, 'the firmware');
  const template = firmware.template;
  if (template !== null) build.needFile(template, 'the template of firmware variables');
  const format = firmware.format ?? formatOf(template ?? firmware.vars ?? code);
  const isSecure = build.picture.firmware.some(
    (one) => one.code === code && one.features.includes('requires-smm'),
  );
  return {
    code,
    codeFormat: firmware.format ?? formatOf(code),
    ...ownVariables(build, template, format),
    smm: firmware.smm ?? (firmware.secureBoot || isSecure),
  };
}

/** The guest's own file: made from the template at the first start, and kept from then on whatever happens to the template. */
function ownVariables(
  build: RunBuild,
  template: string | null,
  format: 'raw' | 'qcow2',
): Pick<ChosenFirmware, 'variables' | 'variablesFormat' | 'preparation'> {
  const { path, exists, copiedFrom } = build.picture.variables;
  const own = { variables: path, variablesFormat: format };
  if (build.picture.firmware.some((one) => one.template === path || one.code === path) || path === template) {
    build.refuse(
      'shared-variables',
      `Cannot use ${path} as the guest’s variables: it is the template for all guests`,
      'Leave vars out, or name a file of the guest’s own',
    );
  }
  if (template === null) {
    if (!exists)
      build.refuse(
        'no-variables',
        `Cannot find the guest’s firmware variables: there is no ${path}`,
        'Name a template they can be made from',
      );
    return { ...own, preparation: null };
  }
  const digest = build.picture.templateDigests.get(template) ?? null;
  if (exists) {
    if (copiedFrom !== null && copiedFrom.path !== template) {
      build.notes.push(
        `The guest’s firmware variables are a copy of ${copiedFrom.path}, now ${template} would be used; remove ${path} to begin anew`,
      );
    } else if (copiedFrom !== null && digest !== null && copiedFrom.digest !== digest) {
      build.notes.push(
        `${template} has changed since the guest’s variables were copied from it; they are kept, remove ${path} to begin anew`,
      );
    }
    return { ...own, preparation: null };
  }
  const text = `${JSON.stringify({ path: template, digest })}\n`;
  return { ...own, preparation: { from: template, to: path, record: { path: `${path}.template`, text } } };
}

/** Code and variables share one flash of fixed size: with those of another size nothing is ever saved, and nobody says so. */
function sizeMismatch({
  codeFormat,
  templateFormat,
  codeBytes,
  templateBytes,
}: FirmwareImage): string | null {
  if (codeFormat !== 'raw' || templateFormat !== 'raw') return null;
  const sum = codeBytes + templateBytes;
  const isWhole = sum === 2 * 1024 ** 2 || sum === 4 * 1024 ** 2;
  return isWhole ? null : `they have ${codeBytes} and ${templateBytes} bytes, must have 2 or 4 MiB together`;
}

/** Whether a name fits a glob with "*" only, as descriptors have them. */
function fits(glob: string, name: string): boolean {
  const [first = '', ...rest] = glob.split('*');
  if (rest.length === 0) return glob === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest.slice(0, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  const last = rest.at(-1)!;
  return name.length >= at + last.length && name.endsWith(last);
}
