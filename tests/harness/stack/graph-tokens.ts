import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** Signs tokens as Entra does for Microsoft Graph, and provides the key that an emulator needs to verify them. */
export interface GraphTokens {
  jwks: { keys: JWK[] };
  person(oid: string, seconds?: number): Promise<string>;
  app(oid: string): Promise<string>;
  /** A valid signature for another service. */
  elsewhere(oid: string): Promise<string>;
}

export async function makeGraphTokens(): Promise<GraphTokens> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const kid = randomUUID();
  const sign = (claims: Record<string, string>, audience: string, seconds: number): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid })
      .setAudience(audience)
      .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
      .sign(privateKey);
  const audience = 'https://graph.microsoft.com';
  return {
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }] },
    person: (oid, seconds = 3600) => sign({ oid }, audience, seconds),
    app: (oid) => sign({ oid, idtyp: 'app' }, audience, 3600),
    elsewhere: (oid) => sign({ oid }, 'https://vault.azure.net', 3600),
  };
}
