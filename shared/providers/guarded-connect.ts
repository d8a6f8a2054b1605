import { connect, type Socket } from 'node:net';
import { PostroomError } from '../platform/errors.ts';
import { type EndpointRules, hostProblem } from './endpoint-safety.ts';
import { publicLookup } from './guarded-fetch.ts';

/**
 * Opens a plain connection to a mail server, to the very address that was checked: the socket itself
 * refuses a name that resolves to a private one. `withinMs` includes the DNS lookup. The caller handles
 * `error`.
 * @throws PostroomError `endpoint-refused`, `endpoint-private`; otherwise the socket's error
 * (`ECONNREFUSED`, `ENOTFOUND`), or an error with the code `ETIMEDOUT`
 */
export function guardedConnect(
  { host, port }: { host: string; port: number },
  rules: EndpointRules,
  withinMs: number,
): Promise<Socket> {
  const problem = hostProblem(host, rules);
  if (problem !== undefined) return Promise.reject(new PostroomError('endpoint-refused', problem));
  return new Promise((resolve, reject) => {
    // A developer's machine may resolve any name.
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
