import { PostroomError } from '../platform/errors.ts';
import { Secret } from '../platform/secret.ts';
import { hostProblem } from '../providers/endpoint-safety.ts';
import type { SmtpServer, SmtpSignIn } from './smtp-session.ts';

/** A mistake of the operator: nothing can leave over the relay until they correct it. */
export const isRelayMistake = (code: string): boolean =>
  code === 'no-relay' || code === 'bad-relay' || code === 'relay-refused';

const SUBMISSION = 587;
const SUBMISSION_OVER_TLS = 465;

/**
 * Parses the URL of a relay, which contains its password.
 * @throws PostroomError `bad-relay`, which contains nothing of the URL
 */
export function relayOf(
  address: Secret,
  { local }: { local: boolean },
): { server: SmtpServer; signIn: SmtpSignIn | undefined } {
  const url = URL.canParse(address.expose()) ? new URL(address.expose()) : undefined;
  if (url === undefined || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '')
    throw new PostroomError(
      'bad-relay',
      'The address of the relay must be smtp://user:password@host:587 or smtps://…:465.',
    );
  const problem = hostProblem(url.hostname, { local });
  if (problem !== undefined) throw new PostroomError('bad-relay', `The host of the relay: ${problem}`);
  const implicitTls = url.protocol === 'smtps:';
  const port = Number(url.port) || (implicitTls ? SUBMISSION_OVER_TLS : SUBMISSION);
  const user = decoded(url.username);
  const signIn: SmtpSignIn | undefined =
    user === '' ? undefined : { kind: 'password', user, password: new Secret(decoded(url.password)) };
  // A password is never sent unencrypted, on any machine.
  const plainAllowed = local && signIn === undefined;
  return { server: { host: url.hostname, port, implicitTls, plainAllowed }, signIn };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new PostroomError(
      'bad-relay',
      'A % in the name or the password of the relay must be written as %25.',
    );
  }
}
