/** The resources of a command, and whether it was interrupted. */
export interface Command {
  /** Disposed of at the end, even after an interruption. */
  readonly running: AsyncDisposableStack;
  /** True once the command is ending: nothing more may be started or printed. */
  hasEnded(): boolean;
}

/** Progress and errors go to standard error: standard output is reserved for the result. */
export const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/**
 * Runs a command and exits with its exit code: 1 after an error, which is printed, and 130 after an
 * interruption. Everything that it started is stopped first.
 */
export async function runCommand(main: (command: Command) => Promise<number>): Promise<void> {
  const running = new AsyncDisposableStack();
  let ended = false;
  const end = async (code: number): Promise<void> => {
    if (ended) return;
    ended = true;
    await running.disposeAsync().catch((error: unknown) => say(describeError(error)));
    process.exit(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(130));
  try {
    await end(await main({ running, hasEnded: () => ended }));
  } catch (error) {
    if (!ended) say(describeError(error));
    await end(1);
  }
}

/** A readable error: the bundler's list of locations, or the thrown error. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!('errors' in error && Array.isArray(error.errors))) return error.message;
  const errors = error.errors as { text: string; location: { file: string; line: number } | null }[];
  return errors
    .map(({ text, location }) => (location === null ? text : `${location.file}:${location.line}: ${text}`))
    .join('\n');
}
