import type { Code, ProblemCode } from '../platform/problem.ts';
import type { CloudName } from '../providers/clouds.ts';
import type { LinkName } from './links.ts';

/** Who can end the trouble. `you` is the admin of Postroom. */
export const fixers = ['you', 'mailbox-owner', 'tenant-admin', 'microsoft', 'nobody: wait'] as const;
export type Fixer = (typeof fixers)[number];

/**
 * What makes it work again: Postroom's own next try, the next try after the steps were done, or a sign-in by the owner
 * of the mailbox (after the steps, where there are some).
 */
export type Retry = 'by-itself' | 'after-fix' | 'sign-in-again';

/** What the catalogue says of an error. Steps may hold the placeholders of `placeholders.ts`. */
export interface Meaning {
  title: string;
  /** One or two sentences that a person who has never seen Entra understands. */
  cause: string;
  who: Fixer;
  retry: Retry;
  steps: readonly string[];
  links: readonly LinkName[];
}

/** Meanings of some codes of ours; every code has one, see problem-meanings.ts. */
export type Meanings = Readonly<Partial<Record<ProblemCode, Meaning>>>;

/** An error of Microsoft Entra, recognised by its AADSTS number. */
export interface EntraEntry extends Meaning {
  numbers: readonly number[];
  /** A sentence that Microsoft's pages also show without the number. */
  says?: RegExp;
}

/** An error of a mail server or of Azure, recognised by its words; the text is searched as one line. */
export interface LineEntry extends Meaning {
  code: string;
  /** Every gap is bounded, so that a search stays linear in the length of the text. */
  pattern: RegExp;
}

/** What is known of the installation that met the error; placeholders and links are filled with it. */
export interface ExplainContext {
  clientId?: string | undefined;
  /** Id or domain. */
  tenant?: string | undefined;
  /** Address of the mailbox. */
  mailbox?: string | undefined;
  /** The redirect URI of this installation. */
  redirectUri?: string | undefined;
  /** Of the enterprise application, not of the registration. */
  objectId?: string | undefined;
  /** Object id of the account that signs in. */
  userId?: string | undefined;
  /** Object id of the user that the mailbox itself belongs to; a shared one's is another than of who signs in for it. */
  mailboxId?: string | undefined;
  /** Whose portals the links lead to; worldwide unless told. */
  cloud?: CloudName | undefined;
  /** True for the provider that `npm start` brings along: Microsoft and its portals have no part in its errors. */
  demo?: boolean | undefined;
}

export interface ExplanationLink {
  label: string;
  href: string;
}

/** Two addresses that should be one, and where they part. */
export interface Comparison {
  sent: string;
  expected: string;
  /** Characters that both begin with; also the position of the first difference, from 0. */
  same: number;
}

export interface Explanation {
  /** `AADSTS50011`, or a word of the catalogue such as `smtp-auth-disabled-mailbox`; `not-recognised` when nothing is known. */
  code: Code;
  title: string;
  cause: string;
  who: Fixer;
  steps: string[];
  links: ExplanationLink[];
  retry: Retry;
  /** For Microsoft's support. */
  correlationId?: string;
  traceId?: string;
  /** As Microsoft wrote it. */
  timestamp?: string;
  /** The words of Microsoft or of the server, without anything secret; empty when nothing is known. */
  said: string;
  comparison?: Comparison;
}
