/** Options or paths that are wrong; see api.d.ts. */
export class PfhardenError extends Error {
  override readonly name = 'PfhardenError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems[0] ?? 'wrong options');
    this.problems = problems;
  }
}
