/**
 * The receiving mail server's verdict on a message's sender, from its `Authentication-Results` fields (RFC
 * 8601). Anyone can write such a field into a message, so only the field of the mailbox's own server counts
 * (RFC 8601 §5). Pure.
 */

import { latin1, type RawField, unfold } from './raw-headers.ts';

/**
 * Results defined by RFC 8601 §2.7 and RFC 7489 §11.2. Microsoft's `bestguesspass` is read as `none`, because
 * the domain publishes no policy.
 */
export type Verdict =
  | 'pass'
  | 'fail'
  | 'softfail'
  | 'neutral'
  | 'none'
  | 'policy'
  | 'temperror'
  | 'permerror';

export interface AuthenticationResults {
  /** Lower case; undefined if the server does not name itself, like Exchange Online. */
  authservId: string | undefined;
  /** Undefined: the server reported no result. */
  spf: Verdict | undefined;
  /** `pass` if at least one of several signatures is valid. */
  dkim: Verdict | undefined;
  dmarc: Verdict | undefined;
  /** Microsoft's composite verdict over the three: `compauth`. */
  composite: 'pass' | 'softpass' | 'fail' | 'none' | undefined;
  /**
   * Domain of the From field that DMARC checked, in lower case; undefined if the server does not report it.
   */
  fromDomain: string | undefined;
}

/** One `Authentication-Results` field of a message. */
export interface AuthenticationField {
  /** Unfolded, without the name of the field. */
  value: string;
  /** Number of `Received` fields above it: fields of the same server have the same count. */
  hop: number;
}

/** The fields of a header block, newest first. */
export function authenticationFields(fields: readonly RawField[]): AuthenticationField[] {
  const found: AuthenticationField[] = [];
  let hop = 0;
  for (const { name, value } of fields) {
    if (name === 'received') hop += 1;
    if (name !== 'authentication-results') continue;
    found.push({ value: latin1(unfold(value.subarray(0, MAX_CHARACTERS))), hop });
    if (found.length >= MAX_FIELDS) break;
  }
  return found;
}

/** More fields than any realistic chain of servers writes. */
const MAX_FIELDS = 20;
const MAX_CHARACTERS = 8 * 1024;

/**
 * Exchange Online, over IMAP, POP3 and Microsoft Graph, in all clouds:
 * https://learn.microsoft.com/defender-office-365/message-headers-eop-mdo#authentication-results-message-header
 */
const MICROSOFT_HOSTS =
  /(?:^|\.)(?:office365\.com|office365\.us|outlook\.com|partner\.outlook\.cn|apps\.mil)$|^(?:graph\.microsoft\.(?:com|us)|dod-graph\.microsoft\.us|microsoftgraph\.chinacloudapi\.cn)$/;

/**
 * The verdict of the mailbox's own server, or undefined if it wrote none. Its topmost field counts. Further
 * fields of the same server fill in missing results, provided no other hop is between them.
 * @param fields in the order of the message, newest first
 * @param imapHost the server the mailbox is fetched from, over any protocol; it determines which field is trusted
 */
export function ownServerResults(
  fields: readonly AuthenticationField[],
  imapHost: string,
): AuthenticationResults | undefined {
  const read = fields
    .slice(0, MAX_FIELDS)
    .map(({ value, hop }) => ({ hop, results: readAuthenticationResults(value) }));
  const top = read.find(({ results }) => isOwnServer(results.authservId, imapHost));
  if (top === undefined) return undefined;
  return read
    .filter(({ hop, results }) => hop === top.hop && results.authservId === top.results.authservId)
    .map(({ results }) => results)
    .reduce((upper, lower) => ({
      authservId: upper.authservId,
      spf: upper.spf ?? lower.spf,
      dkim: upper.dkim ?? lower.dkim,
      dmarc: upper.dmarc ?? lower.dmarc,
      composite: upper.composite ?? lower.composite,
      fromDomain: upper.fromDomain ?? lower.fromDomain,
    }));
}

/**
 * Whether the server found that the message is not from its stated sender: DMARC (or Microsoft's composite
 * verdict) failed, or passed for another domain than the sender's; without a DMARC result, SPF failed and no
 * signature is valid. A check that could not be made, or a missing result, is not a failure.
 * @param senderAddress the address that Postroom treats as the sender
 */
export function failsAuthentication(
  results: AuthenticationResults | undefined,
  senderAddress: string | undefined,
): boolean {
  if (results === undefined) return false;
  const { spf, dkim, dmarc, composite, fromDomain } = results;
  if (dmarc === 'fail' || composite === 'fail') return true;
  if (dmarc === 'pass') return !isSameOrganization(fromDomain, senderAddress);
  return (dmarc === undefined || dmarc === 'none') && spf === 'fail' && dkim !== 'pass';
}

