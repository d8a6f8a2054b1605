/**
 * Parameters of a token request that must never be stored or shown (RFC 6749 sections 2.3.1, 4.1.3 and 6,
 * RFC 7521, RFC 7636).
 */
const SECRET_PARAMETERS = ['client_secret', 'client_assertion', 'refresh_token', 'code', 'code_verifier'];
/** Shorter values also occur in ordinary text. */
const SHORTEST = 4;

/** The secret values in the body or the Authorization header of a token request. Pure. */
export function secretsIn(
  headers: Readonly<Record<string, string>>,
  body: URLSearchParams | undefined,
): string[] {
  const found = SECRET_PARAMETERS.flatMap((name) => body?.getAll(name) ?? []);
  const [, credentials] = /^Basic (\S+)$/i.exec(headers['authorization'] ?? '') ?? [];
  if (credentials === undefined) return found;
  const [, secret = ''] = Buffer.from(credentials, 'base64').toString('utf8').split(':');
  // Both halves are form-encoded before they are joined (RFC 6749 section 2.3.1).
  return [...found, credentials, new URLSearchParams(`v=${secret}`).get('v') ?? ''];
}

/**
 * A provider's text with the secrets of the request masked, in whatever encoding it repeats them. A short
 * secret can't be recognized by its form, only by its value. Pure.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const forms = new Set(secrets.filter(({ length }) => length >= SHORTEST).flatMap(formsOf));
  let masked = text;
  for (const form of [...forms].sort((a, b) => b.length - a.length))
    masked = masked.replaceAll(form, '[secret]');
  return masked;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** As it is, and as encoded in URLs, forms, JSON and HTML. */
const formsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  new URLSearchParams({ v: secret }).toString().slice(2),
  JSON.stringify(secret).slice(1, -1),
  secret.replaceAll(/[&<>"']/g, (character) => entities[character] ?? ''),
];
