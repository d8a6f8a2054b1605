const MASK = '(hidden)';
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Hides what may be a secret in words that are shown again: tokens, client secrets, codes, the query of an address.
 * It rather hides too much. Pure; linear in the length of the text.
 */
export function redact(text: string): string {
  return (
    text
      // The name alone tells that what follows is secret; “null password: …” is Microsoft's own sentence (AADSTS50056).
      .replaceAll(
        /\b(client_secret|client_assertion|refresh_token|access_token|id_token|code_verifier|(?<!null )password|passwd|authtoken)(["']?\s?[=:]\s?["']?)[^\s"'&,;]{4,}/gi,
        `$1$2${MASK}`,
      )
      .replaceAll(/\b(code|state|session_state|secret|assertion)=[^\s"'&,;]{10,}/gi, `$1=${MASK}`)
      // Microsoft's own pages about a number are no secret; any other query may hold a code or a state.
      .replaceAll(/\bhttps?:\/\/[^\s"'<>]{1,2000}/gi, (url) => {
        const query = url.search(/[?#]/);
        return query < 0 || /[?&]code=\d{3,9}$/.test(url) ? url : `${url.slice(0, query)}?${MASK}`;
      })
      .replaceAll(/[\w~.+/=-]{20,}/g, (word) => (looksSecret(word) ? MASK : word))
  );
}

/** Begins as tokens and secrets of Microsoft do, or is long, mixed, and neither an id nor an address. */
function looksSecret(word: string): boolean {
  if (/^eyJ|^[01]\.A[\w-]{10}|^M\.C\d/.test(word)) return true;
  // Client secrets of Entra: three characters, a digit, Q~, and more.
  if (/\dQ~/.test(word)) return true;
  if (word.includes('//')) return false;
  return word
    .split(/[./=]/)
    .some((part) => part.length >= 28 && /\d/.test(part) && /[a-z]/i.test(part) && !GUID.test(part));
}
