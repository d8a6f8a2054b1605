import { connect, type Socket } from 'node:net';
import { PostroomError } from '../platform/errors.ts';
import { type EndpointRules, hostProblem } from './endpoint-safety.ts';
import { publicLookup } from './guarded-fetch.ts';

/**
 * A plain connection to a mail server, made on the very address that was checked: a name that leads to a private one
 * is refused by the socket itself. `withinMs` covers looking the name up, too. The caller listens to `error`.
 * @throws PostroomError `endpoint-refused`, `endpoint-private`; else what the socket says (`ECONNREFUSED`,
 * `ENOTFOUND`), or an error with the code `ETIMEDOUT`.
 */
export function guardedConnect(
  { host, port }: { host: string; port: number },
  rules: EndpointRules,
  withinMs: number,
): Promise<Socket> {
  const problem = hostProblem(host, rules);
  if (problem !== undefined) return Promise.reject(new PostroomError('endpoint-refused', problem));
  return new Promise((resolve, reject) => {
    // A developer's machine may look up what it likes.
    const socket = connect({ host, port, ...(!rules.local && { lookup: publicLookup }) });
    const slow = setTimeout(
      () => socket.destroy(Object.assign(new Error('No connection in time'), { code: 'ETIMEDOUT' })),
      withinMs,
    );
    socket.once('close', () => clearTimeout(slow));
    socket.once('error', reject);
    socket.once('connect', () => {
      clearTimeout(slow);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
