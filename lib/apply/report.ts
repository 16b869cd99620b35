/** Where prepare and release tell what they do: the log always, a person where one watches. */
export interface Report {
  /** One step has ended, well or not. */
  step(what: 'done' | 'failed' | 'undone' | 'not undone', words: string, tookMs: number): void;
  /** Something the person should know that is no failure. */
  note(line: string): void;
}
