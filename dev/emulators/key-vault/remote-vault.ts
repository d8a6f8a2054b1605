import { request as httpsRequest } from 'node:https';
import type { Fault } from '../faults.ts';

export interface RemoteVault {
  /** Number of requests to the vault so far. */
  requestCount(): Promise<number>;
  addFault(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
  /** Writes a new version of a secret. */
  setSecret(name: string, value: string): Promise<void>;
}

/** Controls a vault that runs in another process. */
export function remoteVault(url: string, ca: string): RemoteVault {
  const call = (method: string, path: string, body?: unknown): Promise<string> =>
    new Promise((resolve, reject) => {
      const request = httpsRequest(
        `${url}/.control/${path}`,
        { method, ca, headers: { 'content-type': 'application/json' } },
        (response) => {
          let answer = '';
          response.setEncoding('utf8').on('data', (part: string) => {
            answer += part;
          });
          if (response.statusCode === 200) response.once('end', () => resolve(answer));
          else reject(new Error(`The key vault refused ${path} (${response.statusCode ?? 'no status'}).`));
        },
      );
      request.once('error', reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return {
    requestCount: async () => (JSON.parse(await call('GET', 'requests')) as unknown[]).length,
    async addFault(fault) {
      await call('POST', 'faults', fault);
    },
    async clearFaults() {
      await call('DELETE', 'faults');
    },
    async setSecret(name, value) {
      await call('PUT', 'secrets', { name, value });
    },
  };
}
