/** What of a feature is mutated, and which tests are to notice it. */
export interface MutatedFeature {
  /** Product code, from the root of the project. */
  mutate: readonly string[];
  /** Tests in memory only: a mutant is run against each of them that reaches it. No server, browser or built app. */
  tests: readonly string[];
}

/**
 * Decisions where one wrong character loses a message, or lets somebody in. A file joins with the tests in memory that
 * notice 90 of 100 changes of it.
 */
export const features: Readonly<Record<string, MutatedFeature>> = {
  intake: {
    mutate: [
      'shared/intake/authentication-results.ts',
      'shared/intake/content-key.ts',
      'shared/intake/decide-batch.ts',
      'shared/intake/decide-mails.ts',
      'shared/intake/due-mailboxes.ts',
      'shared/intake/fetch-activity.ts',
      'shared/intake/fetch-trouble.ts',
      'shared/intake/fold-loops.ts',
      'shared/intake/give-up.ts',
      'shared/intake/ledger.ts',
      'shared/intake/ledger-store.ts',
      'shared/intake/loop-counts.ts',
      'shared/intake/mail-date.ts',
      'shared/intake/measure-quarantine.ts',
      'shared/intake/next-cursor.ts',
      'shared/intake/pass-over.ts',
      'shared/intake/plan-batches.ts',
      'shared/intake/quarantine-store.ts',
      'shared/intake/queue-due-mailboxes.ts',
      'shared/intake/raw-headers.ts',
      'shared/intake/unfetched.ts',
      'shared/intake/unmarked.ts',
      'shared/intake/whole-mail.ts',
    ],
    tests: [
      'tests/intake/authentication-results.test.ts',
      'tests/intake/decide-mails.test.ts',
      'tests/intake/content-key.test.ts',
      'tests/intake/decide-batch.test.ts',
      'tests/intake/fetch-activity.test.ts',
      'tests/intake/fetch-trouble.test.ts',
      'tests/intake/fold-loops.test.ts',
      'tests/intake/give-up.test.ts',
      'tests/intake/ledger.test.ts',
      'tests/intake/ledger-store.test.ts',
      'tests/intake/loop-counts.test.ts',
      'tests/intake/mail-date.test.ts',
      'tests/intake/measure-quarantine.test.ts',
      'tests/intake/next-cursor.test.ts',
      'tests/intake/pass-over.test.ts',
      'tests/intake/plan-batches.test.ts',
      'tests/intake/quarantine-store.test.ts',
      'tests/intake/raw-headers.test.ts',
      'tests/intake/queue-due-mailboxes.test.ts',
      'tests/intake/unfetched.test.ts',
      'tests/intake/unmarked.test.ts',
      'tests/intake/whole-mail.test.ts',
    ],
  },
  mailboxes: {
    mutate: [
      'shared/mailboxes/cursor.ts',
      'shared/mailboxes/mail-hours.ts',
      'shared/mailboxes/mail-loops.ts',
      'shared/mailboxes/mailbox.ts',
      'shared/mailboxes/mailbox-form.ts',
      'shared/mailboxes/mailbox-logins.ts',
      'shared/mailboxes/mailbox-store.ts',
      'shared/mailboxes/remedy.ts',
      'shared/mailboxes/shared-cause.ts',
      'shared/mailboxes/try-at-once.ts',
    ],
    tests: [
      'tests/mailboxes/cursor.test.ts',
      'tests/mailboxes/mail-hours.test.ts',
      'tests/mailboxes/mail-loops.test.ts',
      'tests/mailboxes/mailbox.test.ts',
      'tests/mailboxes/mailbox-form.test.ts',
      'tests/mailboxes/mailbox-logins.test.ts',
      'tests/mailboxes/mailbox-store.test.ts',
      'tests/mailboxes/remedy.test.ts',
      'tests/mailboxes/try-at-once.test.ts',
    ],
  },
  accounts: {
    mutate: [
      'shared/accounts/grant.ts',
      'shared/accounts/retry-pause.ts',
      'shared/accounts/sealing.ts',
      'shared/accounts/sign-in-history.ts',
      'shared/accounts/token-failure.ts',
    ],
    tests: [
      'tests/accounts/grant.test.ts',
      'tests/accounts/retry-pause.test.ts',
      'tests/accounts/sealing.test.ts',
      'tests/accounts/sign-in-history.test.ts',
      'tests/accounts/token-failure.test.ts',
    ],
  },
  providers: {
    mutate: [
      'shared/providers/endpoint-safety.ts',
      'shared/providers/field-rules.ts',
      'shared/providers/permissions.ts',
      'shared/providers/provider-form.ts',
    ],
    tests: [
      'tests/providers/endpoint-safety.test.ts',
      'tests/providers/provider-form.test.ts',
      'tests/providers/provider-rules.test.ts',
    ],
  },
  consent: {
    mutate: [
      'shared/consent/consent.ts',
      'shared/consent/invitation.ts',
      'shared/consent/consent-records.ts',
    ],
    tests: ['tests/consent/kept-apart.test.ts'],
  },
  tickets: {
    mutate: [
      'shared/tickets/attachment-name.ts',
      'shared/tickets/derived-rows.ts',
      'shared/tickets/file-messages.ts',
      'shared/tickets/inline-images.ts',
      'shared/tickets/quoted-text.ts',
      'shared/tickets/text-links.ts',
      'shared/tickets/ticket-numbers.ts',
      'shared/tickets/ticket-rows.ts',
      'shared/tickets/ticket-store.ts',
    ],
    tests: [
      'tests/tickets/attachment-name.test.ts',
      'tests/tickets/derived-rows.test.ts',
      'tests/tickets/file-messages.test.ts',
      'tests/tickets/inline-images.test.ts',
      'tests/tickets/message-order.test.ts',
      'tests/tickets/quoted-text.test.ts',
      'tests/tickets/text-links.test.ts',
      'tests/tickets/ticket-numbers.test.ts',
      'tests/tickets/ticket-rows.test.ts',
      'tests/tickets/ticket-store.test.ts',
    ],
  },
  notices: {
    mutate: ['shared/notices/decide-notices.ts', 'shared/notices/notice.ts'],
    tests: ['tests/notices/decide-notices.test.ts', 'tests/notices/notice.test.ts'],
  },
  outbox: {
    mutate: [
      'shared/outbox/note-sends.ts',
      'shared/outbox/outgoing-mail.ts',
      'shared/outbox/relay.ts',
      'shared/outbox/smtp-refusal.ts',
    ],
    tests: [
      'tests/outbox/note-sends.test.ts',
      'tests/outbox/outgoing-mail.test.ts',
      'tests/outbox/relay.test.ts',
      'tests/outbox/smtp-refusal.test.ts',
    ],
  },
};
