import type { LineEntry } from './explanation.ts';
import { lookAtHealth, nothingToDo } from './phrases.ts';

/** Network errors, with the codes of Node and OpenSSL. The sign-in host comes before any other. */
export const networkEntries: readonly LineEntry[] = [
  {
    code: 'network-sign-in',
    pattern:
      /\b(?:ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ECONNRESET|EHOSTUNREACH|ENETUNREACH|CERT_HAS_EXPIRED|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w{1,40})\b.{0,200}\blogin\.(?:microsoftonline|partner\.microsoftonline)\.|\blogin\.(?:microsoftonline|partner\.microsoftonline)\..{0,200}\b(?:ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ECONNRESET|EHOSTUNREACH|ENETUNREACH|CERT_HAS_EXPIRED|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w{1,40})\b/,
    title: 'Microsoft’s sign-in service cannot be reached',
    cause:
      'The network of Postroom does not let requests out to it: DNS, a firewall, or a proxy that opens TLS.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      'Allow outgoing connections to port 443 of the login host.',
      'If the function app is in a virtual network: check its routes, its DNS and its proxy.',
    ],
    links: ['function-apps'],
  },
  {
    code: 'tls-certificate',
    pattern:
      /\b(?:CERT_HAS_EXPIRED|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|ERR_TLS_CERT_ALTNAME_INVALID)\b/,
    title: 'The certificate of the server is not valid',
    cause:
      'It has expired, is for another name, or comes from a proxy in between. Postroom sends no token there.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, check the host name of the mailbox.',
      'If it is right: ask the people who run the server or the proxy to fix its certificate.',
    ],
    links: [],
  },
  {
    code: 'tls-wrong-port',
    pattern: /\bERR_SSL_WRONG_VERSION_NUMBER\b|\bGREETING_TIMEOUT\b/,
    title: 'The port and the encryption do not fit',
    cause: 'The server speaks plain text where TLS was expected, or the other way round.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, set the port of the mailbox: IMAP 993, POP3 995, SMTP 587.'],
    links: [],
  },
  {
    code: 'network-mail',
    pattern: /\b(?:ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ECONNRESET|EHOSTUNREACH|ENETUNREACH)\b/,
    title: 'The server cannot be reached',
    cause:
      'The host name is wrong, the server is away, or the network of Postroom does not let the request out.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      'In Postroom, check host and port of the mailbox.',
      'Allow outgoing connections to the ports 993, 995 and 587. Port 25 is closed in Azure.',
      'If the function app is in a virtual network: check its routes and its DNS.',
    ],
    links: ['function-apps'],
  },
  {
    code: 'http-429',
    pattern: /\b429 Too Many Requests\b|\bstatus(?:Code| code)?:? ?429\b/i,
    title: 'The service slows Postroom down',
    cause: 'Too many requests came in a short time. Postroom waits as long as the service asks for.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo],
    links: [],
  },
  {
    code: 'http-5xx',
    pattern:
      /^http-5\d\d$|\bHTTP\/\d(?:\.\d)? 5\d\d\b|\bstatus(?:Code| code)?:? ?5\d\d\b|\b50[0234] (?:Internal Server Error|Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out)\b/i,
    title: 'The service is having problems',
    cause: 'The server, or a proxy before it, answered that something is wrong on its own side.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
];
