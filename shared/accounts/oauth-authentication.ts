import * as oauth from 'oauth4webapi';
import type { ClientProof } from './client-proof.ts';

/** How a token request authenticates the client. */
export function authenticationOf(server: oauth.AuthorizationServer, proof: ClientProof): oauth.ClientAuth {
  switch (proof.kind) {
    case 'secret':
      return secretAuthentication(server, proof.value.expose());
    case 'certificate':
      return async (...request) =>
        certificateAuthentication(server, proof, await signingKey(proof))(...request);
    case 'assertion':
      return (_server, client, body) => {
        body.set('client_id', client.client_id);
        body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
        body.set('client_assertion', proof.value.expose());
      };
  }
}

function secretAuthentication(server: oauth.AuthorizationServer, secret: string): oauth.ClientAuth {
  const offered = server.token_endpoint_auth_methods_supported;
  const onlyBasic =
    offered?.includes('client_secret_basic') === true && !offered.includes('client_secret_post');
  return onlyBasic ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret);
}

type CertificateProof = Extract<ClientProof, { kind: 'certificate' }>;

/**
 * Entra requires its token endpoint as the audience and finds the certificate by its thumbprint:
 * https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
function certificateAuthentication(
  server: oauth.AuthorizationServer,
  { thumbprint }: CertificateProof,
  key: CryptoKey,
): oauth.ClientAuth {
  return oauth.PrivateKeyJwt(key, {
    [oauth.modifyAssertion]: (header, payload) => {
      header['typ'] = 'JWT';
      header['x5t#S256'] = thumbprint;
      payload['aud'] = server.token_endpoint;
    },
  });
}

/** The key in the library's form: RSA-PSS with SHA-256, which is PS256. */
const signingKey = ({ privateKey }: CertificateProof): Promise<CryptoKey> =>
  crypto.subtle.importKey(
    'pkcs8',
    privateKey.export({ type: 'pkcs8', format: 'der' }),
    { name: 'RSA-PSS', hash: 'SHA-256' },
    false,
    ['sign'],
  );
