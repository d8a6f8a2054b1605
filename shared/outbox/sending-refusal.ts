import type { ConnectFailure } from '../mailboxes/connect-inbox.ts';
import type { Code } from '../platform/problem.ts';

/** A refusal by the server of a way out, or the reason why none was asked. */
export interface SendingRefusal {
  /**
   * A code of the error catalogue; for SMTP otherwise `smtp-` and the server's reply code, for Microsoft Graph
   * `graph-send-refused`.
   */
  code: Code;
  /** The server's line, or our own sentence why no server was contacted; never contains a token. */
  reason: string;
  /** True when the same email would be refused again until a person changes something. */
  permanent: boolean;
  /** ISO time before which a retry is pointless; absent when `permanent`. */
  retryAt: string | undefined;
  /**
   * False when no server was contacted, because there is no token or the email is invalid. Then this says
   * nothing about the server.
   */
  asked: boolean;
}

/** The problem of the account that has no token. */
export const refusedWithoutToken = ({ kind, code, message, retryAt }: ConnectFailure): SendingRefusal => ({
  asked: false,
  code,
  reason: message,
  permanent: kind === 'action-required',
  retryAt,
});
