/** The value of a setting in the audit log. `Secret` is not allowed, so the compiler rejects it. */
export type Setting = string | number | boolean | readonly string[] | undefined;

/**
 * Settings by display name: `{ name: 'Support', 'client ID': '…' }`. Never a secret, a token or text of an
 * email.
 */
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
  | 'canned-reply'
  | 'audit';

/** What was changed, with its name at that time. */
export interface AuditSubject {
  kind: AuditKind;
  id: string;
  name: string;
}

/** A change to be recorded. */
export interface AuditChange {
  /** Milliseconds since the epoch, from the seam. */
  at: number;
  /** The signed-in principal, or another actor such as an invitation. */
  principal: { id: string; name: string };
  /** A past participle: `created`, `changed`, `deleted`, `secret replaced`. */
  action: string;
  subject: AuditSubject;
  /** Absent when the subject was created. */
  before?: Settings;
  /** Absent when the subject was deleted. */
  after?: Settings;
}

/** A setting that changed; undefined means "not set". */
export interface ChangedSetting {
  name: string;
  before: string | undefined;
  after: string | undefined;
}

/** A change as stored and shown. */
export interface AuditEntry {
  /** ISO time. */
  at: string;
  principal: { id: string; name: string };
  action: string;
  /** A plain string: a later version may have stored kinds that this version does not know. */
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
  'canned-reply',
  'audit',
];

// A column stores 32 Ki characters, and JSON may double each: 25 × (2 × 250 + 60) × 2 is less.
const MAX_SETTINGS = 25;
const MAX_CHARACTERS = 250;
const MAX_NAME_CHARACTERS = 60;

/** The settings that differ, in the order of their names in the input. Pure. */
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
