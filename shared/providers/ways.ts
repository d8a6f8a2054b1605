import { type Preset, type Protocol, protocols, readingProtocols } from './presets.ts';
import { protocolAccess } from './protocol-access.ts';

/** The ways of reading and sending email as a form shows them, and what each needs. */
export interface Way {
  protocol: Protocol;
  label: string;
  hint: string;
}

/** In the order of the form. */
const labels: readonly (readonly [Protocol, string])[] = [
  ['imap', 'Read email over IMAP'],
  ['pop3', 'Read email over POP3'],
  ['graph', 'Read email over Microsoft Graph'],
  ['graph-push', 'Import new email at once (push)'],
  ['smtp', 'Send email over SMTP'],
  ['graph-send', 'Send email over Microsoft Graph'],
];

const notes: Partial<Record<Protocol, string>> = {
  pop3: 'POP3 does not tell which emails were read.',
  graph: 'Works where IMAP is turned off, and imports new email at once.',
  'graph-send': 'Works where SMTP AUTH is turned off.',
  'graph-push':
    'For mailboxes that are read over IMAP or POP3. Microsoft Graph announces new email, but not its text.',
};

/**
 * The ways that a preset offers; none where the choice changes no permission. Pure.
 * https://learn.microsoft.com/graph/permissions-reference
 */
export function waysOffered({ shape, graph }: Pick<Preset, 'shape' | 'graph'>): readonly Way[] {
  if (shape !== 'entra') return [];
  return labels
    .filter(([protocol]) => graph !== undefined || protocolAccess[protocol].resource !== 'graph')
    .map(([protocol, label]) => {
      const needed = `Permission: ${protocolAccess[protocol].own.name}.`;
      return { protocol, label, hint: [notes[protocol], needed].filter(Boolean).join(' ') };
    });
}

/** The protocols whose checkboxes are on. */
export const waysIn = (typed: Readonly<Record<string, string>>): readonly Protocol[] =>
  protocols.filter((protocol) => typed[protocol] === 'on');

/** The checkboxes of these ways. */
export const wayFields = (ways: readonly Protocol[]): Record<string, string> =>
  Object.fromEntries(protocols.map((protocol) => [protocol, ways.includes(protocol) ? 'on' : '']));

/** Why the chosen ways are not enough; undefined: they are. */
export const waysProblem = (ways: readonly Protocol[]): string | undefined =>
  readingProtocols.some((protocol) => ways.includes(protocol))
    ? undefined
    : 'Choose at least one way to read email.';
