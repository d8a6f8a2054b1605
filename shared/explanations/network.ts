import type { LineEntry } from './explanation.ts';
import { lookAtHealth, nothingToDo } from './phrases.ts';

/** Network errors, with the codes of Node and OpenSSL. The sign-in host comes before any other. */
export const networkEntries: readonly LineEntry[] = [
  {
    code: 'network-sign-in',
    pattern:
      /\b(?:ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ECONNRESET|EHOSTUNREACH|ENETUNREACH|CERT_HAS_EXPIRED|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w{1,40})\b.{0,200}\blogin\.(?:microsoftonline|partner\.microsoftonline)\.|\blogin\.(?:microsoftonline|partner\.microsoftonline)\..{0,200}\b(?:ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ECONNRESET|EHOSTUNREACH|ENETUNREACH|CERT_HAS_EXPIRED|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w{1,40})\b/,
    title: 'Microsoft’s sign-in service cannot be reached',
    cause: 'Postroom’s network blocks requests to it: DNS, a firewall, or a proxy that intercepts TLS.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      'Allow outgoing connections to port 443 of the login host.',
      'If the function app is in a virtual network, check its routes, DNS and proxy.',
    ],
    links: ['function-apps'],
  },
  {
    code: 'tls-certificate',
    pattern:
      /\b(?:CERT_HAS_EXPIRED|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|ERR_TLS_CERT_ALTNAME_INVALID)\b/,
    title: 'The server’s certificate is not valid',
    cause: 'It has expired, is for another name, or comes from a proxy. Postroom sends no token there.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'In Postroom, check the mailbox’s host name.',
      'If it is correct, ask whoever runs the server or the proxy to fix its certificate.',
    ],
    links: [],
  },
  {
    code: 'tls-wrong-port',
    pattern: /\bERR_SSL_WRONG_VERSION_NUMBER\b|\bGREETING_TIMEOUT\b/,
    title: 'The port and the encryption do not match',
    cause: 'The server uses plain text where TLS was expected, or the other way around.',
    who: 'you',
    retry: 'after-fix',
    steps: ['In Postroom, set the mailbox’s port: 993 for IMAP, 995 for POP3, 587 for SMTP.'],
    links: [],
  },
  {
    code: 'network-mail',
    pattern: /\b(?:ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ECONNRESET|EHOSTUNREACH|ENETUNREACH)\b/,
    title: 'The server cannot be reached',
    cause: 'The host name is wrong, the server is down, or Postroom’s network blocks the request.',
    who: 'you',
    retry: 'by-itself',
    steps: [
      'In Postroom, check the mailbox’s host and port.',
      'Allow outgoing connections to ports 993, 995 and 587. Azure blocks port 25.',
      'If the function app is in a virtual network, check its routes and DNS.',
    ],
    links: ['function-apps'],
  },
  {
    code: 'http-429',
    pattern: /\b429 Too Many Requests\b|\bstatus(?:Code| code)?:? ?429\b/i,
    title: 'The service is throttling Postroom',
    cause: 'Too many requests were sent in a short time. Postroom waits as long as the service requires.',
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
    cause: 'The server, or a proxy in front of it, reported an error on its side.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [nothingToDo, lookAtHealth],
    links: ['service-health'],
  },
];
