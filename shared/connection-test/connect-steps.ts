import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ConnectFailure } from '../mailboxes/connect-inbox.ts';
import { connectSocket, type Encryption, type LineSocket, SocketError } from '../mailboxes/line-socket.ts';
import type { MailLogin } from '../mailboxes/mailbox.ts';
import type { MailProtocol } from '../mailboxes/mailbox-form.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Secret } from '../platform/secret.ts';
import { isPublicAddress } from '../providers/endpoint-safety.ts';
import { StepRefused, type TestRunner } from './test-runner.ts';
import { type TokenClaims, tokenClaims } from './token-claims.ts';

const CONNECT_MS = 20_000;

/** The source of tokens, and their account. */
export interface TestTokens {
  get(
    account: { providerId: string; accountId: string },
    use: { host: string; protocol?: MailProtocol | undefined; rejected?: string | undefined },
  ): Promise<{ kind: 'token'; token: Secret; expiresAt: string; user: string } | ConnectFailure>;
}

export interface ReachDeps {
  config: { local: boolean };
  accessTokens: TestTokens;
}

export interface SignedInUser {
  user: string;
  token: Secret;
}

/** The steps `dns` and `tcp`. */
export async function reachServer(
  run: TestRunner,
  { config }: ReachDeps,
  server: MailLogin,
): Promise<LineSocket> {
  const { host, port } = server;
  await run.step('dns', async () => {
    if (isIP(host) !== 0)
      return { value: undefined, found: `${host} is an IP address; no DNS lookup is needed.` };
    const addresses = (await lookup(host, { all: true })).map(({ address }) => address);
    if (!config.local && addresses.some((address) => !isPublicAddress(address)))
      throw new PostroomError('endpoint-private', `${host} resolves to a private address.`);
    return { value: undefined, found: `${host} is ${some(addresses)}.` };
  });
  return run.step('tcp', async () => ({
    value: await openLineSocket(run, { config }, server),
    found: `Port ${port} answers.`,
  }));
}

/** Another connection to the same server, for a second attempt or a probe. */
export async function openLineSocket(
  run: TestRunner,
  { config }: Pick<ReachDeps, 'config'>,
  { host, port }: MailLogin,
): Promise<LineSocket> {
  const wire = await connectSocket(
    { host, port },
    { rules: { local: config.local }, withinMs: CONNECT_MS, listener: run.note },
  );
  run.note('test', `connected to ${host}:${port}`);
  return run.keep(wire);
}

/** The step `tls`; `encrypt` does the handshake. */
export async function encryptStep(run: TestRunner, encrypt: () => Promise<Encryption>): Promise<void> {
  await run.step('tls', async () => {
    const { protocol, certificate, distrust } = await encrypt();
    const { subject, issuer, validFrom, validTo, names } = certificate;
    const shown = `${protocol}. Certificate for ${subject || names}, issued by ${issuer}, valid from ${validFrom.slice(0, 10)} to ${validTo.slice(0, 10)}.`;
    run.note('test', `TLS: ${shown}`);
    if (distrust !== undefined) throw new SocketError(distrust, `${shown} Names in it: ${names}`);
    return { value: undefined, found: shown };
  });
}

/** The steps up to `tls` at Microsoft Graph; its requests then have connections of their own. */
export async function reachGraph(run: TestRunner, deps: ReachDeps, login: MailLogin): Promise<void> {
  const wire = await reachServer(run, deps, login);
  // The emulator on a developer's machine; see GraphClient.
  if (deps.config.local && login.port !== 443)
    await run.step('tls', async () => ({
      value: undefined,
      found: 'Not encrypted: this server runs on this machine, for development only.',
    }));
  else await encryptStep(run, () => wire.encrypt());
  wire.close();
}

/** The step `token`; `claims` are those of the token, if it shows them. */
export async function tokenStep(
  run: TestRunner,
  deps: ReachDeps,
  login: MailLogin,
): Promise<SignedInUser & { claims: TokenClaims | undefined }> {
  return run.step('token', async () => {
    const got = await tokenOf(run, deps, login);
    const facts = tokenClaims(got.token);
    const holds = facts === undefined ? '' : ` Permissions: ${facts.permissions.join(', ')}.`;
    const found = `Token for ${got.user}, valid until ${got.expiresAt.slice(0, 16).replace('T', ' ')} UTC.${holds}`;
    return { value: { user: got.user, token: got.token, claims: facts }, found };
  });
}

/** A token other than `rejected`, masked in the transcript. */
export async function tokenOf(
  run: TestRunner,
  { accessTokens }: ReachDeps,
  { host, providerId, accountId }: MailLogin,
  rejected?: Secret,
): Promise<SignedInUser & { expiresAt: string }> {
  const { protocol } = run;
  if (protocol === 'relay') throw new TypeError('the relay does not use a token');
  const use = { host, protocol, rejected: rejected?.expose() };
  const got = await accessTokens.get({ providerId, accountId }, use);
  if (got.kind !== 'token') throw new StepRefused(`${got.code}: ${got.message}`);
  run.hide(got.token);
  return got;
}

const some = (addresses: readonly string[]): string => {
  const first = addresses.slice(0, 3).join(', ');
  return addresses.length > 3 ? `${first} and ${addresses.length - 3} more` : first;
};
