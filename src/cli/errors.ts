/** A command line that says nothing sensible; the message is for the user. */
export class UsageError extends Error {
  /** The command whose help to look at; undefined for the help of all. */
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super(message);
    this.command = command;
  }
}
