import { PostroomError } from '../platform/errors.ts';
import { Secret } from '../platform/secret.ts';
import { hostProblem } from '../providers/endpoint-safety.ts';
import type { SmtpServer, SmtpSignIn } from './smtp-session.ts';

const SUBMISSION = 587;
const SUBMISSION_OVER_TLS = 465;

/**
 * Reads the address of a relay, which holds its password.
 * @throws PostroomError `bad-relay`, which shows nothing of the address.
 */
export function relayOf(
  address: Secret,
  { local }: { local: boolean },
): { server: SmtpServer; signIn: SmtpSignIn | undefined } {
  const url = URL.canParse(address.expose()) ? new URL(address.expose()) : undefined;
  if (url === undefined || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '')
    throw new PostroomError(
      'bad-relay',
      'SMTP_RELAY_URL must be smtp://user:password@host:587 or smtps://…:465.',
    );
  const problem = hostProblem(url.hostname, { local });
  if (problem !== undefined) throw new PostroomError('bad-relay', `SMTP_RELAY_URL: ${problem}`);
  const implicitTls = url.protocol === 'smtps:';
  const port = Number(url.port) || (implicitTls ? SUBMISSION_OVER_TLS : SUBMISSION);
  const user = decodeURIComponent(url.username);
  const signIn: SmtpSignIn | undefined =
    user === ''
      ? undefined
      : { kind: 'password', user, password: new Secret(decodeURIComponent(url.password)) };
  // A password never travels in the clear, on no machine.
  const plainAllowed = local && signIn === undefined;
  return { server: { host: url.hostname, port, implicitTls, plainAllowed }, signIn };
}
