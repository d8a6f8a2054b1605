import type { Code, ProblemCode } from '../platform/problem.ts';
import type { CloudName } from '../providers/clouds.ts';
import type { LinkName } from './links.ts';

/** Who can fix it. `you` is the admin of Postroom. */
export const fixers = ['you', 'mailbox-owner', 'tenant-admin', 'microsoft', 'nobody: wait'] as const;
export type Fixer = (typeof fixers)[number];

/**
 * What makes it work again: Postroom's automatic retry, the next attempt after the steps, or a sign-in by
 * the mailbox owner (after the steps, if there are any).
 */
export type Retry = 'by-itself' | 'after-fix' | 'sign-in-again';

/** The catalogue's explanation of an error. Steps may contain the placeholders of `placeholders.ts`. */
export interface Meaning {
  title: string;
  /** One or two sentences for a person without knowledge of Entra. */
  cause: string;
  who: Fixer;
  retry: Retry;
  steps: readonly string[];
  links: readonly LinkName[];
}

/** Meanings of some of our codes; problem-meanings.ts has all. */
export type Meanings = Readonly<Partial<Record<ProblemCode, Meaning>>>;

/** An error of Microsoft Entra, recognized by its AADSTS number. */
export interface EntraEntry extends Meaning {
  numbers: readonly number[];
  /** A sentence that Microsoft's pages also show without the number. */
  says?: RegExp;
}

/** An error of a mail server or of Azure, recognized by its text; the text is searched as one line. */
export interface LineEntry extends Meaning {
  code: string;
  /** Every gap is bounded, so that a search is linear in the length of the text. */
  pattern: RegExp;
}

/** The installation's values for placeholders and links. */
export interface ExplainContext {
  clientId?: string | undefined;
  /** ID or domain. */
  tenant?: string | undefined;
  /** Address of the mailbox. */
  mailbox?: string | undefined;
  /** The redirect URI of this installation. */
  redirectUri?: string | undefined;
  /** Of the enterprise application, not of the app registration. */
  objectId?: string | undefined;
  /** Object ID of the account that signs in. */
  userId?: string | undefined;
  /** Object ID of the mailbox's own user; for a shared mailbox not the user who signs in. */
  mailboxId?: string | undefined;
  /** The cloud of the portals; the default is worldwide. */
  cloud?: CloudName | undefined;
  /** True for the demo's provider: its errors do not involve Microsoft and its portals. */
  demo?: boolean | undefined;
}

export interface ExplanationLink {
  label: string;
  href: string;
}

/** Two addresses that should be equal, and their first difference. */
export interface Comparison {
  sent: string;
  expected: string;
  /** Length of the common prefix: the position of the first difference, from 0. */
  same: number;
}

export interface Explanation {
  /**
   * `AADSTS50011`, or a code of the catalogue such as `smtp-auth-disabled-mailbox`; `not-recognised` when
   * nothing is known.
   */
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
  /** The message of Microsoft or of the server, without secrets; empty when there is none. */
  said: string;
  comparison?: Comparison;
}