/** Reads one field. Unknown content is ignored; never throws, whatever the field contains. */
export function readAuthenticationResults(value: string): AuthenticationResults {
  const pieces = splitUnquoted(withoutComments(value.slice(0, MAX_CHARACTERS)));
  const results: AuthenticationResults = {
    authservId: authservIdOf(pieces[0] ?? ''),
    spf: undefined,
    dkim: undefined,
    dmarc: undefined,
    composite: undefined,
    fromDomain: undefined,
  };
  for (const piece of pieces) {
    // method [ "/" version ] "=" result, then properties (RFC 8601 §2.2).
    const [, method = '', result = ''] =
      /^\s*([a-z][a-z0-9-]*)(?:\s*\/\s*\d+)?\s*=\s*([a-z]+)/i.exec(piece) ?? [];
    const verdict = verdictOf(result.toLowerCase());
    switch (method.toLowerCase()) {
      case 'spf':
        results.spf ??= verdict;
        break;
      case 'dkim':
        results.dkim = verdict === 'pass' ? verdict : (results.dkim ?? verdict);
        break;
      case 'dmarc':
        // If two results disagree, one of them was injected. Trust the worse one.
        results.dmarc = verdict === 'fail' ? verdict : (results.dmarc ?? verdict);
        results.fromDomain ??= /\sheader\.from\s*=\s*"?(?:[^\s";@]*@)?([a-z0-9._-]+)/i
          .exec(piece)?.[1]
          ?.toLowerCase();
        break;
      case 'compauth':
        results.composite ??= compositeOf(result.toLowerCase());
        break;
    }
  }
  return results;
}

function isOwnServer(authservId: string | undefined, imapHost: string): boolean {
  const host = imapHost.toLowerCase().replace(/\.$/, '');
  if (MICROSOFT_HOSTS.test(host)) return authservId === undefined;
  if (authservId === undefined) return false;
  if (/(?:^|\.)(?:gmail|googlemail)\.com$/.test(host)) return authservId === 'mx.google.com';
  // `imap.example.org` and `mx1.example.org` belong to the same
  // domain. A two-label host name is used as it is.
  const house = host.split('.').length > 2 ? host.slice(host.indexOf('.') + 1) : host;
  return authservId === house || authservId.endsWith(`.${house}`);
}

function isSameOrganization(fromDomain: string | undefined, senderAddress: string | undefined): boolean {
  const sender = senderAddress?.slice(senderAddress.lastIndexOf('@') + 1).toLowerCase();
  if (fromDomain === undefined || sender === undefined) return true;
  return sender === fromDomain || sender.endsWith(`.${fromDomain}`) || fromDomain.endsWith(`.${sender}`);
}

/**
 * The first piece is the server's name, optionally with a version.
 * If it is a result, the server gave no name.
 */
function authservIdOf(piece: string): string | undefined {
  if (piece.includes('=')) return undefined;
  const [id = ''] = piece.trim().split(/\s/);
  const bare = id.replace(/^"|"$/g, '').toLowerCase();
  return bare === '' ? undefined : bare;
}

const VERDICTS: ReadonlySet<string> = new Set<Verdict>([
  'pass',
  'fail',
  'softfail',
  'neutral',
  'none',
  'policy',
  'temperror',
  'permerror',
]);

function verdictOf(word: string): Verdict | undefined {
  if (word === 'hardfail') return 'fail';
  if (word === 'bestguesspass') return 'none';
  return isVerdict(word) ? word : undefined;
}

const isVerdict = (word: string): word is Verdict => VERDICTS.has(word);

function compositeOf(word: string): AuthenticationResults['composite'] {
  return word === 'pass' || word === 'softpass' || word === 'fail' || word === 'none' ? word : undefined;
}

/** Comments nest, and quoted strings may contain parentheses (RFC 5322 §3.2.2). One pass. */
function withoutComments(value: string): string {
  let stripped = '';
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < value.length; index += 1) {
    const character = value[index] ?? '';
    if (character === '\\' && (quoted || depth > 0)) {
      if (depth === 0) stripped += value.slice(index, index + 2);
      index += 1;
    } else if (depth === 0 && character === '"') {
      quoted = !quoted;
      stripped += character;
    } else if (!quoted && character === '(') {
      depth += 1;
    } else if (depth > 0) {
      if (character === ')') depth -= 1;
      if (depth === 0) stripped += ' ';
    } else stripped += character;
  }
  return stripped;
}

/** Splits at semicolons outside quoted strings. */
function splitUnquoted(value: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  let quoted = false;
  for (let index = 0; index < value.length; index += 1) {
    const character = value[index];
    if (character === '\\' && quoted) index += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === ';' && !quoted) {
      pieces.push(value.slice(start, index));
      start = index + 1;
    }
  }
  return [...pieces, value.slice(start)];
}
