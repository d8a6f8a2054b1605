import { createHash } from 'node:crypto';
import { traitsOf } from './presets.ts';
import type { Provider } from './provider.ts';

/** What a secret, a code or a token was issued for: the app and the servers that may receive it. */
export type Registration = Pick<
  Provider,
  'preset' | 'cloud' | 'tenant' | 'clientId' | 'endpoints' | 'mailHosts'
>;

/**
 * A fingerprint of a registration, 43 characters: base64url SHA-256 of its parts. Two providers with the
 * same fingerprint send secrets and tokens to the same hosts for the same app. Consents in progress and
 * encrypted tokens are bound to it, so that they are not valid for another registration (RFC 9700 sections
 * 4.4 and 4.9). Pure.
 */
export function registrationOf({
  preset,
  cloud,
  tenant,
  clientId,
  endpoints,
  mailHosts,
}: Registration): string {
  const parts = [
    preset,
    cloud,
    // The demo's tenant comes from the settings of the machine.
    traitsOf({ preset }).isDemo ? '' : (tenant ?? ''),
    clientId,
    ...(endpoints === undefined
      ? ['none']
      : endpoints.kind === 'discovery'
        ? ['discovery', endpoints.issuer]
        : ['manual', endpoints.authorization, endpoints.token]),
    mailHosts?.imap ?? '',
    mailHosts?.pop3 ?? '',
    mailHosts?.smtp ?? '',
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
