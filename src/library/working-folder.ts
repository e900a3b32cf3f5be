/** The folder that paths without a leading / start from: in no path of a file, so that the two are never the same. */
export function workingFolder(): string {
  return '/\u0000';
}
