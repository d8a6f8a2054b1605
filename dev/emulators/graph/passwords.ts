import { randomBytes, randomUUID } from 'node:crypto';
import type { Application, PasswordCredential } from './directory.ts';
import type { GraphCall, GraphReply } from './graph-call.ts';
import { badRequest, GraphError } from './graph-error.ts';

const TWO_YEARS_MS = 730 * 86_400_000;

/** `addPassword`: the one answer that holds the secret. */
export function addPassword(call: GraphCall, application: Application): GraphReply {
  const input = (call.body['passwordCredential'] ?? {}) as Partial<PasswordCredential>;
  const start = call.now();
  const end = input.endDateTime ?? new Date(start.getTime() + TWO_YEARS_MS).toISOString();
  checkPolicy(call, start, new Date(end));
  // Entra's own form: 40 characters, of which a few are no letters.
  const secretText = `${randomBytes(2).toString('hex')}8Q~${randomBytes(25).toString('base64url')}`.slice(
    0,
    40,
  );
  const made: PasswordCredential = {
    keyId: randomUUID(),
    displayName: input.displayName ?? null,
    hint: secretText.slice(0, 3),
    startDateTime: start.toISOString(),
    endDateTime: end,
    secretText: null,
    customKeyIdentifier: null,
  };
  application.passwordCredentials.push(made);
  call.directory.save();
  call.onSecret?.({ appId: application.appId, keyId: made.keyId, secretText, endDateTime: end });
  return {
    body: {
      '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.passwordCredential',
      ...made,
      secretText,
    },
  };
}

/** Microsoft: "Microsoft Entra application management policies"; the bodies are what its own tools recognise. */
function checkPolicy({ policy }: GraphCall, start: Date, end: Date): void {
  if (policy?.secrets === 'forbidden')
    throw new GraphError(
      400,
      'CredentialTypeNotAllowedAsPerAppPolicy',
      "Credential type not allowed as per assigned policy 'demo'.",
    );
  const days = (end.getTime() - start.getTime()) / 86_400_000;
  if (policy?.longestDays !== undefined && days > policy.longestDays)
    throw new GraphError(
      400,
      'CredentialInvalidLifetimeAsPerAppPolicy',
      "Credential lifetime exceeds the max value allowed as per assigned policy 'demo'.",
      { code: 'InvalidKeyEndDate', target: 'EndDate' },
    );
}

export function removePassword(call: GraphCall, application: Application): GraphReply {
  const keyId = String(call.body['keyId'] ?? '');
  const index = application.passwordCredentials.findIndex((candidate) => candidate.keyId === keyId);
  if (index < 0) throw badRequest(`No password credential found with keyId '${keyId}'.`);
  application.passwordCredentials.splice(index, 1);
  call.directory.save();
  call.onSecret?.({ appId: application.appId, keyId });
  return { status: 204 };
}
