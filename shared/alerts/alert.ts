import { createHash } from 'node:crypto';
import type { Fixer } from '../explanations/explanation.ts';
import { invertedTime } from '../platform/inverted-time.ts';
import type { Code } from '../platform/problem.ts';

interface AlertKindTraits {
  /**
   * Kinds of one family about the same subject are one alert, such as a secret that is due, then expires.
   * Absent: the kind alone.
   */
  family?: string;
  /**
   * `tables`: the tables show it, so that a page need not wait for the next monitor run. `monitor`: only
   * the monitor or the daily review can see it.
   */
  seenIn: 'tables' | 'monitor';
}

/** The kinds of findings, ordered by severity: when an alert has findings of two kinds, the first is shown. */
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
  'email-missing': { seenIn: 'tables' },
  'quarantine-grown': { seenIn: 'tables' },
  'push-failing': { seenIn: 'tables' },
} satisfies Record<string, AlertKindTraits>;
export type AlertKind = keyof typeof kinds;
export const alertKinds = Object.keys(kinds) as AlertKind[];

const traitsOf = (kind: AlertKind): AlertKindTraits => kinds[kind];

/** True when a page can check by itself whether a finding of this kind exists. */
export const isSeenInTables = (kind: AlertKind): boolean => traitsOf(kind).seenIn === 'tables';

/**
 * `critical`: no email becomes a ticket. `error`: some email does not. `warning`: everything still works.
 */
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

/** A problem that exists now, worded for a person. Contains no secret, token or text of an email. */
export interface Finding {
  kind: AlertKind;
  subject: Subject;
  severity: Severity;
  /** The first sentence: what is wrong. */
  headline: string;
  /** Why, in one or two sentences. */
  cause: string;
  /** The code of an explanation, or of an error. */
  code?: Code | undefined;
  /** ISO time. */
  since: string;
  /** The impact on mail: “No mail is lost: at least 14 unread emails wait in the mailbox.” */
  affected: string;
  who: Fixer;
  /** The link to the fix: one of our pages, or a page of Azure or Microsoft. */
  fix: { label: string; href: string };
  /**
   * How far the finding has progressed: `30 days`, `7 days`. With a stage, people are notified once for each stage; without,
   * on a schedule.
   */
  stage?: string | undefined;
  /**
   * The size, for a stage that depends on it. While the alert is open, only a larger size notifies again.
   */
  size?: number | undefined;
}

/** The check that saw a finding. A finding that its source no longer sees is resolved. */
export type Source = 'watch' | 'review' | 'sending';

/** A finding that people are notified of, until it is resolved. */
export interface Alert {
  /** Identifies this occurrence: `<inverted ms of opening>-<hash of the key>`. */
  id: string;
  key: string;
  /** By source, as last found; never empty. */
  findings: Partial<Record<Source, Finding>>;
  openedAt: string;
  /** The time of the last notification, and the number of notifications so far. */
  notifiedAt: string;
  notificationCount: number;
  /** The kind and stage of the last notification. */
  notifiedAs: string;
  closedAt?: string | undefined;
  etag?: string | undefined;
}

/** What a source sees now. */
export interface Observation {
  source: Source;
  /** All findings of this source; those it no longer reports are resolved. */
  findings: readonly Finding[];
  /** The ids of the subjects that were checked; absent when all were. */
  about?: readonly string[] | undefined;
}

/** Findings with the same key are the same fault. */
export function keyOf({ kind, subject }: Pick<Finding, 'kind' | 'subject'>): string {
  return `${traitsOf(kind).family ?? kind}|${subject.kind}|${subject.id}`;
}

/** Hashed, because an ID may come from outside and table keys allow only some characters. */
export const keyHash = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 32);

/**
 * The ID of one occurrence of a fault.
 * @param openedAt ISO time
 */
export const alertId = (openedAt: string, key: string): string => `${invertedTime(openedAt)}-${keyHash(key)}`;

/** The finding that an alert shows: the most severe of its sources. */
export function shownOf({ findings }: Pick<Alert, 'findings'>): Finding {
  const [gravest] = Object.values(findings).sort(
    (a, b) => alertKinds.indexOf(a.kind) - alertKinds.indexOf(b.kind),
  );
  if (gravest === undefined) throw new TypeError('an alert without a finding');
  return gravest;
}

const weights: Readonly<Record<Severity, number>> = { critical: 0, error: 1, warning: 2 };

/** Most severe first, then the oldest. */
export const byGravity = (a: Finding, b: Finding): number =>
  weights[a.severity] - weights[b.severity] ||
  alertKinds.indexOf(a.kind) - alertKinds.indexOf(b.kind) ||
  (a.since < b.since ? -1 : 1);
