/** Something that one side says and the other cannot: where it stands ("/domain/devices/sound", "hostpci0, mdev") and why it is left out. */
export interface Dropped {
  readonly what: string;
  readonly why: string;
}

/** What is lost on the way from one form to the other, in the order in which it was met, each once. */
export class DropList {
  readonly #dropped: Dropped[] = [];

  get all(): readonly Dropped[] {
    return this.#dropped;
  }

  add(what: string, why: string): void {
    if (!this.#dropped.some((one) => one.what === what && one.why === why)) this.#dropped.push({ what, why });
  }
}
