import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeFaults, type FaultPattern } from '../faults.ts';
import { isOwnControlRequest, readBody, sendJson } from '../http-answers.ts';
import type { Client, Tenant } from './directory.ts';
import type { ProviderFault, Trouble, TroubleOptions } from './troubles.ts';

/** A token issued without a sign-in, for tests. `ttlSeconds` may be negative: an expired token. */
export interface MintRequest {
  upn: string;
  /** Full scope names; default: all mail scopes. */
  scope?: string;
  ttlSeconds?: number;
  audience?: string;
}

/** The requests to a token endpoint, without secrets. */
export interface TokenRequestSeen {
  at: number;
  grantType: string;
  clientId: string;
}

/** Controls the running provider, for tests and the drill. */
export interface Control {
  addFault(fault: ProviderFault): void;
  /** One of Entra's failures, by name. */
  addTrouble(trouble: Trouble, options?: TroubleOptions): void;
  clearFaults(): void;
  /** Ends the sessions, consents and tokens of a user. */
  revokeUser(upn: string): void;
  setUser(upn: string, change: { disabled?: boolean; password?: string; sharedMailboxes?: string[] }): void;
  /** A change of an admin in the portal; it applies at once. */
  setApp(
    clientId: string,
    change: Partial<
      Pick<Client, 'secrets' | 'certificates' | 'federated' | 'redirectUris' | 'adminConsented'>
    >,
  ): void;
  /** Whether users may consent themselves. */
  setTenant(domain: string, change: Pick<Tenant, 'userConsent'>): void;
  addClientSecret(clientId: string, secret: { value: string; expires?: number }): void;
  expireClientSecrets(clientId: string): void;
  mintAccessToken(request: MintRequest): Promise<string>;
  tokenRequests(): readonly TokenRequestSeen[];
}

/** The same through `/.control/…`. */
export type RemoteControl = {
  [Name in keyof Control]: (
    ...parameters: Name extends 'addFault' ? [RemoteFault] : Parameters<Control[Name]>
  ) => Promise<Awaited<ReturnType<Control[Name]>>>;
};
export type RemoteFault = ProviderFault & { match: FaultPattern };

const NAMES = [
  'addFault',
  'addTrouble',
  'clearFaults',
  'revokeUser',
  'setUser',
  'setApp',
  'setTenant',
  'addClientSecret',
  'expireClientSecrets',
  'mintAccessToken',
  'tokenRequests',
] as const satisfies readonly (keyof Control)[];

/**
 * Serves `POST /.control/<name>` with a JSON array of parameters, answers `{result}`; `GET /.control/faults` lists
 * the faults still waiting.
 */
export async function handleControl(
  request: IncomingMessage,
  response: ServerResponse,
  control: Control,
  faults: readonly ProviderFault[],
): Promise<void> {
  if (!isOwnControlRequest(request))
    return sendJson(response, 403, {
      error: 'The control endpoint takes JSON from this machine, never from a page.',
    });
  const name = (request.url ?? '').replace('/.control/', '');
  if (request.method === 'GET' && name === 'faults') return sendJson(response, 200, describeFaults(faults));
  const known = NAMES.find((candidate) => candidate === name);
  if (known === undefined || request.method !== 'POST')
    return sendJson(response, 404, { error: `POST /.control/ with one of: ${NAMES.join(', ')}` });
  try {
    const parameters = JSON.parse((await readBody(request)) || '[]') as unknown[];
    const method = control[known] as (...all: unknown[]) => unknown;
    return sendJson(response, 200, { result: await method.apply(control, parameters) });
  } catch (error) {
    return sendJson(response, 400, { error: error instanceof Error ? error.message : String(error) });
  }
}

/** Controls a provider that runs in another process. */
export function remoteControl(origin: string): RemoteControl {
  const call = async (name: string, parameters: unknown[]): Promise<unknown> => {
    const response = await fetch(`${origin}/.control/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(parameters),
    });
    const answer = (await response.json()) as { result?: unknown; error?: string };
    if (!response.ok)
      throw new Error(`The identity provider refused ${name}: ${answer.error ?? response.status}`);
    return answer.result;
  };
  const entries = NAMES.map((name) => [name, (...parameters: unknown[]) => call(name, parameters)]);
  return Object.fromEntries(entries) as RemoteControl;
}
