import type { Command } from './command.ts';

/** The commands that tell of the others. */
export const MANUAL_COMMANDS: readonly Command[] = [
  {
    name: 'help',
    words: '[command|section.key]',
    summary: 'explain a command, or a key of the profile',
    options: [],
    changes: false,
    count: [0, 1],
    run: async (line, globals, manual) => (await import('./help-command.ts')).help(line, globals, manual),
  },
  {
    name: 'man',
    words: '[command|profile]',
    summary: 'print a manual page, for man -l -',
    options: [],
    changes: false,
    count: [0, 1],
    run: async (line, globals, manual) => (await import('./man.ts')).man(line, globals, manual),
  },
  {
    name: 'completion',
    words: 'bash|zsh|fish',
    summary: 'print what the shell needs to complete commands, guests, addresses and keys',
    options: [],
    changes: false,
    count: [1, 1],
    run: async (line, globals, manual) => (await import('./completion.ts')).completion(line, globals, manual),
  },
];
