/** What a setting may be in the audit. A `Secret` is none of these, so the compiler refuses it here. */
export type Setting = string | number | boolean | readonly string[] | undefined;

/** Settings by the name a person reads: `{ name: 'Support', 'client ID': '…' }`. Never a secret, a token or mail. */
export type Settings = Readonly<Record<string, Setting>>;

export type AuditKind =
  | 'provider'
  | 'account'
  | 'mailbox'
  | 'invitation'
  | 'ticket'
  | 'quarantine'
  | 'alert'
  | 'secret'
  | 'sender'
  | 'audit';

/** What was changed. The name is the one it had then: it may be gone since. */
export interface AuditSubject {
  kind: AuditKind;
  id: string;
  name: string;
}

/** One change as it happened. */
export interface AuditChange {
  /** Milliseconds since the epoch, from the seam. */
  at: number;
  /** Who: the signed-in principal, or what stands for one, such as an invitation. */
  principal: { id: string; name: string };
  /** What, as a past participle: `created`, `changed`, `deleted`, `secret replaced`. */
  action: string;
  subject: AuditSubject;
  /** Absent when it was made just now. */
  before?: Settings;
  /** Absent when it is gone. */
  after?: Settings;
}

/** A setting that is another one now; undefined stands for "not set". */
export interface ChangedSetting {
  name: string;
  before: string | undefined;
  after: string | undefined;
}

/** A change as it is kept and shown. */
export interface AuditEntry {
  /** ISO time. */
  at: string;
  principal: { id: string; name: string };
  action: string;
  /** The kind is a text here: a later version may have kept kinds that this one does not know. */
  subject: { kind: string; id: string; name: string };
  changes: readonly ChangedSetting[];
}

export const auditKinds: readonly AuditKind[] = [
  'provider',
  'account',
  'mailbox',
  'invitation',
  'ticket',
  'quarantine',
  'alert',
  'secret',
  'sender',
  'audit',
];

// A row's column takes 32 Ki characters, and JSON may double each: 25 × (2 × 250 + 60) × 2 stays below.
const MAX_SETTINGS = 25;
const MAX_CHARACTERS = 250;
const MAX_NAME_CHARACTERS = 60;

/** The settings that differ, in the order in which they are named. Pure. */
export function changesBetween(before: Settings = {}, after: Settings = {}): ChangedSetting[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changes = names
    .map((name) => ({
      name: name.slice(0, MAX_NAME_CHARACTERS),
      before: settingText(before[name]),
      after: settingText(after[name]),
    }))
    .filter((change) => change.before !== change.after)
    .map((change) => ({ ...change, before: cut(change.before), after: cut(change.after) }));
  if (changes.length <= MAX_SETTINGS) return changes;
  const shown = changes.slice(0, MAX_SETTINGS - 1);
  return [
    ...shown,
    { name: 'further settings', before: undefined, after: `${changes.length - shown.length} changed` },
  ];
}

function settingText(value: Setting): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'object' ? value.join(', ') : String(value);
}

function cut(text: string | undefined): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters of a typed text become spaces
  const line = text?.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
  return line === undefined || line.length <= MAX_CHARACTERS ? line : `${line.slice(0, MAX_CHARACTERS - 1)}…`;
}
