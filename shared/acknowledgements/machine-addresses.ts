/** Addresses that no person reads. Pure. */

/** RFC 3834 section 2: daemons, and the owners and request addresses of lists. */
const machine =
  /^(?:mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|post[-_.]?master|daemon|root|nobody|www-data|apache|cron|listserv|majordomo|mailman|abuse|bounces?|autoreply|auto[-_.]?re(?:ply|sponder|sponse)|mail(?:er)?[-_.]?delivery.*|delivery[-_.]?(?:status|report).*|microsoftexchange[0-9a-f]+)$|[-_.+=]bounces?(?:[-_.+=]|$)|^bounces?[-_.+=]|^owner[-_.]|[-_.]owner$|[-_.]request$|^(?:prvs|btv1|srs[01])=/i;

/** In the languages of most mail: it takes no replies. */
const noReply =
  /(?:^|[-_.+])(?:no|not?|do[-_.]?not|dont|never)[-_.]?(?:reply|replies|response|respond|answer)(?:[-_.+\d]|$)|^(?:noreply|donotreply)|^(?:nicht|keine)[-_.]?(?:antwort(?:en)?|reply)|^ne[-_.]?pas[-_.]?repondre|^no[-_.]?(?:responder|responda|contestar)|^nao[-_.]?respond(?:a|er)|^non[-_.]?rispondere|^niet[-_.]?(?:be)?antwoorden|^unreplyable|^unattended/i;

const localPart = (address: string): string => address.slice(0, address.lastIndexOf('@'));

export const isMachineAddress = (address: string): boolean => machine.test(localPart(address));
export const isNoReplyAddress = (address: string): boolean => noReply.test(localPart(address));
