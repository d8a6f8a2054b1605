import { z } from 'zod';
import type { Explanation } from '../explanations/explanation.ts';
import { json, optional, type RowKeys, recordKind, text, time } from '../platform/records.ts';
import { protocols } from '../providers/presets.ts';
import type { Approval } from './approval.ts';
import type { ConnectRequest, Initiator, PendingConsent } from './consent.ts';
import type { Invitation } from './invitation.ts';

// Table Consents. Its partitions hold:
//   `consent` / hash of the state       a consent in progress. Once used, it stays for a day without its secrets, so
//                                       that the back button and a second tab can show what happened
//   `invitation` / hash of the token    stays for a month after it expires, so that someone who follows the link late
//                                       reads what happened
//   `approval` / hash of the state      stays for a month after it expires, like an invitation that waits for it
//   `set-up` / id of the provider       one per provider: a newer one replaces it
// The monitor purges what is older.

/** Hashes in base32; any other text is never used as a key. */
export const isKey = (key: string): boolean => /^[a-z2-7]{52}$/.test(key);

const connectRequest: z.ZodType<ConnectRequest> = z
  .object({
    providerId: z.string(),
    address: z.string(),
    signIn: z.string(),
    shared: z.boolean(),
    chooseAccount: z.boolean(),
    protocols: z.array(z.enum(protocols)),
    reconnect: z
      .object({
        mailboxId: z.string(),
        accountId: z.string(),
        switchTo: z.enum(['graph', 'graph-send']).optional(),
      })
      .optional(),
    replacement: z
      .discriminatedUnion('kind', [
        z.object({ kind: z.literal('this'), accountId: z.string() }),
        z.object({ kind: z.literal('any') }),
      ])
      .optional(),
    confirmed: z.string().optional(),
  })
  .transform((parsed) => ({
    ...parsed,
    reconnect: parsed.reconnect,
    replacement: parsed.replacement,
  }));

const initiator: z.ZodType<Initiator> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('principal'), id: z.string() }),
  z.object({ kind: z.literal('invitation'), key: z.string() }),
]);

/** Postroom wrote it from an Explanation, so this only checks that it is one. */
const shown = z.object({ code: z.string(), steps: z.array(z.unknown()) });
const explanation = z.custom<Explanation>((value) => shown.safeParse(value).success);

/** The row key is the field `key`, in a partition of its own. */
const keyedIn = (partitionKey: string) => ({
  keysOf: ({ key }: { key: string }): RowKeys => ({ partitionKey, rowKey: key }),
  fromKeys: ({ rowKey }: RowKeys) => ({ key: rowKey }),
});

export const CONSENTS = 'consent';
export const consentKind = recordKind<PendingConsent>()({
  table: 'Consents',
  version: 1,
  ...keyedIn(CONSENTS),
  columns: {
    connectRequest: json(connectRequest),
    startedBy: json(initiator),
    registration: text,
    browserHash: text,
    sealedState: text,
    sealedVerifier: text,
    sealedNonce: text,
    startedAt: time,
    expiresAt: time,
    usedAt: optional(time),
    result: optional(text),
  },
});

export const INVITATIONS = 'invitation';
export const invitationKind = recordKind<Invitation>()({
  table: 'Consents',
  version: 1,
  ...keyedIn(INVITATIONS),
  columns: {
    connectRequest: json(connectRequest),
    invitedBy: json(z.object({ id: z.string(), name: z.string() })),
    createdAt: time,
    expiresAt: time,
    revokedAt: optional(time),
    done: optional(json(z.object({ at: z.string(), accountId: z.string(), user: z.string() }))),
    approvalKey: optional(text),
    attempts: json(z.array(z.object({ key: z.string(), expiresAt: z.string() }))),
  },
});

export const APPROVALS = 'approval';
export const approvalKind = recordKind<Approval>()({
  table: 'Consents',
  version: 1,
  ...keyedIn(APPROVALS),
  columns: {
    connectRequest: json(connectRequest),
    startedBy: json(initiator),
    sealedState: text,
    explanation: optional(json(explanation)),
    createdAt: time,
    expiresAt: time,
    grantedAt: optional(time),
  },
});

/** A request for admin consent made during set-up, before any sign-in; no consent attempt waits for it. */
export interface SetUpApproval {
  providerId: string;
  /** Cloud, tenant and client ID that it was requested for. */
  registration: string;
  stateHash: string;
  sealedState: string;
  /** ISO time. */
  expiresAt: string;
}

export const SET_UPS = 'set-up';
export const setUpApprovalKind = recordKind<SetUpApproval>()({
  table: 'Consents',
  version: 1,
  keysOf: ({ providerId }) => ({ partitionKey: SET_UPS, rowKey: providerId }),
  fromKeys: ({ rowKey }) => ({ providerId: rowKey }),
  columns: { registration: text, stateHash: text, sealedState: text, expiresAt: time },
});
