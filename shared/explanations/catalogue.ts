import { appEntries } from './entra-app.ts';
import { credentialEntries } from './entra-credentials.ts';
import { grantEntries } from './entra-grants.ts';
import { peopleEntries } from './entra-people.ts';
import { policyEntries } from './entra-policy.ts';
import { redirectEntries } from './entra-redirect.ts';
import { requestEntries } from './entra-requests.ts';
import { serviceEntries } from './entra-service.ts';
import type { EntraEntry, LineEntry } from './explanation.ts';
import { graphEntries } from './graph.ts';
import { imapEntries, imapSuccess } from './imap.ts';
import { azureEntries } from './key-vault.ts';
import { networkEntries } from './network.ts';
import { pop3Entries, pop3Success } from './pop3.ts';
import { postroomEntries } from './postroom.ts';
import { smtpSignInEntries, smtpSuccess } from './smtp.ts';
import { smtpSendingEntries } from './smtp-sending.ts';

/** Every number of Entra that is explained. */
export const entraEntries: readonly EntraEntry[] = [
  ...redirectEntries,
  ...appEntries,
  ...requestEntries,
  ...peopleEntries,
  ...policyEntries,
  ...grantEntries,
  ...credentialEntries,
  ...serviceEntries,
];

/** Every text pattern, in search order: the most specific first, success last. */
export const lineEntries: readonly LineEntry[] = [
  ...azureEntries,
  ...graphEntries,
  ...smtpSignInEntries,
  ...smtpSendingEntries,
  ...imapEntries,
  ...pop3Entries,
  ...postroomEntries,
  ...networkEntries,
  smtpSuccess,
  imapSuccess,
  pop3Success,
];

/** The codes that a reply of an SMTP server can be recognized as. */
export type SmtpCode = (
  | (typeof smtpSignInEntries)[number]
  | (typeof smtpSendingEntries)[number]
  | typeof smtpSuccess
)['code'];

const byNumber = new Map(entraEntries.flatMap((entry) => entry.numbers.map((number) => [number, entry])));
const byCode = new Map(lineEntries.map((entry) => [entry.code, entry]));

export const entraEntry = (number: number): EntraEntry | undefined => byNumber.get(number);
export const lineEntry = (code: string): LineEntry | undefined => byCode.get(code);
