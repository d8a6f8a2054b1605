import { parseArgs } from 'node:util';
import type { MailServerKind } from '../emulators/mail/mail-world.ts';

/** One of the list below. */
export type Misbehaviour = (typeof misbehaviours)[number];

/**
 * Mail servers that violate expectations: `restore` restores a backup, which assigns UIDs again under the
 * same UIDVALIDITY; the others are those of dev/emulators/mail/misbehaving-imap.ts.
 */
export const misbehaviours = [
  'restore',
  'break-off',
  'fail-fetch',
  'leave-out',
  'leave-out-facts',
  'short',
  'small-pieces',
  'refuse',
] as const;

export interface ChaosOptions {
  /** Length of the phase with faults. */
  minutes: number;
  /** Hosts killed in it, evenly distributed; fewer if they can't be started fast enough. */
  kills: number;
  messages: number;
  boxes: number;
  seed: number;
  /** Share of storage writes that arrive late. */
  lateWrites: number;
  misbehave: readonly Misbehaviour[];
  /** Folder with messages to deliver; absent: those of tests/mail. */
  mail: string | undefined;
  /** `auto`: Dovecot where it is installed. */
  mailServer: MailServerKind | 'auto';
  /** No faults: a baseline. */
  calm: boolean;
  /** Pauses after failures are shortened after the phase with faults, too. */
  cutPauses: boolean;
  /** How long the app may take afterwards to settle everything. */
  settleMinutes: number;
  /** The run's folder is kept. */
  keep: boolean;
  json: boolean;
}

const KILLS_A_MINUTE = 10;
const MESSAGES_A_MINUTE = 80;

/** @throws Error with a readable message for an unknown option or an invalid number */
export function readOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '10' },
      kills: { type: 'string' },
      messages: { type: 'string' },
      boxes: { type: 'string', default: '6' },
      seed: { type: 'string', default: '1' },
      'late-writes': { type: 'string', default: '0' },
      misbehave: { type: 'string', default: '' },
      mail: { type: 'string' },
      'mail-server': { type: 'string', default: 'auto' },
      calm: { type: 'boolean', default: false },
      'cut-pauses': { type: 'boolean', default: false },
      'settle-minutes': { type: 'string', default: '45' },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const minutes = numberOf('minutes', values.minutes);
  return {
    minutes,
    kills: Math.round(numberOf('kills', values.kills ?? String(Math.ceil(minutes * KILLS_A_MINUTE)))),
    messages: Math.round(
      numberOf('messages', values.messages ?? String(Math.ceil(minutes * MESSAGES_A_MINUTE))),
    ),
    boxes: Math.max(1, Math.round(numberOf('boxes', values.boxes))),
    seed: numberOf('seed', values.seed),
    lateWrites: numberOf('late-writes', values['late-writes']),
    misbehave: misbehavioursOf(values.misbehave),
    mail: values.mail,
    mailServer: mailServerOf(values['mail-server']),
    calm: values.calm,
    cutPauses: values['cut-pauses'],
    settleMinutes: numberOf('settle-minutes', values['settle-minutes']),
    keep: values.keep,
    json: values.json,
  };
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new Error(`--${name} takes a number of 0 or more, not "${text}".`);
  return value;
}

function mailServerOf(text: string): MailServerKind | 'auto' {
  if (text === 'auto' || text === 'debian' || text === 'npm') return text;
  throw new Error(`--mail-server takes auto, debian or npm, not "${text}".`);
}

function misbehavioursOf(text: string): readonly Misbehaviour[] {
  if (text === 'all') return misbehaviours;
  return text
    .split(',')
    .filter((name) => name !== '')
    .map((name) => {
      const known = misbehaviours.find((one) => one === name);
      if (known === undefined)
        throw new Error(`--misbehave takes "all" or some of: ${misbehaviours.join(', ')}; not "${name}".`);
      return known;
    });
}
