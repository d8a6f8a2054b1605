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
      'shared/intake/decide-mails.ts',
      'shared/intake/next-cursor.ts',
      'shared/intake/plan-batches.ts',
    ],
    tests: [
      'tests/intake/decide-mails.test.ts',
      'tests/intake/next-cursor.test.ts',
      'tests/intake/plan-batches.test.ts',
    ],
  },
  mailboxes: {
    mutate: [
      'shared/mailboxes/mail-hours.ts',
      'shared/mailboxes/mailbox.ts',
      'shared/mailboxes/mailbox-logins.ts',
      'shared/mailboxes/remedy.ts',
      'shared/mailboxes/shared-cause.ts',
    ],
    tests: [
      'tests/mailboxes/mail-hours.test.ts',
      'tests/mailboxes/mailbox.test.ts',
      'tests/mailboxes/mailbox-logins.test.ts',
      'tests/mailboxes/remedy.test.ts',
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
      'shared/providers/credential-columns.ts',
      'shared/providers/credential-form.ts',
      'shared/providers/credential.ts',
      'shared/providers/endpoint-safety.ts',
      'shared/providers/field-rules.ts',
      'shared/providers/keep-credential.ts',
      'shared/providers/permissions.ts',
      'shared/providers/provider-form.ts',
      'shared/providers/provider-store.ts',
      'shared/providers/provider.ts',
      'shared/providers/record-by-itself.ts',
      'shared/providers/registrable-domains.ts',
      'shared/providers/registration.ts',
      'shared/providers/settle-credential.ts',
    ],
    tests: [
      'tests/providers/credential-form.test.ts',
      'tests/providers/credential.test.ts',
      'tests/providers/endpoint-safety.test.ts',
      'tests/providers/provider-form.test.ts',
      'tests/providers/provider-rules.test.ts',
      'tests/providers/provider-store.test.ts',
      'tests/providers/provider.test.ts',
      'tests/providers/registrable-domains.test.ts',
      'tests/providers/settle-credential.test.ts',
    ],
  },
  consent: {
    mutate: ['shared/consent/consent.ts', 'shared/consent/invitation.ts', 'shared/consent/stored-wish.ts'],
    tests: ['tests/consent/kept-apart.test.ts'],
  },
  tickets: {
    mutate: ['shared/tickets/inline-images.ts', 'shared/tickets/quoted-text.ts'],
    tests: ['tests/tickets/inline-images.test.ts', 'tests/tickets/quoted-text.test.ts'],
  },
  notices: {
    mutate: ['shared/notices/decide-notices.ts', 'shared/notices/notice.ts'],
    tests: ['tests/notices/decide-notices.test.ts', 'tests/notices/notice.test.ts'],
  },
  outbox: {
    mutate: ['shared/outbox/outgoing-mail.ts', 'shared/outbox/relay.ts', 'shared/outbox/smtp-refusal.ts'],
    tests: [
      'tests/outbox/outgoing-mail.test.ts',
      'tests/outbox/relay.test.ts',
      'tests/outbox/smtp-refusal.test.ts',
    ],
  },
};
