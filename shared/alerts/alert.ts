import { createHash } from 'node:crypto';
import type { Fixer } from '../explanations/explanation.ts';
import { invertedTime } from '../platform/inverted-time.ts';

interface AlertKindTraits {
  /** Kinds of one family about one subject are one alert: a secret that is due and then expires. Absent: the kind alone. */
  family?: string;
  /**
   * `tables`: the tables alone tell, so that a page need not wait for the next monitor. `monitor`: only the monitor or the
   * daily review can see it.
   */
  seenIn: 'tables' | 'monitor';
}

/** What can be wrong, in order of weight: where two kinds meet in one alert, the first of them is shown. */
const kinds = {
  'storage-failing': { seenIn: 'monitor' },
  'vault-failing': { seenIn: 'monitor' },
  'timer-late': { seenIn: 'tables' },
  'secret-expired': { seenIn: 'tables', family: 'secret' },
  'secret-refused': { seenIn: 'tables', family: 'secret' },
  'consent-dead': { seenIn: 'tables' },
  'mailbox-silent': { seenIn: 'tables' },
  'marking-refused': { seenIn: 'tables' },
  'smtp-refused': { seenIn: 'monitor' },
  'poison-queue': { seenIn: 'monitor' },
  'row-unreadable': { seenIn: 'monitor' },
  'mail-loop': { seenIn: 'monitor' },
  'secret-due': { seenIn: 'monitor', family: 'secret' },
  'channel-unusable': { seenIn: 'monitor' },
  'quarantine-grown': { seenIn: 'tables' },
} satisfies Record<string, AlertKindTraits>;
export type AlertKind = keyof typeof kinds;
export const alertKinds = Object.keys(kinds) as AlertKind[];

const traitsOf = (kind: AlertKind): AlertKindTraits => kinds[kind];

/** Whether a page may judge for itself that a finding of this kind is there or gone. */
export const isSeenInTables = (kind: AlertKind): boolean => traitsOf(kind).seenIn === 'tables';

/** `critical`: no mail at all becomes a ticket. `error`: some mail does not. `warning`: all flows, as yet. */
export const severities = ['critical', 'error', 'warning'] as const;
export type Severity = (typeof severities)[number];

export const subjectKinds = [
  'mailbox',
  'account',
  'provider',
  'secret',
  'server',
  'queue',
  'timer',
  'storage',
  'vault',
  'channel',
  'table',
  'installation',
] as const;

export interface Subject {
  kind: (typeof subjectKinds)[number];
  id: string;
  /** For people. */
  name: string;
}

/** Something that is wrong now, in words for a person. Nothing in it is a secret, a token or text of an email. */
export interface Finding {
  kind: AlertKind;
  subject: Subject;
  severity: Severity;
  /** The first sentence: what is wrong. */
  headline: string;
  /** Why, in one or two sentences. */
  cause: string;
  /** Of an explanation, or of an error. */
  code?: string | undefined;
  /** ISO time. */
  since: string;
  /** What it does to mail: "No mail is lost; 14 unread wait." */
  affected: string;
  who: Fixer;
  /** The one link to the fix: a path of ours, or a page of Azure or Microsoft. */
  fix: { label: string; href: string };
  /**
   * How far it has gone, where that decides when people hear of it again: `30 days`, `7 days`. With a stage, an alert is
   * said once for each one; without, it is repeated on a schedule.
   */
  stage?: string | undefined;
  /** Where the stages are those of a size: the size. While the alert is open only a greater stage is another one. */
  size?: number | undefined;
}

/** Who looked. Each source owns what it saw: what it no longer sees is over, as far as it can say. */
export type Source = 'watch' | 'review' | 'sending';

/** A finding that people were told of, until it is over. */
export interface Alert {
  /** Names this one occurrence: `<inverted ms of opening>-<hash of the key>`. */
  id: string;
  key: string;
  /** By source, as it was last seen; never empty. */
  held: Partial<Record<Source, Finding>>;
  openedAt: string;
  /** When people last heard of it, and how often so far. */
  notifiedAt: string;
  told: number;
  /** What they then heard: kind and stage. */
  notifiedAs: string;
  closedAt?: string | undefined;
  etag?: string | undefined;
}

/** What a source says is wrong now. */
export interface Observation {
  source: Source;
  /** All there is; what the source saw before and no longer names is over. */
  findings: readonly Finding[];
  /** Only these subjects were looked at (their ids); nothing is said of others. Absent: all were. */
  about?: readonly string[] | undefined;
}

/** Findings with the same key are the same fault. */
export function keyOf({ kind, subject }: Pick<Finding, 'kind' | 'subject'>): string {
  return `${traitsOf(kind).family ?? kind}|${subject.kind}|${subject.id}`;
}

/** Hashed, because an id may come from outside and keys of tables refuse some characters. */
export const keyHash = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 32);

/** Names one occurrence of a fault. @param openedAt ISO time */
export const alertId = (openedAt: string, key: string): string => `${invertedTime(openedAt)}-${keyHash(key)}`;

/** The finding that an alert shows: the gravest of those that its sources see. */
export function shownOf({ held }: Pick<Alert, 'held'>): Finding {
  const [gravest] = Object.values(held).sort(
    (a, b) => alertKinds.indexOf(a.kind) - alertKinds.indexOf(b.kind),
  );
  if (gravest === undefined) throw new TypeError('an alert without a finding');
  return gravest;
}

const weights: Readonly<Record<Severity, number>> = { critical: 0, error: 1, warning: 2 };

/** Gravest first, then the oldest. */
export const byGravity = (a: Finding, b: Finding): number =>
  weights[a.severity] - weights[b.severity] ||
  alertKinds.indexOf(a.kind) - alertKinds.indexOf(b.kind) ||
  (a.since < b.since ? -1 : 1);
