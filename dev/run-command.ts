/** What a command starts, and whether it was interrupted. */
export interface Command {
  /** Disposed of at the end, also of an interrupted run. */
  readonly running: AsyncDisposableStack;
  /** True once the command is ending: nothing new is to be started or printed. */
  hasEnded(): boolean;
}

/** Progress and complaints go to standard error: standard output belongs to the answer. */
export const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/**
 * Runs a command to its end and ends the process with its exit code: 1 when it fails, which is said, and 130 when it is
 * interrupted. Whatever it started is stopped before.
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

/** A failure in words: the bundler's own list of places, or what was thrown. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!('errors' in error && Array.isArray(error.errors))) return error.message;
  const errors = error.errors as { text: string; location: { file: string; line: number } | null }[];
  return errors
    .map(({ text, location }) => (location === null ? text : `${location.file}:${location.line}: ${text}`))
    .join('\n');
}
