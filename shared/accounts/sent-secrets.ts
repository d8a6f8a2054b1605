/** Parameters of a token request that must never be kept or shown (RFC 6749 sections 2.3.1, 4.1.3 and 6, RFC 7521, RFC 7636). */
const SECRET_PARAMETERS = ['client_secret', 'client_assertion', 'refresh_token', 'code', 'code_verifier'];
/** What is shorter is part of ordinary words. */
const SHORTEST = 4;

/** The secret values that a token request carries, in its body or its Authorization header. Pure. */
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
 * A text of a provider without the secrets it was sent, however it repeats them: a short secret looks like any other
 * word and is only known by its value. Pure.
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

/** As it is, and as URLs, forms, JSON and HTML write it. */
const formsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  new URLSearchParams({ v: secret }).toString().slice(2),
  JSON.stringify(secret).slice(1, -1),
  secret.replaceAll(/[&<>"']/g, (character) => entities[character] ?? ''),
];
