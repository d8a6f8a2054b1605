import { summaryOf } from '../../shared/intake/trace-email.ts';
import type { StoredRow } from './storage-rows.ts';

/** The disposition of one file. */
export interface FileDisposition {
  file: string;
  disposition: 'ticket' | 'quarantine' | 'skipped';
  /** Number of its ticket. */
  ticket?: number;
  /** Why it is not in a ticket. */
  reason?: string;
  /** As the page “Where is my email?” says it. */
  text: string;
  /** Milliseconds from the start of the fetch until its disposition was stored. */
  ms: number;
}

export interface MailRows {
  ledger: readonly StoredRow[];
  quarantine: readonly StoredRow[];
  /** Every message row of every ticket named in the ledger, by content key. */
  messages: ReadonlySet<string>;
}

type Decision = Parameters<typeof summaryOf>[0];

const text = (row: StoredRow, column: string): string => {
  const value = row[column];
  return typeof value === 'string' ? value : '';
};

/**
 * Reads each file's disposition from the ledger: its position on the server is its UID, and UIDs follow the
 * order of delivery from 1. Files without a final disposition are omitted. Pure.
 * @param began milliseconds since the epoch
 */
export function dispositionsOf(
  files: readonly string[],
  { ledger, quarantine, messages }: MailRows,
  began: number,
): FileDisposition[] {
  const mails = new Map(
    ledger.filter(({ RowKey }) => RowKey.startsWith('mail|')).map((row) => [row.RowKey.slice(5), row]),
  );
  const skippedAt = new Map(
    quarantine
      .filter((row) => row['kind'] === 'skipped')
      .map((row) => [row.RowKey.split('|')[2] ?? '', text(row, 'reason')]),
  );
  const quarantined = new Set(quarantine.map(({ RowKey }) => RowKey.split('|')[1] ?? ''));
  const byUid = new Map(
    ledger
      .filter(({ RowKey }) => RowKey.startsWith('at|'))
      // `at|<folder key>|<UIDVALIDITY>|<UID>|<fingerprint>`
      .map((row) => [Number(row.RowKey.split('|')[3]), row]),
  );
  return files.flatMap((file, index): FileDisposition[] => {
    const place = byUid.get(index + 1);
    const mail = place === undefined ? undefined : mails.get(text(place, 'key'));
    if (place === undefined || mail === undefined || mail['state'] !== 'done') return [];
    const settledAt = (row: StoredRow): number => Math.max(0, Date.parse(row.Timestamp) - began);
    const decision = JSON.parse(text(mail, 'decision')) as Decision;
    const isCopy = place['copy'] === true;
    const sentence = summaryOf(decision, isCopy);
    if (isCopy) {
      const reason = skippedAt.get(place.RowKey.replaceAll('|', '-'));
      return reason === undefined
        ? []
        : [{ file, disposition: 'skipped', reason, text: sentence, ms: settledAt(place) }];
    }
    const key = mail.RowKey.slice(5);
    const { disposition, number, reason = '' } = decision;
    const ms = settledAt(mail);
    if (disposition === 'ticket')
      return messages.has(key) && number !== undefined
        ? [{ file, disposition, ticket: number, text: sentence, ms }]
        : [];
    if (!quarantined.has(key)) return [];
    return [
      { file, disposition: disposition === 'skip' ? 'skipped' : 'quarantine', reason, text: sentence, ms },
    ];
  });
}

/** IDs of the tickets named in the ledger. */
export function ticketsOf(ledger: readonly StoredRow[]): string[] {
  const ids = ledger.flatMap((row) => {
    const decision = text(row, 'decision');
    const id = decision === '' ? undefined : (JSON.parse(decision) as { ticketId?: string }).ticketId;
    return id === undefined ? [] : [id];
  });
  return [...new Set(ids)];
}

/** True when each of `count` files is in the ledger and none is in progress. */
export function isQuiet(ledger: readonly StoredRow[], count: number): boolean {
  const places = ledger.filter(({ RowKey }) => RowKey.startsWith('at|'));
  const mails = ledger.filter(({ RowKey }) => RowKey.startsWith('mail|'));
  return places.length >= count && mails.every((row) => row['state'] === 'done');
}

/** Reasons without the parts that differ from email to email, so that equal ones are counted together. */
function reasonLine({ disposition, reason }: FileDisposition): string {
  if (disposition === 'ticket') return 'ticket';
  const general = (reason ?? '').replace(/#\d+/g, '#…').replace(/\d+/g, 'n').slice(0, 90);
  return `${disposition}: ${general}`;
}

/** The disposition of each file, the table by disposition and reason, then the total. */
export function dispositionTable(dispositions: readonly FileDisposition[], files: number): string {
  const counts = new Map<string, number>();
  for (const disposition of dispositions)
    counts.set(reasonLine(disposition), (counts.get(reasonLine(disposition)) ?? 0) + 1);
  const lines = [...counts]
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .map(([line, count]) => `${String(count).padStart(7)}  ${line}`);
  const of = (disposition: FileDisposition['disposition']): number =>
    dispositions.filter((each) => each.disposition === disposition).length;
  const tickets = new Set(dispositions.flatMap(({ ticket }) => (ticket === undefined ? [] : [ticket]))).size;
  const sum = `${files} files = ${of('ticket')} ticket messages (in ${tickets} tickets) + ${of('quarantine')} quarantined + ${of('skipped')} skipped`;
  const missing = files - dispositions.length;
  const each = dispositions.map(({ file, text: sentence }) => `${file}: ${sentence}`);
  return [...each, '', ...lines, '', missing === 0 ? sum : `${sum} + ${missing} WITHOUT A DISPOSITION`].join(
    '\n',
  );
}
