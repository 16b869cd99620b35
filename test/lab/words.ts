export const suites = ['bookworm', 'trixie'] as const;
export type Suite = (typeof suites)[number];

export const tiers = ['mid', 'full'] as const;
export type Tier = (typeof tiers)[number];

export const iommus = ['intel', 'amd', 'none'] as const;
export type Iommu = (typeof iommus)[number];

/** A failure that one line explains: no stack is shown for it. */
export class LabError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export type Say = (line: string) => void;
