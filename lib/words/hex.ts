/** An address as people read it: "0xe0000000". */
export function hexOf(value: bigint): string {
  return `0x${value.toString(16)}`;
}
