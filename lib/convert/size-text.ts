import { formatKib } from '../words/size.ts';

/** KiB as a profile has it: "16G". */
export function sizeText(kib: number): string {
  return formatKib(kib).replace(/ (.)iB$/, '$1');
}
