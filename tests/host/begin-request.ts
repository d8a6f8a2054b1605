import { once } from 'node:events';
import { type ClientRequest, type RequestOptions, request } from 'node:http';

/**
 * Sends the header of a request, and resolves when the host has it: a server answers `Expect: 100-continue` before its
 * handler begins (RFC 9110 section 10.1.1). The caller ends the request.
 */
export async function beginRequest(url: string, options: RequestOptions = {}): Promise<ClientRequest> {
  const begun = request(url, { ...options, headers: { expect: '100-continue' } });
  begun.flushHeaders();
  await once(begun, 'continue');
  return begun;
}

/** Ends the request; resolves with the text of its response. */
export async function finishRequest(begun: ClientRequest): Promise<string> {
  begun.end();
  const [response] = await once(begun, 'response');
  let text = '';
  for await (const piece of response) text += String(piece);
  return text;
}
