import { freePortBetween, isFree } from '../emulators/mail/free-port.ts';

/** The purpose of each port of the demo, as its error message names it. */
export const PORT_NAMES = {
  web: 'web pages of Postroom',
  identityProvider: 'Entra emulator',
  keyVault: 'Key Vault emulator',
  managedIdentity: 'managed identity emulator',
  table: 'table storage emulator (Azurite)',
  blob: 'blob storage emulator (Azurite)',
  queue: 'queue storage emulator (Azurite)',
  imap: 'mail server emulator (IMAP)',
  pop3: 'mail server emulator (POP3)',
  smtp: 'mail server emulator (SMTP)',
  drop: 'mail server emulator (mail drop)',
  graph: 'Microsoft Graph emulator',
} as const;

export type PortName = keyof typeof PORT_NAMES;
export type Ports = Record<PortName, number>;
const NAMES = Object.keys(PORT_NAMES) as PortName[];

/**
 * Ports below the ephemeral range (32768 on Linux, 49152 elsewhere): a remembered port in that range could
 * be in use by any outgoing connection.
 */
const LOWEST = 21_000;
const BEYOND = 30_000;

/**
 * Uses requested ports first, then remembered ones, then free ones.
 * @throws Error with a readable message for a requested or remembered port that another program uses
 */
export async function choosePorts(
  wished: Partial<Ports>,
  remembered: Partial<Ports>,
  rememberedIn: string,
): Promise<Ports> {
  const chosen: Partial<Ports> = {};
  const used = new Set<number>();
  for (const name of NAMES) {
    const port = wished[name] ?? remembered[name];
    if (port === undefined) continue;
    if (used.has(port) || !(await isFree(port)))
      throw new Error(takenSentence(name, port, wished[name] === undefined ? rememberedIn : undefined));
    used.add(port);
    chosen[name] = port;
  }
  for (const name of NAMES) {
    if (chosen[name] !== undefined) continue;
    const port = await freePortBetween(LOWEST, BEYOND, used);
    used.add(port);
    chosen[name] = port;
  }
  return chosen as Ports;
}

function takenSentence(name: PortName, port: number, rememberedIn: string | undefined): string {
  const what = `The ${PORT_NAMES[name]} needs port ${port}, but another program is using it.`;
  return rememberedIn === undefined
    ? `${what} End that program, or ask for another port.`
    : `${what} If Postroom is already running, use or end that one. Otherwise end the other program, or delete ${rememberedIn}, so that new ports are chosen; demo mailboxes must then be connected again.`;
}
