/** One of many processes that need the token of one account: reports that it is ready, gets the token on request, and reports the result. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { services } from '../../functions/services.ts';

const [providerId = '', accountId = '', host = ''] = process.argv.slice(2);
const { accessTokens } = services();
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const answer = await accessTokens.get({ providerId, accountId }, { host });
const said =
  answer.kind === 'token' ? createHash('sha256').update(answer.token.expose()).digest('hex') : answer.kind;
process.stdout.write(`${said}\n`);
process.exit(0);
