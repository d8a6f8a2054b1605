/** One process of many that want the token of one account: says when it is ready, asks when told to, and says what it got. */
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
