import type { BounceReason } from './bounce.ts';

/**
 * RFC 3463 section 3, and Exchange Online:
 * https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online
 * The class (4 or 5) does not change the reason.
 */
const byStatus: readonly (readonly [RegExp, BounceReason])[] = [
  [/^\.1\.(?:1|3|6|10|0)$|^\.2\.0$/, 'no-mailbox'],
  [/^\.1\.2$|^\.4\.4$|^\.4\.(?:310|312|316|317)$/, 'no-domain'],
  [/^\.1\.(?:7|8|9)$/, 'sender-refused'],
  [/^\.2\.1$/, 'mailbox-disabled'],
  [/^\.2\.2$|^\.3\.1$/, 'mailbox-full'],
  [/^\.2\.3$|^\.3\.4$/, 'too-large'],
  [/^\.4\.6$|^\.4\.14$/, 'loop'],
  [/^\.4\.7$/, 'expired'],
  [/^\.3\.2$|^\.4\.5$/, 'server-busy'],
  [/^\.4\.\d+$/, 'network'],
  [/^\.6\.\d+$/, 'content'],
  [/^\.7\.(?:8|9|57|60|124|133|134|136)$/, 'sender-refused'],
  [/^\.7\.(?:20|21|22|23|24|25|26|27|28|29|30|509|515)$/, 'authentication'],
  [/^\.7\.(?:501|502|503|506|508|511|513|703|705|708|750|606|64)$/, 'refused-as-spam'],
  [/^\.7\.54$|^\.7\.64$/, 'relaying'],
];

/** Words decide where the status says little (`5.0.0`, `5.7.1`) or is missing. The first that matches counts. */
const byWords: readonly (readonly [RegExp, BounceReason])[] = [
  [/\b(?:dmarc|dkim|spf|authenticat(?:ed|ion))\b/i, 'authentication'],
  [
    /\brelay(?:ing)?\b[^.]{0,40}\b(?:denied|not (?:allowed|permitted)|access|prohibited)|\bunable to relay\b|\bnot permitted to relay\b/i,
    'relaying',
  ],
  [
    /\b(?:spam|spamhaus|black ?list|block ?list|blocked|dnsbl|rbl|reputation|listed (?:at|by|in)|bulk mail|unsolicited)\b/i,
    'refused-as-spam',
  ],
  [
    /\b(?:over ?quota|quota (?:exceeded|full)|exceeded (?:its|the|his) (?:storage|quota)|mailbox (?:is )?full|mailfull|full mailbox|insufficient (?:disk|storage)|not enough (?:disk )?space|disk quota|storage allocation|out of space|inbox is full|quota violation|exceed mailbox quota)\b/i,
    'mailbox-full',
  ],
  [
    /\b(?:message|mail|size|attachment)\b[^.]{0,40}\b(?:too (?:large|big|long)|exceeds|exceeded|larger than|over the limit)\b|\bsize limit\b/i,
    'too-large',
  ],
  [
    /\b(?:disabled|inactive|suspended|deactivated|not active|no longer (?:active|in use|valid)|has been (?:closed|disabled)|expired account|account closed)\b/i,
    'mailbox-disabled',
  ],
  [
    /\b(?:no such (?:user|mailbox|recipient|address|person|account)|(?:user|recipient|mailbox|address|account|addressee|name|alias)\b[^.]{0,60}\b(?:unknown|not (?:found|known|exist|listed|valid|recognized|our customer)|does(?: not|n.t) exist|invalid|unavailable|unrout(?:e|)able|rejected)|(?:unknown|invalid|bad|unrouteable|nonexistent|no) (?:user|recipient|mailbox|address|account|local)|resolver\.adr\.\w+|couldn.t find any mailbox|wasn.t found|no mailbox here by that name|doesn.t have an? [\w.]+ account|not a valid|does not have an? |group you tried to contact[^.]{0,40}may not exist)/i,
    'no-mailbox',
  ],
  [
    /\b(?:host (?:or domain name )?(?:not found|unknown)|unknown host|domain\b[^.]{0,40}\b(?:not found|does(?: not|n.t) exist|unknown|invalid)|name service error|couldn.t find any host|no mx|no such domain|nxdomain|dns (?:error|lookup|failure)|unrouteable mail domain|all relevant mx records)\b/i,
    'no-domain',
  ],
  [/\b(?:too many (?:hops|received)|mail loop|loop(?:ing|s? back)|routing loop|hop count)\b/i, 'loop'],
  [
    /\b(?:virus|malware|prohibited (?:attachment|file)|attachment type|content (?:rejected|filter)|html)\b/i,
    'content',
  ],
  [
    /\b(?:access denied|policy|not (?:allowed|authorized|permitted|accept)|denied|prohibited|refused to accept|administrative(?:ly)? prohibit|rejected|reverse dns|rdns|ptr record|illegal attachment)\b/i,
    'refused-by-policy',
  ],
  [
    /\b(?:try again later|temporar(?:y|ily)|too (?:busy|many connections)|grey ?list|rate limit|throttl|resources)\b/i,
    'server-busy',
  ],
  [
    /\b(?:retry time(?:out)?|been in the queue too long|expired|could not be delivered (?:for|within)|delivery time|giving up|too old|been trying|maximum retries)\b/i,
    'expired',
  ],
  [
    /\b(?:connection (?:timed out|refused|reset|dropped|lost)|timed? ?out|network (?:is )?unreachable|no route|unable to connect|cannot connect|did not respond|not responding|unreachable|couldn.t establish)\b/i,
    'network',
  ],
];

/**
 * The reason behind a status and the server's words. Pure.
 * @param status as `5.1.1`
 */
export function bounceReason(status: string | undefined, words: string): BounceReason {
  const found =
    status === undefined ? undefined : byStatus.find(([pattern]) => pattern.test(status.slice(1)))?.[1];
  // Many servers use these codes for anything.
  const isVague = found === undefined || /^[45]\.(?:2\.0|1\.0|4\.\d+|3\.2)$/.test(status ?? '');
  if (!isVague) return found;
  return byWords.find(([pattern]) => pattern.test(words))?.[1] ?? found ?? 'unknown';
}
