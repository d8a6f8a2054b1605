import { parseArgs } from 'node:util';

export interface StartOptions {
  /** No demo emails are delivered. */
  empty: boolean;
  /** The demo mailbox contains the files of this folder instead of the demo emails. */
  mailFolder: string | undefined;
  /** One JSON line when ready, nothing else on standard output. */
  json: boolean;
  /** 0 takes a free one; absent: the port of the last start, or 7071. */
  port: number | undefined;
}

export type ParsedStart = { kind: 'options'; options: StartOptions } | { kind: 'refused'; sentence: string };

const USAGE = 'Known are: --empty, --mail FOLDER, --json, --port NUMBER.';

/** Parses the arguments after `npm start --`. */
export function parseStartOptions(args: readonly string[]): ParsedStart {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        empty: { type: 'boolean', default: false },
        mail: { type: 'string' },
        json: { type: 'boolean', default: false },
        port: { type: 'string' },
      },
    });
    const port = values.port === undefined ? undefined : Number(values.port);
    if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65535))
      return { kind: 'refused', sentence: `"${values.port}" is no port: give a number from 0 to 65535.` };
    if (values.empty && values.mail !== undefined)
      return { kind: 'refused', sentence: 'Choose one of --empty and --mail FOLDER.' };
    return {
      kind: 'options',
      options: { empty: values.empty, mailFolder: values.mail, json: values.json, port },
    };
  } catch (error) {
    const said = error instanceof Error ? (error.message.split('. ')[0] ?? '') : '';
    return { kind: 'refused', sentence: `${said.replace(/\.$/, '')}. ${USAGE}` };
  }
}
