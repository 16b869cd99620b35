const SECOND = 1000;

/** The keys of [handover], a part of PROFILE_KEYS: how the display that the host has on the guest's card lets go of it. */
export const HANDOVER_KEYS = {
  'handover.display': {
    kind: 'yes-no',
    default: 'no',
    help: "Whether what the host shows on the guest's card is stopped before the start and brought back after it.",
  },
  'handover.sessions': {
    kind: 'choice',
    choices: ['refuse', 'end'],
    default: 'refuse',
    help: 'What happens to people logged in before that display: refuse the start, or end their sessions.',
  },
  'handover.units': {
    kind: 'names',
    default: 'nvidia-persistenced.service nvidia-powerd.service',
    help: 'Units that may be stopped where they have the card open, and are started again; the display manager is found by itself.',
  },
  'handover.processes': {
    kind: 'names',
    default: null,
    help: 'Names of processes that may be ended (SIGTERM, then SIGKILL) where they have the card open.',
  },
  'handover.modules': {
    kind: 'choice',
    choices: ['auto', 'keep'],
    default: 'auto',
    help: "Whether NVIDIA's modules are unloaded where no other card needs them, which is the safe way to learn that nobody uses the card.",
  },
  'handover.timeout': {
    kind: 'duration',
    range: [SECOND, 600 * SECOND],
    default: '30s',
    help: 'How long each unit, session, process and module may take.',
  },
} as const;
