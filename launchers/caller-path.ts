/** A path as the caller means it: below the folder that the command was called in, unless it begins with a slash. */
export function callerPath(path: string): string {
  return path.startsWith('/') ? path : `${process.cwd()}/${path}`;
}
