import { z } from 'zod';
import type { IdentityAssertion } from '../platform/credential.ts';
import { PostroomError } from '../platform/errors.ts';
import type { ProblemCode } from '../platform/problem.ts';
import type { Seam } from '../platform/seam.ts';
import { Secret } from '../platform/secret.ts';
import { clouds } from '../providers/clouds.ts';
import { type Answer, guardedFetch } from '../providers/guarded-fetch.ts';
import type { Provider } from '../providers/provider.ts';

/** A client secret as the directory lists it, without its value. ISO times. */
export interface DirectorySecret {
  keyId: string;
  displayName: string | undefined;
  /** Rounded to seconds, as the vault stores it. */
  expiresOn: string;
}

/** Which app registration. */
export type App = Pick<Provider, 'cloud' | 'clientId'>;

/** Graph refused or did not respond: a sentence for a person, with Graph's own code if there is one. */
export interface GraphRefusal {
  kind: 'refused';
  code: string;
  message: string;
}

/** The app registrations of a tenant that this installation's managed identity may read and change. */
export interface GraphApplications {
  secrets(app: App): Promise<{ kind: 'secrets'; secrets: DirectorySecret[] } | GraphRefusal>;
  addSecret(
    app: App,
    connectRequest: { displayName: string; endDateTime: string },
  ): Promise<{ kind: 'added'; keyId: string; value: Secret; expiresOn: string } | GraphRefusal>;
  /** A secret that is already gone counts as removed. */
  removeSecret(app: App, keyId: string): Promise<{ kind: 'removed' } | GraphRefusal>;
}

const time = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(Math.floor(Date.parse(text) / 1000) * 1000).toISOString());
const passwords = z.object({
  passwordCredentials: z.array(
    z.object({ keyId: z.string(), displayName: z.string().nullish(), endDateTime: time }),
  ),
});
const added = z.object({ keyId: z.string(), secretText: z.string().min(1), endDateTime: time });
const failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/**
 * Microsoft Graph with the managed identity's own token. It works even after a secret has expired. It needs
 * the application permission Application.ReadWrite.OwnedBy, and the identity must be an owner of the app
 * registration. https://learn.microsoft.com/graph/api/application-addpassword
 */
export function createGraphApplications(deps: {
  seam: Seam;
  local: boolean;
  identityAssertion: IdentityAssertion;
  /** Replaces Microsoft Graph in the demo; absent: Graph of the app's cloud. */
  origin?: string | undefined;
}): GraphApplications {
  async function ask(
    { cloud, clientId }: App,
    what: { method: 'GET' | 'POST'; path: string; body?: unknown },
  ): Promise<Answer | GraphRefusal> {
    const { method, path, body } = what;
    // A developer's machine has a demo identity, whose tokens must not be sent anywhere else.
    if (deps.local && deps.origin === undefined) return noGraph;
    try {
      const { graph } = clouds[cloud];
      const token = await deps.identityAssertion(graph);
      return await deps.seam.call(`graph.${method === 'GET' ? 'read' : 'change'}`, () =>
        guardedFetch(
          `${deps.origin ?? graph}/v1.0/applications(appId='${encodeURIComponent(clientId)}')${path}`,
          {
            method,
            headers: { authorization: `Bearer ${token.expose()}`, 'content-type': 'application/json' },
            ...(body !== undefined && { body: JSON.stringify(body) }),
          },
          { local: deps.local },
        ),
      );
    } catch (error) {
      return unanswered(error);
    }
  }

  return {
    async secrets(app) {
      const answer = await ask(app, { method: 'GET', path: '?$select=id,passwordCredentials' });
      if ('kind' in answer) return answer;
      const read = answer.status === 200 ? passwords.safeParse(jsonOf(answer)) : undefined;
      if (read?.success !== true) return refusalOf(answer);
      const secrets = read.data.passwordCredentials.map(({ keyId, displayName, endDateTime }) => ({
        keyId,
        displayName: displayName ?? undefined,
        expiresOn: endDateTime,
      }));
      return { kind: 'secrets', secrets };
    },
    async addSecret(app, passwordCredential) {
      const answer = await ask(app, {
        method: 'POST',
        path: '/addPassword',
        body: { passwordCredential },
      });
      if ('kind' in answer) return answer;
      const read = answer.status === 200 ? added.safeParse(jsonOf(answer)) : undefined;
      if (read?.success !== true) return refusalOf(answer);
      const { keyId, secretText, endDateTime: expiresOn } = read.data;
      return { kind: 'added', keyId, value: new Secret(secretText), expiresOn };
    },
    async removeSecret(app, keyId) {
      const answer = await ask(app, { method: 'POST', path: '/removePassword', body: { keyId } });
      if ('kind' in answer) return answer;
      if (answer.status === 204) return { kind: 'removed' };
      const refusal = refusalOf(answer);
      return refusal.message.includes('No password credential found') ? { kind: 'removed' } : refusal;
    },
  };
}

const noGraph: GraphRefusal = {
  kind: 'refused',
  code: 'no-graph' satisfies ProblemCode,
  message: 'An installation on a developer’s machine does not use Microsoft Graph.',
};

function unanswered(error: unknown): GraphRefusal {
  if (error instanceof PostroomError)
    return { kind: 'refused', code: error.code, message: 'Microsoft Graph does not respond.' };
  // An error of the identity library: there is no managed identity, or it returned no token.
  return {
    kind: 'refused',
    code: 'no-identity' satisfies ProblemCode,
    message: 'The managed identity of this installation returns no token for Microsoft Graph.',
  };
}

/** Graph's message contains IDs and names of policies, but no secret and nothing of our request. */
function refusalOf(answer: Answer): GraphRefusal {
  const read = failure.safeParse(jsonOf(answer));
  const code = read.success ? read.data.error.code : `http-${answer.status}`;
  const said = read.success
    ? read.data.error.message.slice(0, 300)
    : `It responded with status ${answer.status}.`;
  return {
    kind: 'refused',
    code,
    message: `${meaningOf(answer.status, code)} Microsoft Graph said: ${said}`,
  };
}

function meaningOf(status: number, code: string): string {
  if (status === 403)
    return 'The managed identity is not allowed to change this app registration: it needs Application.ReadWrite.OwnedBy and must be an owner of the registration.';
  if (status === 404)
    return 'There is no app registration with this client ID in the tenant of this installation.';
  if (status === 429) return 'Microsoft Graph is throttling requests.';
  if (code.startsWith('Credential')) return 'A policy of the tenant forbids it.';
  return 'Microsoft Graph refused.';
}

function jsonOf({ text }: Answer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
